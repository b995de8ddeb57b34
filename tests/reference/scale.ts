/**
 * A factor and a shift for every channel: y = weight[c] · x + bias[c].
 */
import type { Op } from "./op.ts";
import { map, planes } from "./tensor.ts";

/** The parameters of `scale` in network.json. */
export interface ScaleParameters {
  bias?: boolean;
}

/** Caffe's Scale layer. */
export const scale: Op<ScaleParameters> = {
  weightShapes: ([[, c]], { bias = true }) => ({ weight: [c], ...(bias && { bias: [c] }) }),

  forward([x], _p, { weight, bias }) {
    const { c, area } = planes(x);
    return map(x, (value, at) => {
      const channel = Math.floor(at / area) % c;
      return weight.data[channel] * value + (bias ? bias.data[channel] : 0);
    });
  },

  backward([x], _y, dy, _p, { weight }) {
    const { c, area } = planes(x);
    return { inputs: [map(dy, (value, at) => weight.data[Math.floor(at / area) % c] * value)], weights: {} };
  },
};
