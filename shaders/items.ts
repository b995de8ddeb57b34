/**
 * Kernels over items of any rank, value by value: an item's values are numbered in its own row-major order, which is
 * also the (c, h, w) order of its texels. Each lane of a texel finds its sources by their numbers.
 */
import { channelBlocks, LANE } from "./texels.ts";

/** The dimensions of an item, outermost first. */
type Dims = readonly number[];

const product = (dims: Dims): number => dims.reduce((a, b) => a * b, 1);

/** Values between neighbours along each dimension; 0 where a dimension is 1, so that it may be broadcast. */
const steps = (dims: Dims): number[] => dims.map((n, d) => n === 1 ? 0 : product(dims.slice(d + 1)));

/** WGSL: the number that index `at` of an item of `dims` has where a step along dimension d is worth `worth[d]`. */
function place(at: string, dims: Dims, worth: Dims): string {
  const terms = dims.flatMap((n, d) => {
    const inner = product(dims.slice(d + 1));
    const outermost = product(dims.slice(0, d)) === 1;
    if (n === 1 || worth[d] === 0) return [];
    const coordinate = `${at}${inner === 1 ? "" : ` / ${inner}u`}${outermost ? "" : ` % ${n}u`}`;
    return [worth[d] === 1 ? coordinate : `${coordinate} * ${worth[d]}u`];
  });
  return terms.join(" + ") || "0u";
}

/** WGSL `NAME_at(item, index)`: one value of binding NAME. */
function reader(name: string, [channels = 1, ...rest]: Dims): string {
  const area = product(rest);
  return `
fn ${name}_at(item: u32, index: u32) -> f32 {
  let channel = index / ${area}u;
  return lane(load_${name}((item * ${
    channelBlocks(channels)
  }u + channel / 4u) * ${area}u + index % ${area}u), channel & 3u);
}`;
}

/** The kernel that stores `value(item, index)` for every value of binding y; lanes past the last channel are zero. */
function writer([channels = 1, ...rest]: Dims): string {
  const area = product(rest);
  const lanes = [0, 1, 2, 3].map((n) => `kept(item, index + ${n * area}u)`);
  return `
fn kept(item: u32, index: u32) -> f32 {
  if (index >= ${channels * area}u) { return 0.0; }
  return value(item, index);
}
fn kernel(i: u32) {
  let item = i / ${channelBlocks(channels) * area}u;
  let index = i / ${area}u % ${channelBlocks(channels)}u * ${4 * area}u + i % ${area}u;
  store_y(i, vec4f(${lanes.join(", ")}));
}`;
}

/**
 * WGSL that declares `sum`, the sum of `term` over r = 0 … count − 1, line by line, and page by page of about as many lines
 * as there are pages: sums stay precise, and the four lanes of a texel together make far fewer than 65,535 loop trips.
 */
function lineSum(count: number, term: string): string {
  const line = Math.min(count, Math.max(8, Math.ceil(count / 8192)));
  const page = line * Math.ceil(Math.sqrt(count / line));
  const add = (n: number) =>
    count % line === 0
      ? `{ let r = first + ${n}u; line += ${term}; }`
      : `{ let r = first + ${n}u; if (r < ${count}u) { line += ${term}; } }`;
  return `
  var sum = 0.0;
  for (var start = 0u; start < ${count}u; start += ${page}u) {
    var page = 0.0;
    for (var first = start; first < min(start + ${page}u, ${count}u); first += ${line}u) {
      var line = 0.0;
      ${Array.from({ length: line }, (_, n) => add(n)).join("\n      ")}
      page += line;
    }
    sum += page;
  }`;
}

/** Terms past which `lineSum` would be too long a program. */
export const MOST_TERMS = 2 ** 22;

/** y's dimension d is x's dimension order[d]. Bindings: x, y. */
export function transpose(dims: Dims, order: readonly number[]): string {
  const to = order.map((d) => dims[d]);
  const worth = steps(dims);
  return `${LANE}${reader("x", dims)}
fn value(item: u32, index: u32) -> f32 { return x_at(item, ${place("index", to, order.map((d) => worth[d]))}); }
${writer(to)}`;
}

/** y = `expression` of the inputs, each stretched to `to` where it is 1 or lacks leading dimensions. Bindings: theirs, y. */
export function broadcast(inputs: Readonly<Record<string, Dims>>, to: Dims, expression: string): string {
  const sources = Object.entries(inputs).map(([name, dims]) => {
    const worth = steps([...Array(to.length - dims.length).fill(1), ...dims]);
    return { name, dims, read: `let ${name} = ${name}_at(item, ${place("index", to, worth)});` };
  });
  return `${LANE}${sources.map(({ name, dims }) => reader(name, dims)).join("")}
fn value(item: u32, index: u32) -> f32 {
  ${sources.map(({ read }) => read).join("\n  ")}
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
  const worth = steps(from);
  return `${LANE}${reader("x", from)}
fn value(item: u32, index: u32) -> f32 {
  let base = ${place("index", to, worth)};${lineSum(product(summed), `x_at(item, base + ${place("r", summed, worth)})`)}
  return sum * ${factor};
}
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
  const worth = ({ dims, transposed }: Matrix) => {
    const padded = [...Array(to.length - dims.length).fill(1), ...dims];
    const [rows, columns] = [padded.at(-2), padded.at(-1)];
    const row = rows === 1 ? 0 : columns;
    const column = columns === 1 ? 0 : 1;
    const [outer, inner] = transposed ? [column, row] : [row, column];
    return { lead: steps(padded).slice(0, -2), outer, inner };
  };
  const left = worth(a);
  const right = worth(b);
  return `${LANE}${reader("a", a.dims)}${reader("b", b.dims)}
fn value(item: u32, index: u32) -> f32 {
  let row = ${place("index", to, [...left.lead, left.outer, 0])};
  let column = ${place("index", to, [...right.lead, 0, right.inner])};${
    lineSum(depth, `a_at(item, row + r * ${left.inner}u) * b_at(item, column + r * ${right.outer}u)`)
  }
  return sum;
}
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

/** WGSL `source(o)`: which position along the padded dimension shows at position o of the output; −1 for none. */
function padSource({ length, before, mode }: PadGeometry): string {
  const inside = `p >= 0 && p < ${length}`;
  const outside = {
    constant: "-1",
    reflect: `select(${2 * (length - 1)} - p, -p, p < 0)`,
    edge: `select(${length - 1}, 0, p < 0)`,
    wrap: `select(p - ${length}, p + ${length}, p < 0)`,
  }[mode];
  return `
fn source(o: i32) -> i32 {
  let p = o - ${before};
  return select(${outside}, p, ${inside});
}`;
}

/** Bindings: x, y. */
export function pad(g: PadGeometry, from: Dims, to: Dims, fill: string): string {
  const { length, inner, before, after } = g;
  return `${LANE}${reader("x", from)}${padSource(g)}
fn value(item: u32, index: u32) -> f32 {
  let shown = source(i32(index / ${inner}u % ${length + before + after}u));
  if (shown < 0) { return ${fill}; }
  return x_at(item, (index / ${
    inner * (length + before + after)
  }u * ${length}u + u32(shown)) * ${inner}u + index % ${inner}u);
}
${writer(to)}`;
}

/** dx sums dy over the positions that show a value: its own, and those of the padding. Bindings: x (dy), y (dx). */
export function padGradient(g: PadGeometry, from: Dims, to: Dims): string {
  const { length, inner, before, after, mode } = g;
  const total = length + before + after;
  const margins = mode === "constant" ? [] : [[0, before], [before + length, total]].filter(([a, b]) => b > a);
  return `${LANE}${reader("x", to)}${padSource(g)}
fn value(item: u32, index: u32) -> f32 {
  let position = i32(index / ${inner}u % ${length}u);
  let base = index / ${inner * length}u * ${total * inner}u + index % ${inner}u;
  let own = position + ${before};
  var sum = 0.0;
  if (own >= 0 && own < ${total}) { sum = x_at(item, base + u32(own) * ${inner}u); }
  ${
    margins.map(([first, end]) =>
      `for (var o = ${first}; o < ${end}; o++) { if (source(o) == position) { sum += x_at(item, base + u32(o) * ${inner}u); } }`
    ).join("\n  ")
  }
  return sum;
}
${writer(from)}`;
}
