/**
 * Labelled pictures, as `deno task classify --val` takes them: NumPy's arrays in a .npz, or a list of files with the number
 * of each one's unit behind it, as Caffe's val.txt.
 */
import { dirname, join, resolve } from "node:path";
import { readNpz } from "../formats/npy.ts";
import { show, UserError } from "../formats/user_error.ts";
import { isFile, readBytes } from "./files.ts";
import { type Pictures, picturesIn } from "./pictures.ts";

/** Pictures and the unit that is right for each. */
export interface LabelledSet extends Pictures {
  labels: number[];
}

/**
 * Reads a labelled set; of a list, the pictures are read when their turn comes.
 * @param root Where all paths of a list begin, "/…" too, as Caffe joins them; unless given, its relative paths begin in the
 *   list's folder.
 * @throws UserError unless there are pictures and a label for each.
 */
export async function labelledSet(file: string, root?: string): Promise<LabelledSet> {
  const bytes = await readBytes(file);
  return bytes[0] === 0x50 && bytes[1] === 0x4b ? await arrays(bytes, file) : list(bytes, file, root); // "PK": a zip
}

async function arrays(bytes: Uint8Array, file: string): Promise<LabelledSet> {
  const arrays = await readNpz(bytes, file), images = arrays.get("images"), labels = arrays.get("labels");
  const [count, height, width, channels = 1, ...more] = images?.shape ?? [];
  if (
    images?.dtype !== "u1" || width === undefined || more.length > 0 || ![1, 3].includes(channels) ||
    images.data.length === 0
  ) {
    throw new UserError(
      `${file}: expected "images", uint8 of shape [N, height, width, 3], or [N, height, width] for grey, none of them 0`,
    );
  }
  if (labels?.shape.length !== 1 || labels.shape[0] !== count) {
    throw new UserError(`${file}: expected "labels", one for each of the ${count} images`);
  }
  const pixels = images.data as Uint8Array, length = height * width * channels;
  return {
    count,
    labels: Array.from(labels.data, Number),
    read: (index) => {
      const values = pixels.subarray(index * length, (index + 1) * length);
      const rgb = channels === 3
        ? values
        : Uint8Array.from({ length: 3 * length }, (_, i) => values[Math.floor(i / 3)]);
      return { width, height, rgb };
    },
  };
}

/** Lines of a path, which may hold spaces, and a number. */
function list(bytes: Uint8Array, file: string, root: string | undefined): LabelledSet {
  const lines = new TextDecoder().decode(bytes).split("\n").map((line, n) => ({ line: line.trim(), n: n + 1 }));
  const entries = lines.filter(({ line }) => line !== "").map(({ line, n }) => {
    const [, path, label] = /^(.*\S)\s+(\d+)$/.exec(line) ?? [];
    if (path === undefined) {
      throw new UserError(`${file}: line ${n} is ${show(line)}, expected a picture's path and the number of its unit`);
    }
    return { path: root === undefined ? resolve(dirname(file), path) : join(root, path), label: Number(label) };
  });
  if (entries.length === 0) throw new UserError(`${file}: there is no picture in the list`);
  if (!entries.some(({ path }) => isFile(path))) {
    throw new UserError(`${file}: there is no file ${entries[0].path}; --images DIR says where its paths begin`);
  }
  return { ...picturesIn(entries.map(({ path }) => path)), labels: entries.map(({ label }) => label) };
}
