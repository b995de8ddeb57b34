/**
 * Files, as commands read and write them: every failure in one sentence, every output whole or not there at all.
 *
 * Outputs are checked before the long run (`checkOutputs`) and written after it (`writeOutputs`): each to a temporary file
 * beside its place, and all renamed once all are written.
 */
import { dirname, join } from "node:path";
import { UserError } from "../formats/user_error.ts";
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
    const reason = path.includes("\ufffd") ? "its name is not UTF-8, which Deno cannot open" : reasonOf(error);
    throw new UserError(`${path} cannot be read: ${reason}`);
  }
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

/** Every file in a folder and its folders, sorted by path. @throws UserError where it cannot be read. */
export function filesBelow(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].sort((a, b) => a.name < b.name ? -1 : 1).flatMap(({ name, isDirectory }) =>
      isDirectory ? filesBelow(join(folder, name)) : [join(folder, name)]
    );
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${folder} cannot be read: ${reasonOf(error)}`);
  }
}

/** Reads the files of a model folder, undefined for one that is not there. @throws UserError unless it is a folder with a network.json. */
export function modelFolder(folder: string): ReadFile {
  const found = statOf(folder);
  if (!found?.isDirectory || !statOf(join(folder, "network.json"))) {
    const what = !found ? "does not exist" : found.isDirectory ? "holds no network.json" : "is a file";
    throw new UserError(`${folder} ${what}; a model is a folder with network.json and weights.safetensors`);
  }
  return async (file) => statOf(join(folder, file)) ? await readBytes(join(folder, file)) : undefined;
}

/** Bytes that are written to see whether a disk takes them: more would take too long, for what no one may want. */
const mostProbed = 2 ** 26;

/**
 * Makes sure that files can be written later, before a long run begins. Nothing is left behind.
 * @param bytes About what all of them will take.
 * @throws UserError where one exists (unless `force`), is named twice, or its folder cannot take them.
 */
export function checkOutputs(paths: string[], { force, bytes }: { force: boolean; bytes: number }): void {
  const seen = new Set<string>();
  for (const path of paths) {
    if (seen.has(path)) throw new UserError(`${path} would be written twice; give the outputs different names`);
    seen.add(path);
    checkFree(path, force);
  }
  for (const folder of new Set([...new Set(paths.map(dirname))].map(existingFolder))) {
    const probe = temporaryBeside(join(folder, "probe"));
    undisturbed(() => {
      try {
        Deno.writeFileSync(probe, new Uint8Array(Math.min(bytes, mostProbed)), { createNew: true });
      } catch (error) {
        throw new UserError(`nothing can be written in ${folder}: ${reasonOf(error)}`);
      } finally {
        remove(probe);
      }
    });
  }
}

/**
 * Writes files, all of them or none: folders are made as needed, and removed again with everything else where one fails.
 * @throws UserError in one sentence.
 */
export function writeOutputs(files: ReadonlyMap<string, Uint8Array>, { force }: { force: boolean }): void {
  undisturbed(() => stageAndRename(files, force));
}

/** Runs what ends soon and must not end halfway: Ctrl-C does nothing meanwhile. */
export function undisturbed<T>(run: () => T): T {
  const ignore = () => {};
  Deno.addSignalListener("SIGINT", ignore);
  try {
    return run();
  } finally {
    Deno.removeSignalListener("SIGINT", ignore);
  }
}

function stageAndRename(files: ReadonlyMap<string, Uint8Array>, force: boolean): void {
  const undo: (() => void)[] = [];
  for (const [path, bytes] of files) {
    const temporary = temporaryBeside(path);
    try {
      checkFree(path, force);
      for (const folder of missingFolders(dirname(path))) {
        Deno.mkdirSync(folder);
        undo.push(() => remove(folder));
      }
      undo.push(() => remove(temporary));
      Deno.writeFileSync(temporary, bytes, { createNew: true });
    } catch (error) {
      for (const step of undo.reverse()) step();
      if (error instanceof UserError) throw error;
      throw new UserError(`${path} cannot be written: ${reasonOf(error)}`);
    }
  }
  for (const path of files.keys()) {
    try {
      Deno.renameSync(temporaryBeside(path), path);
    } catch (error) {
      for (const step of undo.reverse()) step();
      throw new UserError(`${path} cannot be written: ${reasonOf(error)}`);
    }
  }
}

function checkFree(path: string, force: boolean): void {
  const found = statOf(path);
  if (found?.isDirectory) throw new UserError(`${path} is a folder; a file's name is expected`);
  if (found && !found.isFile) throw new UserError(`${path} is a device or pipe, not an ordinary file`);
  if (found && !force) throw new UserError(`${path} exists; --force overwrites it`);
}

/** One name a process and path: what `writeOutputs` stages it also finds again. */
const temporaryBeside = (path: string) => `${path}.${Deno.pid}.tmp`;

/** The folder itself, or the nearest one above it that exists. @throws UserError where that is no folder. */
function existingFolder(folder: string): string {
  const found = statOf(folder);
  if (!found) return existingFolder(dirname(folder));
  if (!found.isDirectory) throw new UserError(`${folder} is not a folder; outputs cannot be written in it`);
  return folder;
}

function missingFolders(folder: string): string[] {
  return statOf(folder) ? [] : [...missingFolders(dirname(folder)), folder];
}

/** What there is of this name. @throws UserError where it cannot be looked at. */
export function statOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    // Below a file there is nothing; existingFolder names that file.
    if (error instanceof Deno.errors.NotADirectory) return undefined;
    throw new UserError(`${path} cannot be looked at: ${reasonOf(error)}`);
  }
}

function remove(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // It was never made, or holds something of somebody else by now.
  }
}

/** Whether there is a file of this name. */
export const isFile = (path: string): boolean => statOf(path)?.isFile ?? false;

/** Whether there is a folder of this name. */
export const isFolder = (path: string): boolean => statOf(path)?.isDirectory ?? false;
