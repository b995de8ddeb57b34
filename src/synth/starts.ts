/** What a search's own memory holds at its start. */
import { toTexels } from "../gpu/tensor.ts";
import { stateTexels } from "../../shaders/search/state.ts";
import type { ClimbSettings } from "./climb.ts";
import { type SettingName, stateNames } from "./settings.ts";

/** Where clipping never bites. */
const FAR = 3e38;

/** What the codes' memory holds at the start: the codes, and the same as those that the pictures are of. */
export function doubled(start: Float32Array): Float32Array<ArrayBuffer> {
  const twice = new Float32Array(2 * start.length);
  twice.set(start);
  twice.set(start, start.length);
  return twice;
}

/** The state of every item at the start. */
export function stateOf(settings: ClimbSettings): Float32Array<ArrayBuffer> {
  const { objective: { items }, bound } = settings, size = 4 * stateTexels(stateNames);
  const numbers: Record<string, number> = { iteration: 0, lowest: bound ? 0 : -FAR };
  const one = stateNames.map((name) => numbers[name] ?? settings[name as Exclude<SettingName, "rule">]);
  const all = new Float32Array(items * size);
  for (let item = 0; item < items; item++) all.set(one, item * size);
  return all;
}

/** The codes' upper bounds, or none. */
export function boundTexels(
  bound: Float32Array | undefined,
  [, c, h, w]: readonly [number, number, number, number],
): Float32Array<ArrayBuffer> {
  return toTexels(bound ?? new Float32Array(c * h * w).fill(FAR), [1, c, h, w]);
}
