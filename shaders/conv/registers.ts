/**
 * The registers of a tile, in both directions: what an invocation loads and what it sums in.
 *
 *               strip 0, column 0   column 1 …        loads per block r of four source channels:
 *   block 0     sum_b0_s0_c0        sum_b0_s0_c1        the texels that a strip's columns meet, texel_s0_t0 …
 *   block 1     sum_b1_s0_c0        sum_b1_s0_c1        a block of weights for each block and tap
 *     ⋮                                               for 16 · BLOCKS · STRIPS · COLUMNS multiply-adds a tap
 *
 * With one column a trip takes one tap. With more it takes a whole row of taps, and neighbouring columns share texels.
 */
import { wgsl } from "wgsl-preprocessor";
import { arithmeticOf, type Parts } from "./arithmetic.ts";
import { hasLongTaps } from "./places.ts";
import { type ConvKernel, sourceSpans, tapRow } from "./shape.ts";
import { plus, range, unroll } from "../wgsl.ts";

type Sum = { block: number; strip: number; column: number };
const nameOf = ({ block, strip, column }: Sum) => `b${block}_s${strip}_c${column}`;

/** A statement for each sum of the tile. */
const eachSum = ({ tile }: ConvKernel, statement: (name: string, at: Sum) => string): string =>
  unroll({ block: tile.blocks, strip: tile.strips, column: tile.columns }, (at) => statement(nameOf(at), at));

/** The names of the tile's sums, without `sum_` before them. */
export const sumNames = (k: ConvKernel): string[] => eachSum(k, (name) => name).split("\n");

/** Declares the strips that an invocation has. */
export const declareStrips = ({ tile }: ConvKernel): string =>
  unroll(
    { strip: tile.strips },
    ({ strip }) => `let strip_s${strip} = stripOf(${plus("tile", strip, "u * TILES")}, first);`,
  );

/** Declares the sums. */
export function declareSums(k: ConvKernel): string {
  const { begin, type } = arithmeticOf(k);
  return `${begin}\n${eachSum(k, (name) => `var sum_${name} = ${type}();`)}`;
}

function openParts(k: ConvKernel): string {
  const { type } = arithmeticOf(k).parts!;
  return eachSum(k, (name) => `var part_${name} = ${type}();`);
}

function closeParts(k: ConvKernel): string {
  const { added } = arithmeticOf(k).parts!;
  return eachSum(k, (name) => `sum_${name} += ${added(`part_${name}`)};`);
}

/** Whether slices share the source: each has a fraction of a sum, and that is short. */
const sliced = ({ group }: ConvKernel): boolean => group !== undefined && group.slices > 1;

/** Whether a sum is made of parts of so much. */
const hasParts = (k: ConvKernel, of: Parts["of"]): boolean => arithmeticOf(k).parts?.of === of;

/** Whether a sum is made of parts within one tap. */
const hasPartsOfTaps = (k: ConvKernel): boolean => hasParts(k, "rows") && hasLongTaps(k) && !sliced(k);

/** Around a row of taps: it is one part of each sum, unless one tap has several. */
export function rowParts(k: ConvKernel): { open: string; close: string } {
  const whole = hasParts(k, "rows") && !hasPartsOfTaps(k);
  return { open: whole ? openParts(k) : "", close: whole ? closeParts(k) : "" };
}

/** Declares where the strips meet a row of taps whose first is `shiftY` rows and `shiftX` columns off. */
export const declarePlaces = (k: ConvKernel): string =>
  unroll(
    { strip: k.tile.strips, texel: tapRow(k).texels.length },
    ({ strip, texel }) =>
      `let place_s${strip}_t${texel} = placeOf(strip_s${strip}, shiftY, ${
        plus("shiftX", tapRow(k).texels[texel], "")
      });`,
  );

/** A trip of the loop over the blocks of the source: `body` for UNROLL of them, `stride` apart. */
function tripOf(k: ConvKernel, stride: number, body: (r: string) => string): string {
  const { unroll: blocks } = k.tile;
  const exact = sourceSpans(k).count % (stride * blocks) === 0;
  const others = range(blocks).slice(1).map((n) => {
    const r = `r + ${n * stride}u`;
    return `${exact ? "" : `if (${r} < SOURCE_SPAN)`} { ${body(`(${r})`)} }`;
  });
  const all = blocks === 1 ? body("r") : [`{ ${body("r")} }`, ...others].join("\n");
  return hasParts(k, "trips") ? [openParts(k), all, closeParts(k)].join("\n") : all;
}

/** The loop over the blocks r that a tile sees in the source; `body` is for one of them. */
export function eachSource(k: ConvKernel, body: (r: string) => string): string {
  const { unroll: blocks } = k.tile;
  const long = hasPartsOfTaps(k);
  const stride = k.group?.slices ?? 1; // slices take turns at the blocks
  const [from, step] = sliced(k) ? ["slice", blocks === 1 ? "SLICES" : `${blocks}u * SLICES`] : ["0u", `${blocks}u`];
  const trip = tripOf(k, stride, body);
  return wgsl`
    #if ${long}
    for (var start = 0u; start < SOURCE_SPAN; start += PART) {
      ${long ? openParts(k) : ""}
      for (var r = start; r < min(start + PART, SOURCE_SPAN); r += ${step}) {
        ${trip}
      }
      ${long ? closeParts(k) : ""}
    }
    #else
    for (var r = ${from}; r < SOURCE_SPAN; r += ${step}) {
      ${trip}
    }
    #endif`;
}

/** Declares the texels of source block r, scaled if asked for. */
export const loadTexels = (k: ConvKernel, r: string, scale?: string): string =>
  unroll(
    { strip: k.tile.strips, texel: tapRow(k).texels.length },
    ({ strip, texel }) =>
      `let texel_s${strip}_t${texel} = ${arithmeticOf(k).texel(`place_s${strip}_t${texel}`, r, scale)};`,
  );

/** Multiplies what tap `tap` of a trip meets by the block of weights `weights`, and adds it to block `block` of the sums. */
export function addProducts(k: ConvKernel, weights: string, tap: number, block: number): string {
  const { offset, texels } = tapRow(k);
  const math = arithmeticOf(k);
  const products = unroll({ strip: k.tile.strips, column: k.tile.columns }, ({ strip, column }) => {
    const sum = `${math.parts ? "part" : "sum"}_${nameOf({ block, strip, column })}`;
    return `${sum} = multiplyAdd(${sum}, weights, texel_s${strip}_t${texels.indexOf(offset(tap, column))});`;
  });
  return `let weights = ${math.weights(weights)};\n${products}`;
}

/** Stores the sums, scaled if asked for and with their bias; `y` and `x` say where a row and a column of strips lie. */
export function storeSums(
  k: ConvKernel,
  { scaled, y, x }: { scaled: boolean; y: (row: string) => string; x: (column: string) => string },
): string {
  const { bias, tile } = k;
  const vectors = [...(scaled ? ["scale"] : []), ...(bias ? ["bias"] : [])].map((vector) =>
    unroll({ block: tile.blocks }, ({ block }) => `let ${vector}_b${block} = load_${vector}(${plus("block", block)});`)
  );
  const sums = eachSum(k, (name, { block, strip, column }) => {
    const value = arithmeticOf(k).finished(
      `sum_${name}`,
      scaled ? `scale_b${block}` : undefined,
      bias ? `bias_b${block}` : undefined,
    );
    const at = `${y(`strip_s${strip}.y`)}, ${x(plus(`strip_s${strip}.x`, column))}`;
    return `storeAt(strip_s${strip}, ${at}, ${plus("block", block)}, ${value});`;
  });
  return [...vectors, sums].join("\n");
}
