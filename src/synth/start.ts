/** What a climb's own tensors hold at the start, and what changes one of them. */
import { type Call, write } from "../gpu/call.ts";
import { type Tensor, toTexels } from "../gpu/tensor.ts";
import { texelCall } from "../ops/calls.ts";
import { stateTexels } from "../../shaders/search/state.ts";
import { nextView } from "../../shaders/search/view.ts";
import type { ClimbSettings } from "./climb.ts";
import { type SettingName, stateNames } from "./settings.ts";

/** Where clipping never bites. */
const FAR = 3e38;

/** What the codes' memory holds: the codes, and the same as those that the pictures are of. */
export function doubled(start: Float32Array): Float32Array<ArrayBuffer> {
  const twice = new Float32Array(2 * start.length);
  twice.set(start);
  twice.set(start, start.length);
  return twice;
}

/** The state of every item at the start. */
export function stateOf(settings: ClimbSettings): Float32Array<ArrayBuffer> {
  const { objective: { items }, bound } = settings, size = 4 * stateTexels(stateNames);
  const numbers: Record<string, number> = { iteration: 0, ...bound ? {} : { lowest: -FAR } };
  const one = stateNames.map((name) => numbers[name] ?? settings[name as SettingName] as number);
  const all = new Float32Array(items * size);
  for (let item = 0; item < items; item++) all.set(one, item * size);
  return all;
}

/** The bounds of a code [1, c, h, w], the upper ones before the lower ones. */
export function boundTexels(
  bound: Float32Array | undefined,
  [, c, h, w]: readonly [number, number, number, number],
): Float32Array<ArrayBuffer> {
  const size = c * h * w, all = bound ?? new Float32Array(size).fill(FAR);
  return toTexels(all, [all.length / size, c, h, w]);
}

/** Each item's view of the next iteration. */
export const viewCall = (items: number, { views, state, view }: Record<"views" | "state" | "view", Tensor>): Call =>
  texelCall("view", { views, state }, { view: write(view) }, nextView(stateNames, items, views.texels / items));
