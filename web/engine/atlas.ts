/** Small pictures of a layer's units, several at a time and in few iterations: to see which are worth a whole search. */
import { encodePng } from "../../src/formats/png.ts";
import { type Device, search } from "../../src/mod.ts";
import type { Pair } from "./pair.ts";
import type { SavedFile } from "./messages.ts";

/** Iterations of each. */
const ITERATIONS = 30;

/** Draws them. @throws UserError, GpuError as `search` does. */
export async function drawAtlas(
  device: Device,
  models: Pair,
  layer: string,
  units: readonly number[],
): Promise<SavedFile[]> {
  const targets = units.map((unit) => ({ units: [unit], seed: 0 }));
  const { items } = await search(device, { ...models, layer, targets, iterations: ITERATIONS });
  return items.map(({ picture }, n) => ({ name: `${units[n]}.png`, type: "image/png", bytes: encodePng(picture) }));
}
