/**
 * `deno task ranges`: the mean and the standard deviation of a layer's values over pictures, which bound the
 * code of a generator that inverts the layer.
 */
import { join } from "node:path";
import { figure } from "../formats/figure.ts";
import { fromFloat32, readSafetensors, type StoredTensor, writeSafetensors } from "../formats/safetensors.ts";
import { valueCount } from "../formats/shape.ts";
import { UserError } from "../formats/user_error.ts";
import { formats, layerUnits, type Model } from "../mod.ts";
import { defaultSigmas } from "./bounds.ts";
import { type Command, main, print, printJson, required } from "./command.ts";
import { adapterOption, openAdapter, openClassifier, openModel } from "./defaults.ts";
import { readBytes } from "./files.ts";
import { weightsOption } from "./memory.ts";
import { Outputs } from "./outputs/outputs.ts";
import { imagesHelp, pictureSet } from "./picture_set.ts";
import { runPictures } from "./pictures.ts";
import { planning, tunedOption } from "./tuned.ts";
import { oneOf } from "./values.ts";

const options = {
  images: { value: "PLACE", help: `${imagesHelp} (needed)` },
  layer: { value: "NAME", help: "the layer or blob, such as fc6 (the one that --generator inverts)" },
  model: { value: "DIR", alias: "classifier", help: "the encoder's model folder (the embedded classifier)" },
  out: { value: "FILE", help: "where code.mean and code.std go, *.safetensors, for synth's --bounds" },
  generator: { value: "DIR", help: "writes them into this generator, which then has them; with --force" },
  weights: weightsOption,
  adapter: adapterOption,
  tuned: tunedOption,
  force: { help: "overwrites files that exist" },
  json: { help: "prints one JSON document" },
  verbose: { help: "tells each layer's way and what GPU memory will be taken, before it is" },
};

/** The command. */
export const command: Command<typeof options> = {
  name: "ranges",
  summary: "Measures a layer's values over pictures: the bounds of a generator's code, mean + 3 standard deviations\n" +
    "(of all pictures, not of a sample) for each value. Pictures are fitted to the model's input as classify does; what\n" +
    "cannot be read is left out and named, and the exit code is 1.",
  options,
  examples: [
    [
      "deno task ranges --model models/caffenet --layer fc6 --images photos --out fc6.safetensors",
      "then: deno task synth … --bounds fc6.safetensors",
    ],
    [
      "deno task ranges --model models/caffenet --images photos --generator models/deepsim-fc6 --force",
      "the generator has its bounds from now on",
    ],
  ],
  async run(values) {
    const images = required("--images", values.images);
    const { out, force, json } = values;
    if (out === undefined && values.generator === undefined) {
      throw new UserError("--out or --generator says where the ranges go; --help has examples");
    }
    if (out !== undefined && !out.endsWith(".safetensors")) {
      throw new UserError(`--out ${out}: ranges are saved as .safetensors`);
    }
    const weights = oneOf("--weights", values.weights, formats);
    const generator = values.generator === undefined ? undefined : await openModel(values.generator);
    const layer = values.layer ?? generator?.network.code?.layer;
    if (layer === undefined) throw new UserError("which layer? --layer fc6 is the usual one");
    const model = await openClassifier(values.model);
    const { channels, height, width } = layerUnits(model, layer);
    if (generator) checkCode(generator, layer, channels * height * width);
    const set = await pictureSet(images);
    const places = [out, ...generator ? modelFiles(generator.where) : []].filter((path) => path !== undefined);
    using outputs = Outputs.open(places, { force, bytes: 1 << 16 });

    using device = await openAdapter(values.adapter);
    const gathered = statistics();
    const leftOut = await runPictures(
      device,
      model,
      set,
      { layer, weights, ...planning(device, values) },
      gathered.add,
    );
    const { pictures, mean, std } = gathered.result();
    if (pictures < 2) {
      throw new UserError(
        `${images}: ${pictures} of ${set.count} pictures could be used; a spread needs at least two`,
      );
    }
    const stored = (values: Float64Array) => fromFloat32(values, "F32", [values.length]);
    const tensors = new Map([["code.mean", stored(mean)], ["code.std", stored(std)]]);
    const written = new Map<string, Uint8Array>();
    if (out !== undefined) written.set(out, writeSafetensors(tensors));
    if (generator) { for (const [path, bytes] of await withCode(generator, layer, tensors)) written.set(path, bytes); }
    outputs.save(written);
    const saved = [...written.keys()].map((file) => outputs.where(file));
    const average = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const report = { model: model.name, layer, pictures, values: mean.length, mean: average(mean), std: average(std) };
    if (json) printJson({ ...report, leftOut, files: saved });
    else {
      print(
        `${saved.join(", ")}: ${mean.length} values of ${layer} over ${pictures} pictures, ` +
          `mean ${figure(report.mean, 3)} and deviation ${figure(report.std, 3)} on average`,
      );
    }
    outputs.finish();
    return leftOut.length > 0 ? 1 : 0;
  },
};

/** Gathers the mean and the standard deviation of each value, in float64, without a sum of squares (Welford). */
function statistics() {
  let pictures = 0;
  let mean = new Float64Array(0);
  let squares = new Float64Array(0);
  return {
    add(output: Float32Array): void {
      if (pictures++ === 0) [mean, squares] = [new Float64Array(output.length), new Float64Array(output.length)];
      for (let j = 0; j < output.length; j++) {
        const off = output[j] - mean[j];
        mean[j] += off / pictures;
        squares[j] += off * (output[j] - mean[j]);
      }
    },
    /** Over all pictures, as NumPy's `std`. */
    result: () => ({ pictures, mean, std: squares.map((sum) => Math.sqrt(sum / pictures)) }),
  };
}

const modelFiles = (folder: string) => ["network.json", "weights.safetensors"].map((name) => join(folder, name));

/** @throws UserError unless the generator's code has as many values as the layer. */
function checkCode({ name, network }: Model, layer: string, count: number): void {
  const size = valueCount(network.inputs[0].shape);
  if (count !== size) throw new UserError(`${layer} has ${count} values, the code of ${name} ${size}`);
}

/** The generator's files with these ranges and the layer that they are of. */
async function withCode(
  { network, where }: Model,
  layer: string,
  ranges: ReadonlyMap<string, StoredTensor>,
): Promise<[string, Uint8Array][]> {
  const [description, weights] = modelFiles(where);
  const tensors = readSafetensors(await readBytes(weights), weights);
  for (const [key, tensor] of ranges) tensors.set(key, tensor);
  const json = JSON.parse(new TextDecoder().decode(await readBytes(description)));
  const code = { sigmas: defaultSigmas, ...network.code, layer };
  return [
    [weights, writeSafetensors(tensors)],
    [description, new TextEncoder().encode(`${JSON.stringify({ ...json, code }, undefined, 2)}\n`)],
  ];
}

if (import.meta.main) await main(command);
