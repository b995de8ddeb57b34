/**
 * The error function by its series of positive terms, 2/√π · e^−x² · Σ 2ⁿ x^(2n+1) / (1 · 3 · … · (2n+1)).
 */
import type { NoParameters, Op } from "./op.ts";
import { map } from "./tensor.ts";

/** 2/√π · the integral of e^−t² from 0 to x. */
export function erfOf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let sum = 0;
  let n = 0;
  for (let term = x; Math.abs(term) > 1e-17; n++, term *= 2 * x * x / (2 * n + 1)) sum += term;
  return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
}

/** The error function. */
export const erf: Op<NoParameters> = {
  forward: ([x]) => map(x, erfOf),
  backward: ([x], _y, dy) => ({
    inputs: [map(dy, (value, at) => 2 / Math.sqrt(Math.PI) * Math.exp(-x.data[at] * x.data[at]) * value)],
    weights: {},
  }),
};
