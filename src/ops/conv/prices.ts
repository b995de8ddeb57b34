/** What kernels of convolutions pay for, on each kind of adapter. */
import type { Adapter } from "../../gpu/adapter.ts";

/**
 * What shapes a tile on a kind of adapter. An invocation pays `pixel` for each texel of the source and `block` for each
 * 4×4 block of weights that it loads, `sum` for multiplying one by the other, `carry` for each sum that it takes from
 * one loop trip to the next, and `store` for each texel that it writes, up to twice that in the largest tile, whose row
 * of stores outgrows a CPU's predictors. On a CPU these are nanoseconds of a lane (fitted to the kernels of the default pair on
 * two cores of llvmpipe 22.3), elsewhere rough ratios. `move` is the price of a texel that kernels write which do little
 * else, and a dispatch pays `weight` for each texel of weights that has to come from memory.
 */
export const cpu = {
  blocks: [1, 2, 4, 8],
  strips: [1, 2, 3, 4, 6, 8, 12, 16],
  most: 48,
  pixel: 8,
  block: { f32: 30, f16: 18, i8: 18 },
  sum: 2,
  carry: 1,
  store: 190,
  move: 95,
  weight: 16,
};

/** Loads and sums of SwiftShader take about six times as long, measured on the same kernels, its stores as long. */
const swiftshader = { ...cpu, pixel: 45, block: { f32: 170, f16: 100, i8: 100 }, sum: 11, carry: 6 };

/** Of GPUs in the ratio of an H100's times, of which AMD's compiler and `bench static` make much the same. */
export const gpu = {
  blocks: [1, 2, 4],
  strips: [1, 2, 4, 8],
  most: 8,
  pixel: 1,
  block: { f32: 2, f16: 2, i8: 2 },
  sum: 1,
  carry: 0,
  store: 1,
  move: 1,
  weight: 0,
  /** Cores for which the last round of workgroups has none; by `bench static` on three chips. */
  idleCores: 16,
  /** A block of weights that a whole workgroup has in common, and how much more one takes that lies alone in its line. */
  uniformBlock: 1,
  apart: 2,
  /** Adding one sum of two slices. */
  share: 1,
  /** A texel that comes from a workgroup's memory, one that goes there, and what a stage takes at least. */
  staged: 0.15,
  staging: 1.5,
  stage: 25,
  /** One whose texels the lanes of a workgroup load side by side, and a texel that neighbours load at once. */
  streamedBlock: 0.5,
  sharedTexel: 0.25,
};

/** The prices of an adapter. */
export const priceOf = ({ caps }: Adapter) => caps.swiftshader ? swiftshader : caps.software ? cpu : gpu;

/** Invocations that keep a large GPU half as busy as any number of them would; by `bench static` on three chips. */
export const HALF_BUSY = 8192;

/** How much longer a dispatch takes because its invocations do not fill the lanes of two cores, or a whole GPU. */
export function idle({ caps }: Adapter, invocations: number): number {
  if (!caps.software) return 1 + HALF_BUSY / invocations;
  return Math.ceil(invocations / (2 * caps.lanes)) * 2 * caps.lanes / invocations;
}

/** How much longer CPUs take for a kernel of workgroups: its lanes wait for each other one by one. */
export const CPU_GROUPS = 10;
