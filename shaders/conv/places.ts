/**
 * Where the tile of an invocation lies, in both directions: WGSL constants and functions.
 *
 * Target positions form a lattice (all of them, or those of one phase: transposed.ts), cut into strips of COLUMNS
 * neighbours in a row. An invocation makes BLOCKS × 4 channels of STRIPS strips, TILES apart, so that neighbouring
 * invocations have neighbouring strips, and with one column GPUs read and write whole cache lines.
 *
 *   strip 0 of invocation 0 │ strip 0 of invocation 1 │ … │ strip 1 of invocation 0 │ …
 */
import { wgsl } from "wgsl-preprocessor";
import { arithmeticOf } from "./arithmetic.ts";
import { type ConvKernel, convShape, sourceSpans, spans } from "./shape.ts";
import { channelBlocks } from "../texels.ts";
import { constants, signedConstants } from "../wgsl.ts";

/** Loop trips that make one part of a sum. */
const PART = 16;

/** How the directions differ. */
export interface Walk {
  /** Rows and columns of the source from one position of the lattice to the next. */
  step: readonly [number, number];
  /** Whether taps may meet positions outside the source. */
  leaves: boolean;
}

/** Whether a row of strips is longer than a row of the target. */
export const hasSpareColumns = (k: ConvKernel): boolean => {
  const { target, phases } = convShape(k);
  return target[1] % (phases[1] * k.tile.columns) !== 0;
};

/** Whether the last strips of some invocations are none. */
const hasSpareStrips = (k: ConvKernel): boolean => convShape(k).positions % k.tile.strips !== 0;

/** Whether a sum is made of parts within one tap; where the source has few blocks, a part is a row of taps. */
export const hasLongTaps = (k: ConvKernel): boolean => sourceSpans(k).count > PART * k.tile.unroll;

/** The constants that a kernel and its functions use. */
function tileConstants(k: ConvKernel, { step }: Walk): string {
  const { geometry: g, tile } = k;
  const shape = convShape(k);
  return constants({
    SOURCE_BLOCKS: channelBlocks(shape.from),
    SOURCE_HEIGHT: shape.source[0],
    SOURCE_WIDTH: shape.source[1],
    SOURCE_AREA: shape.source[0] * shape.source[1],
    TARGET_BLOCKS: channelBlocks(shape.to),
    TARGET_HEIGHT: shape.target[0],
    TARGET_WIDTH: shape.target[1],
    KERNEL_HEIGHT: g.kernel[0],
    KERNEL_WIDTH: g.kernel[1],
    TAPS: g.kernel[0] * g.kernel[1],
    DILATION_Y: g.dilation[0],
    DILATION_X: g.dilation[1],
    STEP_Y: step[0],
    STEP_X: step[1],
    SOURCE_SPAN: sourceSpans(k).count,
    WEIGHT_SPAN: spans(g.channelsOut, g.channelsIn, g.groups).count,
    PART: PART * tile.unroll,
    BLOCKS: tile.blocks,
    COLUMNS: tile.columns,
    TILES: shape.tiles,
    ALL_STRIPS: shape.positions,
    STRIPS_DOWN: shape.lattice[0],
    STRIPS_ACROSS: shape.lattice[1],
  }) + "\n" + signedConstants({ PADDING_Y: g.padding[0], PADDING_X: g.padding[1] });
}

/** Finds strips: `source` is the texel at which the first source block of the strip's item begins. */
const strips = (k: ConvKernel) =>
  wgsl`
struct Strip {
  number: u32,
  item: u32,
  y: u32,
  x: u32,
  source: u32,
}

fn firstSource(block: u32) -> u32 {
  return ${sourceSpans(k).wgsl};
}

fn stripOf(number: u32, first: u32) -> Strip {
  #if ${hasSpareStrips(k)}
  let n = min(number, ALL_STRIPS - 1u);
  #else
  let n = number;
  #endif
  let item = n / (STRIPS_DOWN * STRIPS_ACROSS);
  let y = n / STRIPS_ACROSS % STRIPS_DOWN;
  let x = n % STRIPS_ACROSS * COLUMNS;
  return Strip(number, item, y, x, (item * SOURCE_BLOCKS + first) * SOURCE_AREA);
}`;

/** Finds and loads texels of the source; positions outside it hold zeros. */
const places = (k: ConvKernel, { leaves }: Walk) =>
  wgsl`
struct Place {
  texel: u32,
  inside: bool,
}

fn placeOf(strip: Strip, shiftY: i32, shiftX: i32) -> Place {
  let y = u32(i32(strip.y * STEP_Y) + shiftY);
  let x = u32(i32(strip.x * STEP_X) + shiftX);
  #if ${leaves}
  let inside = y < SOURCE_HEIGHT && x < SOURCE_WIDTH;
  #else
  let inside = true;
  #endif
  return Place(strip.source + select(0u, y * SOURCE_WIDTH + x, inside), inside);
}

fn sourceTexel(place: Place, r: u32) -> vec4f {
  return select(vec4f(), load_x(place.texel + r * SOURCE_AREA), place.inside);
}

#if ${k.double?.from}
fn sourceRest(place: Place, r: u32) -> vec4f {
  return select(vec4f(), load_x_rest(place.texel + r * SOURCE_AREA), place.inside);
}
#endif`;

/** Stores what belongs to row y and column x of a strip's item. */
function stores(k: ConvKernel): string {
  const { target, phases } = convShape(k);
  const { type, store } = arithmeticOf(k);
  const bounds = [
    ...(hasSpareStrips(k) ? ["strip.number < ALL_STRIPS"] : []),
    ...(target[0] % phases[0] ? ["y < TARGET_HEIGHT"] : []),
    ...(hasSpareColumns(k) ? ["x < TARGET_WIDTH"] : []),
  ];
  return wgsl`${store}

fn storeAt(strip: Strip, y: u32, x: u32, block: u32, value: ${type}) {
  let texel = ((strip.item * TARGET_BLOCKS + block) * TARGET_HEIGHT + y) * TARGET_WIDTH + x;
  #if ${bounds.length > 0}
  if (${bounds.join(" && ")}) {
    storeTexel(texel, value);
  }
  #else
  storeTexel(texel, value);
  #endif
}`;
}

/** All that a kernel of either direction calls. */
export const tileFunctions = (k: ConvKernel, walk: Walk): string =>
  [
    tileConstants(k, walk),
    arithmeticOf(k).functions,
    arithmeticOf(k).weightBlock[k.format],
    strips(k),
    places(k, walk),
    stores(k),
  ].join("\n");
