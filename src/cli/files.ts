/** Files, as commands read them, every failure in one sentence. How they are written is in outputs/. */
import { join } from "node:path";
import { HEAD, refuseOthers } from "../formats/kinds.ts";
import { UserError } from "../formats/user_error.ts";
import type { ZipSource } from "../formats/zip.ts";
import type { ReadFile } from "../mod.ts";
import { freeMemory } from "./free_memory.ts";

/** Whether a write failed because nobody reads. */
export const isBrokenPipe = (error: unknown): boolean => error instanceof Deno.errors.BrokenPipe;

/** Why a file operation failed, as the end of a sentence. */
export function reasonOf(error: unknown): string {
  const { code, message } = error as Error & { code?: string };
  const reasons: Record<string, string> = {
    ENOENT: "it does not exist",
    EACCES: "permission denied",
    EPERM: "permission denied",
    EISDIR: "it is a folder",
    ENOTEMPTY: "a folder is there that holds something",
    ENOTDIR: "a part of its path is not a folder",
    ENOSPC: "the disk is full",
    EDQUOT: "the disk quota is used up",
    EFBIG: "the file would be larger than allowed",
    EROFS: "the file system is read-only",
    ENAMETOOLONG: "the name is too long",
    ELOOP: "its symbolic links go in circles",
  };
  if (error instanceof Deno.errors.NotCapable) {
    const [, kind] = /^Requires (\w+) access/.exec(message) ?? [];
    return kind === "all" ? "Deno keeps such files from programs" : `Deno was started without --allow-${kind} for it`;
  }
  return reasons[code ?? ""] ?? message.replace(/ \(os error \d+\).*/, "").toLowerCase();
}

/** A number of bytes in words. */
export const mebibytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20).toLocaleString("en")} MiB`;

/** Reads a file. @throws UserError in one sentence. */
export async function readBytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
  checkReadable(path);
  try {
    return await Deno.readFile(path);
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** Reads a file without letting anything else go on meanwhile. @throws UserError in one sentence. */
export function readBytesSync(path: string): Uint8Array<ArrayBuffer> {
  checkReadable(path);
  try {
    return Deno.readFileSync(path);
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): UserError {
  const reason = path.includes("\ufffd") ? "its name is not UTF-8, which Deno cannot open" : reasonOf(error);
  return new UserError(`${path} cannot be read: ${reason}`);
}

/** @throws UserError unless a path is that of an ordinary file, which comes to an end, and memory can hold two of it. */
export function checkReadable(path: string): void {
  const found = statOf(path);
  if (!found || found.isDirectory) return; // reading says what is wrong
  if (!found.isFile) throw new UserError(`${path} cannot be read: it is a device or pipe, not an ordinary file`);
  const free = freeMemory();
  if (2 * found.size <= free) return;
  throw new UserError(
    `${path} cannot be read: it has ${mebibytes(found.size)}, working on it takes twice that, ${
      mebibytes(free)
    } are free`,
  );
}

/** A file's first bytes, which tell its kind. @throws UserError in one sentence. */
export function readHead(path: string): Uint8Array {
  checkReadable(path);
  try {
    using file = Deno.openSync(path);
    const bytes = new Uint8Array(HEAD);
    return bytes.subarray(0, file.readSync(bytes) ?? 0);
  } catch (error) {
    throw new UserError(`${path} cannot be read: ${reasonOf(error)}`);
  }
}

/** An open archive, of which pieces are read when they are wanted. */
export function zipSource(file: Deno.FsFile): ZipSource {
  return {
    size: file.statSync().size,
    read(from, length) {
      const bytes = new Uint8Array(length);
      file.seekSync(from, Deno.SeekMode.Start);
      let count;
      for (let at = 0; at < length; at += count) {
        count = file.readSync(bytes.subarray(at));
        if (!count) throw new Error("it ends too soon");
      }
      return bytes;
    },
  };
}

/** Opens an archive to the end of the program; undefined where a file is none. @throws UserError where it cannot be read. */
export function openArchive(path: string): ZipSource | undefined {
  if (!isFile(path)) return undefined; // reading says what is wrong
  try {
    const file = Deno.openSync(path);
    const source = zipSource(file);
    const [p, k] = source.size > 1 ? source.read(0, 2) : [];
    if (p === 0x50 && k === 0x4b) return source; // "PK": a zip
    file.close();
  } catch (error) {
    throw new UserError(`${path} cannot be read: ${reasonOf(error)}`);
  }
}

/**
 * Every file in a folder and its folders, sorted by path. Links to folders are followed; a folder that several lead to is
 * read once. @throws UserError where it cannot be read.
 */
export function filesBelow(folder: string, seen = new Set<string>()): string[] {
  try {
    const place = Deno.realPathSync(folder);
    if (seen.has(place)) return [];
    seen.add(place);
    return [...Deno.readDirSync(folder)].sort((a, b) => a.name < b.name ? -1 : 1).flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory || entry.isSymlink && leadsToFolder(path) ? filesBelow(path, seen) : [path];
    });
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${folder} cannot be read: ${reasonOf(error)}`);
  }
}

function leadsToFolder(link: string): boolean {
  try {
    return Deno.statSync(link).isDirectory;
  } catch {
    return false;
  }
}

/** Reads the files of a model folder, undefined for one that is not there. @throws UserError unless it is a folder with a network.json. */
export function modelFolder(folder: string): ReadFile {
  const found = statOf(folder);
  if (!found?.isDirectory || !statOf(join(folder, "network.json"))) {
    // A model in another program's format, or the folder of one.
    const other = found?.isDirectory ? join(folder, "model.json") : folder;
    if (isFile(other)) refuseOthers(readHead(other), other, "a model folder");
    const what = !found ? "does not exist" : found.isDirectory ? "holds no network.json" : "is a file";
    throw new UserError(`${folder} ${what}; a model is a folder with network.json and weights.safetensors`);
  }
  return async (file) => statOf(join(folder, file)) ? await readBytes(join(folder, file)) : undefined;
}

/** What there is of this name. @throws UserError where it cannot be looked at. */
export function statOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    // Below a file there is nothing.
    if (error instanceof Deno.errors.NotADirectory) return undefined;
    throw new UserError(`${path} cannot be looked at: ${reasonOf(error)}`);
  }
}

/** Whether there is a file of this name. */
export const isFile = (path: string): boolean => statOf(path)?.isFile ?? false;

/** Whether there is a folder of this name. */
export const isFolder = (path: string): boolean => statOf(path)?.isDirectory ?? false;
