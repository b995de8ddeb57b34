/** `deno task classify`: what a classifier sees in pictures, or how often it is right about a labelled set. */
import type { Image } from "../formats/image.ts";
import { readNpz } from "../formats/npy.ts";
import { decodeImage } from "../formats/png.ts";
import { UserError } from "../formats/user_error.ts";
import { endsInSoftmax, labelOf, type Model } from "../mod.ts";
import { type Command, main, print } from "./command.ts";
import { adapterOption, openAdapter, openClassifier } from "./defaults.ts";
import { readBytes } from "./files.ts";
import { narrowingError, narrowingLine, tellPlan, weightKinds, weightsOption } from "./memory.ts";
import { inputOf, type Pictures, runPictures } from "./pictures.ts";
import { oneOf, wholeNumber } from "./values.ts";

const options = {
  top: { value: "K", help: "how many names to print for a picture (5)" },
  val: { value: "FILE.npz", help: "measures accuracy: images (uint8, N × height × width × 3) and labels (N)" },
  model: { value: "DIR", help: "the model's folder (the embedded classifier)" },
  weights: weightsOption,
  adapter: adapterOption,
  json: { help: "prints one JSON document" },
  verbose: { help: "tells what GPU memory will be taken, before it is" },
};

/** A unit and its share of the softmax over all units. */
interface Guess {
  unit: number;
  name: string;
  activation: number;
  probability: number;
}

const command: Command<typeof options> = {
  name: "classify",
  summary:
    "Names what a classifier sees in PNG or JPEG pictures. The centre square of a picture is resized to its input.\n" +
    "With --weights, the first picture also runs with the weights as stored, and the largest difference is told.",
  operands: "IMAGE…",
  options,
  examples: [
    ["deno task classify out/fc8_0945_0.png", "the five names that fit best"],
    ["deno task classify --top 1 --json *.jpg", "one name each, for a program"],
    [
      "deno task classify --val val1000.npz",
      "the share of pictures with the right name first, and among the first five",
    ],
  ],
  async run({ val, ...values }, files) {
    const top = wholeNumber("--top", values.top, { least: 1, fallback: 5 });
    if (val ? files.length > 0 : files.length === 0) {
      throw new UserError("expected pictures, or --val with a labelled set; --help has examples");
    }
    const weights = oneOf("--weights", values.weights, weightKinds);
    const model = await openClassifier(values.model),
      { adapter, json, verbose } = values,
      how = { adapter, weights, verbose };
    if (val) {
      const accuracy = await measure(model, val, how);
      const percent = (part: number) => `${(100 * part).toFixed(2)} %`;
      const { pictures, top1, top5 } = accuracy;
      if (json) print(JSON.stringify({ model: model.name, ...accuracy, weights }));
      else print(`${pictures} pictures: top-1 ${percent(top1)}, top-5 ${percent(top5)}`);
      return;
    }
    const read = async (index: number) => decodeImage(await readBytes(files[index]), files[index]);
    const { outputs, narrowing } = await run(model, { count: files.length, read }, how);
    const results = files.map((file, i) => ({ file, top: guesses(model, outputs[i]).slice(0, top) }));
    if (json) print(JSON.stringify({ model: model.name, pictures: results, weights, narrowing }));
    else for (const { file, top } of results) print(`${file}\n${top.map(guessLine).join("\n")}`);
  },
};

const guessLine = ({ unit, name, probability }: Guess) =>
  `  ${(100 * probability).toFixed(1).padStart(5)} %  ${String(unit).padStart(4)}  ${name}`;

/** How often the right unit is the strongest, or among the five strongest. */
async function measure(model: Model, file: string, how: How) {
  const { images, labels } = await labelledSet(file);
  const { outputs, narrowing } = await run(model, { count: images.length, read: (index) => images[index] }, how);
  const missing = labels.find((label) => !(label >= 0 && label < outputs[0].length));
  if (missing !== undefined) {
    throw new UserError(`${file} has label ${missing}, ${model.name} has ${outputs[0].length} units`);
  }
  const ranks = outputs.map((output, i) => output.filter((value) => value > output[labels[i]]).length);
  const share = (within: number) => ranks.filter((rank) => rank < within).length / ranks.length;
  return { pictures: ranks.length, top1: share(1), top5: share(5), narrowing };
}

/** How a model runs. */
interface How {
  adapter: string | undefined;
  weights: typeof weightKinds[number] | undefined;
  verbose: boolean;
}

/** The model's output for each picture, and what narrower weights change in the first. */
async function run(model: Model, pictures: Pictures<Image>, { adapter, weights, verbose }: How) {
  using device = await openAdapter(adapter);
  const outputs: Float32Array[] = [];
  await runPictures(device, model, pictures, { weights, onPlan: tellPlan(verbose) }, (output, index) => {
    outputs[index] = output.slice();
  });
  const narrowing = weights && await narrowingError(device, model, inputOf(model, await pictures.read(0)), { weights });
  if (weights) console.error(narrowingLine(weights, { [model.network.layers.at(-1)!.name]: narrowing }));
  return { outputs, narrowing };
}

/** All units, the most probable first. Logits go through a softmax; a model that ends in one has done so. */
function guesses(model: Model, output: Float32Array): Guess[] {
  const done = endsInSoftmax(model);
  const largest = output.reduce((a, b) => Math.max(a, b));
  const sum = output.reduce((total, value) => total + Math.exp(value - largest), 0);
  return Array.from(output, (activation, unit) => ({
    unit,
    name: labelOf(model, unit),
    activation,
    probability: done ? activation : Math.exp(activation - largest) / sum,
  })).sort((a, b) => b.activation - a.activation);
}

/** Reads a labelled set. @throws UserError unless it has images and a label for each. */
async function labelledSet(file: string): Promise<{ images: Image[]; labels: number[] }> {
  const arrays = readNpz(await readBytes(file), file);
  const images = arrays.get("images"), labels = arrays.get("labels");
  if (images?.dtype !== "u1" || images.shape.length !== 4 || images.shape[3] !== 3 || images.data.length === 0) {
    throw new UserError(`${file}: expected "images", uint8 of shape [N, height, width, 3], none of them 0`);
  }
  const [count, height, width] = images.shape;
  if (labels?.shape.length !== 1 || labels.shape[0] !== count || count === 0) {
    throw new UserError(`${file}: expected "labels", one for each of the ${count} images`);
  }
  const bytes = images.data as Uint8Array, length = height * width * 3;
  return {
    images: Array.from(
      { length: count },
      (_, i) => ({ width, height, rgb: bytes.subarray(i * length, (i + 1) * length) }),
    ),
    labels: Array.from(labels.data, Number),
  };
}

if (import.meta.main) await main(command);
