/** ONNX's operators as its text says them: whole tensors of any rank, value by value, in float64. */
import { count, type Tensor, tensor } from "../../../reference/tensor.ts";

/** A tensor whose value at each index is `value(index)`. */
export function each(shape: number[], value: (index: number[]) => number): Tensor {
  const y = tensor(shape);
  const index = shape.map(() => 0);
  for (let at = 0; at < count(shape); at++) {
    y.data[at] = value(index);
    for (let d = shape.length - 1; d >= 0 && ++index[d] === shape[d]; d--) index[d] = 0;
  }
  return y;
}

/** A value; undefined outside. */
export function at({ shape, data }: Tensor, index: number[]): number | undefined {
  if (index.some((i, d) => i < 0 || i >= shape[d])) return undefined;
  return data[index.reduce((place, i, d) => place * shape[d] + i, 0)];
}

/** A value of a tensor that is stretched as NumPy does. */
const stretched = (x: Tensor, index: number[]) =>
  at(x, index.slice(index.length - x.shape.length).map((i, d) => x.shape[d] === 1 ? 0 : i))!;

/** Value by value of two tensors. */
export function both(a: Tensor, b: Tensor, value: (a: number, b: number) => number): Tensor {
  const rank = Math.max(a.shape.length, b.shape.length);
  const fill = (n: number[]) => [...Array(rank - n.length).fill(1), ...n];
  const shape = fill(a.shape).map((n, d) => Math.max(n, fill(b.shape)[d]));
  return each(shape, (index) => value(stretched(a, index), stretched(b, index)));
}

/** How windows move over each spatial dimension. */
export interface Windows {
  kernel: number[];
  strides?: number[];
  dilations?: number[];
  /** Before each dimension, then after each. */
  pads?: number[];
  groups?: number;
}

const all = (shape: number[], visit: (index: number[]) => void) => void each(shape, (index) => (visit(index), 0));

/** The positions of the window at `place`, and which taps they are. */
function taps(
  { kernel, strides, dilations, pads }: Windows,
  place: number[],
  visit: (position: number[], tap: number[]) => void,
) {
  all(kernel, (tap) => {
    visit(tap.map((k, a) => place[a] * (strides?.[a] ?? 1) + k * (dilations?.[a] ?? 1) - (pads?.[a] ?? 0)), [...tap]);
  });
}

/** Windows along each dimension, rounded down. */
const extents = ({ kernel, strides, dilations, pads }: Windows, size: number[]) =>
  size.map((n, a) => {
    const reach = (kernel[a] - 1) * (dilations?.[a] ?? 1) + 1;
    const padded = n + (pads?.[a] ?? 0) + (pads?.[a + size.length] ?? 0);
    return Math.floor((padded - reach) / (strides?.[a] ?? 1)) + 1;
  });

/** Conv. */
export function conv(x: Tensor, w: Tensor, b: Tensor | undefined, windows: Windows): Tensor {
  const [n, , ...size] = x.shape;
  const [outputs, inputs] = w.shape;
  const { groups = 1 } = windows;
  return each([n, outputs, ...extents(windows, size)], ([item, o, ...place]) => {
    let sum = b?.data[o] ?? 0;
    const first = Math.floor(o / (outputs / groups)) * inputs;
    taps(windows, place, (position, tap) => {
      for (let i = 0; i < inputs; i++) sum += (at(x, [item, first + i, ...position]) ?? 0) * at(w, [o, i, ...tap])!;
    });
    return sum;
  });
}

/** ConvTranspose of one group, spread from the input; `shape` is the output's. */
export function convTranspose(x: Tensor, w: Tensor, windows: Windows, shape: number[]): Tensor {
  const y = tensor(shape);
  all(x.shape, ([item, i, ...place]) => {
    const value = at(x, [item, i, ...place])!;
    for (let o = 0; o < w.shape[1]; o++) {
      taps(windows, place, (position, tap) => {
        const index = [item, o, ...position];
        if (at(y, index) === undefined) return;
        y.data[index.reduce((sum, n, d) => sum * shape[d] + n, 0)] += value * at(w, [i, o, ...tap])!;
      });
    }
  });
  return y;
}

/** MaxPool or AveragePool; `counted` of an average is how much of the padding counts: none, or all. */
export function pool(x: Tensor, windows: Windows, average?: { counted: boolean }): Tensor {
  const [n, c, ...size] = x.shape;
  return each([n, c, ...extents(windows, size)], ([item, channel, ...place]) => {
    const values: number[] = [];
    let positions = 0;
    taps(windows, place, (position) => {
      const value = at(x, [item, channel, ...position]);
      positions++;
      if (value !== undefined) values.push(value);
    });
    if (!average) return Math.max(...values);
    return values.reduce((a, b) => a + b) / (average.counted ? positions : values.length);
  });
}

/** Softmax along an axis. */
export const softmax = (x: Tensor, axis: number): Tensor =>
  each(x.shape, (index) => {
    const row = Array.from({ length: x.shape[axis] }, (_, i) => at(x, index.with(axis, i))!);
    return Math.exp(at(x, index)!) / row.reduce((sum, value) => sum + Math.exp(value), 0);
  });

/** Transpose. */
export const transpose = (x: Tensor, order: number[]): Tensor =>
  each(order.map((d) => x.shape[d]), (index) => at(x, order.map((_, d) => index[order.indexOf(d)]))!);

/** The mean over axes, which stay. */
export const mean = (x: Tensor, axes: number[]): Tensor =>
  each(x.shape.map((n, d) => axes.includes(d) ? 1 : n), (index) => {
    let sum = 0;
    let terms = 0;
    all(x.shape.map((n, d) => axes.includes(d) ? n : 1), (offset) => {
      sum += at(x, index.map((i, d) => i + offset[d]))!;
      terms++;
    });
    return sum / terms;
  });

/** A product of matrices. */
export const product = (a: Tensor, b: Tensor): Tensor =>
  each([a.shape[0], b.shape[1]], ([m, n]) => {
    let sum = 0;
    for (let k = 0; k < a.shape[1]; k++) sum += at(a, [m, k])! * at(b, [k, n])!;
    return sum;
  });

/** Concat. */
export const concat = (xs: Tensor[], axis: number): Tensor =>
  each(xs[0].shape.with(axis, xs.reduce((sum, { shape }) => sum + shape[axis], 0)), (index) => {
    let rest = index[axis];
    for (const x of xs) {
      if (rest < x.shape[axis]) return at(x, index.with(axis, rest))!;
      rest -= x.shape[axis];
    }
    throw new Error("outside");
  });

/** Y and Y_c of an LSTM of one direction: x [time, streams, features], gates i, o, f, c. */
export function lstm(x: Tensor, w: Tensor, r: Tensor, b: Tensor, reverse: boolean): { y: Tensor; cell: Tensor } {
  const [time, streams, features] = x.shape;
  const hidden = r.shape[2];
  const y = tensor([time, 1, streams, hidden]);
  const cell = tensor([1, streams, hidden]);
  const sigmoid = (value: number) => 1 / (1 + Math.exp(-value));
  for (let s = 0; s < streams; s++) {
    let h = Array<number>(hidden).fill(0);
    let c = [...h];
    for (let step = 0; step < time; step++) {
      const t = reverse ? time - 1 - step : step;
      const gate = (g: number, unit: number) => {
        const row = g * hidden + unit;
        let sum = b.data[row] + b.data[4 * hidden + row];
        for (let d = 0; d < features; d++) sum += at(w, [0, row, d])! * at(x, [t, s, d])!;
        for (let k = 0; k < hidden; k++) sum += at(r, [0, row, k])! * h[k];
        return sum;
      };
      const before = c;
      c = before.map((value, n) => sigmoid(gate(2, n)) * value + sigmoid(gate(0, n)) * Math.tanh(gate(3, n)));
      h = c.map((value, n) => sigmoid(gate(1, n)) * Math.tanh(value));
      y.data.set(h, (t * streams + s) * hidden);
    }
    cell.data.set(c, s * hidden);
  }
  return { y, cell };
}

/** How Resize takes an axis: where a position lies on the input's axis, and what a position at a distance weighs. */
export interface Resized {
  size: number;
  place: (at: number) => number;
  weight: (distance: number) => number;
  /** Whether positions past the edges weigh nothing; else they show the edge. */
  excludes?: boolean;
}

/** Resize along one axis: a sum over every position from far before the first to far past the last. */
export const resize = (x: Tensor, axis: number, { size, place, weight, excludes }: Resized): Tensor =>
  each(x.shape.with(axis, size), (index) => {
    const length = x.shape[axis];
    let sum = 0;
    let total = 0;
    for (let position = -20; position < length + 20; position++) {
      const shown = Math.min(Math.max(position, 0), length - 1);
      const own = weight(position - place(index[axis]));
      if (excludes && shown !== position) continue;
      sum += own * at(x, index.with(axis, shown))!;
      total += own;
    }
    return sum / total;
  });
