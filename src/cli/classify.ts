/** `deno task classify`: what a classifier sees in pictures, or how often it is right about a labelled set. */
import { UserError } from "../formats/user_error.ts";
import { arithmetics, endsInSoftmax, formats, inputOf, labelOf, layerUnits, type Model } from "../mod.ts";
import { type Command, main, print, printJson, tell } from "./command.ts";
import { adapterOption, openAdapter, openClassifier } from "./defaults.ts";
import { arithmeticOption, isNarrow, type Narrow, narrowingError, narrowingLine, weightsOption } from "./memory.ts";
import { type LabelledSet, labelledSet } from "./labelled_set.ts";
import { runPictures } from "./pictures.ts";
import { type Pictures, picturesIn } from "./reading.ts";
import { planning, tunedOption } from "./tuned.ts";
import { oneOf, wholeNumber } from "./values.ts";

const options = {
  top: { value: "K", help: "how many names to print for a picture (5)" },
  val: {
    value: "FILE",
    help:
      "measures accuracy: a list of pictures, each with its unit's number (photos/cat.jpg 281), as Caffe's val.txt; " +
      "or an .npz of images (uint8, N × height × width × 3, or N × height × width for grey) and labels (N)",
  },
  images: { value: "DIR", help: "where the paths in the list begin, also those with a / first (the list's folder)" },
  model: { value: "DIR", alias: "classifier", help: "the model's folder (the embedded classifier)" },
  weights: weightsOption,
  arithmetic: arithmeticOption,
  adapter: adapterOption,
  tuned: tunedOption,
  json: { help: "prints one JSON document" },
  verbose: { help: "tells each layer's way and what GPU memory will be taken, before it is" },
};

/** A unit and its share of the softmax over all units. */
interface Guess {
  unit: number;
  name: string;
  activation: number;
  probability: number;
}

/** The command. */
export const command: Command<typeof options> = {
  name: "classify",
  summary:
    "Names what a classifier sees in PNG or JPEG pictures. They are fitted to its input as its network.json says: the\n" +
    "largest middle part of the input's shape, or all of the picture, is resized, and cut to its middle where the network\n" +
    "has a larger side for that. What cannot be read is left out and named, and the exit code is 1.\n" +
    "With --weights or --arithmetic, the first picture also runs with the weights as stored and in f32, and the largest\n" +
    "difference is told.",
  operands: "IMAGE…",
  options,
  examples: [
    ["deno task classify out/fc8_0945_0.png", "the five names that fit best"],
    ["deno task classify --top 1 --json *.jpg", "one name each, for a program"],
    [
      "deno task classify --model models/caffenet --val val.txt --images ILSVRC2012_img_val",
      "the share of pictures with the right name first, and among the first five",
    ],
  ],
  async run({ val, images: root, ...values }, files) {
    const top = wholeNumber("--top", values.top, { least: 1, fallback: 5 });
    if (val ? files.length > 0 : files.length === 0) {
      throw new UserError("expected pictures, or --val with a labelled set; --help has examples");
    }
    if (root !== undefined && val === undefined) throw new UserError("--images goes with --val and its list");
    const weights = oneOf("--weights", values.weights, formats);
    const arithmetic = oneOf("--arithmetic", values.arithmetic, arithmetics);
    const model = await openClassifier(values.model);
    const { adapter, json, verbose, tuned } = values;
    const how = { adapter, weights, arithmetic, verbose, tuned };
    if (val) {
      const accuracy = await measure(model, await labelledSet(val, root), val, how);
      const percent = (part: number) => `${(100 * part).toFixed(2)} %`;
      const { pictures, leftOut, top1, top5 } = accuracy;
      if (json) printJson({ model: model.name, ...accuracy, weights, arithmetic });
      else print(`${pictures} pictures: top-1 ${percent(top1)}, top-5 ${percent(top5)}`);
      return leftOut.length > 0 ? 1 : 0;
    }
    const results: { file: string; top: Guess[] }[] = [];
    const { leftOut, narrowing } = await run(model, picturesIn(files), how, (output, index) => {
      results.push({ file: files[index], top: guesses(model, output).slice(0, top) });
    });
    if (json) printJson({ model: model.name, pictures: results, leftOut, weights, arithmetic, narrowing });
    else for (const { file, top } of results) [file, ...top.map(guessLine)].forEach(print);
    return leftOut.length > 0 ? 1 : 0;
  },
};

const guessLine = ({ unit, name, probability }: Guess) =>
  `  ${(100 * probability).toFixed(1).padStart(5)} %  ${String(unit).padStart(4)}  ${name}`;

/**
 * How often the right unit is the strongest, or among the five strongest. As in Caffe's Accuracy, a unit that is as strong
 * as the right one counts as stronger.
 */
async function measure(model: Model, { labels, ...pictures }: LabelledSet, file: string, how: How) {
  const units = layerUnits(model).channels;
  const missing = labels.find((label) => !(label >= 0 && label < units));
  if (missing !== undefined) throw new UserError(`${file} has label ${missing}, ${model.name} has ${units} units`);
  const ranks: number[] = [];
  const { leftOut, narrowing } = await run(model, pictures, how, (output, index) => {
    const right = output[labels[index]];
    ranks.push(
      output.reduce((stronger, value, unit) => stronger + (unit !== labels[index] && !(value < right) ? 1 : 0), 0),
    );
  });
  if (ranks.length === 0) throw new UserError(`${file}: none of its ${labels.length} pictures can be used`);
  const share = (within: number) => ranks.filter((rank) => rank < within).length / ranks.length;
  return { pictures: ranks.length, leftOut, top1: share(1), top5: share(5), narrowing };
}

/** How a model runs. */
interface How extends Narrow {
  adapter: string | undefined;
  verbose: boolean;
  tuned: string | undefined;
}

/**
 * Runs all pictures; `use` gets each one's output, in memory that the next one may take.
 * @returns Why pictures were left out, and what narrower weights and arithmetic change in the first that was not.
 */
async function run(
  model: Model,
  pictures: Pictures,
  { adapter, weights, arithmetic, ...how }: How,
  use: (output: Float32Array, index: number) => void,
): Promise<{ leftOut: string[]; narrowing?: number }> {
  using device = await openAdapter(adapter);
  const narrow = { weights, arithmetic };
  let first: number | undefined;
  const leftOut = await runPictures(
    device,
    model,
    pictures,
    { ...narrow, ...planning(device, how) },
    (output, index) => {
      first ??= index;
      use(output, index);
    },
  );
  if (first === undefined || !isNarrow(narrow)) return { leftOut };
  const input = inputOf(model, await pictures.read(first));
  const narrowing = await narrowingError(device, model, narrow, (net) => net.forward(input));
  tell(narrowingLine(narrow, { [model.network.layers.at(-1)!.name]: narrowing }));
  return { leftOut, narrowing };
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

if (import.meta.main) await main(command);
