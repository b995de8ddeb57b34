/**
 * Labelled pictures, as `deno task classify --val` takes them: NumPy's arrays in a .npz, or a list of files with the number
 * of each one's unit behind it, as Caffe's val.txt.
 */
import { dirname, join, resolve } from "node:path";
import { readNpy } from "../formats/npy.ts";
import type { NpzItems } from "../formats/npz_items.ts";
import { show, UserError } from "../formats/user_error.ts";
import { isFile } from "./files.ts";
import { imagesIn, type Line, openSet } from "./picture_set.ts";
import { type Pictures, picturesIn } from "./reading.ts";

/** Pictures and the unit that is right for each. */
export interface LabelledSet extends Pictures {
  labels: number[];
}

/**
 * Reads a labelled set, whose pictures are read when their turn comes.
 * @param root Where all paths of a list begin, "/…" too, as Caffe joins them; unless given, its relative paths begin in the
 *   list's folder.
 * @throws UserError unless there are pictures and a label for each.
 */
export async function labelledSet(file: string, root?: string): Promise<LabelledSet> {
  const set = await openSet(file, "a list of pictures and their units");
  return Array.isArray(set) ? list(set, file, root) : await labelledArrays(set, file);
}

/** @throws UserError unless there is a label for each picture. */
async function labelledArrays(arrays: ReadonlyMap<string, NpzItems>, file: string): Promise<LabelledSet> {
  const images = imagesIn(arrays, file);
  const { count } = images;
  const stored = await arrays.get("labels")?.whole();
  const labels = stored && readNpy(stored, `${file}: "labels"`);
  if (labels?.shape.length !== 1 || labels.shape[0] !== count) {
    throw new UserError(`${file}: expected "labels", one for each of the ${count} images`);
  }
  return { ...images, labels: Array.from(labels.data, Number) };
}

/** Lines of a path, which may hold spaces, and a number. */
function list(lines: readonly Line[], file: string, root: string | undefined): LabelledSet {
  const entries = lines.map(({ line, n }) => {
    const [, path, label] = /^(.*\S)\s+(\d+)$/.exec(line) ?? [];
    if (path === undefined) {
      throw new UserError(`${file}: line ${n} is ${show(line)}, expected a picture's path and the number of its unit`);
    }
    return { path: root === undefined ? resolve(dirname(file), path) : join(root, path), label: Number(label) };
  });
  if (!entries.some(({ path }) => isFile(path))) {
    throw new UserError(`${file}: there is no file ${entries[0].path}; --images DIR says where its paths begin`);
  }
  return { ...picturesIn(entries.map(({ path }) => path)), labels: entries.map(({ label }) => label) };
}
