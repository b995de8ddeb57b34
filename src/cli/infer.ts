/** `deno task infer`: any model on any tensor, and the gradient of one of its units. */
import { writeNpy } from "../formats/npy.ts";
import { valueCount } from "../formats/shape.ts";
import { UserError } from "../formats/user_error.ts";
import {
  firstNonFinite,
  formats,
  type Input,
  layerUnits,
  type Model,
  Net,
  sequenceLayerOf,
  type WeightStorage,
} from "../mod.ts";
import { type Command, main, print, printJson, required, tell, type Values } from "./command.ts";
import { adapterOption, openAdapter, openModel } from "./defaults.ts";
import { mebibytes } from "./files.ts";
import { freeMemory } from "./free_memory.ts";
import { addressed, type Feed, readInputs } from "./infer_inputs.ts";
import { narrowingError, narrowingLine, weightsOption } from "./memory.ts";
import { Outputs } from "./outputs/outputs.ts";
import { notFinite } from "./pictures.ts";
import { planning, tunedOption } from "./tuned.ts";
import { oneOf, position, wholeNumber } from "./values.ts";

const options = {
  model: { value: "DIR", help: "the model's folder (needed)" },
  input: {
    value: "X.npy",
    repeats: true,
    help:
      "the input, [N, channels, height, width] or [N, features], of any type of numbers; N may be left out; NAME=X.npy for one of several (needed)",
  },
  output: { value: "Y.npy", help: "where the output goes, [N, …]; without N where the input has none (needed)" },
  layer: { value: "NAME", help: "the layer or blob that comes out (the last)" },
  gradient: {
    value: "G.npy",
    help: "where Σ_n ∂y[n, unit] / ∂x goes, in the input's shape; NAME=G.npy for another input than the first",
  },
  unit: { value: "N", help: "the unit whose gradient is taken" },
  xy: { value: "X,Y", help: "its position in a map (the centre)" },
  batch: { value: "N", help: "rows of the input that run together (all; a sequence in time always does)" },
  weights: weightsOption,
  fast: { help: "computes in plain float32: faster in large batches, a little less exact" },
  adapter: adapterOption,
  tuned: tunedOption,
  force: { help: "overwrites files that exist" },
  json: { help: "prints one JSON document: shapes, dispatches, GPU memory" },
  verbose: { help: "tells each layer's ways and what GPU memory will be taken, before it is" },
};

/** Values of the output file: 4 GiB. */
const mostValues = 2 ** 30;

/** The command. */
export const command: Command<typeof options> = {
  name: "infer",
  summary: "Runs a model on a tensor from NumPy and writes its output, and the gradient of a unit to the input.\n" +
    "With --weights, the first row also runs with the weights as stored, and the largest difference is told.",
  options,
  examples: [
    ["deno task infer --model models/caffenet64 --input x.npy --output y.npy", "the classifier's output"],
    [
      "deno task infer --model models/caffenet64 --input x.npy --output y.npy --gradient g.npy --unit 945",
      "and how each input value changes the bell pepper's",
    ],
    ["deno task infer --model models/caffenet64 --input x.npy --output y.npy --layer conv3", "what conv3 sees"],
    ["deno task infer --model models/sum --input a=a.npy --input b=b.npy --output y.npy", "a network of two inputs"],
  ],
  async run(values) {
    const run = await settle(values);
    const { model, output, layer, weights, gradient } = run;
    const files = gradient ? [output, gradient.file] : [output];
    using outputs = Outputs.open(files, { force: values.force, bytes: bytesOf(run) });
    using device = await openAdapter(values.adapter);
    using net = await Net.create(device, model, {
      batch: run.together,
      layer,
      gradient: gradient ? gradient.input.name : false,
      weights,
      doubleFloat: !values.fast,
      ...planning(device, values),
    });
    const { y, dx } = await rowsOf(net, run);
    for (const [what, values] of [["of the input", y], ["in its gradient", dx]] as const) {
      const at = firstNonFinite(values);
      if (at >= 0) throw notFinite(values[at], what, model, { layer, weights });
    }
    const whole = (item: readonly number[]) => run.feed.batched ? [run.feed.rows, ...item] : [...item];
    const contents = new Map([[output, writeNpy({ shape: whole(net.outputShape), data: y })]]);
    if (gradient) contents.set(gradient.file, writeNpy({ shape: whole(gradient.input.shape), data: dx }));
    outputs.save(contents);
    const saved = files.map((file) => outputs.where(file));
    const first = partOf(run, 0, 1);
    const narrowing = weights && await narrowingError(device, model, { weights, layer }, (net) => net.forward(first));
    if (weights) tell(narrowingLine({ weights }, { [layer ?? "the output"]: narrowing }));
    const { dispatches, memory } = net;
    const shapes = { input: whole(model.network.inputs[0].shape), output: whole(net.outputShape) };
    if (values.json) printJson({ model: model.name, ...shapes, files: saved, dispatches, memory, narrowing });
    else print(`${saved.join(", ")}: [${shapes.input.join(", ")}] → [${shapes.output.join(", ")}]`);
    outputs.finish();
  },
};

/** What is to be run, decided. */
interface Run {
  model: Model;
  feed: Feed;
  layer?: string;
  weights?: WeightStorage;
  output: string;
  /** Values of a row of it. */
  outputSize: number;
  /** Where a gradient goes, the input that it is to, and the unit that it is of. */
  gradient?: { file: string; input: Input; unit: number; xy?: [number, number] };
  /** Rows that run together. */
  together: number;
}

/** Decides what is to be run, and refuses what can be refused before there is a device. @throws UserError */
async function settle(values: Values<typeof options>): Promise<Run> {
  const folder = required("--model", values.model);
  required("--input", values.input[0]);
  const output = required("--output", values.output);
  if ((values.gradient === undefined) !== (values.unit === undefined)) {
    throw new UserError("--gradient and --unit belong together: a file and the unit whose gradient goes there");
  }
  if (values.xy && !values.gradient) {
    throw new UserError("--xy says where the gradient is taken; give --gradient and --unit");
  }
  const unit = wholeNumber("--unit", values.unit, { fallback: 0 });
  const xy = position("--xy", values.xy);
  const weights = oneOf("--weights", values.weights, formats);
  const model = await openModel(folder);
  const { inputs } = model.network;
  const feed = await readInputs(values.input, inputs, folder);
  const { rows } = feed;
  const { layer } = values;
  const together = wholeNumber("--batch", values.batch, { least: 1, most: rows, fallback: rows });
  const sequence = together < rows ? sequenceLayerOf(model, layer) : undefined;
  if (sequence !== undefined) {
    throw new UserError(
      `--batch ${together} would cut the sequence: the rows of the input are the steps of layer "${sequence}" in time, ` +
        "and all run together without it",
    );
  }
  const to = values.gradient === undefined ? undefined : addressed(values.gradient, inputs);
  const input = inputs.find(({ name }) => name === to?.name) ?? inputs[0];
  const { channels, height, width } = layerUnits(model, layer);
  const outputSize = channels * height * width;
  const gradient = to && { file: to.file, input, unit, xy };
  const run = { model, feed, layer, weights, output, outputSize, gradient, together };
  if (rows * outputSize > mostValues) {
    throw new UserError(`${rows} rows of output have ${rows * outputSize} values, expected at most ${mostValues}`);
  }
  // Each value once as it is gathered and once in the file's bytes.
  const need = 2 * bytesOf(run);
  const free = freeMemory();
  if (need > free) {
    throw new UserError(`${rows} rows of output need ${mebibytes(need)} of memory, ${mebibytes(free)} are free`);
  }
  return run;
}

/** Bytes of the values that come out. */
const bytesOf = ({ feed: { rows }, outputSize, gradient }: Run): number =>
  4 * rows * (outputSize + (gradient ? valueCount(gradient.input.shape) : 0));

/** The values of all inputs for rows `from` to `to` − 1. */
const partOf = ({ model, feed }: Run, from: number, to: number): Record<string, Float32Array> =>
  Object.fromEntries(model.network.inputs.map(({ name, shape }) => {
    const size = valueCount(shape);
    return [name, feed.arrays.get(name)!.slice(from * size, to * size)];
  }));

/** Runs all rows, so many together; of a last batch that is shorter, the rows before it are run once more. */
async function rowsOf(net: Net, run: Run): Promise<{ y: Float32Array; dx: Float32Array }> {
  const { feed: { rows }, together, outputSize, gradient } = run;
  const size = gradient ? valueCount(gradient.input.shape) : 0;
  const y = new Float32Array(rows * outputSize);
  const dx = new Float32Array(rows * size);
  for (let done = 0; done < rows; done += together) {
    const from = Math.min(done, rows - together);
    const part = partOf(run, from, from + together);
    if (gradient) {
      const result = await net.gradient(part, gradient.unit, gradient.xy);
      y.set(result.output, from * outputSize);
      dx.set(result.gradient, from * size);
    } else y.set(await net.forward(part), from * outputSize);
  }
  return { y, dx };
}

if (import.meta.main) await main(command);
