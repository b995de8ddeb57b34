/** What commands use where nothing else is asked for: the embedded models and the best adapter. */
import { join, relative } from "node:path";
import { UserError } from "../formats/user_error.ts";
import { type Device, layerUnits, loadModel, type Model, openDevice } from "../mod.ts";
import config from "../../deno.json" with { type: "json" };
import { modelFolder } from "./files.ts";
import { freeMemory } from "./free_memory.ts";

/** Phosphene's version. */
export const version: string = config.version;

/** Folders of the embedded models, as seen from where the user is. */
const embedded = (name: string) => relative(Deno.cwd(), join(import.meta.dirname!, "../../models", name));

/** Options of commands that use the GPU. */
export const adapterOption = {
  value: "NAME",
  help: "high-performance (the default), low-power or fallback; also the variable PHOSPHENE_ADAPTER",
};

/** Loads a model folder. @throws UserError in one sentence. */
export const openModel = (folder: string): Promise<Model> => loadModel(modelFolder(folder), folder);

/** More units than any classifier has; commands list and sort them all. */
const mostUnits = 1_000_000;

/** Loads the classifier of this folder, or the embedded one. @throws UserError where it has too many units to list. */
export async function openClassifier(folder?: string): Promise<Model> {
  const model = await openModel(folder ?? embedded("caffenet64"));
  const { channels } = layerUnits(model);
  if (channels > mostUnits) throw new UserError(`${model.where} has ${channels} units, expected at most ${mostUnits}`);
  return model;
}

/** Loads the generator of this folder, or the embedded one. */
export const openGenerator = (folder?: string): Promise<Model> => openModel(folder ?? embedded("deepsim64"));

/** Loads the generator where one is wanted. @throws UserError where one is named and none is wanted. */
export async function generatorWhere(wanted: boolean, folder: string | undefined): Promise<Model | undefined> {
  if (wanted) return await openGenerator(folder);
  if (folder === undefined) return undefined;
  throw new UserError(`--generator ${folder} is of no use: the pictures are made without one`);
}

/** Opens the adapter that the option or the environment names. @throws GpuError where there is none. */
export function openAdapter(name: string | undefined): Promise<Device> {
  // Mesa complains on stderr where this is unset; it keeps nothing there for a program without windows.
  if (!Deno.env.get("XDG_RUNTIME_DIR")) Deno.env.set("XDG_RUNTIME_DIR", "/tmp");
  return openDevice({ adapter: name ?? Deno.env.get("PHOSPHENE_ADAPTER"), memory: freeMemory() });
}
