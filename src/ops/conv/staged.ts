/**
 * Convolutions as matrix products, for GPUs: workgroups stage tiles of the source and of the weights in their memory.
 * `shaders/conv/staged.ts` has the picture.
 */
import { staged as code } from "../../../shaders/conv/staged.ts";
import {
  canJoin,
  lanesOf,
  stagedBytes,
  type StagedKernel,
  stagedMultiplyAdds,
  stagedShape,
  type StagedTile,
} from "../../../shaders/conv/staged_shape.ts";
import { type Call, readHalves } from "../../gpu/call.ts";
import type { Sizes } from "../way.ts";
import { stagedCost } from "./costs.ts";
import { convFlops } from "./flops.ts";
import { labelOf, readsOf } from "./register_tiles.ts";
import { TRIPS } from "./tiles.ts";
import type { ConvRun, ConvTask, ConvWay } from "./way.ts";

/** Tiles worth trying: from large ones for many positions to small ones whose sums slices share. */
const TILES: readonly StagedTile[] = [
  [2, 8, 16, 16, 4, 1],
  [2, 8, 8, 32, 4, 1],
  [4, 4, 8, 32, 4, 1],
  [2, 8, 16, 16, 2, 1],
  [4, 8, 8, 16, 2, 1],
  [3, 8, 8, 16, 2, 1],
  [3, 8, 4, 32, 2, 1],
  [2, 8, 8, 16, 4, 1],
  [2, 4, 8, 16, 4, 1],
  [2, 8, 4, 32, 2, 1],
  [2, 4, 8, 8, 4, 1],
  [2, 4, 8, 8, 4, 2],
  [2, 4, 8, 8, 4, 4],
  [2, 4, 4, 16, 4, 4],
  [1, 4, 8, 8, 4, 1],
  [1, 4, 8, 8, 4, 4],
  [1, 2, 8, 8, 4, 4],
  [2, 2, 8, 8, 4, 4],
  [1, 2, 4, 8, 8, 8],
  [1, 8, 1, 64, 2, 1],
  [1, 4, 1, 64, 4, 1],
  [1, 4, 1, 64, 2, 2],
].map(([blocks, strips, down, across, depth, slices]) => ({ blocks, strips, down, across, depth, slices, joint: 0 }));

/** Phases are rows of one tile where they have fewer blocks of channels each than this: else their own tiles are full. */
const FEW_BLOCKS = 8;

const kernelOf = ({ geometry, direction, format, arithmetic }: ConvTask, tile: Sizes, bias = false): StagedKernel => ({
  ...{ geometry, direction, format, bias, half: arithmetic === "f16" },
  staged: tile as unknown as StagedTile,
});

/** The tiles that an adapter can run. */
function sizesOf(task: ConvTask): Sizes[] {
  const { adapter: { caps }, geometry, direction } = task;
  const few = canJoin(geometry, direction) && geometry.channelsIn / geometry.groups < 4 * FEW_BLOCKS;
  return TILES.flatMap((tile) => few ? [tile, { ...tile, joint: 1 }] : [tile]).filter((tile) => {
    const kernel = kernelOf(task, { ...tile });
    const { trips, grid } = stagedShape(kernel);
    return lanesOf(tile) <= caps.maxWorkgroupInvocations && stagedBytes(kernel) <= caps.maxWorkgroupBytes &&
      trips <= TRIPS && grid.every((count) => count <= caps.maxGroups);
  }).map((tile) => ({ ...tile }));
}

function callOf(run: ConvRun, sizes: Sizes): Call {
  const { geometry, direction } = run;
  const { bindings, format, bias } = readsOf(run);
  const kernel = kernelOf({ ...run, format }, sizes, bias);
  if (kernel.half && format === "f16") bindings.w = readHalves(run.weights.weight);
  return {
    label: labelOf(run.name, direction),
    bindings,
    code: code(kernel),
    flops: convFlops(geometry),
    multiplyAdds: stagedMultiplyAdds(kernel),
    workgroup: [lanesOf(kernel.staged), 1, 1],
    grid: stagedShape(kernel).grid,
    workgroupBytes: stagedBytes(kernel),
    features: kernel.half ? ["shader-f16"] : [],
  };
}

/** A workgroup stages what its lanes have in common. */
export const staged: ConvWay = {
  name: "staged",
  applies: (task) =>
    !task.doubleFloat && stagedShape(kernelOf(task, { ...TILES[0] })).exact && sizesOf(task).length > 0,
  sizes: sizesOf,
  cost: (task, sizes) => stagedCost(task, kernelOf(task, sizes)),
  calls: (run, sizes) => [callOf(run, sizes)],
};
