/**
 * x^exponent, of zero where x is below; no gradient comes from what is not above zero.
 */
import type { Op } from "./op.ts";
import { map } from "./tensor.ts";

/** The parameters of `power` in network.json. */
export interface PowerParameters {
  exponent: number;
}

/** A power by one exponent above zero. */
export const power: Op<PowerParameters> = {
  forward: ([x], { exponent }) => map(x, (value) => Math.max(value, 0) ** exponent),
  backward: ([x], _y, dy, { exponent }) => ({
    inputs: [map(dy, (value, at) => x.data[at] > 0 ? exponent * x.data[at] ** (exponent - 1) * value : 0)],
    weights: {},
  }),
};
