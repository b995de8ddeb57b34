/**
 * Max and average pooling, with the size rules of Caffe (`"ceil"`) and ONNX (`"floor"`).
 *
 * Padding holds nothing: it never wins a maximum, and adds zero to an average. Every window sees at least one pixel:
 * paddings are smaller than the kernel, dilations not larger than the image.
 */
import type { Op } from "./op.ts";
import { type Tensor, tensor } from "./tensor.ts";
import { type Padding, type Pair, pair, sides } from "./window.ts";

/** The parameters of `maxpool` in network.json. */
export interface PoolParameters {
  kernel?: Pair;
  stride?: Pair;
  padding?: Padding;
  dilation?: Pair;
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

/** What a window covers along one axis: its pixels, and how many positions it has inside image and padding. */
interface Span {
  pixels: number[];
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
  dilation: number,
  rounding: "ceil" | "floor",
): Span[] {
  let length = Math[rounding]((input + leading + trailing - dilation * (kernel - 1) - 1) / stride) + 1;
  // A window may run over the far edge, but not start beyond the image.
  while ((length - 1) * stride >= input + leading) length--;
  return Array.from({ length }, (_, o) => {
    const positions = Array.from({ length: kernel }, (_, k) => o * stride - leading + k * dilation);
    return {
      pixels: positions.filter((position) => position >= 0 && position < input),
      padded: positions.filter((position) => position < input + trailing).length,
    };
  });
}

function geometry(
  x: Tensor,
  { kernel = 1, stride = 1, padding = 0, dilation = 1, rounding = "ceil", global = false }: PoolParameters,
) {
  const [, , h, w] = x.shape;
  const [kh, kw] = global ? [h, w] : pair(kernel);
  const [strideY, strideX] = global ? [1, 1] : pair(stride);
  const [dilationY, dilationX] = global ? [1, 1] : pair(dilation);
  const { top, left, bottom, right } = sides(global ? 0 : padding);
  return {
    rows: spans(h, kh, strideY, top, bottom, dilationY, rounding),
    columns: spans(w, kw, strideX, left, right, dilationX, rounding),
  };
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
  for (const y of row.pixels) {
    for (const x of column.pixels) visit(origin + y * width + x);
  }
}

function argmax(x: Tensor, window: Window): number {
  let best = window.origin + window.row.pixels[0] * window.width + window.column.pixels[0];
  forEachPixel(window, (pixel) => {
    if (x.data[pixel] > x.data[best]) best = pixel;
  });
  return best;
}

function divisor({ row, column }: Window, { countPadding = true }: AvgPoolParameters): number {
  if (countPadding) return row.padded * column.padded;
  return row.pixels.length * column.pixels.length;
}
