/**
 * Resizing by interpolation as PyTorch has it, with align_corners and antialias off: the output's centres on the input's pixels,
 * the edge shown past the edge, a cubic with A = −0.75.
 */
import type { Op } from "./op.ts";
import { type Tensor, tensor } from "./tensor.ts";
import { type Pair, pair } from "./window.ts";

/** The parameters of `resize` in network.json. */
export interface ResizeParameters {
  size: Pair;
  method?: "bilinear" | "bicubic";
}

/** For each output position along an axis, the input positions that it reads and their weights. */
function taps(from: number, to: number, method: "bilinear" | "bicubic"): [number, number][][] {
  return Array.from({ length: to }, (_, o) => {
    const at = (o + 0.5) * from / to - 0.5;
    const below = Math.floor(at);
    const near = method === "bilinear" ? [0, 1] : [-1, 0, 1, 2];
    return near.map((d): [number, number] => {
      const distance = Math.abs(at - below - d);
      return [Math.min(Math.max(below + d, 0), from - 1), method === "bilinear" ? 1 - distance : cubic(distance)];
    });
  });
}

function cubic(x: number): number {
  const a = -0.75;
  if (x <= 1) return (a + 2) * x ** 3 - (a + 3) * x ** 2 + 1;
  return x < 2 ? a * x ** 3 - 5 * a * x ** 2 + 8 * a * x - 4 * a : 0;
}

/** Calls `visit` with an output value, an input value that it reads, and its weight. */
function forEachTap(
  [n, c, h, w]: number[],
  { size, method = "bilinear" }: ResizeParameters,
  visit: (to: number, from: number, weight: number) => void,
): void {
  const [oh, ow] = pair(size);
  const rows = taps(h, oh, method);
  const columns = taps(w, ow, method);
  for (let map = 0; map < n * c; map++) {
    rows.forEach((row, y) =>
      columns.forEach((column, x) => {
        for (const [r, down] of row) {
          for (const [q, across] of column) visit((map * oh + y) * ow + x, (map * h + r) * w + q, down * across);
        }
      })
    );
  }
}

/** The layer type. */
export const resize: Op<ResizeParameters> = {
  forward([x], parameters) {
    const [n, c] = x.shape;
    const y = tensor([n, c, ...pair(parameters.size)]);
    forEachTap(x.shape, parameters, (to, from, weight) => y.data[to] += weight * x.data[from]);
    return y;
  },
  backward([x], _y, dy: Tensor, parameters) {
    const dx = tensor(x.shape);
    forEachTap(x.shape, parameters, (to, from, weight) => dx.data[from] += weight * dy.data[to]);
    return { inputs: [dx], weights: {} };
  },
};
