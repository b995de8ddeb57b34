/**
 * Local response normalisation across channels: y = x · s^−β with s[i] = k + α / size · Σ x[j]², the sum over the
 * `size` channels around i that exist (an even size has its extra channel after i, as in ONNX).
 *
 * dx[j] = dy[j] · s[j]^−β − 2 · α · β / size · x[j] · Σ dy[i] · x[i] · s[i]^(−β−1), over the i whose window holds j.
 */
import type { Op } from "./op.ts";
import { planes, type Tensor, tensor } from "./tensor.ts";

/** The parameters of `lrn` in network.json. */
export interface LrnParameters {
  size?: number;
  alpha?: number;
  beta?: number;
  k?: number;
}

/** Local response normalisation across channels. */
export const lrn: Op<LrnParameters> = {
  forward([x], p) {
    const { beta = 0.75 } = p;
    const s = denominators(x, p);
    return { shape: [...x.shape], data: x.data.map((value, at) => value * s[at] ** -beta) };
  },

  backward([x], _y, dy, p) {
    const { size = 5, alpha = 1e-4, beta = 0.75 } = p;
    const { n, c, area } = planes(x);
    const s = denominators(x, p);
    const dx = tensor(x.shape);
    for (let i = 0; i < c; i++) {
      const [first, end] = channelsAround(i, c, size);
      for (let image = 0; image < n; image++) {
        for (let pixel = 0; pixel < area; pixel++) {
          const at = (image * c + i) * area + pixel;
          dx.data[at] += dy.data[at] * s[at] ** -beta;
          const share = -2 * alpha * beta / size * dy.data[at] * x.data[at] * s[at] ** (-beta - 1);
          for (let j = first; j < end; j++) {
            const other = (image * c + j) * area + pixel;
            dx.data[other] += share * x.data[other];
          }
        }
      }
    }
    return { inputs: [dx], weights: {} };
  },
};

/** The channels first … end − 1 that channel i is normalised by. */
function channelsAround(i: number, c: number, size: number): [first: number, end: number] {
  const first = i - Math.floor((size - 1) / 2);
  return [Math.max(0, first), Math.min(c, first + size)];
}

function denominators(x: Tensor, { size = 5, alpha = 1e-4, k = 1 }: LrnParameters): Float64Array {
  const { n, c, area } = planes(x);
  const s = new Float64Array(x.data.length);
  for (let i = 0; i < c; i++) {
    const [first, end] = channelsAround(i, c, size);
    for (let image = 0; image < n; image++) {
      for (let pixel = 0; pixel < area; pixel++) {
        let squares = 0;
        for (let j = first; j < end; j++) squares += x.data[(image * c + j) * area + pixel] ** 2;
        s[(image * c + i) * area + pixel] = k + alpha / size * squares;
      }
    }
  }
  return s;
}
