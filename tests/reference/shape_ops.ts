/**
 * The layers that move values and compute nothing: dropout (the identity when not training), flatten, reshape, crop.
 */
import type { NoParameters, Op } from "./op.ts";
import { count, type Tensor, tensor } from "./tensor.ts";

/** The parameters of `reshape` in network.json: the new shape without the batch, where −1 takes what is left. */
export interface ReshapeParameters {
  shape: number[];
}

/** The parameters of `crop` in network.json; without `offset` the centre is kept, rounded to the top left. */
export interface CropParameters {
  size: number[];
  offset?: number[];
}

/** Dropout at inference: the identity. */
export const dropout: Op<NoParameters> = reshaping((shape) => shape);

/** [n, c, h, w] to [n, c · h · w]. */
export const flatten: Op<NoParameters> = reshaping(([n, ...rest]) => [n, count(rest)]);

/** The same values in the same order under another shape. */
export const reshape: Op<ReshapeParameters> = reshaping(([n, ...rest], { shape }) => {
  const known = count(shape.filter((length) => length !== -1));
  return [n, ...shape.map((length) => length === -1 ? count(rest) / known : length)];
});

/** A rectangle of every plane. */
export const crop: Op<CropParameters> = {
  forward([x], p) {
    const y = tensor([x.shape[0], x.shape[1], ...p.size]);
    forEachRow(x, p, (from, to, length) => y.data.set(x.data.subarray(from, from + length), to));
    return y;
  },
  backward([x], _y, dy, p) {
    const dx = tensor(x.shape);
    forEachRow(x, p, (from, to, length) => dx.data.set(dy.data.subarray(to, to + length), from));
    return { inputs: [dx], weights: {} };
  },
};

function reshaping<P>(outputShape: (shape: number[], parameters: P) => number[]): Op<P> {
  return {
    forward: ([x], p) => tensor(outputShape(x.shape, p), x.data),
    backward: ([x], _y, dy) => ({ inputs: [tensor(x.shape, dy.data)], weights: {} }),
  };
}

/** Visits the rows that a crop keeps: where they start in the input and in the output, and their length. */
function forEachRow(
  x: Tensor,
  { size, offset }: CropParameters,
  visit: (from: number, to: number, length: number) => void,
) {
  const [n, c, h, w] = x.shape;
  const [height, width] = size;
  const [top, left] = offset ?? [Math.floor((h - height) / 2), Math.floor((w - width) / 2)];
  for (let plane = 0; plane < n * c; plane++) {
    for (let row = 0; row < height; row++) {
      visit((plane * h + top + row) * w + left, (plane * height + row) * width, width);
    }
  }
}
