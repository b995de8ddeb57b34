/**
 * Winograd's minimal filtering: 4×4 neighbouring outputs of a 3×3 convolution by 36 multiplications in place of 144
 * (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016).
 *
 *     Y = Aᵀ ( (G g Gᵀ) ⊙ (Bᵀ d B) ) A        d: 6×6 inputs, g: 3×3 weights, Y: 4×4 outputs
 *
 * Summed over input channels, the middle is one matrix product for each of the 36 places of ⊙: a 1×1 convolution in 36
 * groups. So three kinds of kernels make a layer: tiles in, 1×1 convolutions of conv.ts, tiles out (winograd.ts).
 *
 * The rows of G evaluate a kernel, as a polynomial, at the points 0, ±√2, ±1/√2 and ∞. Their rounding errors are about
 * half of those of the usual 0, ±1, ±2; and as the inverse of each point is one of them, and each row is divided by |α|,
 * the flipped kernel of the other direction has the same values in another order: one copy serves both directions.
 *
 * A 4×4 kernel of stride 2 and padding 1 joins a coarse map to the four phases of a fine one, each by two taps a side.
 * They are three taps of which the first or the last is zero, and with it the place 0 or the place ∞: 100 products of
 * 36 · 4 remain, for 256. Places differ in how many phases meet there, four, two or one: each such class is one
 * convolution, between (place, channel) on the coarse side and (place, phase, channel) on the fine side.
 */
import type { ConvDirection, ConvGeometry } from "./shape.ts";
import { channelsOf } from "./shape.ts";
import { range } from "../wgsl.ts";

/** Rows of outputs that a tile makes, and of inputs that it reads. */
export const MADE = 4;
export const READ = 6;

const points = [0, Math.SQRT2, -Math.SQRT2, Math.SQRT1_2, -Math.SQRT1_2];
/** Where the value at 1/α stands; ∞ comes last. */
const inverse = [5, 3, 4, 1, 2, 0];

/** Coefficients, from the constant on, of Π (x − root). */
const polynomial = (roots: number[]): number[] =>
  roots.reduce((p, root) => [...p, 0].map((_, n) => (p[n - 1] ?? 0) - root * (p[n] ?? 0)), [1]);

const size = (point: number): number => Math.abs(point) || 1;

/** G, 6 × 3. */
const weightTransform = [...points.map((a) => [1, a, a * a].map((power) => power / size(a))), [0, 0, 1]];

/** Bᵀ, 6 × 6. */
export const inputTransform = [
  ...points.map((a, n) => {
    const others = points.toSpliced(n, 1);
    const norm = others.reduce((product, b) => product * (a - b), 1 / size(a));
    return [...polynomial(others).map((coefficient) => coefficient / norm), 0];
  }),
  polynomial(points),
];

/** Aᵀ, 4 × 6. */
export const outputTransform = range(MADE).map((
  power,
) => [...points.map((a) => a ** power), power === MADE - 1 ? 1 : 0]);

/** Pairs of rows and columns below a limit. */
const pairs = (limit: number) => range(limit).flatMap((y) => range(limit).map((x) => [y, x] as const));

/** Places of ⊙ that as many pairs of phases share. */
export interface WinogradClass {
  /** How many pairs of phases each place has. */
  phases: number;
  /** For each place and each of its pairs of phases, what multiplies the taps of the kernel. */
  places: number[][][];
}

/** A kernel that can be made so, by the taps of each phase along an axis: those that meet three neighbours, if any. */
function filterOf(kernel: number, stride: number, taps: (number | undefined)[][]) {
  const along = weightTransform.map((row) => taps.map((own) => range(kernel).map((tap) => row[own.indexOf(tap)] ?? 0)));
  const meets = along.map((phases) => range(stride).filter((phase) => phases[phase].some((factor) => factor !== 0)));
  const classes: WinogradClass[] = [];
  const found = pairs(READ).map(([row, column]) => {
    const phases = meets[row].flatMap((y) => meets[column].map((x) => [y, x]));
    const factors = phases.map(([y, x]) => along[row][y].flatMap((a) => along[column][x].map((b) => a * b)));
    let own = classes.findIndex((one) => one.phases === phases.length);
    if (own < 0) own = classes.push({ phases: phases.length, places: [] }) - 1;
    return { class: own, place: classes[own].places.push(factors) - 1, phases };
  });
  return { kernel, stride, classes, at: (row: number, column: number) => found[row * READ + column] };
}

const filters = [
  filterOf(3, 1, [[0, 1, 2]]),
  filterOf(4, 2, [[3, 1, undefined], [undefined, 2, 0]]),
];

/** Whether a convolution can be made so. */
export function winogradFits(g: ConvGeometry): boolean {
  return filters.some(({ kernel, stride }) =>
    g.kernel.every((n) => n === kernel) && g.stride.every((n) => n === stride) && g.dilation.every((n) => n === 1) &&
    (stride === 1 || g.groups === 1 && g.padding.every((n) => n === 1)) &&
    [g.channelsIn, g.channelsOut].every((channels) => channels / g.groups % 4 === 0)
  );
}

/** The filter of a geometry that fits. */
export const winogradFilter = ({ kernel, stride }: Pick<ConvGeometry, "kernel" | "stride">) =>
  filters.find((filter) => filter.kernel === kernel[0] && filter.stride === stride[0])!;

/** A convolution in one direction as tiles. */
export function winogradShape(g: ConvGeometry, direction: ConvDirection) {
  const direct = direction === "direct";
  const filter = winogradFilter(g);
  const strided = filter.stride > 1;
  const [from, to] = channelsOf({ geometry: g, direction });
  const [source, target] = direct ? [g.inSize, g.outSize] : [g.outSize, g.inSize];
  /** Steps from one row of a phase to the next; only the fine side, which a direct convolution reads, has several. */
  const [stepIn, stepOut] = direct ? [filter.stride, 1] : [1, filter.stride];
  const tiles = target.map((extent) => Math.ceil(extent / stepOut / MADE));
  const flipped = strided === direct;
  const at = (row: number, column: number) =>
    flipped ? filter.at(inverse[row], inverse[column]) : filter.at(row, column);
  /** The number that a place has in its class: on the coarse side, and for each of its pairs of phases on the fine one. */
  const coarse = (row: number, column: number) => {
    const { class: own, place } = at(row, column);
    return { class: own, number: place };
  };
  const fine = (row: number, column: number, y: number, x: number) => {
    const { class: own, place, phases } = at(row, column);
    const phase = phases.findIndex(([py, px]) => py === y && px === x);
    return phase < 0 ? undefined : { class: own, number: place * phases.length + phase };
  };
  return {
    ...{ from, to, source, target, stepIn, stepOut, tiles, classes: filter.classes },
    /** Tiles of all items. */
    count: g.batch * tiles[0] * tiles[1],
    /** Rows and columns of zeros before the source's first. */
    padding: g.padding.map((before) => strided || direct ? before : 2 - before),
    /** The class of a place, and its number there on the source's and on the target's side, if the phases meet there. */
    ...(direct ? { placeIn: fine, placeOut: coarse } : { placeIn: coarse, placeOut: fine }),
  };
}
