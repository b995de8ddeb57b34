/**
 * exp, log and sqrt, value by value.
 */
import type { NoParameters, Op } from "./op.ts";
import { map } from "./tensor.ts";

const functionOf = (value: (x: number) => number, slope: (x: number) => number): Op<NoParameters> => ({
  forward: ([x]) => map(x, value),
  backward: ([x], _y, dy) => ({ inputs: [map(dy, (value, at) => value * slope(x.data[at]))], weights: {} }),
});

/** e^x. */
export const exp = functionOf(Math.exp, Math.exp);

/** ln x, of the smallest normal float32 where x is not above zero. */
export const log = functionOf((x) => Math.log(Math.max(x, 2 ** -126)), (x) => 1 / Math.max(x, 2 ** -126));

/** √x, of zero where x is below. */
export const sqrt = functionOf((x) => Math.sqrt(Math.max(x, 0)), (x) => 0.5 / Math.sqrt(x));
