/**
 * A shift for every channel: y = x + bias[c].
 */
import type { NoParameters, Op } from "./op.ts";
import { map, planes } from "./tensor.ts";

/** Caffe's Bias layer. */
export const bias: Op<NoParameters> = {
  weightShapes: ([[, c]]) => ({ bias: [c] }),
  forward([x], _p, { bias }) {
    const { c, area } = planes(x);
    return map(x, (value, at) => value + bias.data[Math.floor(at / area) % c]);
  },
  backward: (_x, _y, dy) => ({ inputs: [map(dy, (value) => value)], weights: {} }),
};
