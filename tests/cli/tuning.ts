/** Tiny models to tune. */
import { join } from "node:path";
import { fromFloat32, writeSafetensors } from "../../src/formats/safetensors.ts";
import { writeTinyModels } from "./tiny_models.ts";
import { temporaryFolder } from "./user.ts";

/** A folder with tiny models, the classifier of one layer, for each takes seconds; and the file of tuned ways in it. */
export function tinyToTune() {
  const folder = temporaryFolder();
  const models = writeTinyModels(folder.path);
  const { path } = folder;
  const network = JSON.parse(Deno.readTextFileSync(join(models.classifier, "network.json")));
  network.layers = [{ name: "fc3", type: "fc", input: "data", channels: 5, bias: false }];
  const weight = fromFloat32(Float32Array.from({ length: 5 * 192 }, (_, n) => Math.sin(n)), "F32", [5, 192]);
  Deno.writeTextFileSync(join(models.classifier, "network.json"), JSON.stringify(network));
  Deno.writeFileSync(
    join(models.classifier, "weights.safetensors"),
    writeSafetensors(new Map([["fc3.weight", weight]])),
  );
  const at = (name: string) => join(path, name);
  const file = at("cache/tuned.json");
  return { at, file, ...models, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}
