/**
 * Labelled pictures, as `deno task classify --val` takes them: NumPy's arrays in a .npz, or a list of files with the number
 * of each one's unit behind it, as Caffe's val.txt.
 */
import { dirname, resolve } from "node:path";
import { refuseOthers } from "../formats/kinds.ts";
import { readNpz } from "../formats/npy.ts";
import { show, UserError } from "../formats/user_error.ts";
import { isFile, readBytes } from "./files.ts";
import { type Pictures, readPicture } from "./pictures.ts";

/** Pictures and the unit that is right for each. */
export interface LabelledSet extends Pictures {
  labels: number[];
}

/**
 * Reads a labelled set; of a list, the pictures are read when their turn comes.
 * @param root Where the paths of a list begin; the list's folder unless given.
 * @throws UserError unless there are pictures and a label for each.
 */
export async function labelledSet(file: string, root = dirname(file)): Promise<LabelledSet> {
  const bytes = await readBytes(file);
  return bytes[0] === 0x50 && bytes[1] === 0x4b ? await arrays(bytes, file) : list(bytes, file, root); // "PK": a zip
}

async function arrays(bytes: Uint8Array, file: string): Promise<LabelledSet> {
  const arrays = await readNpz(bytes, file), images = arrays.get("images"), labels = arrays.get("labels");
  if (images?.dtype !== "u1" || images.shape.length !== 4 || images.shape[3] !== 3 || images.data.length === 0) {
    throw new UserError(`${file}: expected "images", uint8 of shape [N, height, width, 3], none of them 0`);
  }
  const [count, height, width] = images.shape;
  if (labels?.shape.length !== 1 || labels.shape[0] !== count) {
    throw new UserError(`${file}: expected "labels", one for each of the ${count} images`);
  }
  const pixels = images.data as Uint8Array, length = height * width * 3;
  return {
    count,
    labels: Array.from(labels.data, Number),
    read: (index) => ({ width, height, rgb: pixels.subarray(index * length, (index + 1) * length) }),
  };
}

/** Lines of a path, which may hold spaces, and a number. */
function list(bytes: Uint8Array, file: string, root: string): LabelledSet {
  refuseOthers(bytes, file, "a list of pictures and their units");
  const lines = new TextDecoder().decode(bytes).split("\n").map((line, n) => ({ line: line.trim(), n: n + 1 }));
  const entries = lines.filter(({ line }) => line !== "").map(({ line, n }) => {
    const [, path, label] = /^(.*\S)\s+(\d+)$/.exec(line) ?? [];
    if (path === undefined) {
      throw new UserError(`${file}: line ${n} is ${show(line)}, expected a picture's path and the number of its unit`);
    }
    return { path: resolve(root, path), label: Number(label) };
  });
  if (entries.length === 0) throw new UserError(`${file}: there is no picture in the list`);
  const missing = entries.find(({ path }) => !isFile(path));
  if (missing) {
    throw new UserError(`${file}: there is no file ${missing.path}; --images DIR says where its paths begin`);
  }
  return {
    count: entries.length,
    labels: entries.map(({ label }) => label),
    read: (index) => readPicture(entries[index].path),
  };
}
