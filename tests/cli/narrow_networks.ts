/**
 * Stand-ins for published networks: the same layers, names and sizes of maps, but four channels everywhere, for kernels that are
 * the same take no time to compile; random weights.
 */
import { join } from "node:path";
import { knownNetworks } from "../../bench/networks/architectures.ts";
import { randomWeights } from "../../bench/networks/random_weights.ts";
import { writeSafetensors } from "../../src/formats/safetensors.ts";
import { parseNetwork } from "../../src/net/network.ts";

/** Channels of a stand-in's layers, and values of its code. */
const narrow = 4;

/** Writes the stand-in of a network to `folder`; of so many units, if it is a classifier. */
export function writeNarrow(folder: string, network: keyof typeof knownNetworks, units = 1000): string {
  const { input: { name, shape }, code, ...rest } = knownNetworks[network]();
  const { layers } = rest;
  const last = layers.findLast(({ channels }) => channels !== undefined);
  const narrowed = layers.map((layer, n) => {
    const { channels, shape } = layer;
    const reshaped = layers[n + 2]?.shape; // behind the activation
    if (Array.isArray(shape)) return { ...layer, shape: [narrow, ...shape.slice(1)] };
    if (channels === undefined) return layer;
    if (layer === last) return code ? layer : { ...layer, channels: units };
    return { ...layer, channels: Array.isArray(reshaped) ? narrow * reshaped[1] * reshaped[2] : narrow };
  });
  const text = JSON.stringify({
    ...rest,
    inputs: [{ name, shape: code ? [narrow, ...shape.slice(1)] : shape }],
    code,
    layers: narrowed,
  });
  Deno.mkdirSync(folder, { recursive: true });
  Deno.writeTextFileSync(join(folder, "network.json"), text);
  const weights = randomWeights(parseNetwork(text, folder));
  Deno.writeFileSync(join(folder, "weights.safetensors"), writeSafetensors(new Map(weights)));
  return folder;
}
