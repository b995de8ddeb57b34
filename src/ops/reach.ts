/** Where values come from: what ops say of the rows and columns that they read (`Op.reads`). */
import { chw, type Op, type Position, type Reach, type Shape } from "./op.ts";

/** The rows or columns of a window: `kernel` of them from the one at `at · stride − padding` on. */
export const windowAt = (
  { axis, at }: Position,
  { kernel, stride, padding, dilation }: {
    kernel: readonly [number, number];
    stride: readonly [number, number];
    padding: readonly number[];
    dilation: readonly [number, number];
  },
): number[] => Array.from({ length: kernel[axis] }, (_, k) => at * stride[axis] - padding[axis] + k * dilation[axis]);

/** `Op.reads` of ops whose outputs may depend on every position. */
export const readsAll = (_: Position, inputs: readonly Shape[]): Reach[] => inputs.map(() => "all");

/** What a row or column of a layer's output is made of, for each of its inputs. */
export function reachOf(
  op: Op,
  position: Position,
  inputs: readonly Shape[],
  output: Shape,
  params: unknown,
): readonly Reach[] {
  if (op.reads) return op.reads(position, inputs, output, params);
  const extent = (shape: Shape) => chw(shape)[1 + position.axis];
  return inputs.map((input) => extent(input) === extent(output) ? [position.at] : "all");
}
