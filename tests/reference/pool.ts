/**
 * Max and average pooling, with the size rules of Caffe (`"ceil"`) and ONNX (`"floor"`).
 *
 * Padding holds nothing: it never wins a maximum, and adds zero to an average. Paddings are smaller than the kernel,
 * so every window sees at least one pixel.
 */
import type { Op } from "./op.ts";
import { type Tensor, tensor } from "./tensor.ts";
import { type Padding, type Pair, pair, sides } from "./window.ts";

/** The parameters of `maxpool` in network.json. */
export interface PoolParameters {
  kernel?: Pair;
  stride?: Pair;
  padding?: Padding;
  rounding?: "ceil" | "floor";
  global?: boolean;
}

/** The parameters of `avgpool` in network.json. */
export interface AvgPoolParameters extends PoolParameters {
  countPadding?: boolean;
}

/** Max pooling. The gradient goes to the first maximum of a window in scan order. */
export const maxpool: Op<PoolParameters> = {
  forward([x], p) {
    const y = output(x, p);
    forEachWindow(x, p, (at, window) => y.data[at] = x.data[argmax(x, window)]);
    return y;
  },
  backward([x], _y, dy, p) {
    const dx = tensor(x.shape);
    forEachWindow(x, p, (at, window) => dx.data[argmax(x, window)] += dy.data[at]);
    return { inputs: [dx], weights: {} };
  },
};

/** Average pooling: divides by the window's area inside image and padding, or inside the image alone. */
export const avgpool: Op<AvgPoolParameters> = {
  forward([x], p) {
    const y = output(x, p);
    forEachWindow(x, p, (at, window) => {
      let sum = 0;
      forEachPixel(window, (pixel) => sum += x.data[pixel]);
      y.data[at] = sum / divisor(window, p);
    });
    return y;
  },
  backward([x], _y, dy, p) {
    const dx = tensor(x.shape);
    forEachWindow(x, p, (at, window) => {
      const share = dy.data[at] / divisor(window, p);
      forEachPixel(window, (pixel) => dx.data[pixel] += share);
    });
    return { inputs: [dx], weights: {} };
  },
};

/** What a window covers along one axis: pixels first … end − 1, and its length with the padding counted. */
interface Span {
  first: number;
  end: number;
  padded: number;
}

/** A window on the plane of `width` columns whose first value is at `origin`. */
interface Window {
  origin: number;
  width: number;
  row: Span;
  column: Span;
}

function spans(
  input: number,
  kernel: number,
  stride: number,
  leading: number,
  trailing: number,
  rounding: "ceil" | "floor",
): Span[] {
  let length = Math[rounding]((input + leading + trailing - kernel) / stride) + 1;
  // A window may run over the far edge, but not start beyond the image.
  while ((length - 1) * stride >= input + leading) length--;
  return Array.from({ length }, (_, o) => {
    const start = o * stride - leading;
    const padded = Math.min(start + kernel, input + trailing) - start;
    return { first: Math.max(0, start), end: Math.min(start + kernel, input), padded };
  });
}

function geometry(
  x: Tensor,
  { kernel = 1, stride = 1, padding = 0, rounding = "ceil", global = false }: PoolParameters,
) {
  const [, , h, w] = x.shape;
  const [kh, kw] = global ? [h, w] : pair(kernel);
  const [strideY, strideX] = global ? [1, 1] : pair(stride);
  const { top, left, bottom, right } = sides(global ? 0 : padding);
  return { rows: spans(h, kh, strideY, top, bottom, rounding), columns: spans(w, kw, strideX, left, right, rounding) };
}

function output(x: Tensor, p: PoolParameters): Tensor {
  const { rows, columns } = geometry(x, p);
  return tensor([x.shape[0], x.shape[1], rows.length, columns.length]);
}

function forEachWindow(x: Tensor, p: PoolParameters, visit: (at: number, window: Window) => void): void {
  const [n, c, h, w] = x.shape;
  const { rows, columns } = geometry(x, p);
  let at = 0;
  for (let plane = 0; plane < n * c; plane++) {
    for (const row of rows) {
      for (const column of columns) visit(at++, { origin: plane * h * w, width: w, row, column });
    }
  }
}

function forEachPixel({ origin, width, row, column }: Window, visit: (pixel: number) => void): void {
  for (let y = row.first; y < row.end; y++) {
    for (let x = column.first; x < column.end; x++) visit(origin + y * width + x);
  }
}

function argmax(x: Tensor, window: Window): number {
  let best = window.origin + window.row.first * window.width + window.column.first;
  forEachPixel(window, (pixel) => {
    if (x.data[pixel] > x.data[best]) best = pixel;
  });
  return best;
}

function divisor({ row, column }: Window, { countPadding = true }: AvgPoolParameters): number {
  if (countPadding) return row.padded * column.padded;
  return (row.end - row.first) * (column.end - column.first);
}
