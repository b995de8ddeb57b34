/**
 * ReLU and its leaky form: y = x > 0 ? x : slope · x. At zero the gradient is the negative side's.
 */
import type { Op } from "./op.ts";
import { map } from "./tensor.ts";

/** The parameters of `relu` in network.json. */
export interface ReluParameters {
  slope?: number;
}

/** The rectifier. */
export const relu: Op<ReluParameters> = {
  forward: ([x], { slope = 0 }) => map(x, (value) => value > 0 ? value : slope * value),
  backward: ([x], _y, dy, { slope = 0 }) => ({
    inputs: [map(dy, (value, i) => x.data[i] > 0 ? value : slope * value)],
    weights: {},
  }),
};
