/**
 * Which tile an invocation has, in both directions, and with whom it shares its sums.
 *
 * Without a `group` every invocation is alone: numbers run over the tiles, then the blocks, then the phases.
 *
 * With one, a workgroup has one set of BLOCKS blocks in one phase, PLACES tiles side by side, and SLICES invocations for each
 * of them, which take turns at the blocks of the source:
 *
 *                 place 0   place 1   …   PLACES − 1
 *   slice 0         0         1                          r = 0, SLICES, 2 · SLICES …
 *   slice 1       PLACES                                 r = 1, SLICES + 1, …
 *     ⋮
 *
 * Slices fill a GPU where maps are small. Their sums are added as a tree in workgroup memory, in an order that never changes,
 * so that results repeat bit for bit. With a single slice the weights' places are the same for the whole workgroup, as
 * compilers see, and there is nothing to add.
 */
import { wgsl } from "wgsl-preprocessor";
import { type ConvKernel, convShape } from "./shape.ts";
import { constants } from "../wgsl.ts";
import { sumNames } from "./registers.ts";

/** Sums of an invocation. */
const sumsOf = ({ tile }: ConvKernel): number => tile.blocks * tile.strips * tile.columns;

/** Bytes of workgroup memory that a kernel takes. */
export const workgroupBytes = (k: ConvKernel): number =>
  k.group && k.group.slices > 1 ? 16 * sumsOf(k) * k.group.slices * k.group.places : 0;

/** Workgroups along each dimension. */
export function gridOf(k: ConvKernel, { places }: NonNullable<ConvKernel["group"]>): [number, number, number] {
  const { tiles, channelTiles, phases } = convShape(k);
  return [Math.ceil(tiles / places), channelTiles, phases[0] * phases[1]];
}

/** Constants and workgroup memory. */
export function groupDeclarations(k: ConvKernel): string {
  if (!k.group) return constants({ BLOCK_TILES: convShape(k).channelTiles });
  const { slices, places } = k.group;
  return wgsl`
${constants({ PLACES: places, SLICES: slices, LANES: slices * places, SUMS: sumsOf(k) })}
#if ${slices > 1}
var<workgroup> slice_sums: array<vec4f, SUMS * LANES>;
#endif`;
}

/** The head of `kernel`, which says what `tile`, `block` and `phase` are. */
export const kernelHead = ({ group }: ConvKernel): string =>
  wgsl`
#if ${group === undefined}
fn kernel(i: u32) {
  let tile = i % TILES;
  let block = i / TILES % BLOCK_TILES * BLOCKS;
  let phase = i / (TILES * BLOCK_TILES);
#else
fn kernel(group: vec3u, lane: u32${group?.subgroups ? ", subgroup_lane: u32, subgroup_size: u32" : ""}) {
  let slice = lane / PLACES;
  let place = group.x * PLACES + lane % PLACES;
  let tile = min(place, TILES - 1u);
  let block = group.y * BLOCKS;
  let phase = group.z;
#endif`;

/**
 * Adds up the sums of SLICES slices, SUMS in each lane, as a tree in `slice_sums`: sum n of a place is then at
 * n · LANES + place, for the lane of that place in slice 0; others have to wait for it.
 */
export const sliceTree = (sums: readonly string[]): string => `
  ${sums.map((sum, n) => `slice_sums[${n}u * LANES + lane] = ${sum};`).join("\n")}
  for (var half = SLICES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (slice < half) {
      for (var n = 0u; n < SUMS; n++) {
        slice_sums[n * LANES + lane] += slice_sums[n * LANES + lane + half * PLACES];
      }
    }
  }`;

/** Adds up the slices' sums and stores them with `store`. */
export function gather(k: ConvKernel, store: string): string {
  if (!k.group) return store;
  const names = sumNames(k).map((name) => `sum_${name}`);
  const each = (statement: (sum: string, row: string) => string) =>
    names.map((sum, n) => statement(sum, `${n}u * LANES`)).join("\n");
  const tree = `
  ${sliceTree(names)}
  ${each((sum, row) => `${sum} = slice_sums[${row} + lane];`)}`;
  const bySubgroups = `
  ${each((sum) => `${sum} = subgroupAdd(${sum});`)}
  if (subgroup_lane == 0u) {
    ${each((sum, row) => `slice_sums[${row} + lane / subgroup_size] = ${sum};`)}
  }
  workgroupBarrier();
  if (slice == 0u) {
    for (var other = 1u; other < LANES / subgroup_size; other++) {
      ${each((sum, row) => `${sum} += slice_sums[${row} + other];`)}
    }
  }`;
  return `
  ${k.group.slices === 1 ? "" : k.group.subgroups ? bySubgroups : tree}
  if (slice == 0u && place < TILES) {
    ${store}
  }`;
}
