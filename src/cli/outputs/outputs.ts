/**
 * What a command will write: checked and announced before the long run, saved after it.
 *
 * Each place is resolved once, at the start, so that nothing that moves meanwhile leads elsewhere. Where it cannot take after all
 * what has been made, that is rescued, and `finish` says so.
 */
import { basename, dirname, join, resolve } from "node:path";
import { UserError } from "../../formats/user_error.ts";
import { reasonOf } from "../files.ts";
import { atExit } from "../interrupt.ts";
import { checkPlace, makeFolders, tryRemove, writeFiles } from "./place.ts";
import { Rescue } from "./rescue.ts";
import { reserve } from "./reserve.ts";
import { namesIn, sweep, Temporary } from "./temporary.ts";

/** Bytes that are written to see whether a disk takes them: more would take too long, for what no one may want. */
const mostProbed = 2 ** 26;

/** How outputs are opened. */
export interface Opening {
  /** Whether ordinary files may be replaced. */
  force: boolean;
  /** About what all of them will take. */
  bytes: number;
  /** Several runs may write them at the same time, each whole. */
  shared?: boolean;
}

/** Open outputs. Disposing of them leaves nothing behind but what was saved. */
export class Outputs implements Disposable {
  readonly #force: boolean;
  /** The places that the user's names stand for. */
  readonly #places = new Map<string, string>();
  readonly #rescue = new Rescue();
  readonly #stack = new DisposableStack();

  private constructor(force: boolean) {
    this.#force = force;
  }

  /**
   * Makes sure that files can be written later. Folders are made as needed, and are gone again if they stay empty.
   * @throws UserError where one exists (unless `force`), is named twice, another run is at work on it, or its folder cannot
   * take them.
   */
  static open(names: readonly string[], { force, bytes, shared = false }: Opening): Outputs {
    const outputs = new Outputs(force);
    outputs.#stack.use(atExit(() => outputs[Symbol.dispose]()));
    try {
      for (const [folder, files] of byFolder(names)) outputs.#open(folder, files, { force, bytes, shared });
      return outputs;
    } catch (error) {
      outputs[Symbol.dispose]();
      throw error;
    }
  }

  /** Opens a folder for files, by their names in it and as the user names them. */
  #open(folder: string, files: ReadonlyMap<string, string>, { force, bytes, shared }: Required<Opening>): void {
    const [named] = files.values();
    try {
      for (const made of makeFolders(folder)) this.#stack.defer(() => tryRemove(made));
      const real = Deno.realPathSync(folder);
      const maybe = maybeIn(real);
      for (const [file, name] of files) {
        const place = join(real, file);
        if (maybe(place)) checkPlace(place, { force, name });
        this.#places.set(name, place);
      }
      if (shared) sweep(real);
      else this.#stack.use(reserve(real, files));
      using probe = Temporary.in(real);
      probe.write(new Uint8Array(Math.min(bytes, mostProbed)));
    } catch (error) {
      if (error instanceof UserError) throw error;
      throw new UserError(`nothing can be written in ${dirname(named)}: ${reasonOf(error)}`);
    }
  }

  /** Saves files, all of them or none, or what can be saved of them somewhere else; `finish` tells which. */
  save(files: Iterable<readonly [name: string, bytes: Uint8Array]>): void {
    const all = new Map(files);
    try {
      writeFiles(all, { force: this.#force, where: (name) => this.#placeOf(name) });
    } catch (error) {
      for (const [name, bytes] of all) this.#rescue.save(name, bytes, this.#placeOf(name), error);
    }
  }

  /** Saves files one by one, each as soon as it is made. A second Ctrl-C ends the program between two of them. */
  async saveEach(
    files: Iterable<readonly [name: string, bytes: Uint8Array]> | AsyncIterable<readonly [string, Uint8Array]>,
  ): Promise<void> {
    for await (const file of files) {
      this.save([file]);
      await new Promise((turn) => setTimeout(turn, 0));
    }
  }

  /** Where a file is that was saved, as the user would name it, or that it is nowhere. */
  where(name: string): string {
    return this.#rescue.moved.get(name) ?? name;
  }

  #placeOf(name: string): string {
    return this.#places.get(name) ?? resolve(name);
  }

  /** @throws UserError that says what is not where it belongs, and where it is; of several, the others are told before. */
  finish(): void {
    this.#rescue.finish();
  }

  /** Also tells what `finish` was not asked for. */
  [Symbol.dispose](): void {
    this.#rescue.tell();
    this.#stack.dispose();
  }
}

/** The files of each folder, by their names in it. @throws UserError where two are one. */
function byFolder(names: readonly string[]): Map<string, Map<string, string>> {
  const folders = new Map<string, Map<string, string>>();
  for (const name of names) {
    const path = resolve(name);
    const folder = folders.get(dirname(path)) ?? new Map<string, string>();
    if (folder.has(basename(path))) {
      throw new UserError(`${name} would be written twice; give the outputs different names`);
    }
    folders.set(dirname(path), folder.set(basename(path), name));
  }
  return folders;
}

/**
 * Whether there may be something of a name, for many names with one look at their folder: false only where there is nothing and
 * the name cannot be too long. Some systems take "A" and "a", and "é" in one character and in two, for the same name.
 */
function maybeIn(folder: string): (path: string) => boolean {
  const folded = (name: string) => name.normalize("NFC").toLowerCase();
  const listed = namesIn(folder);
  const names = listed && new Set(listed.map(folded));
  return (path) => !names || names.has(folded(basename(path))) || basename(path).length > 50 || path.length > 1000;
}
