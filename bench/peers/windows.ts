/** What peers want to know of windows and crops, and weights in their order. */
import { UserError } from "../../src/formats/user_error.ts";
import { chw, count, type Shape } from "../../src/ops/op.ts";
import type { PoolParams } from "../../src/ops/pool.ts";
import type { CropParams } from "../../src/ops/shape_ops.ts";

/** A pooling's windows with all of the padding that the last of them reach into: [top, left, bottom, right]. */
export interface Windows {
  kernel: [number, number];
  stride: [number, number];
  padding: [number, number, number, number];
}

/** @throws UserError where windows are dilated, which peers' are not. */
export function poolWindows({ kernel, stride, padding, dilation }: PoolParams, input: Shape, output: Shape): Windows {
  const [, ...map] = chw(input);
  const [, ...out] = chw(output);
  if (!kernel) return { kernel: [map[0], map[1]], stride: [1, 1], padding: [0, 0, 0, 0] };
  if (Math.max(...dilation) > 1) throw new UserError("its pooling has no dilation");
  // Windows that stop short of the end leave a rest of the padding, or of the map, unread: floor sees to that.
  const after = [0, 1].map((a) => Math.max(padding[a + 2], (out[a] - 1) * stride[a] + kernel[a] - map[a] - padding[a]));
  const cut = [0, 1].map((a) => {
    const windows = Math.floor((map[a] + padding[a] + after[a] - kernel[a]) / stride[a]) + 1;
    return windows > out[a] ? after[a] - stride[a] : after[a]; // a last window that would start outside is not there
  });
  return {
    kernel: [kernel[0], kernel[1]],
    stride: [stride[0], stride[1]],
    padding: [padding[0], padding[1], cut[0], cut[1]],
  };
}

/** How many positions of each window of an average count: one number an output pixel. */
export function countedPositions(
  { padding: given, countPadding }: PoolParams,
  { kernel, stride, padding }: Windows,
  input: Shape,
  output: Shape,
): Float32Array {
  const [, h, w] = chw(input);
  const [, oh, ow] = chw(output);
  const [top, left, bottom, right] = given;
  const first = countPadding ? [-top, -left] : [0, 0];
  const end = countPadding ? [h + bottom, w + right] : [h, w];
  const counted = (at: number, axis: 0 | 1) => {
    const from = at * stride[axis] - padding[axis];
    return Math.min(from + kernel[axis], end[axis]) - Math.max(from, first[axis]);
  };
  return Float32Array.from({ length: oh * ow }, (_, at) => counted(Math.floor(at / ow), 0) * counted(at % ow, 1));
}

/** Top left corner of what a crop keeps. */
export function cropOffset(input: Shape, { size, offset }: CropParams): readonly [number, number] {
  const [, h, w] = chw(input);
  return offset ?? [Math.floor((h - size[0]) / 2), Math.floor((w - size[1]) / 2)];
}

/** Values with their dimensions in another order: the n-th is what was the `order[n]`-th. */
export function permuted(
  values: Float32Array,
  shape: readonly number[],
  order: readonly number[],
): { values: Float32Array; shape: number[] } {
  const strides = shape.map((_, axis) => count(shape.slice(axis + 1)));
  const newShape = order.map((axis) => shape[axis]);
  const steps = order.map((axis) => strides[axis]);
  const result = new Float32Array(values.length);
  const at = newShape.map(() => 0);
  let from = 0;
  for (let n = 0; n < result.length; n++) {
    result[n] = values[from];
    for (let axis = at.length - 1; axis >= 0; axis--) {
      from += steps[axis];
      if (++at[axis] < newShape[axis]) break;
      from -= steps[axis] * newShape[axis];
      at[axis] = 0;
    }
  }
  return { values: result, shape: newShape };
}

/** A deconvolution's weights (in, out / groups, kh, kw) as the convolution's that does the same: (out, in / groups, …), turned round. */
export function transposedWeights(
  { values, shape: [rows, columns, kh, kw] }: { values: Float32Array; shape: readonly number[] },
  groups: number,
): { values: Float32Array; shape: number[] } {
  const area = kh * kw;
  const grouped = permuted(values, [groups, rows / groups, columns, area], [0, 2, 1, 3]).values;
  for (let at = 0; at < grouped.length; at += area) grouped.subarray(at, at + area).reverse();
  return { values: grouped, shape: [groups * columns, rows / groups, kh, kw] };
}
