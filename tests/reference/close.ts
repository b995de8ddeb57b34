/**
 * How two tensors are compared everywhere in the tests, and by the doctor, in pages too.
 */
import type { Tensor } from "./tensor.ts";

/** The largest magnitude below which a tensor counts as zero, so that rounding noise around zero is no error. */
const tiny = 1e-6;

/**
 * Asserts equal shapes and that no value is off by more than `tolerance` times the largest magnitude in `expected`.
 * The error names the worst value. A value that is not a number never passes.
 */
export function assertClose(
  what: string,
  actual: { shape: number[]; data: ArrayLike<number> },
  expected: Tensor,
  tolerance = 1e-12,
): void {
  const shapes = [actual.shape, expected.shape].map((shape) => `[${shape}]`);
  if (shapes[0] !== shapes[1]) throw new Error(`${what}: shape ${shapes[0]}, expected ${shapes[1]}`);
  if (actual.data.length !== expected.data.length) {
    throw new Error(`${what}: ${actual.data.length} values, expected ${expected.data.length}`);
  }
  let [largest, worst, error] = [tiny, 0, 0];
  expected.data.forEach((value, i) => {
    largest = Math.max(largest, Math.abs(value));
    const own = Math.abs(actual.data[i] - value);
    if (!(own <= error)) [worst, error] = [i, own];
    if (Number.isNaN(own)) error = Infinity;
  });
  if (error <= tolerance * largest) return;
  throw new Error(
    `${what}: value ${worst} is ${actual.data[worst]}, expected ${expected.data[worst]}: off by ` +
      `${(error / largest).toExponential(2)} of the largest, ${tolerance} allowed`,
  );
}
