/** Values against what they should be: how far they are off, and a sentence about the first that is wrong. */
import { UserError } from "../formats/user_error.ts";
import { count, type Shape } from "../ops/op.ts";
import { NOT_WRITTEN } from "../tune/alone.ts";

/** How far values may be off, over the largest magnitude of those expected. Sums of thousands of products are off by less. */
const TOLERANCE = 1e-5;

/** How many times further than ours, or than the tolerance where there is none of ours: others may add in another order. */
const MOST_TIMES = 4;

/** What is compared. */
export interface Comparison {
  /** What the values are, such as "its output". */
  what: string;
  /** The shape of an item. */
  shape: Shape;
  expected: ArrayLike<number>;
  actual: Float32Array;
  /** What our kernel makes of the same, where there is one. */
  ours?: Float32Array;
}

/**
 * Compares values.
 * @returns How far they and ours are off at most, over the largest magnitude of those expected.
 * @throws UserError that says where, and by how much.
 */
export function compare({ what, shape, expected, actual, ours }: Comparison): { off: number; oursOff: number } {
  let largest = 0;
  for (let n = 0; n < expected.length; n++) {
    if (isNumber(expected[n])) largest = Math.max(largest, Math.abs(expected[n]));
  }
  const distance = (value: number, n: number): number => {
    if (isNumber(value) && isNumber(expected[n])) return Math.abs(value - expected[n]) / (largest || 1);
    // What nobody writes has to stay so; what is no number may be any other that is none.
    return isNumber(value) === isNumber(expected[n]) && isWritten(value) === isWritten(expected[n]) ? 0 : Infinity;
  };
  const oursOff = ours ? ours.reduce((most, value, n) => Math.max(most, distance(value, n)), 0) : 0;
  // Where ours is no number either, it allows nothing: else everything would be right.
  const allowed = Math.max(TOLERANCE, MOST_TIMES * (ours && Number.isFinite(oursOff) ? oursOff : TOLERANCE));
  let worst = 0;
  let off = 0;
  let wrong = 0;
  for (let n = 0; n < actual.length; n++) {
    const own = distance(actual[n], n);
    if (own > allowed) wrong++;
    if (own > off) [off, worst] = [own, n];
  }
  if (wrong === 0) return { off, oursOff };
  const place = `${what} of item ${Math.floor(worst / count(shape))} at [${
    placeOf(worst % count(shape), shape).join(", ")
  }]`;
  const value = actual[worst];
  const came = isWritten(value) ? `is ${short(value)}` : "was not written";
  const by = Number.isFinite(off)
    ? `, off by ${off.toPrecision(2)} of the largest value (allowed: ${allowed.toExponential(1)})`
    : "";
  throw new UserError(
    `${place} ${came} where float64 has ${short(expected[worst])}${by}; ${wrong} of ${actual.length} values are wrong`,
  );
}

const isWritten = (value: number): boolean => value !== Math.fround(NOT_WRITTEN);

const isNumber = (value: number): boolean => Number.isFinite(value) && isWritten(value);

const short = (value: number): string => Number.isFinite(value) ? String(Number(value.toPrecision(6))) : String(value);

/** The indices of the n-th value of an item. */
function placeOf(n: number, shape: Shape): number[] {
  const place: number[] = [];
  for (const length of shape.toReversed()) {
    place.unshift(n % length);
    n = Math.floor(n / length);
  }
  return place;
}
