/**
 * What lanes bring for a stage (staged.ts): from memory to registers, `next_texel_n` and `next_weight_n`, and from there to the
 * half of the workgroup's memory that nobody reads.
 *
 * Lanes have neighbouring positions first, so that their texels are neighbours too; and weights in the order in which they lie.
 */
import { wgsl } from "wgsl-preprocessor";
import { arithmeticOf } from "./arithmetic.ts";
import { asTiles, blockParts, elementOf, sliceLanes, type StagedKernel, stagedShape } from "./staged_shape.ts";
import { plus, range } from "../wgsl.ts";

/** Statements of a kernel. */
export interface StagedLoads {
  /** Struct and function declarations. */
  functions: string;
  /** Declares where a lane's texels and weights lie, and their registers. */
  places: string;
  /** Loads the stage that begins at `start`. */
  load: string;
  /** Stores it in `next_half`. */
  store: string;
}

/** The columns that a texel of weights holds, in the kernel's arithmetic. */
function columns({ format, half }: StagedKernel, texel: string): string[] {
  if (format === "i8") return ["x", "y", "z", "w"].map((byte) => `unpacked(${texel}.${byte})`);
  if (half) return [format === "f16" ? texel : `vec4<f16>(${texel})`];
  return format === "f32" ? [texel] : ["xy", "zw"].map((halves) => `unpacked(${texel}.${halves})`);
}

/** How so many texels are shared out among lanes: by turns, of which the last may be too many. */
const turnsOf = (texels: number, lanes: number) => ({
  turns: range(Math.ceil(texels / lanes)),
  /** WGSL around what only the first `texels` are to do. */
  guarded: (turn: number, statement: string) =>
    (turn + 1) * lanes > texels ? `if (${plus("own", turn * lanes)} < ${texels}u) { ${statement} }` : statement,
});

/** The statements for a kernel. */
export function stagedLoads(k: StagedKernel): StagedLoads {
  const { staged: { strips, across, blocks, down, depth } } = k;
  const lanes = sliceLanes(k.staged);
  const texels = turnsOf(depth * strips * across, lanes);
  const weights = turnsOf(depth * blocks * down * blockParts(k), lanes);
  const each = ({ turns }: { turns: number[] }, statement: (turn: number) => string) => turns.map(statement).join("\n");
  const aligned = stagedShape(k).span % depth === 0;
  return {
    functions: functions(k),
    places: `
  ${each(texels, (n) => texelPlace(k, n))}
  ${each(weights, (n) => weightPlace(k, n))}
  ${each(texels, (n) => `var next_texel_${n} = ${elementOf(k)}();`)}
  ${each(weights, (n) => `var next_weight_${n} = ${zero(k)};`)}`,
    load: `
    ${aligned ? "let at = sourceAt(start, phase);" : ""}
    ${each(texels, (n) => loadTexel(k, n))}
    ${each(weights, (n) => loadWeight(k, n))}`,
    store: `
    ${each(texels, (n) => texels.guarded(n, storeTexel(n)))}
    ${each(weights, (n) => weights.guarded(n, storeWeight(k, n)))}`,
  };
}

/** A texel of weights that holds none. */
const zero = ({ format, half }: StagedKernel): string =>
  format === "f32" ? "vec4f()" : half && format === "f16" ? "vec4<f16>()" : "vec4u()";

const functions = ({ staged: { joint } }: StagedKernel): string =>
  wgsl`
struct Source {
  tap: Tap,
  r: u32,
}

struct TexelPlace {
  depth: u32,
  strip: u32,
  lane: u32,
}

struct WeightPlace {
  depth: u32,
  row: u32,
  part: u32,
  target_row: Row,
}

fn sourceAt(k: u32, phase: Phase) -> Source {
  return Source(tapAt(k / SOURCE_SPAN, phase), k % SOURCE_SPAN);
}

#if ${joint === 1}
// The tap by which a row meets what is so far from its position, or one past all.
fn tapOf(row: Row, tap: Tap) -> u32 {
  let y = u32(i32(row.y) + PADDING_Y - tap.shiftY * i32(PHASES_Y));
  let x = u32(i32(row.x) + PADDING_X - tap.shiftX * i32(PHASES_X));
  return select(TAPS, y * KERNEL_WIDTH + x, y < KERNEL_HEIGHT && x < KERNEL_WIDTH);
}
#endif`;

function texelPlace({ staged }: StagedKernel, n: number): string {
  const index = plus("own", n * sliceLanes(staged));
  return `let texel_${n} = TexelPlace((${index}) / TILE_POSITIONS, (${index}) % TILE_POSITIONS / LANES_ACROSS, (${index}) % LANES_ACROSS);
  let strip_${n} = stripOf(min(group.x * TILE_POSITIONS + (${index}) % TILE_POSITIONS, ALL_STRIPS - 1u), first);`;
}

function weightPlace(k: StagedKernel, n: number): string {
  const index = plus("own", n * sliceLanes(k.staged));
  const parts = blockParts(k);
  const [depth, row] = k.direction === "direct"
    ? [`(${index}) / ${parts}u % DEPTH`, `(${index}) / ${parts}u / DEPTH`]
    : [`(${index}) / ${parts}u / TILE_ROWS`, `(${index}) / ${parts}u % TILE_ROWS`];
  return `let weight_${n} = WeightPlace(${depth}, ${row}, (${index}) % ${parts}u, rowAt(min(firstRow + ${row}, GROUP_ROWS - 1u), phase));`;
}

/** Which source block a turn's lane has, as statements that say what `tap` and `r` are. */
const source = ({ staged: { depth } }: StagedKernel, span: number, own: string): string =>
  span % depth === 0
    ? `let tap = at.tap; let r = at.r + ${own};`
    : `let at = sourceAt(start + ${own}, phase); let tap = at.tap; let r = at.r;`;

function loadTexel(k: StagedKernel, n: number): string {
  const { format, direction, staged: { depth, slices } } = k;
  const { span, taps } = stagedShape(k);
  const even = taps.y.every((y) => taps.x.every((x) => y * x > 0 && y * x * span % (depth * slices) === 0));
  const scaled = format === "i8" && direction === "transposed";
  const texel = arithmeticOf(asTiles(k)).texel(
    "Place(place.texel, inside)",
    "r",
    scaled ? "load_scale(first + r)" : undefined,
  );
  return `{
      ${source(k, span, `texel_${n}.depth`)}
      let place = placeOf(strip_${n}, tap.shiftY, tap.shiftX);
      let inside = place.inside${even ? "" : ` && start + texel_${n}.depth < sourceBlocks`};
      next_texel_${n} = ${texel};
    }`;
}

function loadWeight(k: StagedKernel, n: number): string {
  const { direction, staged: { joint } } = k;
  const parts = blockParts(k);
  const place = `weight_${n}`;
  const texel = (block: string) => `load_w((${block}) * ${parts}u + ${place}.part)`;
  if (direction === "direct") {
    return `next_weight_${n} = ${
      texel(`(firstTarget + ${place}.target_row.block) * TAPS * WEIGHT_SPAN + start + ${place}.depth`)
    };`;
  }
  const block = (tap: string) => `((first + r) * TAPS + ${tap}) * WEIGHT_SPAN + ${place}.target_row.block`;
  return `{
      ${source(k, stagedShape(k).span, `${place}.depth`)}
      ${
    joint
      ? `let own_tap = tapOf(${place}.target_row, tap);
      next_weight_${n} = select(${zero(k)}, ${texel(block("min(own_tap, TAPS - 1u)"))}, own_tap < TAPS);`
      : `next_weight_${n} = ${texel(block("tap.number"))};`
  }
    }`;
}

const storeTexel = (n: number): string =>
  `staged_texels[next_half][texel_${n}.depth][texel_${n}.strip][texel_${n}.lane] = next_texel_${n};`;

function storeWeight(k: StagedKernel, n: number): string {
  const place = `weight_${n}`;
  const own = columns(k, `next_weight_${n}`);
  return own.map((value, c) => {
    const column = own.length === 4 ? `${c}u` : own.length === 1 ? `${place}.part` : plus(`${place}.part * 2u`, c);
    return `staged_weights[next_half][${place}.depth][${column}][${place}.row / LANES_DOWN][${place}.row % LANES_DOWN] = ${value};`;
  }).join("\n");
}
