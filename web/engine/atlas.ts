/** Small pictures of a layer's units, several at a time and in few iterations: to see which are worth a whole search. */
import { encodePng } from "../../src/formats/png.ts";
import { type Device, search, type Settings } from "../../src/mod.ts";
import type { Pair } from "./pair.ts";
import type { SavedFile } from "./messages.ts";

/** Iterations of each at most: a generator draws something at once. */
const ITERATIONS = 30;
const WITHOUT_GENERATOR = 60;

/** Draws them. @throws UserError, GpuError as `search` does, the signal's reason when it ends this. */
export async function drawAtlas(
  device: Device,
  models: Pair,
  layer: string,
  units: readonly number[],
  settings: Settings,
  signal?: AbortSignal,
): Promise<SavedFile[]> {
  const targets = units.map((unit) => ({ units: [unit], seed: 0 }));
  const iterations = Math.min(settings.iterations, settings.prior === "learned" ? ITERATIONS : WITHOUT_GENERATOR);
  const { items } = await search(device, { ...models, ...settings, layer, targets, iterations, signal });
  signal?.throwIfAborted();
  return items.map(({ picture }, n) => ({ name: `${units[n]}.png`, type: "image/png", bytes: encodePng(picture) }));
}
