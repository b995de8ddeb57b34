/**
 * As `workgroups`, for whole workgroups to one sum: subgroups add their lanes' shares without workgroup memory and barriers
 * first. Lanes are taken to be numbered along the subgroups, as drivers do it.
 */
import type { Sizes } from "../way.ts";
import { groupCost } from "./costs.ts";
import { tiledCall } from "./register_tiles.ts";
import type { ConvTask, ConvWay } from "./way.ts";
import { LANES, sizesOf, tileOf } from "./workgroups.ts";

const group = { slices: LANES, places: 1, subgroups: true };

const ownSizes = (task: ConvTask): Sizes[] =>
  sizesOf(task).filter(({ slices }) => slices === LANES).map(({ blocks, strips }) => ({ blocks, strips }));

/** Subgroups add up what a workgroup shares. */
export const subgroups: ConvWay = {
  name: "subgroups",
  applies: (task) =>
    !task.doubleFloat && task.adapter.caps.features.includes("subgroups") &&
    task.adapter.caps.maxWorkgroupInvocations >= LANES && ownSizes(task).length > 0,
  sizes: ownSizes,
  cost: (task, sizes) => groupCost(task, tileOf(sizes), group),
  calls: (run, sizes) => [tiledCall(run, tileOf(sizes), group)],
};
