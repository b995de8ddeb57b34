/**
 * The networks whose shapes the benchmarks know: CaffeNet, GoogLeNet as Caffe's model zoo has it (bvlc_googlenet), Dosovitskiy
 * and Brox's generators that invert CaffeNet's fc6 and pool5 (DeePSiM, 2016), and torchvision's ResNet-50. Layers have their published
 * names.
 */
import { type Add, architectures, draw, type LayerFile } from "../../tools/convert/torch/architectures.ts";

/** A network without weights. */
export interface Architecture {
  name: string;
  input: { name: string; shape: number[] };
  layers: LayerFile[];
  /** How pixels become its input, or its output pixels, as network.json says it. */
  image: Record<string, unknown>;
  /** Of a generator, as network.json says it. */
  code?: Record<string, unknown>;
}

type Parameters = Record<string, unknown>;

/** Caffe's pictures. */
const bgr = { order: "BGR", mean: [104, 117, 123], scale: 1 };

const relu = (add: Add, name: string, blob: string, parameters: Parameters = {}) =>
  add(name, "relu", blob, parameters, blob);

const lrn = { size: 5, alpha: 1e-4, beta: 0.75 };

function drawCaffenet(add: Add): void {
  /** A layer with weights and its ReLU, in place. */
  const active = (name: string, type: string, x: string, parameters: Parameters) =>
    relu(add, `relu${name.slice(-1)}`, add(name, type, x, parameters));
  const pool = (name: string, x: string) => add(name, "maxpool", x, { kernel: 3, stride: 2 });
  let x = pool("pool1", active("conv1", "conv2d", "data", { channels: 96, kernel: 11, stride: 4 }));
  x = active("conv2", "conv2d", add("norm1", "lrn", x, lrn), { channels: 256, kernel: 5, padding: 2, groups: 2 });
  x = add("norm2", "lrn", pool("pool2", x), lrn);
  x = active("conv3", "conv2d", x, { channels: 384, kernel: 3, padding: 1 });
  x = active("conv4", "conv2d", x, { channels: 384, kernel: 3, padding: 1, groups: 2 });
  x = pool("pool5", active("conv5", "conv2d", x, { channels: 256, kernel: 3, padding: 1, groups: 2 }));
  for (const name of ["fc6", "fc7"]) {
    x = add(`drop${name.slice(-1)}`, "dropout", active(name, "fc", x, { channels: 4096 }), {}, name);
  }
  add("prob", "softmax", add("fc8", "fc", x, { channels: 1000 }));
}

/** A layer of a DeePSiM generator and its ReLU. */
const leaky = (add: Add, name: string, type: string, x: string, parameters: Parameters, rectifier = `relu_${name}`) =>
  relu(add, rectifier, add(name, type, x, parameters), { slope: 0.3 });

function drawDeepsimFc6(add: Add): void {
  let x = "feat";
  for (const name of ["defc7", "defc6", "defc5"]) x = leaky(add, name, "fc", x, { channels: 4096 });
  drawUp(add, add("reshape", "reshape", x, { shape: [256, 4, 4] }));
}

function drawDeepsimPool5(add: Add): void {
  let x = "feat";
  for (const n of [6, 7, 8]) {
    x = leaky(add, `Rconv${n}`, "conv2d", x, { channels: 512, kernel: 3, padding: n === 8 ? 0 : 1 }, `Rrelu${n}`);
  }
  drawUp(add, x);
}

/** The layers from 4 × 4 to 256 × 256 pixels, which all these generators have. */
function drawUp(add: Add, x: string): void {
  /** Twice as high and wide. */
  const up = (channels: number) => ({ channels, kernel: 4, stride: 2, padding: 1 });
  const same = (channels: number) => ({ channels, kernel: 3, padding: 1 });
  const ladder: [name: string, parameters: Parameters][] = [
    ["deconv5", up(256)],
    ["conv5_1", same(512)],
    ["deconv4", up(256)],
    ["conv4_1", same(256)],
    ["deconv3", up(128)],
    ["conv3_1", same(128)],
    ["deconv2", up(64)],
    ["deconv1", up(32)],
  ];
  for (const [name, parameters] of ladder) x = leaky(add, name, "deconv2d", x, parameters);
  add("deconv0", "deconv2d", x, up(3));
}

/** Channels of an inception module: 1×1; reduced, 3×3; reduced, 5×5; after pooling. */
type Inception = [number, number, number, number, number, number];

const inceptions: Record<string, Inception> = {
  "3a": [64, 96, 128, 16, 32, 32],
  "3b": [128, 128, 192, 32, 96, 64],
  "4a": [192, 96, 208, 16, 48, 64],
  "4b": [160, 112, 224, 24, 64, 64],
  "4c": [128, 128, 256, 24, 64, 64],
  "4d": [112, 144, 288, 32, 64, 64],
  "4e": [256, 160, 320, 32, 128, 128],
  "5a": [256, 160, 320, 32, 128, 128],
  "5b": [384, 192, 384, 48, 128, 128],
};

function drawGooglenet(add: Add): void {
  /** A convolution of `room/what`, and its ReLU. */
  const conv = (room: string, what: string, x: string, parameters: Parameters) =>
    relu(add, `${room}/relu_${what.split("_s")[0]}`, add(`${room}/${what}`, "conv2d", x, parameters));
  const pool = (name: string, x: string) => add(`${name}/3x3_s2`, "maxpool", x, { kernel: 3, stride: 2 });
  let x = pool("pool1", conv("conv1", "7x7_s2", "data", { channels: 64, kernel: 7, stride: 2, padding: 3 }));
  x = conv("conv2", "3x3_reduce", add("pool1/norm1", "lrn", x, lrn), { channels: 64, kernel: 1 });
  x = add("conv2/norm2", "lrn", conv("conv2", "3x3", x, { channels: 192, kernel: 3, padding: 1 }), lrn);
  for (const [place, [one, reduce3, three, reduce5, five, pooled]] of Object.entries(inceptions)) {
    const room = `inception_${place}`;
    if (place.endsWith("a")) x = pool(`pool${Number(place[0]) - 1}`, x);
    const branches = [
      conv(room, "1x1", x, { channels: one, kernel: 1 }),
      conv(room, "3x3", conv(room, "3x3_reduce", x, { channels: reduce3, kernel: 1 }), {
        ...{ channels: three, kernel: 3, padding: 1 },
      }),
      conv(room, "5x5", conv(room, "5x5_reduce", x, { channels: reduce5, kernel: 1 }), {
        ...{ channels: five, kernel: 5, padding: 2 },
      }),
      conv(room, "pool_proj", add(`${room}/pool`, "maxpool", x, { kernel: 3, padding: 1 }), {
        ...{ channels: pooled, kernel: 1 },
      }),
    ];
    x = add(`${room}/output`, "concat", branches);
  }
  x = add("pool5/7x7_s1", "avgpool", x, { kernel: 7 });
  x = add("loss3/classifier", "fc", add("pool5/drop_7x7_s1", "dropout", x, {}, x), { channels: 1000 });
  add("prob", "softmax", x);
}

const { resnet50 } = architectures;

/** The networks. */
export const knownNetworks: Readonly<Record<string, () => Architecture>> = {
  caffenet: () => ({
    name: "CaffeNet",
    input: { name: "data", shape: [3, 227, 227] },
    image: bgr,
    layers: draw(drawCaffenet),
  }),
  "deepsim-fc6": () => ({
    name: "DeePSiM fc6",
    input: { name: "feat", shape: [4096] },
    image: bgr,
    code: { layer: "fc6" },
    layers: draw(drawDeepsimFc6),
  }),
  "deepsim-pool5": () => ({
    name: "DeePSiM pool5",
    input: { name: "feat", shape: [256, 6, 6] },
    image: bgr,
    code: { layer: "pool5" },
    layers: draw(drawDeepsimPool5),
  }),
  googlenet: () => ({
    name: "GoogLeNet",
    input: { name: "data", shape: [3, 224, 224] },
    image: bgr,
    layers: draw(drawGooglenet),
  }),
  resnet50: () => ({
    name: "ResNet-50",
    input: { name: "data", shape: [3, 224, 224] },
    image: {
      order: "RGB",
      mean: resnet50.mean.map((mean) => 255 * mean),
      scale: resnet50.std.map((std) => 1 / (255 * std)),
    },
    layers: draw((add) => resnet50.build(add, 1000)),
  }),
};
