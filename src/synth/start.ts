/** What a climb's own tensors take, what they hold at the start, and what changes one of them. */
import { type Call, write } from "../gpu/call.ts";
import type { Device } from "../gpu/device.ts";
import { toTexels } from "../gpu/map.ts";
import { type Memory, place, run, type Tensor, upload } from "../gpu/tensor.ts";
import { texelCall } from "../ops/calls.ts";
import { stateTexels } from "../../shaders/search/state.ts";
import { nextView } from "../../shaders/search/view.ts";
import type { Value } from "../net/graph.ts";
import type { PlannedMemory } from "../net/plan.ts";
import type { ClimbSettings } from "./climb_data.ts";
import type { Joined } from "./joined.ts";
import { type SettingName, stateNames } from "./settings.ts";

/** Makes tensors with what they hold, or of so many texels. Their memory is in `owned` at once, so that a failure loses none. */
export const maker =
  (device: Device, owned: Memory[]) => (label: string, content: number | Float32Array<ArrayBuffer>): Tensor => {
    const size = typeof content === "number" ? content : content.length / 4;
    const tensor = place(device, run(label, size, "buffer"));
    owned.push(tensor.memory!);
    if (typeof content !== "number") upload(device, tensor, content);
    return tensor;
  };

/** Where clipping never bites. */
const FAR = 3e38;

/** Tensors, and what they hold at the start. */
type Starts = [Tensor, Float32Array<ArrayBuffer>][];

/** Of the tensors that settings decide about: the codes, the generator's copy of them, and each item's state. */
export function settledStarts(
  settings: ClimbSettings,
  shape: readonly [number, number, number, number],
  { code, input, state }: Record<"code" | "input" | "state", Tensor>,
): Starts {
  const start = toTexels(settings.codes, shape);
  return [[code, doubled(start)], [input, start], [state, stateOf(settings)]];
}

/** Of the networks' other inputs, each item's own. */
export const givenStarts = ({ given }: Joined, items: number, of: (input: Value) => Tensor): Starts =>
  [...given].map(([input, feed]) => {
    const tensor = of(input);
    return [tensor, toTexels(feed(items), tensor.shape)];
  });

/** What the codes' memory holds: the codes, and the same as those that the pictures are of. */
function doubled(start: Float32Array): Float32Array<ArrayBuffer> {
  const twice = new Float32Array(2 * start.length);
  twice.set(start);
  twice.set(start, start.length);
  return twice;
}

/** The state of every item at the start. */
function stateOf(settings: ClimbSettings): Float32Array<ArrayBuffer> {
  const { objective: { items }, bound } = settings;
  const size = 4 * stateTexels(stateNames);
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
  const size = c * h * w;
  const all = bound ?? new Float32Array(size).fill(FAR);
  return toTexels(all, [all.length / size, c, h, w]);
}

/** Each item's view of the next iteration. */
export const viewCall = (items: number, { views, state, view }: Record<"views" | "state" | "view", Tensor>): Call =>
  texelCall("view", { views, state }, { view: write(view) }, nextView(stateNames, items, views.texels / items));

/** What is told of a search's own memory. */
export const ownPiece = (owned: readonly Memory[]): PlannedMemory => ({
  ...{ label: "codes, traces and state", format: "f32", parts: 1, weight: false },
  bytes: owned.reduce((sum, { bytes }) => sum + bytes, 0),
});
