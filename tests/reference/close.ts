/**
 * How two tensors are compared everywhere in the tests.
 */
import assert from "node:assert/strict";
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
  assert.deepEqual(actual.shape, expected.shape, `${what}: shape`);
  assert.equal(actual.data.length, expected.data.length, `${what}: number of values`);
  let [largest, worst, error] = [tiny, 0, 0];
  expected.data.forEach((value, i) => {
    largest = Math.max(largest, Math.abs(value));
    const own = Math.abs(actual.data[i] - value);
    if (!(own <= error)) [worst, error] = [i, own];
    if (Number.isNaN(own)) error = Infinity;
  });
  assert.ok(
    error <= tolerance * largest,
    `${what}: value ${worst} is ${actual.data[worst]}, expected ${expected.data[worst]}: off by ` +
      `${(error / largest).toExponential(2)} of the largest, ${tolerance} allowed`,
  );
}
