/** A classifier and a generator so small that a search takes no time, in a folder of their own. */
import { join } from "node:path";
import { fromFloat32, writeSafetensors } from "../../src/formats/safetensors.ts";
import { loadModel, type Model } from "../../src/mod.ts";
import { normal } from "../reference/random.ts";
import { temporaryFolder } from "./user.ts";

const image = { order: "RGB", mean: [127.5, 127.5, 127.5], scale: 1 / 127.5 };

/** Pictures of 8 × 8, five units of which the last was never trained. */
const classifier = {
  name: "tiny classifier",
  inputs: [{ name: "data", shape: [3, 8, 8] }],
  image,
  trained: [[0, 3]],
  layers: [
    { name: "conv1", type: "conv2d", input: "data", channels: 4, kernel: 3, padding: 1 },
    { name: "relu1", type: "relu", input: "conv1", output: "conv1", slope: 0.3 },
    { name: "fc2", type: "fc", input: "conv1", channels: 6 },
    { name: "fc3", type: "fc", input: "fc2", channels: 5 },
  ],
};

/** Codes of six numbers, without bounds. */
const generator = {
  name: "tiny generator",
  inputs: [{ name: "code", shape: [6] }],
  image,
  code: { layer: "fc2" },
  layers: [
    { name: "fc", type: "fc", input: "code", channels: 192 },
    { name: "picture", type: "reshape", input: "fc", shape: [3, 8, 8] },
  ],
};

const shapes = {
  classifier: {
    "conv1.weight": [4, 3, 3, 3],
    "conv1.bias": [4],
    "fc2.weight": [6, 256],
    "fc2.bias": [6],
    "fc3.weight": [5, 6],
    "fc3.bias": [5],
  },
  generator: { "fc.weight": [192, 6], "fc.bias": [192] },
};

/** Folders of the two models. */
export interface TinyModels {
  classifier: string;
  generator: string;
}

/** Writes both below `folder`. */
export function writeTinyModels(folder: string): TinyModels {
  const models = { classifier: join(folder, "classifier"), generator: join(folder, "generator") };
  for (const [role, network] of Object.entries({ classifier, generator })) {
    const path = models[role as keyof TinyModels];
    Deno.mkdirSync(path, { recursive: true });
    Deno.writeTextFileSync(join(path, "network.json"), JSON.stringify(network));
    writeWeights(path, role as keyof TinyModels);
  }
  Deno.writeTextFileSync(join(models.classifier, "labels.txt"), "apple\nbell pepper\ncandle\ndoor\nelephant\n");
  return models;
}

/** Both models, as they are read. */
export async function loadTiny(): Promise<Record<keyof TinyModels, Model>> {
  using folder = temporaryFolder();
  const paths = writeTinyModels(folder.path);
  const read = (path: string) => loadModel((name) => Deno.readFile(join(path, name)).catch(() => undefined), path);
  return { classifier: await read(paths.classifier), generator: await read(paths.generator) };
}

const stored = (...values: number[]) => fromFloat32(Float32Array.from(values), "F32", [values.length]);

/** Means and deviations of the generator's code. */
export const tinyStatistics = new Map([
  ["code.mean", stored(1, 2, 3, 4, 5, 6)],
  ["code.std", stored(1, 1, 1, 2, 2, 2)],
]);

/** Writes a model's weights: seeded, with `change` made to the numbers of each tensor. */
export function writeWeights(
  folder: string,
  role: keyof TinyModels,
  change: (values: Float32Array, name: string) => void = () => {},
): void {
  const tensors = Object.entries(shapes[role]).map(([name, shape], i) => {
    const random = normal(i + 1);
    const size = shape.reduce((product, n) => product * n, 1);
    const values = Float32Array.from({ length: size }, () => 0.3 * random());
    if (name === "fc3.weight") values.fill(0, 4 * 6); // the untrained unit
    change(values, name);
    return [name, fromFloat32(values, "F32", shape)] as const;
  });
  Deno.writeFileSync(join(folder, "weights.safetensors"), writeSafetensors(new Map(tensors)));
}
