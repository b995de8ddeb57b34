/**
 * The one record of the float64 references: a dense row-major array and its shape.
 *
 * Shapes include the batch: [n, c, h, w] for images, [n, features] for vectors.
 */
export interface Tensor {
  shape: number[];
  data: Float64Array;
}

/** The number of values in a tensor of this shape. */
export function count(shape: number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** A tensor of the given values, or of zeros. Throws when the number of values is not the shape's. */
export function tensor(shape: number[], values?: ArrayLike<number>): Tensor {
  const data = values === undefined ? new Float64Array(count(shape)) : new Float64Array(values);
  if (data.length !== count(shape)) {
    throw new Error(`tensor: [${shape}] holds ${count(shape)} values, ${data.length} came`);
  }
  return { shape: [...shape], data };
}

/** A tensor of x's shape whose value i is f(x[i], i). */
export function map(x: Tensor, f: (value: number, index: number) => number): Tensor {
  const data = new Float64Array(x.data.length);
  for (let index = 0; index < data.length; index++) data[index] = f(x.data[index], index);
  return { shape: [...x.shape], data };
}

/** Batch, channels and pixels of a channel: [n, c, h, w] gives h · w pixels, [n, features] gives 1. */
export function planes(x: Tensor): { n: number; c: number; area: number } {
  const [n, c, ...space] = x.shape;
  return { n, c, area: count(space) };
}

/** Σ a · b: with a gradient dy as `b`, the scalar whose derivatives a backward pass gives. */
export function dot(a: Tensor, b: Tensor): number {
  return a.data.reduce((sum, value, i) => sum + value * b.data[i], 0);
}
