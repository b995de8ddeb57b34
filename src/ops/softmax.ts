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
import { groupSoftmax, groupSoftmaxGradient } from "../../shaders/softmax_groups.ts";
import { channelBlocks } from "../../shaders/texels.ts";
import { UserError } from "../formats/user_error.ts";
import type { Adapter } from "../gpu/adapter.ts";
import { type Binding, read, type WorkgroupCall, write } from "../gpu/call.ts";
import { run, type Tensor } from "../gpu/tensor.ts";
import { texelCall } from "./calls.ts";
import { groupedMovingCost, movingCost } from "./conv/costs.ts";
import type { Op, Task } from "./op.ts";
import { MOST_TRIPS } from "./trips.ts";
import { elements } from "./way.ts";

/** One texel a position. */
function statsOf(label: string, { shape: [n, , h, w], storage }: Tensor): Tensor {
  return run(`${label} stats`, n * h * w, storage);
}

/** Invocations of a workgroup that has a position to itself. */
const LANES = 64;

/** A kernel of such workgroups over the positions of a map. */
function groupedCall(label: string, map: Tensor, bindings: Record<string, Binding>, code: string): WorkgroupCall {
  const [n, , h, w] = map.shape;
  return {
    ...{ label, bindings, code },
    workgroup: [LANES, 1, 1],
    grid: [n * h * w, 1, 1],
    workgroupBytes: 16 * LANES,
    flops: 4 * 6 * map.texels,
  };
}

/** Where a workgroup each for all positions is possible. */
const hasGroups = ({ adapter: { caps }, output: { shape: [n, , h, w] } }: Task<null>): boolean =>
  n * h * w <= caps.maxGroups && caps.maxWorkgroupInvocations >= LANES && caps.maxWorkgroupBytes >= 16 * LANES;

/** An invocation for each position, then one for each texel; `reads` of each channel in all. */
function elementsCost(adapter: Adapter, { shape: [n, c, h, w], texels }: Tensor, reads: number): number {
  return movingCost(adapter, n * h * w, (reads - 1) * channelBlocks(c), 1) + movingCost(adapter, texels, 2, 1);
}

/** A workgroup for each position, whose lanes have as many sums to add as the tree has levels. */
function groupsCost(adapter: Adapter, { shape: [n, c, h, w] }: Tensor, reads: number): number {
  const trips = Math.ceil(channelBlocks(c) / LANES);
  return groupedMovingCost(adapter, n * h * w * LANES, reads * trips + Math.log2(LANES), trips);
}

const geometry = ({ shape: [, channels, h, w] }: Tensor) => ({ channels, area: h * w });

/**
 * What it makes; a kernel that finishes from the statistics; the gradient's statistics, which may read y; and the gradient's
 * finish.
 */
function overChannels(
  normalises: NonNullable<Op["normalises"]>,
  finish: (g: SoftmaxGeometry) => string,
  gradientStats: (g: SoftmaxGeometry) => string,
  readsY: boolean,
  gradient: (g: SoftmaxGeometry) => string,
): Op<null> {
  const log = normalises === "logsoftmax";
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
    forward: [
      elements(
        ({ name, inputs: [x] }, y) => {
          const stats = statsOf(name, x);
          const g = geometry(x);
          return [
            texelCall(`${name} stats`, { x }, { stats: write(stats) }, softmaxStats(g), 4 * g.channels),
            texelCall(name, { x, stats }, { y }, finish(g), 4),
          ];
        },
        ({ adapter, output }) => elementsCost(adapter, output, 3),
      ),
      {
        name: "workgroups",
        applies: hasGroups,
        cost: ({ adapter, output }) => groupsCost(adapter, output, 3),
        calls: ({ name, inputs: [x] }, y) => [
          groupedCall(name, x, { x: read(x), y }, groupSoftmax({ ...geometry(x), lanes: LANES, log })),
        ],
      },
    ],
    backward: [
      elements(
        ({ name, output: y }, dy, [dx]) => {
          if (!dx) return [];
          const stats = statsOf(`${name} gradient`, y);
          const g = geometry(y);
          const bound: Record<string, Tensor> = readsY ? { y, dy } : { dy };
          return [
            texelCall(`${name} gradient stats`, bound, { stats: write(stats) }, gradientStats(g), 2 * g.channels),
            texelCall(`${name} gradient`, { y, dy, stats }, { dx }, gradient(g), 2),
          ];
        },
        ({ adapter, output }) => elementsCost(adapter, output, readsY ? 3 : 2),
      ),
      {
        name: "workgroups",
        applies: hasGroups,
        cost: ({ adapter, output }) => groupsCost(adapter, output, readsY ? 4 : 3),
        calls({ name, output: y }, dy, [dx]) {
          if (!dx) return [];
          const code = groupSoftmaxGradient({ ...geometry(y), lanes: LANES, log });
          return [groupedCall(`${name} gradient`, y, { y: read(y), dy: read(dy), dx }, code)];
        },
      },
    ],
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
