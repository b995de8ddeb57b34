/**
 * Pictures in an order, of which few are in memory: those of a folder and its folders, of a list of files, of NumPy's arrays in a
 * .npz, or one file.
 */
import { dirname, relative, resolve } from "node:path";
import { HEAD, isText, refuseOthers } from "../formats/kinds.ts";
import { NpzItems } from "../formats/npz_items.ts";
import { show, UserError } from "../formats/user_error.ts";
import type { Image } from "../formats/image.ts";
import { fitted, type Model } from "../mod.ts";
import { filesBelow, openArchive, readBytes, statOf } from "./files.ts";
import { tell } from "./print.ts";
import { type Pictures, picturesIn } from "./reading.ts";

/** Pictures with names. */
export interface PictureSet extends Pictures {
  /** The file, and which of its arrays' items it is: `set.npz[12]`. */
  name(index: number): string;
  /** The file's path, size and time of change, and the item: as they are when first asked for. */
  identity(index: number): string;
}

/** What --images takes, in the words of --help. */
export const imagesHelp =
  "a folder of PNG and JPEG pictures, and of folders of them; a list of their paths (.txt), one a line, with a number behind or " +
  'without; or an .npz of "images": uint8, N × height × width × 3, or N × 3 × height × width';

const isPicture = (file: string) => /\.(png|jpe?g)$/i.test(file);

/** Opens what --images names. @throws UserError where there are no pictures. */
export async function pictureSet(place: string): Promise<PictureSet> {
  const found = statOf(place);
  if (!found) throw new UserError(`${place} cannot be read: it does not exist`);
  if (found.isDirectory) return filesSet(picturesBelow(place));
  if (isPicture(place)) return filesSet([place]);
  const arrays = await openSet(place, "a list of pictures");
  if (Array.isArray(arrays)) return filesSet(listed(arrays, place));
  const identity = identityOf(place);
  return {
    ...imagesIn(arrays, place),
    name: (index) => `${place}[${index}]`,
    identity: (index) => `${identity}\n${index}`,
  };
}

/** Files that are named before the rest is counted. */
const mostNamed = 3;

/**
 * The pictures of a folder and its folders, in the order of their names; tells what else is there.
 * @throws UserError where there are none, or it cannot be read.
 */
export function picturesBelow(folder: string): string[] {
  const { pictures = [], others = [] } = Object.groupBy(
    filesBelow(folder),
    (file) => isPicture(file) ? "pictures" : "others",
  );
  const first = others.slice(0, mostNamed).map((file) => relative(folder, file)).join(", ");
  const named = `${first}${others.length > mostNamed ? ` and ${others.length - mostNamed} more` : ""}`;
  if (pictures.length === 0) {
    throw new UserError(`${folder} holds no pictures (.png, .jpg)${named ? `, but ${named}` : ""}`);
  }
  const are = others.length === 1 ? "file is no picture" : "files are no pictures";
  if (others.length > 0) tell(`${folder}: ${others.length} ${are} (.png, .jpg): ${named}`);
  return pictures;
}

function filesSet(files: readonly string[]): PictureSet {
  const identities: string[] = [];
  return {
    ...picturesIn(files),
    name: (index) => files[index],
    identity: (index) => identities[index] ??= identityOf(files[index]),
  };
}

/** A file's path, size and time of change; the size is missing where it is. */
function identityOf(file: string): string {
  const found = statOf(file);
  return [resolve(file), found?.size, found?.mtime?.getTime()].join("\n");
}

/** The files of a list, whose paths begin in its folder. @throws UserError where none is there. */
function listed(lines: readonly Line[], list: string): string[] {
  const paths = lines.map(({ line }) => isPicture(line) ? line : line.replace(/\s+\d+$/, ""));
  const files = [...new Set(paths.map((path) => resolve(dirname(list), path)))];
  if (!files.some((file) => statOf(file)?.isFile)) throw new UserError(`${list}: there is no file ${files[0]}`);
  return files;
}

/** Some pictures of a set, fitted to a model's input, by their places. @throws UserError where one cannot be used any more. */
export async function fittedOf(model: Model, places: Iterable<number>, set: PictureSet): Promise<Map<number, Image>> {
  const images = new Map<number, Image>();
  // In order, for a packed .npz is read from its beginning.
  for (const place of [...places].sort((a, b) => a - b)) images.set(place, fitted(model, await set.read(place)));
  return images;
}

/** A line of a list, without the space around it. */
export interface Line {
  line: string;
  /** Its number, from 1 on. */
  n: number;
}

/** The arrays of a .npz, or the lines of a list, which is `expected`. @throws UserError where a file is neither. */
export async function openSet(file: string, expected: string): Promise<Map<string, NpzItems> | Line[]> {
  const archive = openArchive(file); // which may be larger than memory
  const bytes = archive ? archive.read(0, Math.min(HEAD, archive.size)) : await readBytes(file);
  refuseOthers(bytes, file, `${expected} or a .npz`, "npz");
  if (archive) return await NpzItems.open(archive, file);
  const lines = new TextDecoder().decode(bytes).split("\n").map((line, n) => ({ line: line.trim(), n: n + 1 }));
  const entries = lines.filter(({ line }) => line !== "");
  if (entries.length === 0) throw new UserError(`${file}: there is no picture in the list`);
  if (!isText(bytes)) throw new UserError(`${file}: this is no text, expected ${expected} or a .npz`);
  return entries;
}

/** Height, width and channels of the items of an array, and whether the channels come before the pixels. */
function layoutOf({ dtype, shape: [count, ...item] }: NpzItems) {
  const [a, b, c] = item;
  const isImage = dtype === "u1" && count > 0 && (item.length === 3 || item.length === 2);
  const layout = item.length === 2 || c === 1 || c === 3
    ? { height: a, width: b, channels: c ?? 1, planar: false }
    : { height: b, width: c, channels: a, planar: true };
  return isImage && a * b > 0 && [1, 3].includes(layout.channels) && layout.width > 0 ? layout : undefined;
}

/** The pictures of a .npz: "images", or the only array that can be, which is told. @throws UserError where there is none. */
export function imagesIn(arrays: ReadonlyMap<string, NpzItems>, file: string): Pictures {
  const named = arrays.get("images");
  const suited = [...arrays].filter(([, array]) => layoutOf(array));
  const [name, images] = named ? ["images", named] : suited.length === 1 ? suited[0] : [];
  const layout = images && layoutOf(images);
  if (images?.shape.length === 3 && images.shape[2] === 3) {
    throw new UserError(
      `${file}: ${show(name!)} of shape [${images.shape}] is one picture, expected [N, height, width, 3]`,
    );
  }
  if (!named && suited.length > 1) {
    const which = suited.map(([name]) => show(name));
    throw new UserError(
      `${file}: ${which.slice(0, -1).join(", ")} and ${
        which.at(-1)
      } could each be its pictures; name the one that is "images"`,
    );
  }
  if (!images || !layout) {
    const has = [...arrays].map(([name, { dtype, shape }]) => `${show(name)} (${dtype}, [${shape.join(", ")}])`);
    throw new UserError(
      `${file}: expected "images", uint8 of shape [N, height, width, 3], [N, 3, height, width], or [N, height, width] for grey, ` +
        `none of them 0; it has ${has.slice(0, 8).join(", ")}${has.length > 8 ? ` and ${has.length - 8} more` : ""}`,
    );
  }
  if (!named) tell(`${file} has no "images"; its pictures are ${show(name!)}`);
  return { count: images.shape[0], read: async (index) => imageOf(await images.read(index), layout) };
}

/** Bytes of one channel or three as red, green and blue. */
function imageOf(
  bytes: Uint8Array,
  { height, width, channels, planar }: NonNullable<ReturnType<typeof layoutOf>>,
): Image {
  if (channels === 3 && !planar) return { width, height, rgb: bytes };
  const area = width * height;
  const rgb = new Uint8Array(3 * area);
  for (let pixel = 0; pixel < area; pixel++) {
    for (let c = 0; c < 3; c++) rgb[3 * pixel + c] = bytes[channels === 3 ? c * area + pixel : pixel];
  }
  return { width, height, rgb };
}
