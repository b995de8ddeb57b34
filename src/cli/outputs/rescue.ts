/**
 * What has been made is never lost: where its place cannot take it, a file goes beside it under a free name, else into a new
 * folder among the system's temporary ones.
 */
import { basename, dirname, extname, join } from "node:path";
import { UserError } from "../../formats/user_error.ts";
import { tell } from "../print.ts";
import { Taken, tryRemove, writeFiles } from "./place.ts";

/** Names that are tried beside a place: NAME-2.png and so on. */
const mostTried = 1000;

/** Bytes of the longest name in a folder, on almost every system. */
const longestName = 255;

/** Files that their own places did not take. */
export class Rescue {
  /** Where they are, by the user's names. */
  readonly moved = new Map<string, string>();
  /** A sentence on each. */
  readonly #problems: string[] = [];
  #elsewhere?: string;

  /** Saves a file beside its place or, where that cannot be, in the temporary folder. @param failure Why it is not in its place. */
  save(name: string, bytes: Uint8Array, place: string, failure: unknown): void {
    const reason = failure instanceof Taken ? `${failure.place} appeared meanwhile` : (failure as Error).message;
    try {
      this.moved.set(name, join(dirname(name), basename(writeBeside(place, bytes))));
    } catch {
      try {
        this.#elsewhere ??= Deno.makeTempDirSync({ prefix: "phosphene-" });
        this.moved.set(name, writeBeside(join(this.#elsewhere, basename(name)), bytes, 1));
      } catch (error) {
        if (this.#elsewhere) tryRemove(this.#elsewhere);
        this.moved.set(name, "(not saved)");
        this.#problems.push(`${reason}; nor can it be kept elsewhere: ${(error as Error).message}`);
        return;
      }
    }
    this.#problems.push(`${reason}; this run's ${basename(name)} is ${this.moved.get(name)}`);
  }

  /** Tells where all of it is. */
  tell(): void {
    this.#problems.splice(0).forEach(tell);
  }

  /** @throws UserError that tells where it is, if there is any; of several, the others are told before. */
  finish(): void {
    const last = this.#problems.pop();
    this.tell();
    if (last !== undefined) throw new UserError(last);
  }
}

/** Writes a file under the first free name like NAME-2.png, or NAME.png itself where `n` is 1. Returns its place. */
function writeBeside(path: string, bytes: Uint8Array, n = 2): string {
  const free = n === 1 ? path : numbered(path, n);
  try {
    writeFiles(new Map([[free, bytes]]), { force: false });
    return free;
  } catch (error) {
    if (error instanceof Taken && n < mostTried) return writeBeside(path, bytes, n + 1);
    throw error;
  }
}

/** A name with a number before its extension, no longer than names may be. */
function numbered(path: string, n: number): string {
  const end = `-${n}${extname(path)}`;
  const room = longestName - new TextEncoder().encode(end).length;
  let stem = basename(path, extname(path));
  while (new TextEncoder().encode(stem).length > room) stem = [...stem].slice(0, -1).join("");
  return join(dirname(path), `${stem}${end}`);
}
