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
import { vectorCost } from "./costs.ts";
import { convFlops } from "./flops.ts";
import { labelOf, readsOf } from "./register_tiles.ts";
import { TRIPS } from "./tiles.ts";
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

/** Products that a lane adds to each part of a sum, at least: with fewer it would spend its time on adding sums of others. */
const FEWEST_PRODUCTS = 8;

const UNROLLS = [4, 8, 2];
const each = (own: Sizes[]): Sizes[] => own.flatMap((sizes) => UNROLLS.map((unroll) => ({ ...sizes, unroll })));

/** By the size of the workgroup. */
const directSizes = [32, 64, 128, 256].map((lanes) => each([1, 2, 4].map((blocks) => ({ lanes, blocks }))));
const transposedSizes = [128, 256].map((lanes) => each([4, 8, 16, 32].map((slices) => ({ lanes, slices }))));

function fits({ geometry, direction, format, adapter: { caps } }: ConvTask, sizes: Sizes): boolean {
  const group = groupOf(sizes);
  const kernel = { geometry, direction, group, format };
  const { groups, perBlock, row, rows, rounds, places, sums, trips } = vectorShape(kernel);
  return rounds * 4 / perBlock >= FEWEST_PRODUCTS && rounds >= group.unroll && trips <= TRIPS &&
    sums <= MOST_SUMS && group.blocks * group.unroll <= MOST_LOADS && rows % group.blocks === 0 &&
    (direction === "direct" || places >= FEWEST_PLACES && places <= row) &&
    groups <= caps.maxGroups && group.lanes <= caps.maxWorkgroupInvocations &&
    vectorBytes(kernel) <= caps.maxWorkgroupBytes;
}

/** The sizes that are worth trying, in the two largest workgroups for which there is enough to do. */
const sizesOf = (task: ConvTask): Sizes[] =>
  (task.direction === "direct" ? directSizes : transposedSizes)
    .map((own) => own.filter((sizes) => fits(task, sizes)))
    .filter((own) => own.length > 0).slice(-2).flat();

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
  arithmetic: "any",
  applies: (task) =>
    !task.doubleFloat && isMatrix(task.geometry) && task.geometry.batch <= MOST_ITEMS && sizesOf(task).length > 0,
  sizes: sizesOf,
  cost: (task, sizes) => vectorCost(task, groupOf(sizes)),
  calls: (run, sizes) => [callOf(run, sizes)],
};
