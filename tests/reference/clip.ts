/**
 * Values kept within bounds: min(max(x, min), max). The gradient passes where x is not outside them.
 */
import type { Op } from "./op.ts";
import { map } from "./tensor.ts";

/** The parameters of `clip` in network.json. */
export interface ClipParameters {
  min?: number;
  max?: number;
}

/** Bounded values. */
export const clip: Op<ClipParameters> = {
  forward: ([x], { min = -Infinity, max = Infinity }) => map(x, (value) => Math.min(Math.max(value, min), max)),
  backward: ([x], _y, dy, { min = -Infinity, max = Infinity }) => ({
    inputs: [map(dy, (value, at) => x.data[at] >= min && x.data[at] <= max ? value : 0)],
    weights: {},
  }),
};
