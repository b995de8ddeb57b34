/**
 * A map turned, scaled and shifted: y_o = x at c + R (o − c) + t, bilinearly, R = [[a, −b], [b, a]]; the second input is (a, b, t_x,
 * t_y). The numbers have no gradient.
 */
import type { Op } from "./op.ts";
import { type Tensor, tensor } from "./tensor.ts";

/** The parameters of `warp` in network.json. */
export interface WarpParameters {
  edges?: "zero" | "wrap";
}

/** Calls `visit` with an output value, an input value that it reads, and its weight. */
function forEachTap(
  [x, view]: Tensor[],
  { edges = "zero" }: WarpParameters,
  visit: (to: number, from: number, weight: number) => void,
): void {
  const [n, c, h, w] = x.shape;
  const cx = (w - 1) / 2;
  const cy = (h - 1) / 2;
  for (let map = 0; map < n * c; map++) {
    const [a, b, tx, ty] = view.data.slice(4 * Math.floor(map / c));
    for (let o = 0; o < h * w; o++) {
      const dx = o % w - cx;
      const dy = Math.floor(o / w) - cy;
      const sx = cx + a * dx - b * dy + tx;
      const sy = cy + b * dx + a * dy + ty;
      for (const py of [Math.floor(sy), Math.floor(sy) + 1]) {
        for (const px of [Math.floor(sx), Math.floor(sx) + 1]) {
          const inside = px >= 0 && px < w && py >= 0 && py < h;
          if (!inside && edges === "zero") continue;
          const from = ((py % h + h) % h) * w + (px % w + w) % w;
          visit(map * h * w + o, map * h * w + from, (1 - Math.abs(sx - px)) * (1 - Math.abs(sy - py)));
        }
      }
    }
  }
}

/** The layer type. */
export const warp: Op<WarpParameters> = {
  forward(inputs, parameters) {
    const y = tensor(inputs[0].shape);
    forEachTap(inputs, parameters, (to, from, weight) => y.data[to] += weight * inputs[0].data[from]);
    return y;
  },
  backward(inputs, _y, dy, parameters) {
    const dx = tensor(inputs[0].shape);
    forEachTap(inputs, parameters, (to, from, weight) => dx.data[from] += weight * dy.data[to]);
    return { inputs: [dx], weights: {} };
  },
};
