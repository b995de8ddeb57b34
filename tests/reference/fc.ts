/**
 * Fully connected: y[o] = bias[o] + Σ weight[o, f] · x[f], the input flattened in (c, h, w) order; with an axis, each of
 * the rows that the dimensions before it number.
 */
import type { Op } from "./op.ts";
import { count, tensor } from "./tensor.ts";

/** The parameters of `fc` in network.json. */
export interface FcParameters {
  channels: number;
  bias?: boolean;
  axis?: number;
}

/** The fully connected layer; weight (channels, features). */
export const fc: Op<FcParameters> = {
  weightShapes([[, ...item]], { channels, bias = true, axis = 0 }) {
    return { weight: [channels, count(item.slice(axis))], ...(bias && { bias: [channels] }) };
  },

  forward([x], { channels, axis = 0 }, { weight, bias }) {
    const rows = x.shape.slice(0, axis + 1);
    const [n, features] = [count(rows), weight.shape[1]];
    const y = tensor([...rows, channels]);
    for (let item = 0; item < n; item++) {
      for (let o = 0; o < channels; o++) {
        let sum = bias ? bias.data[o] : 0;
        for (let f = 0; f < features; f++) sum += weight.data[o * features + f] * x.data[item * features + f];
        y.data[item * channels + o] = sum;
      }
    }
    return y;
  },

  backward([x], _y, dy, { channels, axis = 0 }, { weight, bias }) {
    const [n, features] = [count(x.shape.slice(0, axis + 1)), weight.shape[1]];
    const dx = tensor(x.shape);
    for (let item = 0; item < n; item++) {
      for (let o = 0; o < channels; o++) {
        const slope = dy.data[item * channels + o];
        for (let f = 0; f < features; f++) dx.data[item * features + f] += slope * weight.data[o * features + f];
      }
    }
    return {
      inputs: [dx],
      get weights() {
        const dWeight = tensor(weight.shape);
        const dBias = tensor([channels]);
        for (let item = 0; item < n; item++) {
          for (let o = 0; o < channels; o++) {
            const slope = dy.data[item * channels + o];
            dBias.data[o] += slope;
            for (let f = 0; f < features; f++) dWeight.data[o * features + f] += slope * x.data[item * features + f];
          }
        }
        return { weight: dWeight, ...(bias && { bias: dBias }) };
      },
    };
  },
};
