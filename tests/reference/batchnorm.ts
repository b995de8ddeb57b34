/**
 * Batch normalisation with the statistics of training: y = (x − mean[c]) / √(variance[c] + ε), and if affine
 * weight[c] · that + bias[c].
 */
import type { Op } from "./op.ts";
import { map, planes } from "./tensor.ts";

/** The parameters of `batchnorm` in network.json. */
export interface BatchnormParameters {
  epsilon?: number;
  affine?: boolean;
}

/** Batch normalisation at inference. */
export const batchnorm: Op<BatchnormParameters> = {
  weightShapes([[, c]], { affine = false }) {
    return { mean: [c], variance: [c], ...(affine && { weight: [c], bias: [c] }) };
  },

  forward([x], { epsilon = 1e-5, affine = false }, { mean, variance, weight, bias }) {
    const { c, area } = planes(x);
    return map(x, (value, at) => {
      const channel = Math.floor(at / area) % c;
      const normal = (value - mean.data[channel]) / Math.sqrt(variance.data[channel] + epsilon);
      return affine ? weight.data[channel] * normal + bias.data[channel] : normal;
    });
  },

  backward([x], _y, dy, { epsilon = 1e-5, affine = false }, { variance, weight }) {
    const { c, area } = planes(x);
    const dx = map(dy, (value, at) => {
      const channel = Math.floor(at / area) % c;
      return value * (affine ? weight.data[channel] : 1) / Math.sqrt(variance.data[channel] + epsilon);
    });
    return { inputs: [dx], weights: {} };
  },
};
