/** `deno task infer`: any model on any tensor, and the gradient of one of its units. */
import { writeNpy } from "../formats/npy.ts";
import { valueCount } from "../formats/shape.ts";
import { UserError } from "../formats/user_error.ts";
import { firstNonFinite, layerUnits, Net, sequenceLayerOf } from "../mod.ts";
import { type Command, main, print, printJson, required, tell } from "./command.ts";
import { adapterOption, openAdapter, openModel } from "./defaults.ts";
import { mebibytes } from "./files.ts";
import { freeMemory } from "./free_memory.ts";
import { addressed, readInputs } from "./infer_inputs.ts";
import { narrowingError, narrowingLine, weightKinds, weightsOption } from "./memory.ts";
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
    const folder = required("--model", values.model), [file] = values.input;
    required("--input", file);
    const output = required("--output", values.output);
    if ((values.gradient === undefined) !== (values.unit === undefined)) {
      throw new UserError("--gradient and --unit belong together: a file and the unit whose gradient goes there");
    }
    if (values.xy && !values.gradient) {
      throw new UserError("--xy says where the gradient is taken; give --gradient and --unit");
    }
    const unit = wholeNumber("--unit", values.unit, { fallback: 0 });
    const xy = position("--xy", values.xy);
    const weights = oneOf("--weights", values.weights, weightKinds);
    const model = await openModel(folder);
    const { inputs } = model.network, { rows, batched, arrays } = await readInputs(values.input, inputs, folder);
    const gradient = values.gradient === undefined ? undefined : addressed(values.gradient, inputs);
    const target = inputs.find(({ name }) => name === gradient?.name) ?? inputs[0];
    const together = wholeNumber("--batch", values.batch, { least: 1, most: rows, fallback: rows });
    const named = gradient ? [output, gradient.file] : [output];
    const sequence = together < rows ? sequenceLayerOf(model, values.layer) : undefined;
    if (sequence !== undefined) {
      throw new UserError(
        `--batch ${together} would cut the sequence: the rows of the input are the steps of layer "${sequence}" in time, ` +
          "and all run together without it",
      );
    }
    const { channels, height, width } = layerUnits(model, values.layer), outputSize = channels * height * width;
    const size = valueCount(target.shape), bytes = 4 * rows * (outputSize + (gradient ? size : 0));
    if (rows * outputSize > mostValues) {
      throw new UserError(`${rows} rows of output have ${rows * outputSize} values, expected at most ${mostValues}`);
    }
    // Each value once as it is gathered and once in the file's bytes.
    const free = freeMemory();
    if (2 * bytes > free) {
      throw new UserError(`${rows} rows of output need ${mebibytes(2 * bytes)} of memory, ${mebibytes(free)} are free`);
    }
    using outputs = Outputs.open(named, { force: values.force, bytes });

    using device = await openAdapter(values.adapter);
    const { layer } = values;
    const options = {
      batch: together,
      layer,
      gradient: gradient ? target.name : false,
      weights,
      doubleFloat: !values.fast,
      ...planning(device, values),
    };
    using net = await Net.create(device, model, options);
    const y = new Float32Array(rows * outputSize), dx = new Float32Array(gradient ? rows * size : 0);
    // A last, shorter batch is filled up with what was there before.
    const part = Object.fromEntries(
      inputs.map(({ name, shape }) => [name, new Float32Array(together * valueCount(shape))]),
    );
    for (let row = 0; row < rows; row += together) {
      const now = Math.min(together, rows - row);
      for (const { name, shape } of inputs) {
        part[name].set(arrays.get(name)!.subarray(row * valueCount(shape), (row + now) * valueCount(shape)));
      }
      const result = gradient ? await net.gradient(part, unit, xy) : { output: await net.forward(part) };
      y.set(result.output.subarray(0, now * outputSize), row * outputSize);
      if ("gradient" in result) dx.set(result.gradient.subarray(0, now * size), row * size);
    }
    for (const [what, values] of [["of the input", y], ["in its gradient", dx]] as const) {
      const at = firstNonFinite(values);
      if (at >= 0) throw notFinite(values[at], what, model, { layer, weights });
    }
    const whole = (item: readonly number[]) => batched ? [rows, ...item] : [...item];
    const files = new Map([[output, writeNpy({ shape: whole(net.outputShape), data: y })]]);
    if (gradient) files.set(gradient.file, writeNpy({ shape: whole(target.shape), data: dx }));
    outputs.save(files);
    const saved = named.map((file) => outputs.where(file));
    const first = Object.fromEntries(
      inputs.map(({ name, shape }) => [name, arrays.get(name)!.slice(0, valueCount(shape))]),
    );
    const narrowing = weights && await narrowingError(device, model, { weights, layer }, (net) => net.forward(first));
    if (weights) tell(narrowingLine({ weights }, { [layer ?? "the output"]: narrowing }));
    const { dispatches, memory } = net;
    const shapes = { input: whole(inputs[0].shape), output: whole(net.outputShape) };
    if (values.json) {
      printJson({ model: model.name, ...shapes, files: saved, dispatches, memory, narrowing });
    } else print(`${saved.join(", ")}: [${shapes.input.join(", ")}] → [${shapes.output.join(", ")}]`);
    outputs.finish();
  },
};

if (import.meta.main) await main(command);
