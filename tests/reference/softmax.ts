/**
 * Softmax over channels, at each position: y[c] = e^x[c] / Σ e^x, with the maximum taken off x before; and its logarithm.
 *
 * dx[c] = y[c] · (dy[c] − Σ dy · y), and for the logarithm dx[c] = dy[c] − e^y[c] · Σ dy.
 */
import type { NoParameters, Op } from "./op.ts";
import { planes, type Tensor, tensor } from "./tensor.ts";

/** Softmax over channels. */
export const softmax: Op<NoParameters> = {
  forward([x]) {
    const y = tensor(x.shape);
    forEachPosition(x, (channels) => {
      let largest = -Infinity;
      for (const at of channels) largest = Math.max(largest, x.data[at]);
      let sum = 0;
      for (const at of channels) sum += y.data[at] = Math.exp(x.data[at] - largest);
      for (const at of channels) y.data[at] /= sum;
    });
    return y;
  },

  backward([x], y, dy) {
    const dx = tensor(x.shape);
    forEachPosition(x, (channels) => {
      let mean = 0;
      for (const at of channels) mean += dy.data[at] * y.data[at];
      for (const at of channels) dx.data[at] = y.data[at] * (dy.data[at] - mean);
    });
    return { inputs: [dx], weights: {} };
  },
};

/** The logarithm of softmax. */
export const logsoftmax: Op<NoParameters> = {
  forward([x]) {
    const y = tensor(x.shape);
    forEachPosition(x, (channels) => {
      const largest = channels.reduce((most, at) => Math.max(most, x.data[at]), -Infinity);
      const sum = channels.reduce((total, at) => total + Math.exp(x.data[at] - largest), 0);
      for (const at of channels) y.data[at] = x.data[at] - largest - Math.log(sum);
    });
    return y;
  },

  backward([x], y, dy) {
    const dx = tensor(x.shape);
    forEachPosition(x, (channels) => {
      const sum = channels.reduce((total, at) => total + dy.data[at], 0);
      for (const at of channels) dx.data[at] = dy.data[at] - Math.exp(y.data[at]) * sum;
    });
    return { inputs: [dx], weights: {} };
  },
};

/** Visits every position of every image with the indices of its channels. */
function forEachPosition(x: Tensor, visit: (channels: number[]) => void): void {
  const { n, c, area } = planes(x);
  for (let image = 0; image < n; image++) {
    for (let pixel = 0; pixel < area; pixel++) {
      visit(Array.from({ length: c }, (_, channel) => (image * c + channel) * area + pixel));
    }
  }
}
