/**
 * Kernels over items of any rank, value by value: an item's values are numbered in its own row-major order, which is
 * also the (c, h, w) order of its texels. Each lane of a texel finds its sources by their numbers: where y, [3, 4, 2], has
 * its dimensions 1, 2, 0 from x, [2, 3, 4], and the lengths and steps of both are constants,
 *
 *   fn source(n: u32) -> u32 { return n / Y_STEP_0 * X_STEP_1 + n / Y_STEP_1 % Y_LENGTH_1 * X_STEP_2 + n % Y_LENGTH_2 * X_STEP_0; }
 */
import { wgsl } from "wgsl-preprocessor";
import { channelBlocks, LANE, vector } from "./texels.ts";
import { constants, plus, signedConstants, unroll } from "./wgsl.ts";

/** The dimensions of an item, outermost first. */
type Dims = readonly number[];

const product = (dims: Dims): number => dims.reduce((a, b) => a * b, 1);

/** Values between neighbours along each dimension; 0 where a dimension is 1, so that it may be broadcast. */
const steps = (dims: Dims): number[] => dims.map((n, d) => n === 1 ? 0 : product(dims.slice(d + 1)));

/** WGSL constants of an item: along dimension d it has NAME_LENGTH_d values, and they are NAME_STEP_d apart. */
const axes = (name: string, dims: Dims): string => {
  const lengths = dims.map((n, d) => [`${name}_LENGTH_${d}`, n]);
  const own = Object.fromEntries([...lengths, ...steps(dims).map((step, d) => [`${name}_STEP_${d}`, step])]);
  return `\n${constants(own)}`;
};

/** The names of an item's steps, and none where there is one value. */
const stepNames = (name: string, dims: Dims): string[] => dims.map((n, d) => n === 1 ? "" : `${name}_STEP_${d}`);

/** Dimensions with as many of one value before them as `rank` asks for. */
const padded = (dims: Dims, rank: number): Dims => [...Array(rank - dims.length).fill(1), ...dims];

/** WGSL `name(n)`: the number that value n of item `of` has where a step along dimension d is worth `worth[d]`. */
function place(name: string, of: string, dims: Dims, worth: readonly string[]): string {
  const terms = dims.flatMap((length, d) => {
    const inner = product(dims.slice(d + 1)) === 1 ? "" : ` / ${of}_STEP_${d}`;
    const outer = product(dims.slice(0, d)) === 1 ? "" : ` % ${of}_LENGTH_${d}`;
    return length === 1 || !worth[d] ? [] : [`n${inner}${outer} * ${worth[d]}`];
  });
  return `
fn ${name}(n: u32) -> u32 {
  return ${terms.join(" + ") || "0u"};
}`;
}

/** WGSL `NAME_at(item, index)`: one value of binding NAME. */
function reader(name: string, [channels = 1, ...rest]: Dims): string {
  const own = name.toUpperCase();
  return `
${constants({ [`${own}_AREA`]: product(rest), [`${own}_BLOCKS`]: channelBlocks(channels) })}
fn ${name}_at(item: u32, index: u32) -> f32 {
  let channel = index / ${own}_AREA;
  let texel = (item * ${own}_BLOCKS + channel / 4u) * ${own}_AREA + index % ${own}_AREA;
  return lane(load_${name}(texel), channel & 3u);
}`;
}

/** The kernel that stores `value(item, index)` for every value of binding y; lanes past the last channel are zero. */
function writer([channels = 1, ...rest]: Dims): string {
  return `
${constants({ Y_CHANNELS: channels, Y_BLOCKS: channelBlocks(channels), Y_AREA: product(rest) })}
fn kept(item: u32, index: u32) -> f32 {
  if (index >= Y_CHANNELS * Y_AREA) { return 0.0; }
  return value(item, index);
}

fn kernel(i: u32) {
  let item = i / (Y_BLOCKS * Y_AREA);
  let index = i / Y_AREA % Y_BLOCKS * (4u * Y_AREA) + i % Y_AREA;
  store_y(i, ${vector((n) => `kept(item, index + ${n}u * Y_AREA)`)});
}`;
}

/**
 * WGSL `total(…)`: the sum of `term` over r = 0 … count − 1, line by line, and page by page of about as many lines as there
 * are pages: sums stay precise, and the four lanes of a texel together make far fewer than 65,535 loop trips.
 */
function lineSum(count: number, parameters: string, term: string): string {
  const line = Math.min(count, Math.max(8, Math.ceil(count / 8192)));
  const page = line * Math.ceil(Math.sqrt(count / line));
  const adds = unroll({ n: line }, ({ n }) => `
      {
        let r = ${plus("first", n)};
        ${count % line === 0 ? "" : "if (r < TERMS) "}{ line += ${term}; }
      }`);
  return `
${constants({ TERMS: count, LINE: line, PAGE: page })}
fn total(${parameters}) -> f32 {
  var sum = 0.0;
  for (var start = 0u; start < TERMS; start += PAGE) {
    var page = 0.0;
    for (var first = start; first < min(start + PAGE, TERMS); first += LINE) {
      var line = 0.0;
      ${adds}
      page += line;
    }
    sum += page;
  }
  return sum;
}`;
}

/** Terms past which `lineSum` would be too long a program. */
export const MOST_TERMS = 2 ** 22;

/** y's dimension d is x's dimension order[d]. Bindings: x, y. */
export function transpose(dims: Dims, order: readonly number[]): string {
  const to = order.map((d) => dims[d]);
  const worth = stepNames("X", dims);
  return `${LANE}${axes("X", dims)}${axes("Y", to)}${reader("x", dims)}
${place("source", "Y", to, order.map((d) => worth[d]))}

fn value(item: u32, index: u32) -> f32 { return x_at(item, source(index)); }
${writer(to)}`;
}

/** y = `expression` of the inputs, each stretched to `to` where it is 1 or lacks leading dimensions. Bindings: theirs, y. */
export function broadcast(inputs: Readonly<Record<string, Dims>>, to: Dims, expression: string): string {
  const names = Object.keys(inputs);
  const readers = Object.entries(inputs).map(([name, dims]) => {
    const [item, all] = [name.toUpperCase(), padded(dims, to.length)];
    return `${axes(item, all)}${reader(name, dims)}${place(`${name}_source`, "Y", to, stepNames(item, all))}`;
  });
  return `${LANE}${axes("Y", to)}${readers.join("")}

fn value(item: u32, index: u32) -> f32 {
  ${names.map((name) => `let ${name} = ${name}_at(item, ${name}_source(index));`).join("\n  ")}
  return ${expression};
}
${writer(to)}`;
}

/**
 * y = factor · the sum of x over the dimensions that are 1 in `to`, which has as many as `from`. Bindings: x, y.
 * @param own y's dimensions, which may lack leading ones of `to` that are 1.
 */
export function reduce(from: Dims, to: Dims, factor: string, own = to): string {
  const summed = from.map((n, d) => to[d] === 1 ? n : 1);
  const worth = stepNames("X", from);
  return `${LANE}
const FACTOR = ${factor};
${axes("X", from)}${axes("Y", to)}${axes("SUMMED", summed)}${reader("x", from)}
${place("first_term", "Y", to, worth)}${place("term", "SUMMED", summed, worth)}
${lineSum(product(summed), "item: u32, base: u32", "x_at(item, base + term(r))")}

fn value(item: u32, index: u32) -> f32 { return total(item, first_term(index)) * FACTOR; }
${writer(own)}`;
}

/** A matrix of an item of `dims`, and whether it is read transposed. */
export interface Matrix {
  dims: Dims;
  transposed: boolean;
}

/**
 * y[…, m, n] = Σ_k a[…, m, k] · b[…, k, n], the leading dimensions as in `broadcast`. Bindings: a, b, y.
 * @param to y's dimensions.
 * @param depth How many k there are.
 */
export function matrixProduct(a: Matrix, b: Matrix, to: Dims, depth: number): string {
  const read = (name: string, { dims, transposed }: Matrix) => {
    const all = padded(dims, to.length);
    const names = stepNames(name, all);
    const [row, column] = transposed ? [to.length - 1, to.length - 2] : [to.length - 2, to.length - 1];
    return { axes: axes(name, all), lead: names.slice(0, -2), row, column, names };
  };
  const left = read("A", a);
  const right = read("B", b);
  const term = `a_at(item, row + r * A_STEP_${left.column}) * b_at(item, column + r * B_STEP_${right.row})`;
  return `${LANE}${left.axes}${right.axes}${axes("Y", to)}${reader("a", a.dims)}${reader("b", b.dims)}
${place("row_of", "Y", to, [...left.lead, left.names[left.row], ""])}
${place("column_of", "Y", to, [...right.lead, "", right.names[right.column]])}
${lineSum(depth, "item: u32, row: u32, column: u32", term)}

fn value(item: u32, index: u32) -> f32 { return total(item, row_of(index), column_of(index)); }
${writer(to)}`;
}

/** How `pad` fills what lies outside: with a number, the mirrored inside, the nearest value, or the other end. */
export type PadMode = "constant" | "reflect" | "edge" | "wrap";

/** Padding of one dimension of `length` values, each a run of `inner`; negative counts take away. */
export interface PadGeometry {
  outer: number;
  length: number;
  inner: number;
  before: number;
  after: number;
  mode: PadMode;
}

/** WGSL constants, and `source(o)`: which position along the padded dimension shows at position o of the output; −1 for none. */
function padSource({ length, inner, before, after, mode }: PadGeometry): string {
  const outside = {
    constant: "-1",
    reflect: "select(2 * (END - 1) - p, -p, p < 0)",
    edge: "select(END - 1, 0, p < 0)",
    wrap: "select(p - END, p + END, p < 0)",
  }[mode];
  return `
${constants({ INNER: inner, LENGTH: length, PADDED: length + before + after })}
${signedConstants({ BEFORE: before, END: length, PADDED_END: length + before + after })}
fn source(o: i32) -> i32 {
  let p = o - BEFORE;
  return select(${outside}, p, p >= 0 && p < END);
}`;
}

/** Bindings: x, y. */
export function pad(g: PadGeometry, from: Dims, to: Dims, fill: string): string {
  return `${LANE}
const FILL = ${fill};
${reader("x", from)}${padSource(g)}

fn value(item: u32, index: u32) -> f32 {
  let shown = source(i32(index / INNER % PADDED));
  if (shown < 0) { return FILL; }
  return x_at(item, (index / (INNER * PADDED) * LENGTH + u32(shown)) * INNER + index % INNER);
}
${writer(to)}`;
}

/** dx sums dy over the positions that show a value: its own, and those of the padding. Bindings: x (dy), y (dx). */
export function padGradient(g: PadGeometry, from: Dims, to: Dims): string {
  return wgsl`${LANE}${reader("x", to)}${padSource(g)}

fn value(item: u32, index: u32) -> f32 {
  let position = i32(index / INNER % LENGTH);
  let base = index / (INNER * LENGTH) * (PADDED * INNER) + index % INNER;
  let own = position + BEFORE;
  var sum = 0.0;
  if (own >= 0 && own < PADDED_END) { sum = x_at(item, base + u32(own) * INNER); }
  #if ${g.mode !== "constant"}
  for (var o = 0; o < BEFORE; o++) {
    if (source(o) == position) { sum += x_at(item, base + u32(o) * INNER); }
  }
  for (var o = BEFORE + END; o < PADDED_END; o++) {
    if (source(o) == position) { sum += x_at(item, base + u32(o) * INNER); }
  }
  #endif
  return sum;
}
${writer(from)}`;
}
