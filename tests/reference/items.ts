/**
 * Layers over items of any rank: transpose, pad, mean, and NumPy's broadcasting of two inputs, value by value.
 *
 * Each is told by where a value of the output comes from; gradients add what is read forward to where it was read.
 */
import type { Gradients, NoParameters, Op } from "./op.ts";
import { count, type Tensor, tensor } from "./tensor.ts";

/** The parameters of `transpose` in network.json; dimensions leave the batch out. */
export interface TransposeParameters {
  order: number[];
}

/** The parameters of `pad` in network.json. */
export interface PadParameters {
  axis: number;
  before?: number;
  after?: number;
  mode?: "constant" | "reflect" | "edge" | "wrap";
  value?: number;
}

/** The parameters of `mean` in network.json. */
export interface MeanParameters {
  axes: number[];
}

/** The parameters of `binary` in network.json. */
export interface BinaryParameters {
  operation: "sum" | "difference" | "product" | "quotient" | "truncatedQuotient" | "power" | "less";
}

/** Dimension d of the output is dimension order[d] of the input. */
export const transpose: Op<TransposeParameters> = {
  forward([x], { order }) {
    const y = tensor([x.shape[0], ...order.map((d) => x.shape[d + 1])]);
    forEach(y.shape, ([n, ...index], at) => y.data[at] = x.data[offset(x.shape, [n, ...unordered(index, order)])]);
    return y;
  },
  backward([x], _y, dy, { order }) {
    const dx = tensor(x.shape);
    forEach(dy.shape, ([n, ...index], at) => dx.data[offset(x.shape, [n, ...unordered(index, order)])] = dy.data[at]);
    return { inputs: [dx], weights: {} };
  },
};

/** More positions, or fewer, before and after along one dimension. */
export const pad: Op<PadParameters> = {
  forward([x], p) {
    const y = tensor(padded(x.shape, p));
    forEach(y.shape, (index, at) => {
      const from = shown(index, x.shape, p);
      y.data[at] = from ? x.data[offset(x.shape, from)] : p.value ?? 0;
    });
    return y;
  },
  backward([x], _y, dy, p) {
    const dx = tensor(x.shape);
    forEach(dy.shape, (index, at) => {
      const from = shown(index, x.shape, p);
      if (from) dx.data[offset(x.shape, from)] += dy.data[at];
    });
    return { inputs: [dx], weights: {} };
  },
};

/** The mean over dimensions, which become 1. */
export const mean: Op<MeanParameters> = {
  forward([x], { axes }) {
    const y = tensor(x.shape.map((n, d) => axes.includes(d - 1) ? 1 : n));
    const terms = x.data.length / y.data.length;
    forEach(x.shape, (index, at) => y.data[offset(y.shape, clamped(index, y.shape))] += x.data[at] / terms);
    return y;
  },
  backward([x], y, dy) {
    const dx = tensor(x.shape);
    const terms = x.data.length / y.data.length;
    forEach(x.shape, (index, at) => dx.data[at] = dy.data[offset(y.shape, clamped(index, y.shape))] / terms);
    return { inputs: [dx], weights: {} };
  },
};

/** Whether a to the power of b is taken; else it is zero. */
const hasPower = (a: number, b: number) => a > 0 || Number.isInteger(b);

const operations = {
  sum: { value: (a: number, b: number) => a + b, slopes: () => [1, 1] },
  difference: { value: (a: number, b: number) => a - b, slopes: () => [1, -1] },
  product: { value: (a: number, b: number) => a * b, slopes: (a: number, b: number) => [b, a] },
  quotient: { value: (a: number, b: number) => a / b, slopes: (a: number, b: number) => [1 / b, -a / b ** 2] },
  truncatedQuotient: { value: (a: number, b: number) => Math.trunc(a / b), slopes: () => [0, 0] },
  power: {
    value: (a: number, b: number) => hasPower(a, b) ? a ** b : 0,
    slopes: (a: number, b: number) => [hasPower(a, b) ? b * a ** (b - 1) : 0, a > 0 ? a ** b * Math.log(a) : 0],
  },
  less: { value: (a: number, b: number) => Number(a < b), slopes: () => [0, 0] },
};

/** Two inputs, stretched to one shape. */
export const binary: Op<BinaryParameters> = {
  forward([a, b], { operation }) {
    const y = tensor(stretched(a.shape, b.shape));
    forEach(y.shape, (index, at) => {
      const [left, right] = [a, b].map(({ shape, data }) => data[source(index, shape)]);
      y.data[at] = operations[operation].value(left, right);
    });
    return y;
  },
  backward: (inputs, _y, dy, { operation }) =>
    scattered(inputs, (slopes) =>
      forEach(dy.shape, (index, at) => {
        const places = inputs.map(({ shape }) => source(index, shape));
        const [left, right] = inputs.map(({ data }, n) => data[places[n]]);
        operations[operation].slopes(left, right).forEach((slope, n) =>
          slopes[n].data[places[n]] += slope * dy.data[at]
        );
      })),
};

/** y[…, m, n] = Σ_k a[…, m, k] · b[…, k, n], leading dimensions stretched. */
export const matmul: Op<NoParameters> = {
  forward([a, b]) {
    const lead = stretched([a.shape[0], ...a.shape.slice(1, -2)], [b.shape[0], ...b.shape.slice(1, -2)]);
    const y = tensor([...lead, a.shape.at(-2)!, b.shape.at(-1)!]);
    forEachProduct(a, b, y, (left, right, at) => y.data[at] += a.data[left] * b.data[right]);
    return y;
  },
  backward: ([a, b], y, dy) =>
    scattered([a, b], ([da, db]) =>
      forEachProduct(a, b, y, (left, right, at) => {
        da.data[left] += dy.data[at] * b.data[right];
        db.data[right] += dy.data[at] * a.data[left];
      })),
};

/** The parameters of `constant` in network.json. */
export interface ConstantParameters {
  shape: number[];
}

/** A weight as a value: here of one item, which is every item's. */
export const constant: Op<ConstantParameters> = {
  weightShapes: (_, { shape }) => ({ value: shape }),
  forward: (_, { shape }, { value }) => tensor([1, ...shape], value.data),
  backward: () => ({ inputs: [], weights: {} }),
};

function scattered(inputs: Tensor[], add: (slopes: Tensor[]) => void): Gradients {
  const slopes = inputs.map(({ shape }) => tensor(shape));
  add(slopes);
  return { inputs: slopes, weights: {} };
}

function forEachProduct(a: Tensor, b: Tensor, y: Tensor, visit: (left: number, right: number, at: number) => void) {
  forEach(y.shape, (index, at) => {
    const lead = index.slice(0, -2);
    const [row, column] = index.slice(-2);
    for (let k = 0; k < a.shape.at(-1)!; k++) {
      visit(source([...lead, row, k], a.shape), source([...lead, k, column], b.shape), at);
    }
  });
}

/** Visits every index of a shape in row-major order. */
function forEach(shape: number[], visit: (index: number[], at: number) => void): void {
  const index = shape.map(() => 0);
  for (let at = 0; at < count(shape); at++) {
    visit(index, at);
    for (let d = shape.length - 1; d >= 0 && ++index[d] === shape[d]; d--) index[d] = 0;
  }
}

const offset = (shape: number[], index: number[]) => index.reduce((at, i, d) => at * shape[d] + i, 0);
const clamped = (index: number[], shape: number[]) => index.map((i, d) => Math.min(i, shape[d] - 1));

/** The input's index of an output's: order[d] of the one is d of the other. */
const unordered = (index: number[], order: number[]) => order.map((_, d) => index[order.indexOf(d)]);

const padded = (shape: number[], { axis, before = 0, after = 0 }: PadParameters) =>
  shape.map((n, d) => d === axis + 1 ? n + before + after : n);

/** The input's index that shows at an output's, if any. */
function shown(index: number[], shape: number[], { axis, before = 0, mode = "constant" }: PadParameters) {
  const length = shape[axis + 1];
  const place = index[axis + 1] - before;
  const inside = place >= 0 && place < length;
  if (!inside && mode === "constant") return undefined;
  const last = length - 1;
  const from = inside
    ? place
    : mode === "edge"
    ? Math.min(Math.max(place, 0), last)
    : mode === "wrap"
    ? (place + length) % length
    : last - Math.abs(last - Math.abs(place));
  return index.map((i, d) => d === axis + 1 ? from : i);
}

/** Batch first, then the items' dimensions, paired from the last. */
function stretched([left, ...a]: number[], [right, ...b]: number[]): number[] {
  const rank = Math.max(a.length, b.length);
  const fill = (dims: number[]) => [...Array(rank - dims.length).fill(1), ...dims];
  return [Math.max(left, right), ...fill(a).map((length, d) => Math.max(length, fill(b)[d]))];
}

/** Where an input has the value that shows at an index of the output. */
function source([n, ...index]: number[], shape: number[]): number {
  const own = index.slice(index.length - (shape.length - 1));
  return offset(shape, clamped([n, ...own], shape));
}
