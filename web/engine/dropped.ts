/** What was dropped: a picture that says how it was made, a photograph, or a network of some framework. */
import { UserError } from "../../src/formats/user_error.ts";
import { decodeImage } from "../../src/formats/png.ts";
import { joinBytes } from "../../src/formats/bytes.ts";
import { unpack, zipEntries } from "../../src/formats/zip.ts";
import { type PictureRecord, readRecord } from "../../src/record/record.ts";
import type { Album } from "./album.ts";
import { type FoundModel, isNetwork, modelOf } from "./dropped_model.ts";
import type { DroppedFile, Photograph } from "./messages.ts";

/** It. */
export type Found =
  | { kind: "record"; record: PictureRecord; file: string }
  | { kind: "photographs"; leftOut: string[] }
  | { kind: "model" } & FoundModel;

/** Files by their paths, without the folders that all are in. */
export type Files = ReadonlyMap<string, Blob>;

/** The most files of a folder or an archive. */
const MOST_FILES = 1000;

/**
 * Photographs go into the album, and are told as `Album.add` does.
 * @throws UserError in one sentence where it is nothing of the kind, or damaged.
 */
export async function takeDropped(
  dropped: readonly DroppedFile[],
  album: Album,
  tell: (photograph: Photograph) => void,
): Promise<Found> {
  if (dropped.length === 0) throw new UserError("there is no file in what was dropped");
  if (dropped.length > MOST_FILES) throw new UserError(`${dropped.length} files, expected at most ${MOST_FILES}`);
  const [{ path, file }] = dropped;
  const pictures = dropped.filter(({ path }) => /\.(png|jpe?g)$/i.test(path));
  const record = dropped.length === pictures.length && dropped.length === 1 && await recordIn(path, file);
  if (record) return { kind: "record", record, file: path };
  if (pictures.length > 0 && !dropped.some(({ path }) => isNetwork(path))) {
    const others = dropped.filter((one) => !pictures.includes(one)).map(({ path }) =>
      `${path} is neither PNG nor JPEG`
    );
    return await photographs(pictures, others, (path, file) => album.add(path, file, tell));
  }
  const files = dropped.length === 1 && /\.zip$/i.test(path)
    ? await unzipped(path, file)
    : new Map(dropped.map(({ path, file }) => [path, file]));
  return { kind: "model", ...await modelOf(withoutFolder(files)) };
}

/** What a picture says of its making, where it does. */
async function recordIn(path: string, file: Blob): Promise<PictureRecord | undefined> {
  const { text } = await decodeImage(new Uint8Array(await file.arrayBuffer()), path);
  return Object.hasOwn(text, "phosphene") ? readRecord(text, path) : undefined;
}

/** Those that can be read are kept; the others are told, or are all that there is to tell. */
async function photographs(
  pictures: readonly DroppedFile[],
  leftOut: string[],
  add: (path: string, file: Blob) => Promise<void>,
): Promise<Found> {
  let taken = 0;
  for (const { path, file } of pictures) {
    try {
      await add(path, file);
      taken++;
    } catch (error) {
      if (!(error instanceof UserError) || pictures.length === 1) throw error;
      leftOut.push(error.message);
    }
  }
  if (taken === 0) throw new UserError(leftOut[0]);
  return { kind: "photographs", leftOut };
}

/** The files of an archive. */
async function unzipped(path: string, file: Blob): Promise<Files> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const files = new Map<string, Blob>();
  const source = { size: bytes.length, read: (from: number, length: number) => bytes.subarray(from, from + length) };
  try {
    for (const entry of zipEntries(source)) {
      if (files.size === MOST_FILES) throw new UserError(`${path} holds more than ${MOST_FILES} files`);
      const pieces: Uint8Array[] = [];
      for await (const piece of unpack(source, entry)) pieces.push(piece.slice());
      files.set(entry.name, new Blob([joinBytes(pieces)]));
    }
  } catch (error) {
    throw error instanceof UserError ? error : new UserError(`${path} cannot be read: ${(error as Error).message}`);
  }
  return files;
}

/** Without what begins every path: the folder that was dropped. */
function withoutFolder(files: Files): Files {
  const [first] = files.keys();
  const folder = first?.slice(0, first.indexOf("/") + 1) ?? "";
  if (folder === "" || ![...files.keys()].every((path) => path.startsWith(folder))) return files;
  return withoutFolder(new Map([...files].map(([path, file]) => [path.slice(folder.length), file])));
}
