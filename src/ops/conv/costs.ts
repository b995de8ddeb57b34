/** Predicted times of convolutions' kernels, in the units of their prices: edges and idle lanes count too. */
import { type ConvGroup, convShape, type ConvTile, tapRow } from "../../../shaders/conv/shape.ts";
import { lanesOf, type StagedKernel, stagedShape } from "../../../shaders/conv/staged_shape.ts";
import { type VectorGroup, vectorShape } from "../../../shaders/conv/vectors.ts";
import type { Adapter } from "../../gpu/adapter.ts";
import { cheapest } from "../way.ts";
import { cpu, CPU_GROUPS, gpu, HALF_BUSY, idle, priceOf } from "./prices.ts";
import { tiles, tripsOf } from "./tiles.ts";
import type { ConvTask } from "./way.ts";
import { packedTexels } from "./weights.ts";

/** Of a whole dispatch with a register tile. */
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

/** Lanes with different weights from which on their loads are slower: no two of them share a line of the cache. */
const APART = 64;

/** Of one by workgroups. */
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
  if (adapter.caps.software) return own * lanes * idle(adapter, lanes) * CPU_GROUPS;
  return own * lanes * idle(adapter, lanes) + lastRound(own, places * slices);
}

/** What the cores cost that have no workgroup of the last round: more where workgroups have more lanes. */
const lastRound = (own: number, lanes: number): number => own * lanes * gpu.idleCores;

/** Of a gather over so many spots of dy. */
export function spotsCost({ adapter, format }: ConvTask, invocations: number, count: number): number {
  const price = priceOf(adapter);
  return (count * (price.pixel + price.block[format] + price.sum) + price.store) * invocations *
    idle(adapter, invocations);
}

/**
 * Of a kernel that stages its tiles, by an H100's times: a lane pays for each texel that it stages and for each that
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
  const cost = own * lanes + waits * HALF_BUSY + lastRound(own, lanesOf(kernel.staged));
  return adapter.caps.software ? cost * CPU_GROUPS * cpu.block[format] : cost;
}

/**
 * Of a matrix times vectors. Lanes that lie side by side in memory share its lines, and what is loaded for all of
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

/** What it costs that plain weights come from memory. */
export const weightCost = ({ adapter, geometry, format }: ConvTask): number =>
  priceOf(adapter).weight * packedTexels(geometry, format);

/** The same by workgroups. */
export const groupedMovingCost = (adapter: Adapter, invocations: number, reads: number, writes: number): number =>
  movingCost(adapter, invocations, reads, writes) * (adapter.caps.software ? CPU_GROUPS : 1);

/** What a kernel costs that mostly moves texels. */
export function movingCost(adapter: Adapter, invocations: number, reads: number, writes: number): number {
  const { pixel, move } = priceOf(adapter);
  return (pixel * reads + move * writes) * invocations * idle(adapter, invocations);
}
