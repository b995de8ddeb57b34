/** Register tiles of convolutions: which fit, and by a cost model which is the cheapest on a device. */
import {
  type ConvDirection,
  type ConvGeometry,
  type ConvGroup,
  convShape,
  type ConvTile,
  spans,
  tapRow,
} from "../../../shaders/conv/shape.ts";
import { lanesOf, type StagedKernel, stagedShape } from "../../../shaders/conv/staged_shape.ts";
import { type VectorGroup, vectorShape } from "../../../shaders/conv/vectors.ts";
import type { Adapter } from "../../gpu/adapter.ts";
import { blocks } from "../op.ts";
import { cheapest } from "../way.ts";
import type { ConvTask } from "./way.ts";
import { packedTexels } from "./weights.ts";

/** Loop trips that one invocation may make: far below the 65,535 after which lavapipe silently ends loops. */
export const TRIPS = 30_000;

/**
 * What shapes a tile on a kind of adapter. An invocation pays `pixel` for each texel of the source and `block` for each
 * 4×4 block of weights that it loads, `sum` for multiplying one by the other, `carry` for each sum that it takes from
 * one loop trip to the next, and `store` for each texel that it writes, up to twice that in the largest tile, whose row
 * of stores outgrows a CPU's predictors. On a CPU these are nanoseconds of a lane (fitted to the kernels of the default pair on
 * two cores of llvmpipe 22.3), elsewhere rough ratios. `move` is the price of a texel that kernels write which do little
 * else, and a dispatch pays `weight` for each texel of weights that has to come from memory.
 */
const cpu = {
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
const gpu = {
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
  /** A block of weights that a whole workgroup has in common, how much more one takes that lies alone, and adding one sum of two slices. */
  uniformBlock: 1,
  apart: 2,
  /** A texel that comes from a workgroup's memory, one that goes there, and what a stage takes at least. */
  staged: 0.15,
  staging: 1.5,
  stage: 25,
  /** One whose texels the lanes of a workgroup load side by side, and a texel that neighbours load at once. */
  streamedBlock: 0.5,
  sharedTexel: 0.25,
  share: 1,
};
const priceOf = ({ caps }: Adapter) => caps.swiftshader ? swiftshader : caps.software ? cpu : gpu;

/** Invocations that keep a large GPU half as busy as any number of them would; by `bench static` on three chips. */
const HALF_BUSY = 8192;

/** How much longer a dispatch takes because its invocations do not fill the lanes of two cores, or a whole GPU. */
function idle({ caps }: Adapter, invocations: number): number {
  if (!caps.software) return 1 + HALF_BUSY / invocations;
  return Math.ceil(invocations / (2 * caps.lanes)) * 2 * caps.lanes / invocations;
}

/** Blocks of source channels that an output block sees. */
export function sourceBlocks({ channelsIn, channelsOut, groups }: ConvGeometry, direction: ConvDirection): number {
  const [from, to] = direction === "direct" ? [channelsIn, channelsOut] : [channelsOut, channelsIn];
  return spans(to, from, groups).count;
}

/** Loop trips of one invocation, at most: blocks of source channels times the taps that reach a position. */
export function tripsOf(g: ConvGeometry, direction: ConvDirection): number {
  const { kernel, stride } = g,
    taps = direction === "direct"
      ? kernel[0] * kernel[1]
      : Math.ceil(kernel[0] / stride[0]) * Math.ceil(kernel[1] / stride[1]);
  return taps * sourceBlocks(g, direction);
}

/**
 * Numbers of neighbouring columns that are worth trying on this device: more than one on CPUs only, where the taps of a
 * row meet the same texels, and where enough source blocks follow to repay finding them.
 */
function columnsFor({ adapter: { caps }, geometry, direction }: ConvTask): number[] {
  const tile = { blocks: 1, strips: 1, columns: 1, unroll: 1 }, { lattice } = convShape({ geometry, direction, tile });
  const dense = direction === "transposed" || geometry.stride[1] === 1;
  const row = tapRow({ geometry, direction, tile: { ...tile, columns: 2 } });
  if (!caps.software || !dense || sourceBlocks(geometry, direction) < 4 || row.taps.length < 2) return [1];
  const width = lattice[1], options = [4, 8, 16, Math.ceil(width / 2), width];
  return [1, ...new Set(options.filter((columns) => columns >= 4 && columns <= Math.min(16, width)))];
}

/** Every tile that fits a task. */
export function tiles(task: ConvTask): ConvTile[] {
  const { adapter, geometry: g, direction } = task;
  const { most, ...price } = priceOf(adapter);
  const unroll = Math.ceil(tripsOf(g, direction) / TRIPS);
  const [from, to] = direction === "direct" ? [g.channelsIn, g.channelsOut] : [g.channelsOut, g.channelsIn];
  const { shared } = spans(to, from, g.groups);
  return columnsFor(task).flatMap((columns) => {
    const held = columns === 1 ? most : 2 * adapter.caps.lanes; // the columns' texels take registers too
    const one = { blocks: 1, strips: 1, columns, unroll };
    const { positions } = convShape({ geometry: g, direction, tile: one });
    return price.blocks.filter((count) => blocks(to) % count === 0 && shared % count === 0).flatMap((count) =>
      price.strips.filter((strips) => count * strips * columns <= held && strips <= positions)
        .map((strips) => ({ ...one, blocks: count, strips }))
    );
  });
}

/** The time of a whole dispatch with a tile, in the units of the prices: edges and idle lanes count too. */
export function tileCost({ adapter, geometry, direction, format }: ConvTask, tile: ConvTile): number {
  const price = priceOf(adapter);
  const trips = tripsOf(geometry, direction);
  const shape = { geometry, direction, tile };
  const { invocations } = convShape(shape);
  const { taps, texels } = tapRow(shape);
  const held = tile.blocks * tile.strips * tile.columns;
  const trip = price.pixel * tile.strips * texels.length / taps.length + price.block[format] * tile.blocks +
    (price.sum + price.carry / taps.length) * held;
  const whole = trips * trip + price.store * held * (1 + held / price.most);
  return whole * invocations * idle(adapter, invocations);
}

/** How much longer CPUs take for a kernel of workgroups: its lanes wait for each other one by one. */
const CPU_GROUPS = 10;

/** Lanes with different weights from which on their loads are slower: no two of them share a line of the cache. */
const APART = 64;

/** The same for a kernel of workgroups. */
export function groupCost(task: ConvTask, tile: ConvTile, { slices, places, subgroups }: ConvGroup): number {
  const { adapter, geometry, direction, format } = task;
  const price = priceOf(adapter);
  const { tiles, channelTiles, phases } = convShape({ geometry, direction, tile });
  const lanes = Math.ceil(tiles / places) * places * slices * channelTiles * phases[0] * phases[1];
  const held = tile.blocks * tile.strips;
  const apart = slices >= APART ? gpu.apart : 1;
  const weights = adapter.caps.software
    ? price.block[format]
    : slices === 1
    ? gpu.uniformBlock
    : apart * price.block[format];
  const trip = price.pixel * tile.strips + weights * tile.blocks + price.sum * held;
  const gather = slices === 1 ? 0 : gpu.share * held * (subgroups ? 2 : Math.log2(slices));
  const own = Math.ceil(tripsOf(geometry, direction) / slices) * trip + gather + price.store * held;
  return own * lanes * idle(adapter, lanes) * (adapter.caps.software ? CPU_GROUPS : 1);
}

/** The same for a gather over so many spots of dy. */
export function spotsCost({ adapter, format }: ConvTask, invocations: number, count: number): number {
  const price = priceOf(adapter);
  return (count * (price.pixel + price.block[format] + price.sum) + price.store) * invocations *
    idle(adapter, invocations);
}

/**
 * The same for a kernel that stages its tiles, by an H100's times: a lane pays for each texel that it stages and for each that
 * it reads back, and no stage is over before the next one's texels have come.
 */
export function stagedCost({ adapter, format }: ConvTask, kernel: StagedKernel): number {
  const { grid, trips, turns } = stagedShape(kernel);
  const { blocks, strips, depth, slices } = kernel.staged;
  const lanes = grid[0] * grid[1] * grid[2] * lanesOf(kernel.staged);
  const held = blocks * strips;
  const block = held * gpu.sum + (strips + 4 * blocks) * gpu.staged;
  const stage = depth * block + turns * gpu.staging;
  const gather = (slices - 1) * held * gpu.share;
  const own = trips * stage + gather + held * gpu.store;
  const waits = trips * Math.max(stage, gpu.stage) + gather;
  const cost = own * lanes + waits * HALF_BUSY;
  return adapter.caps.software ? cost * CPU_GROUPS * cpu.block[format] : cost;
}

/**
 * The same for a matrix times vectors. Lanes that lie side by side in memory share its lines, and what is loaded for all of
 * them. A lane waits for each step in which sums are added, but all lanes together add no more sums than they have.
 */
export function vectorCost({ adapter, geometry, direction, format }: ConvTask, group: VectorGroup): number {
  const price = priceOf(adapter);
  const { groups, perBlock, rounds, sums } = vectorShape({ geometry, direction, format, group });
  const lanes = groups * group.lanes;
  const [block, texel] = adapter.caps.software
    ? [price.block[format], price.pixel]
    : [gpu.streamedBlock, gpu.sharedTexel];
  const own = rounds * (block * group.blocks + texel * geometry.batch + price.sum * sums) / perBlock + price.store;
  const steps = gpu.share * Math.log2(group.slices);
  if (adapter.caps.software) return (own + sums * steps) * lanes * idle(adapter, lanes) * CPU_GROUPS;
  return (own + gpu.share * sums) * lanes + (own + steps) * HALF_BUSY;
}

/** The cheapest tile for a task, and its cost. */
export const cheapestTile = (task: ConvTask): { tile: ConvTile; cost: number } =>
  cheapest(tiles(task).map((tile) => ({ tile, cost: tileCost(task, tile) })));

/** What it costs, in the same units, that plain weights come from memory. */
export const weightCost = ({ adapter, geometry, format }: ConvTask): number =>
  priceOf(adapter).weight * packedTexels(geometry, format);

/** The same for a kernel of workgroups. */
export const groupedMovingCost = (adapter: Adapter, invocations: number, reads: number, writes: number): number =>
  movingCost(adapter, invocations, reads, writes) * (adapter.caps.software ? CPU_GROUPS : 1);

/** What a kernel costs, in the same units, that mostly moves texels. */
export function movingCost(adapter: Adapter, invocations: number, reads: number, writes: number): number {
  const { pixel, move } = priceOf(adapter);
  return (pixel * reads + move * writes) * invocations * idle(adapter, invocations);
}
