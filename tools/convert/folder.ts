/**
 * A model folder, written whole or not at all: beside its place first, then renamed.
 */
import { basename, dirname, join, resolve } from "node:path";
import { print } from "../../src/cli/command.ts";
import { reasonOf, undisturbed } from "../../src/cli/files.ts";
import { type StoredTensor, writeSafetensors } from "../../src/formats/safetensors.ts";
import { UserError } from "../../src/formats/user_error.ts";
import type { Narrowing } from "./narrowing.ts";

/** What a model folder may hold; the second is the user's and outlives a replacement. */
const [description, labels, ...others] = ["network.json", "labels.txt", "weights.safetensors", "README.md"];

/**
 * Makes sure, before the long part, that a model can be written there.
 * @throws UserError where the folder exists and may not be replaced: without `force`, or when it holds anything else.
 */
export function checkFolder(folder: string, force: boolean): void {
  let names: string[];
  try {
    names = [...Deno.readDirSync(folder)].map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw new UserError(`${folder} cannot take a model: ${reasonOf(error)}`);
  }
  if (!force) throw new UserError(`${folder} exists; --force replaces it`);
  const stranger = names.find((name) => ![description, labels, ...others].includes(name));
  if (stranger !== undefined) {
    throw new UserError(`${folder} holds ${stranger}, which is no part of a model; --out needs another folder`);
  }
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
  folder: string,
  { text, tensors, layers, parameters, narrowing }: ConvertedFolder,
  { force, start, names }: { force: boolean; start: number; names?: Uint8Array },
): void {
  const files = new Map<string, Uint8Array>([
    ["network.json", new TextEncoder().encode(text)],
    ["weights.safetensors", writeSafetensors(tensors)],
  ]);
  if (names) files.set(labels, names);
  writeFolder(folder, files, force);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  print(`${folder}: ${layers} layers, ${parameters.toLocaleString("en")} parameters, ${seconds} s`);
  if (!narrowing || narrowing.storage === "f32") return;
  const share = (100 * narrowing.error).toPrecision(2);
  print(`weights in ${narrowing.storage}: each changes by at most ${share} % of the largest in its tensor`);
}

/**
 * Writes the folder; an existing one is replaced, but its labels.txt is kept unless there is a new one.
 * @throws UserError in one sentence; whatever was there before is still there then.
 */
function writeFolder(folder: string, files: ReadonlyMap<string, Uint8Array>, force: boolean): void {
  undisturbed(() => draftAndRename(folder, files, force));
}

function draftAndRename(folder: string, files: ReadonlyMap<string, Uint8Array>, force: boolean): void {
  checkFolder(folder, force);
  const place = resolve(folder), draft = beside(place, "tmp"), old = beside(place, "old");
  try {
    Deno.mkdirSync(dirname(place), { recursive: true });
    Deno.mkdirSync(draft);
    for (const [name, bytes] of files) Deno.writeFileSync(join(draft, name), bytes);
    if (!files.has(labels)) unlessMissing(() => Deno.copyFileSync(join(place, labels), join(draft, labels)));
    const replaced = unlessMissing(() => Deno.renameSync(place, old));
    try {
      Deno.renameSync(draft, place);
    } catch (error) {
      if (replaced) Deno.renameSync(old, place);
      throw error;
    }
    if (replaced) Deno.removeSync(old, { recursive: true });
  } catch (error) {
    unlessMissing(() => Deno.removeSync(draft, { recursive: true }));
    throw new UserError(`${folder} cannot be written: ${reasonOf(error)}`);
  }
}

const beside = (place: string, suffix: string) => join(dirname(place), `.${basename(place)}.${Deno.pid}.${suffix}`);

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
