/**
 * Local response normalisation: y = x · s^−β with s[i] = k + α / n · Σ x[j]² over the n values of a window around i, of
 * which those that exist count. Across channels n = size; within a channel the window is a square of pixels and
 * n = size². (An even size has its extra value after i, as in ONNX.)
 *
 * dx[j] = dy[j] · s[j]^−β − 2 · α · β / n · x[j] · Σ dy[i] · x[i] · s[i]^(−β−1), over the i whose window holds j.
 */
import type { Op } from "./op.ts";
import { planes, type Tensor, tensor } from "./tensor.ts";

/** The parameters of `lrn` in network.json. */
export interface LrnParameters {
  region?: "across" | "within";
  size?: number;
  alpha?: number;
  beta?: number;
  k?: number;
}

/** Local response normalisation. */
export const lrn: Op<LrnParameters> = {
  forward([x], p) {
    const { beta = 0.75 } = p;
    const s = denominators(x, p);
    return { shape: [...x.shape], data: x.data.map((value, at) => value * s[at] ** -beta) };
  },

  backward([x], _y, dy, p) {
    const { alpha = 1e-4, beta = 0.75 } = p;
    const s = denominators(x, p);
    const dx = tensor(x.shape);
    const forEach = windows(x, p);
    for (let i = 0; i < s.length; i++) {
      dx.data[i] += dy.data[i] * s[i] ** -beta;
      const share = -2 * alpha * beta / values(p) * dy.data[i] * x.data[i] * s[i] ** (-beta - 1);
      forEach(i, (j) => dx.data[j] += share * x.data[j]);
    }
    return { inputs: [dx], weights: {} };
  },
};

/** Values of a whole window. */
const values = ({ size = 5, region = "across" }: LrnParameters) => region === "across" ? size : size ** 2;

function denominators(x: Tensor, p: LrnParameters): Float64Array {
  const { alpha = 1e-4, k = 1 } = p;
  const forEach = windows(x, p);
  return x.data.map((_, i) => {
    let squares = 0;
    forEach(i, (j) => squares += x.data[j] ** 2);
    return k + alpha / values(p) * squares;
  });
}

/** A function that visits the places of the values that value i is normalised by. */
function windows(x: Tensor, { size = 5, region = "across" }: LrnParameters) {
  const { c, area } = planes(x);
  const width = x.shape[3] ?? 1;
  const height = area / width;
  const around = (at: number, extent: number): [first: number, last: number] => {
    const before = Math.floor((size - 1) / 2);
    return [Math.max(-before, -at), Math.min(size - 1 - before, extent - 1 - at)];
  };
  return region === "across"
    ? (i: number, visit: (j: number) => void) => {
      const [first, last] = around(Math.floor(i / area) % c, c);
      for (let step = first; step <= last; step++) visit(i + step * area);
    }
    : (i: number, visit: (j: number) => void) => {
      const [top, bottom] = around(Math.floor(i / width) % height, height);
      const [left, right] = around(i % width, width);
      for (let row = top; row <= bottom; row++) {
        for (let column = left; column <= right; column++) visit(i + row * width + column);
      }
    };
}
