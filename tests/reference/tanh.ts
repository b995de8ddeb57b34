/**
 * The hyperbolic tangent: dx = dy · (1 − y²).
 */
import type { NoParameters, Op } from "./op.ts";
import { map } from "./tensor.ts";

/** The hyperbolic tangent. */
export const tanh: Op<NoParameters> = {
  forward: ([x]) => map(x, Math.tanh),
  backward: (_x, y, dy) => ({ inputs: [map(dy, (value, i) => value * (1 - y.data[i] ** 2))], weights: {} }),
};
