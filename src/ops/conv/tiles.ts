/** Register tiles of convolutions: which fit, and how long their loops are. */
import {
  type ConvDirection,
  type ConvGeometry,
  convShape,
  type ConvTile,
  sourceSpans,
  tapRow,
} from "../../../shaders/conv/shape.ts";
import { priceOf } from "./prices.ts";
import type { ConvTask } from "./way.ts";
import { channelBlocks } from "../../../shaders/texels.ts";

/** Loop trips that one invocation may make: far below the 65,535 after which lavapipe silently ends loops. */
export const TRIPS = 30_000;

/** Blocks of source channels that an output block sees. */
export const sourceBlocks = (geometry: ConvGeometry, direction: ConvDirection): number =>
  sourceSpans({ geometry, direction }).count;

/** Loop trips of one invocation, at most: blocks of source channels times the taps that reach a position. */
export function tripsOf(g: ConvGeometry, direction: ConvDirection): number {
  const { kernel, stride } = g;
  const taps = direction === "direct"
    ? kernel[0] * kernel[1]
    : Math.ceil(kernel[0] / stride[0]) * Math.ceil(kernel[1] / stride[1]);
  return taps * sourceBlocks(g, direction);
}

/**
 * Numbers of neighbouring columns that are worth trying on this device: more than one on CPUs only, where the taps of a
 * row meet the same texels, and where enough source blocks follow to repay finding them.
 */
function columnsFor({ adapter: { caps }, geometry, direction }: ConvTask): number[] {
  const tile = { blocks: 1, strips: 1, columns: 1, unroll: 1 };
  const { lattice } = convShape({ geometry, direction, tile });
  const dense = direction === "transposed" || geometry.stride[1] === 1;
  const row = tapRow({ geometry, direction, tile: { ...tile, columns: 2 } });
  if (!caps.software || !dense || sourceBlocks(geometry, direction) < 4 || row.taps.length < 2) return [1];
  const width = lattice[1];
  const options = [4, 8, 16, Math.ceil(width / 2), width];
  return [1, ...new Set(options.filter((columns) => columns >= 4 && columns <= Math.min(16, width)))];
}

/** Every tile that fits a task. */
export function tiles(task: ConvTask): ConvTile[] {
  const { adapter, geometry: g, direction } = task;
  const { most, ...price } = priceOf(adapter);
  const unroll = Math.ceil(tripsOf(g, direction) / TRIPS);
  const { shared } = sourceSpans(task);
  return columnsFor(task).flatMap((columns) => {
    const held = columns === 1 ? most : 2 * adapter.caps.lanes; // the columns' texels take registers too
    const one = { blocks: 1, strips: 1, columns, unroll };
    const { positions, to } = convShape({ geometry: g, direction, tile: one });
    return price.blocks.filter((count) => channelBlocks(to) % count === 0 && shared % count === 0).flatMap((count) =>
      price.strips.filter((strips) => count * strips * columns <= held && strips <= positions)
        .map((strips) => ({ ...one, blocks: count, strips }))
    );
  });
}
