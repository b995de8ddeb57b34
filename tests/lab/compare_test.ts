/** What counts as wrong when values are compared, and what is said of it. */
import assert from "node:assert/strict";
import { compare } from "../../src/lab/compare.ts";
import { NOT_WRITTEN } from "../../src/tune/alone.ts";

const what = "its output";
const shape = [2, 3];

const of = (expected: number[], actual: number[], ours?: number[]) =>
  compare({ what, shape, expected, actual: Float32Array.from(actual), ours: ours && Float32Array.from(ours) });

const refused = (expected: number[], actual: number[], message: RegExp) =>
  assert.throws(() => of(expected, actual), { name: "UserError", message });

Deno.test("values near enough are right, beside ours and alone", () => {
  assert.deepEqual(of([1, 2, 4, 0, 0, 0], [1, 2, 4, 0, 0, 0]), { off: 0, oursOff: 0 });
  assert.ok(of([1, 2, 4, 0, 0, 0], [1, 2, 4.0001, 0, 0, 0]).off > 2e-5);
  assert.equal(of([1, 2, 4, 0, 0, 0], [1, 2, 5, 0, 0, 0], [1, 2, 4.5, 0, 0, 0]).off, 0.25);
  // Another order of sums is often many times as far off as ours, which counts where that is far.
  const near = (off: number, oursOff: number) => of([1], [1 + off], [1 + oursOff]);
  assert.ok(near(8e-6, 1e-7).off > 50 * near(8e-6, 1e-7).oursOff);
  assert.ok(near(3e-5, 1e-5).off > 2e-5);
  assert.throws(() => near(3e-5, 2e-6), /\(allowed: 1\.0e-5\)/);
  assert.throws(() => near(5e-5, 1e-5), /\(allowed: 4\.0e-5\)/);
  // Where ours is no number, not everything is right.
  assert.throws(
    () => of([1, 2, 4, 0, 0, 0], [9, 2, 4, 0, 0, 0], [1, 2, Infinity, 0, 0, 0]),
    /is 9 where float64 has 1/,
  );
  assert.throws(() => of([1, 2, 4, 0, 0, 0], [1, 2, 4.0001, 0, 0, 0], [1, 2, 4, 0, 0, 0]));
});

Deno.test("a wrong value is named by its place and how far it is off", () => {
  refused(
    [1, 2, 4, 0, 0, 0, 1, 2, 4, 0, 0, 0],
    [1, 2, 4, 0, 0, 0, 1, 2, 4, 0, 2, 0],
    /^its output of item 1 at \[1, 1\] is 2 where float64 has 0, off by 0\.50 of the largest value \(allowed: 4\.0e-5\); 1 of 12 values are wrong$/,
  );
  refused([1, 2, 4, 0, 0, 0], [NaN, 2, 4, 0, 0, 0], /at \[0, 0\] is NaN where float64 has 1; 1 of 6/);
  refused([1, 2, 4, 0, 0, 0], [1, 2, Infinity, 0, 0, 0], /at \[0, 2\] is Infinity where float64 has 4; 1 of 6/);
  refused([1, 2, NaN, 0, 0, 0], [1, 2, 3, 0, 0, 0], /at \[0, 2\] is 3 where float64 has NaN; 1 of 6/);
});

Deno.test("what was not written is wrong, but where nobody writes", () => {
  refused([1, 2, 4, 0, 0, 0], [1, 2, 4, 0, 0, NOT_WRITTEN], /at \[1, 2\] was not written where float64 has 0; 1 of 6/);
  of([1, 2, 4, 0, 0, Math.fround(NOT_WRITTEN)], [1, 2, 4, 0, 0, NOT_WRITTEN]);
  refused([1, 2, 4, 0, 0, Math.fround(NOT_WRITTEN)], [1, 2, 4, 0, 0, 1], /at \[1, 2\] is 1 where/);
  // Nor does it count for the largest value.
  refused([1, 2, 4, 0, 0, Math.fround(NOT_WRITTEN)], [1, 2, 4.1, 0, 0, NOT_WRITTEN], /off by 0\.025 of the largest/);
});
