/** `deno task infer`: any model on any tensor, and the gradient of one of its units. */
import { readNpy, writeNpy } from "../formats/npy.ts";
import { UserError } from "../formats/user_error.ts";
import { Net, sequenceLayerOf } from "../mod.ts";
import { type Command, main, print, required } from "./command.ts";
import { adapterOption, openAdapter, openModel } from "./defaults.ts";
import { checkOutputs, readBytes, writeOutputs } from "./files.ts";
import { oneOf, position, wholeNumber } from "./values.ts";

const options = {
  model: { value: "DIR", help: "the model's folder (needed)" },
  input: {
    value: "X.npy",
    help: "the input, [N, channels, height, width] or [N, features]; N may be left out (needed)",
  },
  output: { value: "Y.npy", help: "where the output goes, [N, …] (needed)" },
  layer: { value: "NAME", help: "the layer or blob that comes out (the last)" },
  gradient: { value: "G.npy", help: "where Σ_n ∂y[n, unit] / ∂x goes, in the input's shape" },
  unit: { value: "N", help: "the unit whose gradient is taken" },
  xy: { value: "X,Y", help: "its position in a map (the centre)" },
  batch: { value: "N", help: "rows of the input that run together (all; a sequence in time always does)" },
  weights: { value: "KIND", help: "how weights are kept on the GPU: f32, f16 or i8 (as in the file)" },
  adapter: adapterOption,
  force: { help: "overwrites files that exist" },
  json: { help: "prints one JSON document: shapes, dispatches, GPU memory" },
};

const command: Command<typeof options> = {
  name: "infer",
  summary: "Runs a model on a tensor from NumPy and writes its output, and the gradient of a unit to the input.",
  options,
  examples: [
    ["deno task infer --model models/caffenet64 --input x.npy --output y.npy", "the classifier's output"],
    [
      "deno task infer --model models/caffenet64 --input x.npy --output y.npy --gradient g.npy --unit 945",
      "and how each input value changes the bell pepper's",
    ],
    ["deno task infer --model models/caffenet64 --input x.npy --output y.npy --layer conv3", "what conv3 sees"],
  ],
  async run(values) {
    const folder = required("--model", values.model), file = required("--input", values.input);
    const output = required("--output", values.output);
    if ((values.gradient === undefined) !== (values.unit === undefined)) {
      throw new UserError("--gradient and --unit belong together: a file and the unit whose gradient goes there");
    }
    if (values.xy && !values.gradient) {
      throw new UserError("--xy says where the gradient is taken; give --gradient and --unit");
    }
    const unit = wholeNumber("--unit", values.unit, { fallback: 0 });
    const xy = position("--xy", values.xy);
    const weights = oneOf("--weights", values.weights, ["f32", "f16", "i8"]);
    const model = await openModel(folder);
    const { inputs } = model.network;
    if (inputs.length !== 1) throw new UserError(`${folder} has ${inputs.length} inputs; infer runs networks of one`);
    const x = await readInput(file, inputs[0].shape);
    const rows = x.shape[0];
    const together = wholeNumber("--batch", values.batch, { least: 1, most: rows, fallback: rows });
    const outputs = values.gradient ? [output, values.gradient] : [output];
    const sequence = together < rows ? sequenceLayerOf(model, values.layer) : undefined;
    if (sequence !== undefined) {
      throw new UserError(
        `--batch ${together} would cut the sequence: the rows of the input are the steps of layer "${sequence}" in time, ` +
          "and all run together without it",
      );
    }
    checkOutputs(outputs, { force: values.force, bytes: 4 * x.data.length });

    using device = await openAdapter(values.adapter);
    const gradient = values.gradient !== undefined;
    using net = await Net.create(device, model, { batch: together, layer: values.layer, gradient, weights });
    const size = x.data.length / rows, outputSize = net.outputShape.reduce((product, n) => product * n, 1);
    const y = new Float32Array(rows * outputSize), dx = new Float32Array(gradient ? x.data.length : 0);
    const part = new Float32Array(together * size); // a last, shorter batch is filled up with what was there before
    for (let row = 0; row < rows; row += together) {
      const count = Math.min(together, rows - row);
      part.set(x.data.subarray(row * size, (row + count) * size));
      const result = gradient ? await net.gradient(part, unit, xy) : { output: await net.forward(part) };
      y.set(result.output.subarray(0, count * outputSize), row * outputSize);
      if ("gradient" in result) dx.set(result.gradient.subarray(0, count * size), row * size);
    }
    const files = new Map([[output, writeNpy({ shape: [rows, ...net.outputShape], data: y })]]);
    if (values.gradient) files.set(values.gradient, writeNpy({ shape: x.shape, data: dx }));
    writeOutputs(files, values);
    const { dispatches, memory } = net;
    const shapes = { input: x.shape, output: [rows, ...net.outputShape] };
    if (values.json) {
      print(JSON.stringify({ model: model.name, ...shapes, files: outputs, dispatches, memory }));
    } else print(`${outputs.join(", ")}: [${shapes.input.join(", ")}] → [${shapes.output.join(", ")}]`);
  },
};

/** Reads the input, with the batch dimension put in front where the file leaves it out. */
async function readInput(file: string, item: readonly number[]): Promise<{ shape: number[]; data: Float32Array }> {
  const array = readNpy(await readBytes(file), file);
  const shape = array.shape.length === item.length ? [1, ...array.shape] : array.shape;
  if (shape.slice(1).join() !== item.join() || shape[0] === 0) {
    throw new UserError(`${file} has shape [${array.shape.join(", ")}], the model takes [N, ${item.join(", ")}]`);
  }
  const data = Float32Array.from(array.data, Number);
  if (!data.every(Number.isFinite)) {
    throw new UserError(`${file} holds NaN or infinity; GPUs give no sure answer to these`);
  }
  return { shape, data };
}

if (import.meta.main) await main(command);
