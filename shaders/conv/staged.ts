/**
 * Convolution as a matrix product (implicit GEMM, as in cuDNN: Chetlur et al. 2014, section 3.1), in both directions, for
 * GPUs: a workgroup stages tiles of the source and of the weights in its memory, and every lane takes from there what many
 * lanes need.
 *
 *                          LANES_ACROSS lanes × STRIPS positions
 *                          ┌───────────────────────────────┐
 *                DEPTH     │  texels: DEPTH source blocks   │        the sum over taps and source blocks is one over
 *              ┌────────┐  └───────────────────────────────┘        k = tap · SOURCE_SPAN + block of the source,
 *   LANES_DOWN │weights │  ┌───────────────────────────────┐        DEPTH of them a stage
 *   lanes ×    │        │  │ sums: 4 channels × 1 position │
 *   BLOCKS     │        │  │ each, BLOCKS · STRIPS a lane  │
 *              └────────┘  └───────────────────────────────┘
 *
 * While a stage is multiplied, the next one is on its way from memory to registers, and goes to the other half of the
 * workgroup's memory; one barrier a stage. SLICES groups of lanes with tiles of their own take turns at the stages, where
 * there are few positions; their sums are added in an order that never changes.
 *
 * Groups of channels have to fall on blocks. A position of the target is one of a phase, as in transposed.ts, or of all
 * phases, which then are rows of the tile (staged_taps.ts).
 */
import { wgsl } from "wgsl-preprocessor";
import { arithmeticOf } from "./arithmetic.ts";
import { tileFunctions } from "./places.ts";
import { stagedLoads } from "./staged_loads.ts";
import {
  asTiles,
  elementOf,
  rowOf,
  sliceLanes,
  type StagedKernel,
  stagedShape,
  type StagedTile,
  sumsOf,
} from "./staged_shape.ts";
import { stagedTaps } from "./staged_taps.ts";
import { constants, range, unroll } from "../wgsl.ts";

/** A statement for each sum of a lane. */
const eachSum = (
  { blocks, strips }: StagedTile,
  statement: (sum: string, part: string, number: number) => string,
): string =>
  unroll(
    { block: blocks, strip: strips },
    ({ block, strip }) => statement(`sum_${block}_${strip}`, `part_${block}_${strip}`, block * strips + strip),
  );

/** Multiplies a stage: to sums, or in f16 to a part of each. */
function products({ direction, half, staged: t }: StagedKernel): string {
  const { blocks, strips, depth } = t;
  const texel = (depth: number, strip: number) => `staged_texels[own_half][${depth}][${strip}][across]`;
  const column = (depth: number, block: number, n: number) =>
    `staged_weights[own_half][${depth}][${n}][${block}][down]`;
  const [into, type] = half ? ["part", "mat4x4<f16>"] : ["sum", "mat4x4f"];
  const all = unroll({ depth }, ({ depth }) =>
    `{
      ${unroll({ strip: strips }, ({ strip }) => `let source_${strip} = ${texel(depth, strip)};`)}
      ${
      unroll({ block: blocks }, ({ block }) => {
        const weights = `${type}(${range(4).map((n) => column(depth, block, n)).join(", ")})`;
        return `{
        let weights = ${direction === "direct" ? weights : `transpose(${weights})`};
        ${
          unroll({ strip: strips }, ({ strip }) => {
            const own = `${into}_${block}_${strip}`;
            return `${own} = multiplyAdd(${own}, weights, source_${strip});`;
          })
        }
      }`;
      })
    }
    }`);
  if (!half) return all;
  return `
    ${eachSum(t, (_, part) => `var ${part} = vec4<f16>();`)}
    ${all}
    ${eachSum(t, (sum, part) => `${sum} += vec4f(${part});`)}`;
}

/** Adds up the slices' sums, one slice after the other, in the first. */
const gather = (t: StagedTile): string => `
  for (var other = 1u; other < SLICES; other++) {
    if (slice == other) {
      ${eachSum(t, (sum, _, n) => `slice_sums[${n}][own] = ${sum};`)}
    }
    workgroupBarrier();
    if (slice == 0u) {
      ${eachSum(t, (sum, _, n) => `${sum} += slice_sums[${n}][own];`)}
    }
    workgroupBarrier();
  }
  if (slice != 0u) {
    return;
  }`;

/** Stores the sums, scaled where weights are integers and with their bias. */
function storeSums(k: StagedKernel): string {
  const { direction, format, bias, staged: { blocks, strips } } = k;
  const scale = format === "i8" && direction === "direct" ? "load_scale(block)" : undefined;
  const value = (sum: string) => arithmeticOf(asTiles(k)).finished(sum, scale, bias ? "load_bias(block)" : undefined);
  return unroll({ strip: strips }, ({ strip }) =>
    `{
    let position = group.x * TILE_POSITIONS + ${strip}u * LANES_ACROSS + across;
    if (position < ALL_STRIPS) {
      let strip = stripOf(position, first);
      ${
      unroll({ block: blocks }, ({ block }) =>
        `{
        let number = firstRow + ${block}u * LANES_DOWN + down;
        if (number < GROUP_ROWS) {
          let row = rowAt(number, phase);
          let block = firstTarget + row.block;
          let value = ${value(`sum_${block}_${strip}`)};
          storeAt(strip, row.y + strip.y * PHASES_Y, row.x + strip.x * PHASES_X, block, value);
        }
      }`)
    }
    }
  }`);
}

/** The kernel's WGSL. */
export function staged(k: StagedKernel): string {
  const { geometry, direction, staged: t } = k;
  const { groupBlocks, groupRows, rowTiles } = stagedShape(k);
  const { functions, places, load, store } = stagedLoads(k);
  return wgsl`${tileFunctions(asTiles(k), { step: direction === "direct" ? geometry.stride : [1, 1], leaves: true })}
${
    constants({
      LANES_DOWN: t.down,
      LANES_ACROSS: t.across,
      SLICE_LANES: sliceLanes(t),
      SLICES: t.slices,
      DEPTH: t.depth,
      TILE_ROWS: t.blocks * t.down,
      TILE_POSITIONS: t.strips * t.across,
      GROUP_BLOCKS: groupBlocks,
      GROUP_ROWS: groupRows,
      ROW_TILES: rowTiles,
    })
  }

var<workgroup> staged_texels: array<array<array<array<${elementOf(k)}, LANES_ACROSS>, ${t.strips}>, DEPTH>, ${
    2 * t.slices
  }>;
var<workgroup> staged_weights: array<array<array<array<array<${elementOf(k)}, ${rowOf(t)}>, ${t.blocks}>, 4>, DEPTH>, ${
    2 * t.slices
  }>;
#if ${t.slices > 1}
var<workgroup> slice_sums: array<array<vec4f, SLICE_LANES>, ${sumsOf(t)}>;
#endif
${stagedTaps(k)}
${functions}

fn kernel(group: vec3u, lane: u32) {
  let slice = lane / SLICE_LANES;
  let own = lane % SLICE_LANES;
  ${arrangement(t)}
  let firstTarget = group.y / ROW_TILES * GROUP_BLOCKS;
  let firstRow = group.y % ROW_TILES * TILE_ROWS;
  let first = firstSource(firstTarget);
  let phase = phaseAt(group.z);
  let sourceBlocks = phase.rows * phase.columns * SOURCE_SPAN;
  let stages = (sourceBlocks + DEPTH * SLICES - 1u) / (DEPTH * SLICES);
  ${places}
  ${eachSum(t, (sum) => `var ${sum} = vec4f();`)}
  {
    let start = slice * DEPTH;
    let next_half = slice * 2u;
    ${load}
    ${store}
  }
  workgroupBarrier();
  for (var stage = 0u; stage < stages; stage++) {
    let start = ((stage + 1u) * SLICES + slice) * DEPTH;
    let own_half = slice * 2u + stage % 2u;
    let next_half = slice * 2u + 1u - stage % 2u;
    ${load}
    ${products(k)}
    ${store}
    workgroupBarrier();
  }
  ${t.slices > 1 ? gather(t) : ""}
  ${storeSums(k)}
}`;
}

/** Which lane has which part of the tile: 8 × 4 neighbours, so that a wavefront's loads from workgroup memory have much in common. */
function arrangement({ down, across }: StagedTile): string {
  const low = Math.min(8, across);
  const high = Math.min(4, down);
  return `let down = own / ${low}u % ${high}u + own / ${high * across}u * ${high}u;
  let across = own % ${low}u + own / ${low * high}u % ${across / low}u * ${low}u;`;
}
