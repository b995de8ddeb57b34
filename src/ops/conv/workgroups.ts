/**
 * Convolutions by workgroups, for GPUs: all lanes of a group have the same weights, or slices of the source channels are
 * shared out among them, so that small maps and single vectors fill a GPU too. `shaders/conv/groups.ts` has the picture.
 */
import { gridOf, workgroupBytes } from "../../../shaders/conv/groups.ts";
import { type ConvGroup, convShape, type ConvTile, sourceSpans } from "../../../shaders/conv/shape.ts";
import type { Sizes } from "../way.ts";
import { groupCost } from "./costs.ts";
import { tiledCall } from "./register_tiles.ts";
import { TRIPS, tripsOf } from "./tiles.ts";
import type { ConvTask, ConvWay } from "./way.ts";
import { channelBlocks } from "../../../shaders/texels.ts";

/** Invocations of a workgroup: two wavefronts of most GPUs, one of AMD's older ones. */
export const LANES = 64;

/** How many lanes share a sum. */
const SLICES = [1, 4, 16, 64];

/** Sums that an invocation may hold. */
const MOST_SUMS = 8;

export const tileOf = ({ blocks, strips }: Sizes): ConvTile => ({ blocks, strips, columns: 1, unroll: 1 });
const groupOf = ({ slices }: Sizes): ConvGroup => ({ slices, places: LANES / slices });

/** The sizes that are worth trying: no slice without a block of the source, no strip without a position. */
export function sizesOf({ adapter: { caps }, geometry, direction }: ConvTask): Sizes[] {
  const { shared, count: source } = sourceSpans({ geometry, direction });
  const trips = tripsOf(geometry, direction);
  const { to, positions } = convShape({ geometry, direction, tile: { blocks: 1, strips: 1, columns: 1, unroll: 1 } });
  return SLICES.filter((slices) => slices <= source && trips / slices <= TRIPS).flatMap((
    slices,
  ) =>
    [1, 2, 4].filter((blocks) => channelBlocks(to) % blocks === 0 && shared % blocks === 0).flatMap((blocks) =>
      [1, 2, 4, 8].filter((strips) => blocks * strips <= MOST_SUMS && (strips === 1 || strips <= positions))
        .map((strips) => ({ slices, blocks, strips }))
    )
  ).filter((sizes) => {
    const kernel = { geometry, direction, tile: tileOf(sizes), format: "f32", bias: false } as const;
    const group = groupOf(sizes);
    return gridOf(kernel, group).every((count) => count <= caps.maxGroups) &&
      workgroupBytes({ ...kernel, group }) <= caps.maxWorkgroupBytes;
  });
}

/** A workgroup shares weights, or sums. */
export const workgroups: ConvWay = {
  name: "workgroups",
  applies: (task) =>
    !task.doubleFloat && task.adapter.caps.maxWorkgroupInvocations >= LANES && sizesOf(task).length > 0,
  sizes: sizesOf,
  cost: (task, sizes) => groupCost(task, tileOf(sizes), groupOf(sizes)),
  calls: (run, sizes) => [tiledCall(run, tileOf(sizes), groupOf(sizes))],
};
