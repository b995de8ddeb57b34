/**
 * The logistic function: y = 1 / (1 + e^−x), dx = dy · y · (1 − y).
 */
import type { NoParameters, Op } from "./op.ts";
import { map } from "./tensor.ts";

/** The logistic function. */
export const sigmoid: Op<NoParameters> = {
  forward: ([x]) => map(x, (value) => 1 / (1 + Math.exp(-value))),
  backward: (_x, y, dy) => ({ inputs: [map(dy, (value, i) => value * y.data[i] * (1 - y.data[i]))], weights: {} }),
};
