/** deno task convert caffe: a prototxt and its caffemodel → a model folder. */
import { basename } from "node:path";
import { type Command, type Option, print, required, type Values, warn } from "../../../src/cli/command.ts";
import { readBytes } from "../../../src/cli/files.ts";
import { oneOf, wholeNumber } from "../../../src/cli/values.ts";
import { type ModelPlace, openPlace, writeModel } from "../folder.ts";
import { readMeanFile } from "./caffemodel.ts";
import { storages } from "../narrowing.ts";
import { pixelLine, pixelOptions, rangeOption, readPixels } from "../pixels.ts";
import { type CaffeOptions, convertCaffe } from "./network.ts";
import { textOf } from "./prototxt.ts";

const options = {
  prototxt: { value: "FILE", help: "the network, best its deploy version; any of Caffe's three generations" },
  caffemodel: { value: "FILE", help: "its weights" },
  out: { value: "DIR", help: "the model folder to make" },
  mean: {
    value: "MEAN",
    help: "what pixels lose: 104,117,123 (in the network's order), one number, or a .binaryproto",
  },
  ...pixelOptions,
  range: rangeOption("0-255"),
  resize: {
    value: "SIDE",
    help: "side that pictures get before the input is cut from their middle: 256 (usual in Caffe)",
  },
  warp: { help: "of a classifier that was tested on whole pictures squeezed to a square, not on their centre square" },
  order: { value: "ORDER", help: "of the network's channels: BGR (usual in Caffe) or RGB" },
  code: { value: "LAYER", help: "of a generator: the encoder's layer that it inverts, such as fc6" },
  weights: { value: "TYPE", help: "f32, f16 or i8 (with a scale a row): how weights are stored (f32)" },
  force: { help: "replaces an existing model folder; its labels.txt stays" },
} satisfies Record<string, Option>;

/** The command. */
export const caffe: Command<typeof options> = {
  name: "convert caffe",
  summary:
    "Turns a Caffe network into a model folder. Layers of the TEST phase are kept, losses and accuracies are not.",
  options,
  examples: [
    [
      "deno task convert caffe --prototxt deploy.prototxt --caffemodel bvlc_reference_caffenet.caffemodel --out models/caffenet",
      "a network whose mean is known by its name",
    ],
    [
      "deno task convert caffe --prototxt deploy.prototxt --caffemodel net.caffemodel --mean mean.binaryproto --out models/net",
      "a mean image: its mean colour is taken",
    ],
  ],
  run,
};

async function run(values: Values<typeof options>): Promise<void> {
  const start = performance.now();
  const out = required("--out", values.out);
  const { force } = values;
  const prototxt = required("--prototxt", values.prototxt);
  const caffemodel = required("--caffemodel", values.caffemodel);
  const mean = await readMean(values.mean);
  const pixels = readPixels(values, { usual: "0-255", mean });
  const resize = values.resize === undefined
    ? undefined
    : wholeNumber("--resize", values.resize, { least: 1, most: 65536, fallback: 0 });
  const { code, warp } = values;
  const weights = oneOf("--weights", values.weights, storages);
  using place = openPlace(out, force);
  await convertInto(place, { prototxt, caffemodel }, { ...pixels, resize, warp, code, weights }, { start });
}

/**
 * Converts a prototxt and its caffemodel into a model folder, and tells of it.
 * @param labels A file of the units' names, for a folder that has none.
 * @throws UserError in one sentence; nothing is written then.
 */
export async function convertInto(
  place: ModelPlace,
  { prototxt, caffemodel }: { prototxt: string; caffemodel: string },
  options: Omit<CaffeOptions, "name">,
  { labels, start = performance.now() }: { labels?: string; start?: number },
): Promise<void> {
  const model = convertCaffe(
    {
      prototxt: { text: textOf(await readBytes(prototxt), prototxt), file: prototxt },
      caffemodel: { bytes: await readBytes(caffemodel), file: caffemodel },
    },
    { name: basename(place.path), ...options },
  );
  const names = labels === undefined ? undefined : await readBytes(labels);
  writeModel(place, model, { start, names });
  if (model.pixels?.sure) print(pixelLine(model.pixels.image, model.pixels.origin));
  else if (model.pixels) warn(`the mean that pixels lose is ${model.pixels.origin}; 0 is written`);
}

/** The mean in a file; undefined where it is numbers, or not given. */
async function readMean(mean: string | undefined): Promise<number[] | undefined> {
  const isNumbers = mean === undefined || /^[-+\d.,eE\s]+$/.test(mean);
  return isNumbers ? undefined : readMeanFile(await readBytes(mean), mean);
}
