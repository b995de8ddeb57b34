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
 * Groups of channels have to fall on blocks. A position of the target is one of a phase, as in transposed.ts.
 */
import { wgsl } from "wgsl-preprocessor";
import { up4 } from "../layout.ts";
import { blockTexels, type WeightFormat } from "./blocks.ts";
import { tileFunctions } from "./places.ts";
import { type ConvDirection, type ConvGeometry, type ConvKernel, convShape, phaseTaps, range, spans } from "./shape.ts";
import { constants, plus, unroll } from "./wgsl.ts";

/** How a workgroup is made of lanes, and a lane of sums. */
export interface StagedTile {
  /** Blocks of four channels, and positions, of one lane. */
  blocks: number;
  strips: number;
  /** Lanes along the channels and along the positions. */
  down: number;
  across: number;
  /** Source blocks of one stage. */
  depth: number;
  /** Groups of lanes that share a sum. */
  slices: number;
}

/** A kernel. Bindings: x (source), w, y (destination), and `bias`, `scale` where asked for. */
export interface StagedKernel {
  geometry: ConvGeometry;
  direction: ConvDirection;
  format: WeightFormat;
  bias: boolean;
  staged: StagedTile;
}

/** Lanes of a slice, and of the workgroup. */
export const sliceLanes = ({ down, across }: StagedTile): number => down * across;
export const lanesOf = (t: StagedTile): number => sliceLanes(t) * t.slices;

/** Sums of a lane. */
const sumsOf = ({ blocks, strips }: StagedTile): number => blocks * strips;

/** Texels of a row of weights in workgroup memory: one more than lanes, so that columns lie in different banks. */
const rowOf = ({ down }: StagedTile): number => down + 1;

/** Bytes of workgroup memory. */
export function stagedBytes({ staged: t }: { staged: StagedTile }): number {
  const stages = 2 * t.slices * t.depth * (t.strips * t.across + 4 * t.blocks * rowOf(t));
  return 16 * (stages + (t.slices > 1 ? sumsOf(t) * sliceLanes(t) : 0));
}

/** The kernel as tiles of one position: what its functions are made for. */
const asTiles = ({ geometry, direction, format, bias }: Omit<StagedKernel, "staged">): ConvKernel => ({
  ...{ geometry, direction, format, bias },
  tile: { blocks: 1, strips: 1, columns: 1, unroll: 1 },
});

/** The sizes that kernel and caller agree on. */
export function stagedShape(k: StagedKernel) {
  const { geometry: g, direction, staged: t } = k;
  const { from, to, positions, phases } = convShape(asTiles(k));
  const { count: span, exact } = spans(to, from, g.groups);
  const groupBlocks = up4(to) / g.groups;
  const rows = Math.ceil(groupBlocks / (t.blocks * t.down));
  const columns = Math.ceil(positions / (t.strips * t.across));
  const grid = [columns, rows * g.groups, phases[0] * phases[1]] as const;
  const taps = direction === "direct"
    ? { y: [g.kernel[0]], x: [g.kernel[1]] }
    : { y: tapCounts(g, 0), x: tapCounts(g, 1) };
  const lanes = sliceLanes(t);
  const texels = t.depth * t.strips * t.across, weights = t.depth * t.blocks * t.down * blockTexels[k.format];
  return {
    span,
    exact: exact && Number.isInteger(groupBlocks),
    groupBlocks,
    rows,
    grid,
    taps,
    /** Stages of the longest sum of a slice. */
    trips: Math.ceil(Math.max(...taps.y) * Math.max(...taps.x) * span / t.depth / t.slices),
    /** Texels that a lane brings for a stage. */
    turns: Math.ceil(texels / lanes) + Math.ceil(weights / lanes),
  };
}

/** How many taps the phases of an axis have. */
function tapCounts(g: ConvGeometry, axis: 0 | 1): number[] {
  const { kernel, stride, padding, dilation } = g;
  const reaches = (phase: number, tap: number) => (phase + padding[axis] - tap * dilation[axis]) % stride[axis] === 0;
  return range(stride[axis]).map((phase) => range(kernel[axis]).filter((tap) => reaches(phase, tap)).length);
}

/** Scalar multiply-adds of a whole dispatch, padding included. */
export function stagedMultiplyAdds(k: StagedKernel): number {
  const { span, taps, grid } = stagedShape(k), { blocks, strips, down, across, depth, slices } = k.staged;
  const stages = taps.y.flatMap((y) => taps.x.map((x) => Math.ceil(y * x * span / depth / slices) * slices * depth));
  const sum = stages.reduce((all, count) => all + count, 0);
  return grid[0] * grid[1] * blocks * down * strips * across * sum * 16;
}

/** Where a stage's texels come from, in WGSL: `Tap` says which one and where it meets the positions. */
function tapFunction({ geometry: g, direction }: StagedKernel): string {
  if (direction === "direct") {
    return `
fn tapAt(index: u32, phase: Phase) -> Tap {
  let y = index / KERNEL_WIDTH;
  let x = index % KERNEL_WIDTH;
  return Tap(index, i32(y * DILATION_Y) - PADDING_Y, i32(x * DILATION_X) - PADDING_X);
}

fn phaseAt(number: u32) -> Phase {
  return Phase(0u, 0u, 0u, 0u, KERNEL_HEIGHT, KERNEL_WIDTH);
}`;
  }
  const [tapsY, tapsX] = [phaseTaps(g, 0), phaseTaps(g, 1)];
  const [most, least] = [Math.max, Math.min].map((of) => of(...tapCounts(g, 1).filter((count) => count > 0)));
  const divided = (sign: string) =>
    most === least
      ? `index ${sign} ${most}u`
      : `select(index ${sign} ${least}u, index ${sign} ${most}u, phase.columns == ${most}u)`;
  return `
${constants({ PHASES_Y: g.stride[0], PHASES_X: g.stride[1], TAP_STEP_Y: tapsY.step, TAP_STEP_X: tapsX.step })}

fn firstTapY(phase: u32) -> u32 {
  return ${tapsY.first};
}

fn firstTapX(phase: u32) -> u32 {
  return ${tapsX.first};
}

fn phaseAt(number: u32) -> Phase {
  let y = number / PHASES_X;
  let x = number % PHASES_X;
  let firstY = firstTapY(y);
  let firstX = firstTapX(x);
  let rows = (max(KERNEL_HEIGHT, firstY) - firstY + TAP_STEP_Y - 1u) / TAP_STEP_Y;
  let columns = (max(KERNEL_WIDTH, firstX) - firstX + TAP_STEP_X - 1u) / TAP_STEP_X;
  return Phase(y, x, firstY, firstX, rows, columns);
}

fn tapAt(index: u32, phase: Phase) -> Tap {
  let y = phase.firstY + (${divided("/")}) * TAP_STEP_Y;
  let x = phase.firstX + (${divided("%")}) * TAP_STEP_X;
  let shiftY = (i32(phase.y) + PADDING_Y - i32(y * DILATION_Y)) / i32(PHASES_Y);
  let shiftX = (i32(phase.x) + PADDING_X - i32(x * DILATION_X)) / i32(PHASES_X);
  return Tap(y * KERNEL_WIDTH + x, shiftY, shiftX);
}`;
}

/** What lanes load of a tile of `texels` texels: so many each, of which the last may be too many. */
const turns = (texels: number, lanes: number) => ({ count: Math.ceil(texels / lanes), ragged: texels % lanes !== 0 });

/** The kernel's WGSL. */
export function staged(k: StagedKernel): string {
  const { geometry: g, direction, format, bias, staged: t } = k;
  const direct = direction === "direct";
  const { span, groupBlocks, rows, taps } = stagedShape(k);
  const lanes = sliceLanes(t);
  const tilePositions = t.strips * t.across, tileBlocks = t.blocks * t.down;
  const perBlock = blockTexels[format];
  const texelTurns = turns(t.depth * tilePositions, lanes);
  const weightTurns = turns(t.depth * tileBlocks * perBlock, lanes);
  const aligned = span % t.depth === 0;
  const even = taps.y.concat(taps.x).every((count) => count > 0) &&
    taps.y.every((y) => taps.x.every((x) => y * x * span % (t.depth * t.slices) === 0));
  const scaled = format === "i8";

  // Lanes that load: texels by positions first, weights as they lie in memory.
  const texelLane = (n: number) => plus("own", n * lanes);
  const oneStrip = tilePositions <= lanes && lanes % tilePositions === 0;
  const stripOf = (n: number) => oneStrip ? "strip_0" : `strip_${n}`;
  const strips = unroll(
    { n: oneStrip ? 1 : texelTurns.count },
    ({ n }) =>
      `let strip_${n} = stripOf(min(group.x * TILE_POSITIONS + (${
        texelLane(n)
      }) % TILE_POSITIONS, ALL_STRIPS - 1u), first);`,
  );
  const rowTexels = direct ? t.depth * perBlock : tileBlocks * perBlock;
  const weightPlaces = unroll({ n: weightTurns.count }, ({ n }) => {
    const index = plus("own", n * lanes);
    const [block, depth] = direct
      ? [`(${index}) / ${rowTexels}u`, `(${index}) % ${rowTexels}u / ${perBlock}u`]
      : [`(${index}) % ${rowTexels}u / ${perBlock}u`, `(${index}) / ${rowTexels}u`];
    return `let weight_${n} = WeightPlace(${block}, ${depth}, (${index}) % ${perBlock}u, min(firstBlock + ${block}, lastBlock));`;
  });

  const loadTexel = (n: number) =>
    `{
      let depth = (${texelLane(n)}) / TILE_POSITIONS;
      ${aligned ? "" : "let at = sourceAt(start + depth, phase);"}
      let r = at.r${aligned ? " + depth" : ""};
      let place = placeOf(${stripOf(n)}, at.tap.shiftY, at.tap.shiftX);
      next_texel_${n} = sourceTexel(${
      even ? "place" : "Place(place.texel, place.inside && start + depth < sourceBlocks)"
    }, r)${scaled && !direct ? " * load_scale(first + r)" : ""};
    }`;
  const loadWeight = (n: number) =>
    direct
      ? `next_weight_${n} = load_w((weight_${n}.block * TAPS * WEIGHT_SPAN + start + weight_${n}.depth) * ${perBlock}u + weight_${n}.part);`
      : `{
      ${aligned ? "" : `let at = sourceAt(start + weight_${n}.depth, phase);`}
      let source = first + at.r${aligned ? ` + weight_${n}.depth` : ""};
      next_weight_${n} = load_w(((source * TAPS + at.tap.number) * WEIGHT_SPAN + weight_${n}.block - firstTarget) * ${perBlock}u + weight_${n}.part);
    }`;
  const load = `
    ${aligned ? "let at = sourceAt(start, phase);" : ""}
    ${unroll({ n: texelTurns.count }, ({ n }) => loadTexel(n))}
    ${unroll({ n: weightTurns.count }, ({ n }) => loadWeight(n))}`;

  const storeTexel = (n: number) => {
    const index = texelLane(n);
    const store =
      `staged_texels[next_half][(${index}) / TILE_POSITIONS][(${index}) % TILE_POSITIONS / LANES_ACROSS][(${index}) % LANES_ACROSS] = next_texel_${n};`;
    return texelTurns.ragged && n === texelTurns.count - 1
      ? `if (${index} < DEPTH * TILE_POSITIONS) { ${store} }`
      : store;
  };
  const columns: Record<WeightFormat, (n: number) => string[]> = {
    f32: (n) => [`next_weight_${n}`],
    f16: (n) => ["xy", "zw"].map((half) => `unpacked(next_weight_${n}.${half})`),
    i8: (n) => ["x", "y", "z", "w"].map((byte) => `unpacked(next_weight_${n}.${byte})`),
  };
  const storeWeight = (n: number) => {
    const place = `weight_${n}`, each = columns[format](n);
    const store = each.map((value, c) => {
      const column = perBlock === 1 ? `${c}u` : perBlock === 4 ? `${place}.part` : plus(`${place}.part * 2u`, c);
      return `staged_weights[next_half][${place}.depth][${column}][${place}.row / LANES_DOWN][${place}.row % LANES_DOWN] = ${value};`;
    }).join("\n");
    const index = plus("own", n * lanes);
    return weightTurns.ragged && n === weightTurns.count - 1
      ? `if (${index} < DEPTH * TILE_BLOCKS * ${perBlock}u) { ${store} }`
      : store;
  };
  const store = `
    ${unroll({ n: texelTurns.count }, ({ n }) => storeTexel(n))}
    ${unroll({ n: weightTurns.count }, ({ n }) => storeWeight(n))}`;

  const products = unroll({ depth: t.depth }, ({ depth }) =>
    `{
      ${
      unroll(
        { strip: t.strips },
        ({ strip }) => `let texel_${strip} = staged_texels[own_half][${depth}][${strip}][across];`,
      )
    }
      ${
      unroll({ block: t.blocks }, ({ block }) =>
        `{
        let weights = ${direct ? "" : "transpose"}(mat4x4f(${
          range(4).map((column) => `staged_weights[own_half][${depth}][${column}][${block}][down]`).join(", ")
        }));
        ${
          unroll(
            { strip: t.strips },
            ({ strip }) => `sum_${block}_${strip} = multiplyAdd(sum_${block}_${strip}, weights, texel_${strip});`,
          )
        }
      }`)
    }
    }`);
  const eachSum = (statement: (name: string, at: { block: number; strip: number }, number: number) => string) =>
    unroll(
      { block: t.blocks, strip: t.strips },
      ({ block, strip }) => statement(`sum_${block}_${strip}`, { block, strip }, block * t.strips + strip),
    );

  return wgsl`${tileFunctions(asTiles(k), { step: direct ? g.stride : [1, 1], leaves: true })}
${
    constants({
      LANES_DOWN: t.down,
      LANES_ACROSS: t.across,
      SLICE_LANES: lanes,
      SLICES: t.slices,
      DEPTH: t.depth,
      TILE_BLOCKS: tileBlocks,
      TILE_POSITIONS: tilePositions,
      GROUP_BLOCKS: groupBlocks,
      GROUP_ROWS: rows,
    })
  }

var<workgroup> staged_texels: array<array<array<array<vec4f, LANES_ACROSS>, ${t.strips}>, DEPTH>, ${2 * t.slices}>;
var<workgroup> staged_weights: array<array<array<array<array<vec4f, ${rowOf(t)}>, ${t.blocks}>, 4>, DEPTH>, ${
    2 * t.slices
  }>;
#if ${t.slices > 1}
var<workgroup> slice_sums: array<array<vec4f, SLICE_LANES>, ${sumsOf(t)}>;
#endif

struct Phase {
  y: u32,
  x: u32,
  firstY: u32,
  firstX: u32,
  rows: u32,
  columns: u32,
}

struct Tap {
  number: u32,
  shiftY: i32,
  shiftX: i32,
}

struct Source {
  tap: Tap,
  r: u32,
}

struct WeightPlace {
  row: u32,
  depth: u32,
  part: u32,
  block: u32,
}
${tapFunction(k)}

fn sourceAt(k: u32, phase: Phase) -> Source {
  return Source(tapAt(k / SOURCE_SPAN, phase), k % SOURCE_SPAN);
}

fn kernel(group: vec3u, lane: u32) {
  let slice = lane / SLICE_LANES;
  let own = lane % SLICE_LANES;
  ${arrangement(t)}
  let firstTarget = group.y / GROUP_ROWS * GROUP_BLOCKS;
  let firstBlock = firstTarget + group.y % GROUP_ROWS * TILE_BLOCKS;
  let lastBlock = firstTarget + GROUP_BLOCKS - 1u;
  let first = firstSource(firstBlock);
  let phase = phaseAt(group.z);
  let sourceBlocks = phase.rows * phase.columns * SOURCE_SPAN;
  let stages = (sourceBlocks + DEPTH * SLICES - 1u) / (DEPTH * SLICES);
  ${strips}
  ${weightPlaces}
  ${eachSum((name) => `var ${name} = vec4f();`)}
  ${unroll({ n: texelTurns.count }, ({ n }) => `var next_texel_${n} = vec4f();`)}
  ${unroll({ n: weightTurns.count }, ({ n }) => `var next_weight_${n} = ${format === "f32" ? "vec4f" : "vec4u"}();`)}
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
    ${products}
    ${store}
    workgroupBarrier();
  }
  #if ${t.slices > 1}
  for (var other = 1u; other < SLICES; other++) {
    if (slice == other) {
      ${eachSum((name, _, n) => `slice_sums[${n}][own] = ${name};`)}
    }
    workgroupBarrier();
    if (slice == 0u) {
      ${eachSum((name, _, n) => `${name} += slice_sums[${n}][own];`)}
    }
    workgroupBarrier();
  }
  if (slice != 0u) {
    return;
  }
  #endif
  ${
    unroll({ strip: t.strips }, ({ strip }) =>
      `{
    let position = group.x * TILE_POSITIONS + ${strip}u * LANES_ACROSS + across;
    if (position < ALL_STRIPS) {
      let strip = stripOf(position, first);
      ${
        unroll({ block: t.blocks }, ({ block }) => {
          const own = `firstBlock + ${block}u * LANES_DOWN + down`;
          const value = `sum_${block}_${strip}${scaled && direct ? ` * load_scale(${own})` : ""}${
            bias ? ` + load_bias(${own})` : ""
          }`;
          const at = direct ? "strip.y, strip.x" : "phase.y + strip.y * PHASES_Y, phase.x + strip.x * PHASES_X";
          return `if (${own} <= lastBlock) {
        storeAt(strip, ${at}, ${own}, ${value});
      }`;
        })
      }
    }
  }`)
  }
}`;
}

/** Which lane has which part of the tile: 8 × 4 neighbours, so that a wavefront's loads from workgroup memory have much in common. */
function arrangement({ down, across }: StagedTile): string {
  const low = Math.min(8, across), high = Math.min(4, down);
  return `let down = own / ${low}u % ${high}u + own / ${high * across}u * ${high}u;
  let across = own % ${low}u + own / ${low * high}u % ${across / low}u * ${low}u;`;
}
