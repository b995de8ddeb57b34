/**
 * What is there only while a program works: a file in the folder where something will be placed, and what goes with it.
 *
 *     .phosphene-ID.tmp   the file, locked by its program as long as that lives
 *     .phosphene-ID.dir   a folder that is being made
 *     .phosphene-ID.old   what is about to be replaced, until that has come to its end
 *
 * A lock ends with its program, however that ends. So the next run that comes to the folder knows what nobody works on any
 * more, and removes it (`sweep`); names are short, whatever the name in the end.
 */
import { basename, dirname, join } from "node:path";
import { atExit } from "../interrupt.ts";

const pattern = /^(\.phosphene-[0-9a-f]{16})\.(tmp|dir|old)$/;

/** How the file begins that says which names beside it a run is going to write; they follow, each behind a zero. */
const heading = "phosphene is going to write";

/** Bytes of the longest such file that is read. */
const mostBytes = 2 ** 24;

/** A file that is gone when it is disposed of, or at the program's end. */
export class Temporary implements Disposable {
  readonly path: string;
  /** Of a folder beside the file, for what is made as a folder, and of what is replaced. Neither is there at first. */
  readonly folder: string;
  readonly old: string;
  readonly #file: Deno.FsFile;
  readonly #exit: Disposable;

  /** Makes an empty one. @throws What Deno throws where a folder takes no files. */
  static in(folder: string): Temporary {
    for (;;) {
      const start = join(folder, `.phosphene-${crypto.getRandomValues(new Uint8Array(8)).toHex()}`);
      const file = Deno.openSync(`${start}.tmp`, { read: true, write: true, createNew: true });
      // A sweep may find the file before it is locked.
      if (tryLock(file) !== false && existsSync(`${start}.tmp`)) return new Temporary(start, file);
      file.close();
    }
  }

  private constructor(start: string, file: Deno.FsFile) {
    this.path = `${start}.tmp`;
    this.folder = `${start}.dir`;
    this.old = `${start}.old`;
    this.#file = file;
    this.#exit = atExit(() => remove(start, "dir", "tmp"));
  }

  /** Writes behind what is there. */
  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) at += this.#file.writeSync(bytes.subarray(at));
  }

  /** Empties it. */
  clear(): void {
    this.#file.truncateSync(0);
    this.#file.seekSync(0, Deno.SeekMode.Start);
  }

  /** Has the disk hold what was written. */
  flush(): void {
    this.#file.syncSync();
  }

  /** Says which names in the folder are going to be written. */
  announce(names: readonly string[]): void {
    this.clear();
    this.write(new TextEncoder().encode([heading, ...names].join("\0")));
  }

  /** Removes the file and the folder; what was moved aside is somebody's, and for its mover to remove or put back. */
  [Symbol.dispose](): void {
    remove(this.path.slice(0, -".tmp".length), "dir", "tmp");
    this.#exit[Symbol.dispose]();
    this.#file.close();
  }
}

/**
 * Removes from a folder what programs left there that live no more; a folder that one of them had moved aside, and not yet
 * replaced, goes back. What cannot be removed stays.
 * @returns The names that living programs are going to write there.
 */
export function sweep(folder: string): Set<string> {
  const starts = new Set<string>();
  const announced = new Set<string>();
  for (const name of namesIn(folder) ?? []) {
    const start = pattern.exec(name)?.[1];
    if (start) starts.add(join(folder, start));
  }
  for (const start of starts) {
    try {
      const names = sweepOne(start);
      if (names) { for (const name of names) announced.add(name); }
    } catch {
      // It is somebody else's, or has just gone.
    }
  }
  return announced;
}

/** The names in a folder; undefined where it takes files but does not tell which it has. */
export function namesIn(folder: string): string[] | undefined {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name);
  } catch {
    return undefined;
  }
}

/** Removes what has this start, or returns what its living program has announced. */
function sweepOne(start: string): string[] | undefined {
  const found = lstatOf(`${start}.tmp`);
  if (!found) return remove(start, "dir");
  if (!found.isFile) return undefined;
  using file = Deno.openSync(`${start}.tmp`, { read: true, write: true });
  const locked = tryLock(file);
  const names = announcedIn(file);
  if (!locked) return locked === false ? names : undefined;
  const place = join(dirname(start), names[0] ?? "");
  // The file may come from anywhere, but goes to no other folder.
  const isBeside = dirname(place) === dirname(start) && basename(place) === names[0];
  if (isBeside && lstatOf(`${start}.old`)?.isDirectory && existsSync(`${start}.dir`)) {
    Deno.renameSync(`${start}.old`, place); // fails, and all stays, where there is something
  }
  return remove(start, "dir", "old", "tmp");
}

function announcedIn(file: Deno.FsFile): string[] {
  const bytes = new Uint8Array(Math.min(mostBytes, file.statSync().size));
  let length = 0;
  for (let count; length < bytes.length && (count = file.readSync(bytes.subarray(length)));) length += count;
  const [start, ...names] = new TextDecoder().decode(bytes.subarray(0, length)).split("\0");
  return start === heading ? names : [];
}

/** Whether this program has the lock now; undefined where files cannot be locked. */
export function tryLock(file: Deno.FsFile): boolean | undefined {
  try {
    return file.tryLockSync(true);
  } catch {
    return undefined;
  }
}

/** What there is of this name, a symbolic link as such. @throws What Deno throws where it cannot be looked at. */
export function lstatOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw error;
  }
}

const existsSync = (path: string) => lstatOf(path) !== undefined;

/** The file shall be the last: as long as it is there, the others are not taken for a dead program's. */
function remove(start: string, ...kinds: ("dir" | "old" | "tmp")[]): undefined {
  for (const kind of kinds) {
    try {
      Deno.removeSync(`${start}.${kind}`, { recursive: true });
    } catch {
      // It was never made, or went where it belongs.
    }
  }
}
