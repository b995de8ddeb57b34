/** softmax over the channels of each position: y_c = e^(x_c) / Σ e^(x_j); dx = y · (dy − Σ y · dy). */
import { softmax as finish, softmaxGradient, softmaxGradientStats, softmaxStats } from "../../shaders/softmax.ts";
import { write } from "../gpu/kernel.ts";
import { run, type Tensor } from "../gpu/tensor.ts";
import { texelCall } from "./calls.ts";
import type { Op } from "./op.ts";

/** One texel a position. */
function statsOf(label: string, { shape: [n, , h, w], storage }: Tensor): Tensor {
  return run(`${label} stats`, n * h * w, storage);
}

const geometry = ({ shape: [, channels, h, w] }: Tensor) => ({ channels, area: h * w });

/** The layer type `softmax`. */
export const softmax: Op<null> = {
  inputs: 1,
  parse: () => null,
  outputShape: ([input]) => input,
  forward({ name, inputs: [x] }, y) {
    const stats = statsOf(name, x), g = geometry(x);
    return [
      texelCall(`${name} stats`, { x }, { stats: write(stats) }, softmaxStats(g), 4 * g.channels),
      texelCall(name, { x, stats }, { y }, finish(g), 4),
    ];
  },
  backward({ name, output: y }, dy, [dx]) {
    if (!dx) return [];
    const stats = statsOf(`${name} gradient`, y), g = geometry(y);
    return [
      texelCall(`${name} gradient stats`, { y, dy }, { stats: write(stats) }, softmaxGradientStats(g), 2 * g.channels),
      texelCall(`${name} gradient`, { y, dy, stats }, { dx }, softmaxGradient(g), 2),
    ];
  },
};
