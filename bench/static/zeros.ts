/** Models of which only network.json is there: their weights are zeros. */
import { join } from "node:path";
import { openModel } from "../../src/cli/defaults.ts";
import { isFile, modelFolder } from "../../src/cli/files.ts";
import { buildGraph } from "../../src/net/graph.ts";
import type { Model } from "../../src/net/model.ts";
import { parseNetwork } from "../../src/net/network.ts";
import type { StoredTensor } from "../../src/formats/safetensors.ts";

/** Loads a model folder; a folder without weights.safetensors gets zeros. @throws UserError in one sentence. */
export async function openOrZeros(folder: string): Promise<Model> {
  if (isFile(join(folder, "weights.safetensors"))) return await openModel(folder);
  const read = modelFolder(folder);
  const text = new TextDecoder().decode(await read("network.json"));
  const network = parseNetwork(text, join(folder, "network.json"));
  const weights = new Map<string, StoredTensor>();
  const model = { name: network.name, where: folder, network, weights, labels: [], hash: "" };
  for (const { name, weightShapes } of buildGraph(model).layers) {
    for (const [key, shape] of Object.entries(weightShapes)) {
      const bytes = new Uint8Array(4 * shape.reduce((product, n) => product * n, 1));
      weights.set(`${name}.${key}`, { dtype: "F32", shape: [...shape], bytes });
    }
  }
  return model;
}
