/**
 * The exponential linear unit: y = x > 0 ? x : α · (e^x − 1). At zero the gradient is the negative side's.
 */
import type { Op } from "./op.ts";
import { map } from "./tensor.ts";

/** The parameters of `elu` in network.json. */
export interface EluParameters {
  alpha?: number;
}

/** The exponential linear unit. */
export const elu: Op<EluParameters> = {
  forward: ([x], { alpha = 1 }) => map(x, (value) => value > 0 ? value : alpha * Math.expm1(value)),
  backward: ([x], _y, dy, { alpha = 1 }) => ({
    inputs: [map(dy, (value, at) => x.data[at] > 0 ? value : alpha * Math.exp(x.data[at]) * value)],
    weights: {},
  }),
};
