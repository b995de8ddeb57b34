/**
 * Convolutions whose kernel covers the whole input, for GPUs: matrices times a few vectors, at the speed of memory.
 * `shaders/conv/vectors.ts` has the picture.
 */
import {
  isMatrix,
  vectorBytes,
  type VectorGroup,
  vectors as vectorsKernel,
  vectorShape,
} from "../../../shaders/conv/vectors.ts";
import type { Call } from "../../gpu/call.ts";
import type { Sizes } from "../way.ts";
import { convFlops } from "./flops.ts";
import { labelOf, readsOf } from "./register_tiles.ts";
import { TRIPS, vectorCost } from "./tiles.ts";
import type { ConvRun, ConvTask, ConvWay } from "./way.ts";

/** Items that a kernel has at once, at most: each takes registers in every lane. */
const MOST_ITEMS = 8;

/** Sums that a lane may hold, and texels of weights that it may wait for. */
const MOST_SUMS = 16;
const MOST_LOADS = 16;

/** The fewest texels of weights side by side: two sectors of a GPU's cache. */
const FEWEST_PLACES = 8;

const groupOf = ({ lanes, slices = lanes, blocks = 1, unroll }: Sizes): VectorGroup => ({
  lanes,
  slices,
  blocks,
  unroll,
});

const LANES = [128, 256];
const UNROLLS = [4, 8, 2];

/** The sizes of all tasks in a direction. */
const choices = ({ direction }: ConvTask): Sizes[] =>
  LANES.flatMap((lanes) =>
    UNROLLS.flatMap((unroll): Sizes[] =>
      direction === "direct"
        ? [1, 2, 4].map((blocks) => ({ lanes, blocks, unroll }))
        : [4, 8, 16, 32].map((slices) => ({ lanes, slices, unroll }))
    )
  );

/** The sizes that are worth trying: nothing that has less to do than one trip of its lanes, but the smallest. */
function sizesOf(task: ConvTask): Sizes[] {
  const { geometry, direction, format, adapter: { caps } } = task;
  return choices(task).filter((sizes) => {
    const group = groupOf(sizes);
    const kernel = { geometry, direction, group, format };
    const { groups, rows, rounds, places, sums, trips } = vectorShape(kernel);
    return sums <= MOST_SUMS && group.blocks * group.unroll <= MOST_LOADS && rows % group.blocks === 0 &&
      (direction === "direct" || places >= FEWEST_PLACES) &&
      (rounds >= group.unroll || group.unroll === Math.min(...UNROLLS)) &&
      trips <= TRIPS && groups <= caps.maxGroups && group.lanes <= caps.maxWorkgroupInvocations &&
      vectorBytes(kernel) <= caps.maxWorkgroupBytes;
  });
}

function callOf(run: ConvRun, sizes: Sizes): Call {
  const { geometry, direction } = run;
  const { bindings, ...reads } = readsOf(run);
  const kernel = { geometry, direction, group: groupOf(sizes), ...reads };
  const { groups, multiplyAdds } = vectorShape(kernel);
  return {
    label: labelOf(run.name, direction),
    bindings,
    code: vectorsKernel(kernel),
    flops: convFlops(geometry),
    multiplyAdds,
    workgroup: [sizes.lanes, 1, 1],
    grid: [groups, 1, 1],
    workgroupBytes: vectorBytes(kernel),
  };
}

/** A matrix times a few vectors. */
export const vectors: ConvWay = {
  name: "vectors",
  applies: (task) =>
    !task.doubleFloat && isMatrix(task.geometry) && task.geometry.batch <= MOST_ITEMS && sizesOf(task).length > 0,
  sizes: sizesOf,
  cost: (task, sizes) => vectorCost(task, groupOf(sizes)),
  calls: (run, sizes) => [callOf(run, sizes)],
};
