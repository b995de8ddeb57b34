/** deno task convert onnx: an .onnx file → a model folder. */
import { basename, dirname, isAbsolute, join, sep } from "node:path";
import { type Command, type Option, print, required, type Values, warn } from "../../../src/cli/command.ts";
import { checkReadable, readBytes, readHead, reasonOf } from "../../../src/cli/files.ts";
import { named, oneOf } from "../../../src/cli/values.ts";
import { isText, refuseOthers } from "../../../src/formats/kinds.ts";
import { readNpy } from "../../../src/formats/npy.ts";
import { show, UserError } from "../../../src/formats/user_error.ts";
import { openPlace, writeModel } from "../folder.ts";
import { storages } from "../narrowing.ts";
import { pixelLine, pixelOptions, rangeOption, readPixels } from "../pixels.ts";
import { convertOnnx } from "./network.ts";
import { type ElementType, type ExternalFile, type OnnxTensor, tensorOf } from "./tensor.ts";

const options = {
  model: { value: "FILE", help: "the model, .onnx, of operator versions 7 and later" },
  out: { value: "DIR", help: "the model folder to make" },
  constant: {
    value: "NAME=FILE.npy",
    repeats: true,
    help: "an input of the model that is known: a weight, a shape, a bound; may be given several times",
  },
  shape: {
    value: "NAME=1,3,224,224",
    repeats: true,
    help: "the shape of an input that the model leaves open, or with another batch; may be given several times",
  },
  mean: {
    value: "MEAN",
    help: "of a classifier's input or a generator's output: what pixels lose, one number, or one a channel",
  },
  ...pixelOptions,
  range: rangeOption("0-255"),
  order: { value: "ORDER", help: "of the channels: RGB (usual in PyTorch) or BGR" },
  weights: { value: "TYPE", help: "f32, f16 or i8 (with a scale a row): how weights are stored (f32)" },
  force: { help: "replaces an existing model folder; its labels.txt stays" },
} satisfies Record<string, Option>;

/** The command. */
export const onnx: Command<typeof options> = {
  name: "convert onnx",
  summary: "Turns an ONNX model into a model folder. docs/onnx.md lists the operators.",
  options,
  examples: [
    [
      "deno task convert onnx --model resnet50.onnx --pixels imagenet-torch --out models/resnet50",
      "a classifier as PyTorch exports it, which can be shown pictures",
    ],
    [
      "deno task convert onnx --model decoder.onnx --mean 0.5 --std 0.5 --range 0-1 --out models/decoder",
      "a generator whose pictures go from -1 to 1",
    ],
    [
      "deno task convert onnx --model conv.onnx --constant W=w.npy --out models/conv",
      "a model whose weight is one of its inputs",
    ],
  ],
  run,
};

async function run(values: Values<typeof options>): Promise<void> {
  const start = performance.now();
  const out = required("--out", values.out);
  const { force } = values;
  const file = required("--model", values.model);
  const weights = oneOf("--weights", values.weights, storages);
  const shapes = named("--shape", values.shape, (text, name) => {
    const sizes = text.split(",").map((size) => /^\s*\d+\s*$/.test(size) ? Number(size) : 0);
    if (sizes.every((size) => Number.isSafeInteger(size) && size > 0)) return sizes;
    throw new UserError(`--shape ${name} expects sizes like 1,3,224,224, got "${text}"`);
  });
  const pixels = readPixels(values, { usual: "0-255" });
  const constants = new Map<string, OnnxTensor>();
  for (const [name, path] of named("--constant", values.constant, (path) => path)) {
    constants.set(name, npyTensor(await readBytes(path), path, name));
  }
  using place = openPlace(out, force);
  const source = { file, external: externalFiles(file) };
  const model = convertOnnx(await readBytes(file), source, {
    name: basename(place.path),
    constants,
    shapes,
    weights,
    pixels,
  });
  writeModel(place, model, { start });
  if (model.turned.length > 0) {
    print(`${model.turned.join(" and ")}: channels last in the model, first in the network, and for infer`);
  }
  if (model.picture) print(pixelLine(model.picture.image, model.picture.of));
  if (model.outputs.length > 1) print(`outputs: ${model.outputs.join(", ")}; --layer of infer takes their names`);
  if (model.dropped.length > 0) warn(`outputs that are left out, as docs/onnx.md says: ${model.dropped.join(", ")}`);
}

const npyTypes: Record<string, ElementType> = { f4: "float32", f2: "float32", f8: "float64", b1: "bool", i8: "int64" };

/** An array of any plain type as a known value. @throws UserError where the file is none. */
export function npyTensor(bytes: Uint8Array, path: string, name: string): OnnxTensor {
  const { shape, dtype, data } = readNpy(bytes, path);
  const type = npyTypes[dtype] ?? "int32";
  const values = data instanceof Float32Array || data instanceof Float64Array ? data : Float64Array.from(data, Number);
  return tensorOf(type, shape, values, name);
}

/** The place without symbolic links. @throws UserError where there is none. */
function realPlace(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch (error) {
    throw new UserError(`${path} cannot be read: ${reasonOf(error)}`);
  }
}

/**
 * Reads files of external data out of the model's folder, and no others. Symbolic links may lead to files in there or, where
 * the model itself is one, beside what it leads to, as in the caches of model hubs.
 */
export function externalFiles(model: string): ExternalFile {
  const folder = dirname(model);
  const folders = [() => realPlace(folder), () => dirname(realPlace(model))];
  const seen = new Set<string>();
  let left = 0;
  return (location, offset, length) => {
    const parts = location.split(/[\\/]/);
    const outside = new UserError(`its values lie in ${show(location)}, outside the model's folder`);
    if (isAbsolute(location) || parts.includes("..") || /^[a-zA-Z]:/.test(location)) throw outside;
    const path = join(folder, ...parts);
    const real = realPlace(path);
    if (!folders.some((inside) => real.startsWith(join(inside(), sep)))) throw outside;
    checkReadable(path);
    const head = seen.has(path) ? undefined : readHead(path);
    if (head && isText(head)) refuseOthers(head, path, "the values of the model's tensors"); // numbers may be any bytes
    try {
      using file = Deno.openSync(real);
      const size = file.statSync().size;
      const end = length === undefined ? size : offset + length;
      if (end > size || end < offset) throw new UserError(`${path} has ${size} bytes, expected ${end}`);
      // Twice what is there, so that tensors may share values and a thousand of them cannot fill memory with one file.
      if (!seen.has(path)) left += 2 * size;
      seen.add(path);
      if ((left -= end - offset) < 0) {
        throw new UserError(`${path} is read more than twice over by the model's tensors`);
      }
      const bytes = new Uint8Array(end - offset);
      file.seekSync(offset, Deno.SeekMode.Start);
      for (let at = 0; at < bytes.length;) at += file.readSync(bytes.subarray(at)) ?? bytes.length;
      return bytes;
    } catch (error) {
      throw error instanceof UserError ? error : new UserError(`${path} cannot be read: ${reasonOf(error)}`);
    }
  };
}
