/** The site's files with networks so small that a search takes no time, in the place of the embedded pair. */
import { type TinyModels, writeTinyModels } from "../cli/tiny_models.ts";
import { temporaryFolder } from "../cli/user.ts";

/** They. */
export function tinyFiles(): Map<string, Uint8Array<ArrayBuffer>> {
  using folder = temporaryFolder();
  const models: TinyModels = writeTinyModels(folder.path);
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  const places = { classifier: "models/caffenet64", generator: "models/deepsim64" };
  for (const role of ["classifier", "generator"] as const) {
    for (const { name } of Deno.readDirSync(models[role])) {
      files.set(`${places[role]}/${name}`, Deno.readFileSync(`${models[role]}/${name}`));
    }
  }
  return files;
}
