/**
 * The embedded pair as network.json describes it (docs/model_folder.md): what networks.py builds, batch norm folded away.
 *
 * Names and order follow Caffe's reference networks, so that a blob here means what it means in the papers.
 */
import type { ImageFormat, Network } from "../../src/net/network.ts";

/** One layer of network.json, as far as the two networks need it. */
export interface LayerFile {
  name: string;
  type: "conv2d" | "deconv2d" | "fc" | "relu" | "maxpool" | "reshape";
  input: string;
  output?: string;
  channels?: number;
  kernel?: number;
  stride?: number;
  padding?: number;
  slope?: number;
  shape?: number[];
}

/** A network.json. */
export interface NetworkFile extends Omit<Network, "layers"> {
  layers: LayerFile[];
}

/** The names of the two models: their folders and the arrays' files carry them. */
export type ModelName = "caffenet64" | "deepsim64";

/** Pixels 0 … 255 become −1 … 1. */
const image: ImageFormat = { order: "RGB", mean: [127.5, 127.5, 127.5], scale: 1 / 127.5 };

/** A layer still without its input: `chain` connects it to the one before. */
type Loose = Omit<LayerFile, "input">;

const conv = (name: string, channels: number, kernel = 3, stride?: number): Loose => (
  { name, type: "conv2d", channels, kernel, stride, padding: (kernel - 1) / 2 }
);
const deconv = (name: string, channels: number): Loose => (
  { name, type: "deconv2d", channels, kernel: 4, stride: 2, padding: 1 }
);
const fc = (name: string, channels: number): Loose => ({ name, type: "fc", channels });
const pool = (name: string): Loose => ({ name, type: "maxpool", kernel: 3, stride: 2 });

/** In place: writes the blob that it reads. */
const relu = (name: string, blob: string): Loose => ({ name, type: "relu", output: blob });
const leaky = (blob: string): Loose => ({ name: `relu_${blob}`, type: "relu", output: blob, slope: 0.3 });

function chain(input: string, layers: Loose[]): LayerFile[] {
  return layers.map(({ name, type, ...parameters }) => {
    const layer = { name, type, input, ...parameters };
    input = parameters.output ?? name;
    return layer;
  });
}

/** Φ and the encoder E. `trained`: the units of fc8 that were trained. */
export const classifier = (trained: [number, number][]): NetworkFile => ({
  name: "caffenet64",
  inputs: [{ name: "data", shape: [3, 64, 64] }],
  image,
  trained,
  layers: chain("data", [
    conv("conv1", 64, 5, 2),
    relu("relu1", "conv1"),
    pool("pool1"),
    conv("conv2", 160),
    relu("relu2", "conv2"),
    pool("pool2"),
    conv("conv3", 256),
    relu("relu3", "conv3"),
    conv("conv4", 256),
    relu("relu4", "conv4"),
    conv("conv5", 256),
    relu("relu5", "conv5"),
    pool("pool5"),
    fc("fc6", 1024),
    relu("relu6", "fc6"),
    fc("fc7", 1024),
    relu("relu7", "fc7"),
    fc("fc8", 1000),
  ]),
});

/** G: the inverse of the classifier's fc6 (after its ReLU). */
export const generator = (): NetworkFile => ({
  name: "deepsim64",
  inputs: [{ name: "code", shape: [1024] }],
  image,
  code: { layer: "fc6", sigmas: 3 },
  layers: chain("code", [
    fc("defc7", 1024),
    leaky("defc7"),
    fc("defc6", 1024),
    leaky("defc6"),
    fc("defc5", 4096),
    leaky("defc5"),
    { name: "reshape", type: "reshape", shape: [256, 4, 4] },
    deconv("deconv5", 256),
    leaky("deconv5"),
    conv("conv5_1", 256),
    leaky("conv5_1"),
    deconv("deconv4", 128),
    leaky("deconv4"),
    conv("conv4_1", 128),
    leaky("conv4_1"),
    deconv("deconv3", 64),
    leaky("deconv3"),
    deconv("deconv2", 32),
    leaky("deconv2"),
    conv("conv0", 3),
  ]),
});

/** network.json's text: one layer on a line. */
export function networkText({ layers, ...head }: Omit<Network, "layers"> & { layers: object[] }): string {
  const given = Object.entries(head).filter(([, value]) => value !== undefined);
  const fields = given.map(([key, value]) => `  ${JSON.stringify(key)}: ${spaced(value)},`);
  return ["{", ...fields, '  "layers": [', layers.map((layer) => `    ${spaced(layer)}`).join(",\n"), "  ]", "}", ""]
    .join("\n");
}

/** JSON on one line with a space after colons and commas. */
function spaced(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).filter(([, v]) => v !== undefined);
  return `{ ${fields.map(([key, v]) => `${JSON.stringify(key)}: ${spaced(v)}`).join(", ")} }`;
}
