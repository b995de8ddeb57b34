/** A network among dropped files, by the endings of their names: converted as `deno task convert` does it. */
import { writeSafetensors } from "../../src/formats/safetensors.ts";
import { giveBack } from "../../src/formats/bytes.ts";
import { UserError } from "../../src/formats/user_error.ts";
import { loadModel, type Model } from "../../src/mod.ts";
import type { Pair } from "./pair.ts";
import { convertCaffe } from "../../tools/convert/caffe/network.ts";
import { textOf } from "../../tools/convert/caffe/prototxt.ts";
import { convertOnnx } from "../../tools/convert/onnx/network.ts";
import type { ExternalFile } from "../../tools/convert/onnx/tensor.ts";
import { type ArchitectureName, architectures } from "../../tools/convert/torch/architectures.ts";
import { convertTorch } from "../../tools/convert/torch/network.ts";
import type { Files } from "./dropped.ts";

/** A network, what it is for, and what there is to say of it. */
export interface FoundModel {
  role: keyof Pair;
  model: Model;
  notes: string[];
  /** The files of its model folder. */
  files(): Files;
}

const WEIGHTS = "weights.safetensors";

type Tensors = Parameters<typeof writeSafetensors>[0];

/** The files of a model folder, or what becomes them. */
interface Converted {
  text: string;
  tensors: Tensors;
  notes: string[];
}

/** Whether a file is one of those that a network is made of. */
export const isNetwork = (path: string): boolean =>
  /(\.(prototxt|caffemodel|onnx|safetensors)|(^|\/)network\.json)$/i.test(path);

/** The network. @throws UserError in one sentence. */
export async function modelOf(files: Files): Promise<FoundModel> {
  const names = [...files.keys()];
  const only = (ending: string) => {
    const found = names.filter((name) => name.toLowerCase().endsWith(ending));
    if (found.length > 1) {
      throw new UserError(`there are several ${ending} files: ${found.join(", ")}; drop one network`);
    }
    return found[0];
  };
  if (files.has("network.json")) return await folder(files, "the folder", []);
  const prototxt = only(".prototxt");
  const caffemodel = only(".caffemodel");
  const onnx = only(".onnx");
  if (prototxt !== undefined && caffemodel !== undefined) {
    return await built(await caffe(files, prototxt, caffemodel), caffemodel);
  }
  if (onnx !== undefined) return await built(await fromOnnx(files, onnx), onnx);
  if (prototxt !== undefined) {
    throw new UserError(`${prototxt} comes with a .caffemodel, which was not dropped with it`);
  }
  if (caffemodel !== undefined) {
    throw new UserError(`${caffemodel} comes with a .prototxt, which was not dropped with it`);
  }
  const safetensors = only(".safetensors");
  if (safetensors !== undefined) return await built(await torch(files, safetensors), safetensors);
  throw new UserError(
    `${
      names.slice(0, 3).join(", ")
    }: expected a picture (.png, .jpg), .prototxt with .caffemodel, .onnx, .safetensors, ` +
      "a model folder, or one in a .zip",
  );
}

const bytesOf = async (files: Files, name: string) => new Uint8Array(await files.get(name)!.arrayBuffer());

/** Loads a model folder. @throws UserError in one sentence. */
export async function folder(files: Files, where: string, notes: string[]): Promise<FoundModel> {
  const used = new Map<string, Blob>();
  const model = await loadModel(async (name) => {
    const file = files.get(name);
    if (file) used.set(name, file);
    return file && await bytesOf(files, name);
  }, where);
  return { role: roleOf(model), model, notes, files: () => used };
}

/** What takes a picture is a classifier; all else draws from a code. */
function roleOf({ network: { inputs: [{ shape }], code } }: Model): keyof Pair {
  return code === undefined && shape.length === 3 && shape[1] > 1 ? "classifier" : "generator";
}

/** Loads what was converted, as from a folder. Its weights are in memory once: files are made when somebody wants them. */
async function built({ text, tensors, notes }: Converted, where: string): Promise<FoundModel> {
  const written = new Map([["network.json", new TextEncoder().encode(text)], [WEIGHTS, writeSafetensors(tensors)]]);
  // What was read, once it is written.
  const read = new Set(Array.from(tensors.values(), ({ bytes }) => bytes.buffer as ArrayBuffer));
  for (const buffer of read) giveBack(new Uint8Array(buffer));
  const model = await loadModel((name) => Promise.resolve(written.get(name)), where);
  const files = () =>
    new Map([
      ["network.json", new Blob([text])],
      [WEIGHTS, new Blob([writeSafetensors(model.weights) as Uint8Array<ArrayBuffer>])],
    ]);
  return { role: roleOf(model), model, notes, files };
}

async function caffe(files: Files, prototxt: string, caffemodel: string): Promise<Converted> {
  const text = textOf(await bytesOf(files, prototxt), prototxt);
  const { pixels, ...converted } = convertCaffe(
    { prototxt: { text, file: prototxt }, caffemodel: { bytes: await bytesOf(files, caffemodel), file: caffemodel } },
    { name: caffemodel.replace(/\.caffemodel$/i, "") },
  );
  const notes = pixels === undefined
    ? []
    : pixels.sure
    ? [`Pixels lose ${pixels.image.mean.join(", ")} (${pixels.origin}).`]
    : [`The mean that pixels lose is ${pixels.origin}; 0 is taken.`];
  return { ...converted, notes };
}

async function fromOnnx(files: Files, onnx: string): Promise<Converted> {
  const external = await outside(files, onnx);
  const { dropped, ...converted } = convertOnnx(await bytesOf(files, onnx), { file: onnx, external }, {
    name: onnx.replace(/\.onnx$/i, ""),
    pixels: { order: "RGB", mean: [0], scale: 1 / 255 },
  });
  const notes = ["Pixels are taken for 0 to 1; an ONNX file does not say."];
  if (dropped.length > 0) notes.push(`Outputs that are left out: ${dropped.join(", ")}.`);
  return { ...converted, notes };
}

/** Reads external data from what was dropped with the model: they are in memory before they are asked for. */
async function outside(files: Files, onnx: string): Promise<ExternalFile> {
  const others = [...files.keys()].filter((name) => name !== onnx);
  const contents = new Map(await Promise.all(others.map(async (name) => [name, await bytesOf(files, name)] as const)));
  return (location, offset, length) => {
    const bytes = contents.get(location.replace(/^\.\//, ""));
    if (!bytes) throw new UserError(`its values lie in ${JSON.stringify(location)}, which was not dropped with it`);
    const end = length === undefined ? bytes.length : offset + length;
    if (end > bytes.length || end < offset) {
      throw new UserError(`${location} has ${bytes.length} bytes, expected ${end}`);
    }
    return bytes.slice(offset, end);
  };
}

async function torch(files: Files, file: string): Promise<Converted> {
  const bytes = await bytesOf(files, file);
  const names = Object.keys(architectures) as ArchitectureName[];
  const named = names.find((name) => file.toLowerCase().includes(name));
  const failures: string[] = [];
  for (const name of named ? [named] : names) {
    try {
      return { ...convertTorch(bytes, file, name), notes: [`Taken for torchvision's ${name}.`] };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      failures.push(error.message);
    }
  }
  // What is wrong with the file itself is the same for all.
  const [first] = failures;
  throw new UserError(new Set(failures).size === 1 ? first : `${file} holds none of ${names.join(", ")}: ${first}`);
}
