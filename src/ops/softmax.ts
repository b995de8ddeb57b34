/**
 * Over the channels of each position: softmax, y_c = e^(x_c) / Σ e^(x_j), dx = y · (dy − Σ y · dy); and its logarithm,
 * logsoftmax, y_c = x_c − log Σ e^(x_j), dx = dy − e^y · Σ dy.
 */
import {
  logSoftmax,
  logSoftmaxGradient,
  logSoftmaxGradientStats,
  softmax as finish,
  type SoftmaxGeometry,
  softmaxGradient,
  softmaxGradientStats,
  softmaxStats,
} from "../../shaders/softmax.ts";
import { UserError } from "../formats/user_error.ts";
import { write } from "../gpu/call.ts";
import { run, type Tensor } from "../gpu/tensor.ts";
import { texelCall } from "./calls.ts";
import type { Op } from "./op.ts";
import { MOST_TRIPS } from "./trips.ts";
import { elements } from "./way.ts";

/** One texel a position. */
function statsOf(label: string, { shape: [n, , h, w], storage }: Tensor): Tensor {
  return run(`${label} stats`, n * h * w, storage);
}

const geometry = ({ shape: [, channels, h, w] }: Tensor) => ({ channels, area: h * w });

/**
 * What it makes; a kernel that finishes from the statistics; the gradient's statistics, which may read y; and the gradient's
 * finish.
 */
function overChannels(
  normalises: Op["normalises"],
  finish: (g: SoftmaxGeometry) => string,
  gradientStats: (g: SoftmaxGeometry) => string,
  readsY: boolean,
  gradient: (g: SoftmaxGeometry) => string,
): Op<null> {
  return {
    inputs: 1,
    parse: () => null,
    outputShape: ([input]) => input,
    checkLimits(_, [channels]) {
      // Two loops over four channels a trip.
      const most = 2 * MOST_TRIPS;
      if (channels > most) throw new UserError(`${channels} channels, expected at most ${most}`);
    },
    normalises,
    gradientReadsOutput: true,
    forward: [elements(({ name, inputs: [x] }, y) => {
      const stats = statsOf(name, x), g = geometry(x);
      return [
        texelCall(`${name} stats`, { x }, { stats: write(stats) }, softmaxStats(g), 4 * g.channels),
        texelCall(name, { x, stats }, { y }, finish(g), 4),
      ];
    })],
    backward: [elements(({ name, output: y }, dy, [dx]) => {
      if (!dx) return [];
      const stats = statsOf(`${name} gradient`, y), g = geometry(y);
      const read: Record<string, Tensor> = readsY ? { y, dy } : { dy };
      return [
        texelCall(`${name} gradient stats`, read, { stats: write(stats) }, gradientStats(g), 2 * g.channels),
        texelCall(`${name} gradient`, { y, dy, stats }, { dx }, gradient(g), 2),
      ];
    })],
  };
}

/** The layer type `softmax`. */
export const softmax: Op<null> = overChannels("softmax", finish, softmaxGradientStats, true, softmaxGradient);

/** The layer type `logsoftmax`. */
export const logsoftmax: Op<null> = overChannels(
  "logsoftmax",
  logSoftmax,
  logSoftmaxGradientStats,
  false,
  logSoftmaxGradient,
);
