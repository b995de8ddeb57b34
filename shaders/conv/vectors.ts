/**
 * Matrices times a few vectors: convolutions whose kernel covers the whole input, as fc's does, so that each weight meets
 * one value of each item. Their time is that of reading the weights, which lanes read side by side as they lie in memory:
 *
 *                 block 0 of inputs    block 1              ⋯    ROW texels of weights (blocks.ts)
 *   outputs 0…3   texel 0  1  2  3     4  5  6  7           ⋯    f32: a texel is one input by four outputs,
 *   outputs 4…7   texel 0  1  2  3     4  5  6  7           ⋯    f16: two inputs, i8: four
 *     ⋮
 *
 *   direct        a workgroup has BLOCKS rows, and its lanes share each: texel lane, lane + LANES, …
 *   transposed    a workgroup has PLACES columns of texels, and SLICES lanes share each: row slice, slice + SLICES, …
 *
 * A round is one texel a lane; some rounds make a loop trip, which begins with all its weights. A texel of them is
 * used for every item. What lanes share is added as a tree in workgroup memory (groups.ts).
 */
import { wgsl } from "wgsl-preprocessor";
import { blockTexels, type WeightFormat } from "./blocks.ts";
import { sliceTree } from "./groups.ts";
import type { ConvDirection, ConvGeometry } from "./shape.ts";
import { texelFunctions } from "./vector_texels.ts";
import { channelBlocks } from "../texels.ts";
import { constants, plus, unroll } from "../wgsl.ts";

/** A workgroup: `lanes` invocations that make `unroll` rounds a trip. */
export interface VectorGroup {
  lanes: number;
  /** Lanes that share a sum: all of them in the direct direction. */
  slices: number;
  /** Blocks of four outputs, in the direct direction; 1 in the other. */
  blocks: number;
  unroll: number;
}

/** A kernel. Bindings: x (source), w, y (destination), and `bias`, `scale` where asked for. */
export interface VectorKernel {
  geometry: ConvGeometry;
  direction: ConvDirection;
  group: VectorGroup;
  format: WeightFormat;
  bias: boolean;
}

/** Whether a geometry is a matrix: its kernel covers the input, once. */
export const isMatrix = ({ groups, kernel, inSize, outSize, padding, dilation }: ConvGeometry): boolean =>
  groups === 1 && [0, 1].every((axis) =>
    outSize[axis] === 1 && padding[axis] === 0 && kernel[axis] === inSize[axis] &&
    (kernel[axis] === 1 || dilation[axis] === 1)
  );

/** Sizes that a kernel and its caller agree on. */
export function vectorShape({ geometry: g, direction, group, format }: Omit<VectorKernel, "bias">) {
  const { lanes, slices, blocks } = group;
  const direct = direction === "direct";
  const taps = g.kernel[0] * g.kernel[1];
  const perBlock = blockTexels[format];
  const rows = channelBlocks(g.channelsOut);
  const row = channelBlocks(g.channelsIn) * taps * perBlock;
  const places = lanes / slices;
  const groups = direct ? Math.ceil(rows / blocks) : Math.ceil(row / places);
  /** Texels of weights to a sum, which SLICES lanes share. */
  const length = direct ? row : rows;
  const rounds = Math.ceil(length / slices);
  return {
    taps,
    perBlock,
    rows,
    row,
    places,
    groups,
    length,
    rounds,
    trips: Math.ceil(rounds / group.unroll),
    /** Sums of four values that a lane has. */
    sums: blocks * g.batch,
    /** Scalar multiply-adds of a whole dispatch. */
    multiplyAdds: groups * lanes * rounds * blocks * g.batch * 16 / perBlock,
  };
}

/** Bytes of workgroup memory. */
export const vectorBytes = (k: Omit<VectorKernel, "bias">): number => 16 * vectorShape(k).sums * k.group.lanes;

/** The constants of both directions, and the workgroup's memory. */
function declarations(k: VectorKernel): string {
  const s = vectorShape(k);
  return `
${
    constants({
      ROW: s.row,
      ROWS: s.rows,
      TAPS: s.taps,
      SPAN: s.row / s.perBlock / s.taps,
      BLOCK_TEXELS: s.perBlock,
      ITEMS: k.geometry.batch,
      BLOCKS: k.group.blocks,
      LANES: k.group.lanes,
      SLICES: k.group.slices,
      PLACES: s.places,
      SUMS: s.sums,
    })
  }

var<workgroup> slice_sums: array<vec4f, SUMS * LANES>;

// Where block \`block\` of an item's inputs lies: a row of weights has its blocks tap by tap, a map has its channels one by one.
fn inputTexel(item: u32, block: u32) -> u32 {
  return item * TAPS * SPAN + ${s.taps === 1 ? "block" : "block % SPAN * TAPS + block / SPAN"};
}`;
}

/** One trip of so many rounds, whose last may be a round in which not every lane has a texel. */
type Trip = (rounds: number, partial: boolean) => string;

/** The trips of a loop over whole rounds, and one more for the rounds that are left. */
function eachTrip(k: VectorKernel, trip: Trip): string {
  const { length, rounds } = vectorShape(k);
  const { slices, unroll } = k.group;
  const looped = Math.floor(Math.floor(length / slices) / unroll) * unroll;
  return wgsl`
  #if ${looped > 0}
  for (var round = 0u; round < ${looped}u; round += ${unroll}u) {
    let at = round * SLICES + slice;
    ${trip(unroll, false)}
  }
  #endif
  #if ${rounds > looped}
  {
    let at = ${looped}u * SLICES + slice;
    ${trip(rounds - looped, length % slices > 0)}
  }
  #endif`;
}

/**
 * A trip: first it loads the weights, which are far away, then each round takes the values that they meet. Lane `slice` has
 * number `at_n` along its sum in round n; where that would be `end` or more, the last one, and zeros for values.
 */
const tripOf = (
  { geometry: { batch }, group }: VectorKernel,
  end: string,
  { weights, values, zero, add }: {
    weights: (at: string, block: number) => string;
    values: (at: string, item: number) => string;
    zero: string;
    add: string;
  },
): Trip =>
(rounds, partial) => {
  const ends = (round: number) => partial && round === rounds - 1;
  const loads = unroll({ round: rounds }, ({ round }) => {
    const at = plus("at", round, "u * SLICES");
    return [
      `let at_${round} = ${ends(round) ? `min(${at}, ${end} - 1u)` : at};`,
      unroll(
        { block: group.blocks },
        ({ block }) => `let weights_${round}_b${block} = load_w(${weights(`at_${round}`, block)});`,
      ),
    ].join("\n");
  });
  const products = unroll({ round: rounds, item: batch }, ({ round, item }) => {
    const own = values(`at_${round}`, item);
    const guarded = ends(round) ? `select(${zero}, ${own}, ${plus("at", round, "u * SLICES")} < ${end})` : own;
    return [
      `let values_${round}_i${item} = ${guarded};`,
      unroll({ block: group.blocks }, ({ block }) => {
        const sum = `sum_b${block}_i${item}`;
        return `${sum} = ${add}(${sum}, weights_${round}_b${block}, values_${round}_i${item});`;
      }),
    ].join("\n");
  });
  return `${loads}\n${products}`;
};

const directTrip = (k: VectorKernel): Trip =>
  tripOf(k, "ROW", {
    weights: (at, block) => `row_b${block} + ${at}`,
    values: (at, item) => `valuesFor(load_x(inputTexel(${item}u, ${at} / BLOCK_TEXELS)), part)`,
    zero: "Values()",
    add: "addDirect",
  });

const transposedTrip = (k: VectorKernel): Trip =>
  tripOf(k, "ROWS", {
    weights: (at) => `${at} * ROW + column`,
    values: (at, item) => `load_x(${item}u * ROWS + ${at})${k.format === "i8" ? ` * load_scale(${at})` : ""}`,
    zero: "vec4f()",
    add: "addTransposed",
  });

/** The names of a lane's sums. */
const sumNames = ({ geometry: { batch }, group }: VectorKernel): string[] =>
  unroll({ block: group.blocks, item: batch }, ({ block, item }) => `sum_b${block}_i${item}`).split("\n");

const declareSums = (k: VectorKernel): string => sumNames(k).map((name) => `var ${name} = vec4f();`).join("\n");

const direct = (k: VectorKernel): string => `
${texelFunctions[k.format].values}
${texelFunctions[k.format].direct}

fn kernel(group: vec3u, lane: u32) {
  let slice = lane;
  let part = lane % BLOCK_TEXELS;
  let block = group.x * BLOCKS;
  ${unroll({ block: k.group.blocks }, ({ block }) => `let row_b${block} = (${plus("block", block)}) * ROW;`)}
  ${declareSums(k)}
  ${eachTrip(k, directTrip(k))}
  ${sliceTree(sumNames(k))}
  workgroupBarrier();
  if (lane < SUMS) {
    let own = block + lane / ITEMS;
    let sum = slice_sums[lane * LANES]${k.format === "i8" ? " * load_scale(own)" : ""};
    store_y(lane % ITEMS * ROWS + own, sum${k.bias ? " + load_bias(own)" : ""});
  }
}`;

const transposed = (k: VectorKernel): string => `
const WIDTH = PLACES / BLOCK_TEXELS;
${texelFunctions[k.format].transposed}

fn kernel(group: vec3u, lane: u32) {
  let slice = lane / PLACES;
  let column = min(group.x * PLACES + lane % PLACES, ROW - 1u);
  ${declareSums(k)}
  ${eachTrip(k, transposedTrip(k))}
  ${sliceTree(sumNames(k))}
  workgroupBarrier();
  for (var n = lane; n < ITEMS * WIDTH; n += LANES) {
    let item = n / WIDTH;
    let block = group.x * WIDTH + n % WIDTH;
    if (block < ROW / BLOCK_TEXELS) {
      let sum = whole(item * LANES + n % WIDTH * BLOCK_TEXELS);
      store_y(inputTexel(item, block), sum${k.bias ? " + load_bias(block % SPAN)" : ""});
    }
  }
}`;

/** The kernel's WGSL. */
export const vectors = (k: VectorKernel): string =>
  `${declarations(k)}\n${k.direction === "direct" ? direct(k) : transposed(k)}`;
