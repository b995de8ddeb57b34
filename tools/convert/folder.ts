/**
 * A model folder, written whole or not at all: beside its place first, flushed to the disk, then renamed. What it replaces
 * is moved aside meanwhile; if the program is killed in between, the next run puts that back.
 */
import { basename, dirname, join, resolve } from "node:path";
import { print } from "../../src/cli/print.ts";
import { reasonOf } from "../../src/cli/files.ts";
import { atExit } from "../../src/cli/interrupt.ts";
import { flushFolder, makeFolders, putBack, tryRemove } from "../../src/cli/outputs/place.ts";
import { reserve } from "../../src/cli/outputs/reserve.ts";
import { lstatOf, type Temporary } from "../../src/cli/outputs/temporary.ts";
import { type StoredTensor, writeSafetensors } from "../../src/formats/safetensors.ts";
import { UserError } from "../../src/formats/user_error.ts";
import type { Narrowing } from "./narrowing.ts";

/** What a model folder may hold; the second is the user's and outlives a replacement. */
const [description, labels, ...others] = ["network.json", "labels.txt", "weights.safetensors", "README.md"];

/** A place for a model, announced to other runs until it is disposed of. */
export interface ModelPlace extends Disposable {
  /** As the user names it. */
  name: string;
  /** Where it is, and in which folder. */
  path: string;
  parent: string;
  force: boolean;
  /** What it is made in, beside its place. */
  draft: Temporary;
}

/**
 * Makes sure, before the long part, that a model can be written there.
 * @throws UserError where the folder exists and may not be replaced: without `force`, or when it holds anything else; and
 * where another run is at work on it.
 */
export function openPlace(folder: string, force: boolean): ModelPlace {
  const path = resolve(folder);
  using stack = new DisposableStack();
  try {
    for (const made of makeFolders(dirname(path))) stack.defer(() => tryRemove(made));
    const parent = Deno.realPathSync(dirname(path));
    const place = { name: folder, path: join(parent, basename(path)), parent, force };
    const draft = stack.use(reserve(parent, new Map([[basename(path), folder]])));
    checkReplaced(place);
    const held = stack.move();
    held.use(atExit(() => held.dispose()));
    return { ...place, draft, [Symbol.dispose]: () => held.dispose() };
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${folder} cannot take a model: ${reasonOf(error)}`);
  }
}

/** @throws UserError where there is something that may not be replaced. */
function checkReplaced({ name, path, force }: { name: string; path: string; force: boolean }): void {
  const found = lstatOf(path);
  if (!found) return;
  if (found.isSymlink) {
    throw new UserError(`${name} is a symbolic link, which is neither followed nor replaced; name what it leads to`);
  }
  const entries = [...Deno.readDirSync(path)];
  if (!force) throw new UserError(`${name} exists; --force replaces it`);
  const stranger = entries.find((entry) => !entry.isFile || ![description, labels, ...others].includes(entry.name));
  if (!stranger) return;
  const what = stranger.isSymlink
    ? "a symbolic link, which is neither followed nor replaced"
    : "which is no part of a model";
  throw new UserError(`${name} holds ${stranger.name}, ${what}; --out needs another folder`);
}

/** What a conversion makes. */
export interface ConvertedFolder {
  /** network.json. */
  text: string;
  /** weights.safetensors. */
  tensors: Map<string, StoredTensor>;
  layers: number;
  parameters: number;
  /** How its weights are stored, where that can be chosen. */
  narrowing?: Narrowing;
}

/**
 * Writes a converted model, with `names` as its labels.txt where it brings some, and tells its size and the time it took.
 * @throws UserError as `writeFolder`.
 */
export function writeModel(
  place: ModelPlace,
  { text, tensors, layers, parameters, narrowing }: ConvertedFolder,
  { start, names }: { start: number; names?: Uint8Array },
): void {
  const files = new Map<string, Uint8Array>([
    ["network.json", new TextEncoder().encode(text)],
    ["weights.safetensors", writeSafetensors(tensors)],
  ]);
  if (names) files.set(labels, names);
  writeFolder(place, files);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  print(`${place.name}: ${layers} layers, ${parameters.toLocaleString("en")} parameters, ${seconds} s`);
  if (!narrowing || narrowing.storage === "f32") return;
  const share = (100 * narrowing.error).toPrecision(2);
  print(`weights in ${narrowing.storage}: each changes by at most ${share} % of the largest in its tensor`);
}

/**
 * Writes the folder; an existing one is replaced, but its labels.txt is kept unless there is a new one.
 * @throws UserError in one sentence; whatever was there before is still there then.
 */
function writeFolder(place: ModelPlace, files: ReadonlyMap<string, Uint8Array>): void {
  const { name, path, parent, draft: { folder, old } } = place;
  try {
    checkReplaced(place);
    Deno.mkdirSync(folder);
    for (const [file, bytes] of files) writeFlushed(join(folder, file), bytes);
    if (!files.has(labels)) {
      unlessMissing(() => writeFlushed(join(folder, labels), Deno.readFileSync(join(path, labels))));
    }
    flushFolder(folder);
    const replaced = unlessMissing(() => Deno.renameSync(path, old));
    try {
      Deno.renameSync(folder, path);
    } catch (error) {
      if (replaced) putBack(old, path);
      throw error;
    }
    flushFolder(parent);
    if (replaced) Deno.removeSync(old, { recursive: true });
  } catch (error) {
    unlessMissing(() => Deno.removeSync(folder, { recursive: true }));
    if (error instanceof UserError) throw error;
    throw new UserError(`${name} cannot be written: ${reasonOf(error)}`);
  }
}

/** Writes a new file and has the disk hold it. */
function writeFlushed(path: string, bytes: Uint8Array): void {
  using file = Deno.openSync(path, { write: true, createNew: true });
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
  file.syncSync();
}

/** Whether it could be done: what it is about was there. */
function unlessMissing(run: () => void): boolean {
  try {
    run();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
