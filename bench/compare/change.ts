/**
 * Whether a kernel became faster or slower, by the samples of two files.
 *
 * What else a machine does only adds to a time, more to some kernels than to others. So of each file the passes in which the
 * reference kernel was the slowest do not count. A pass comes to one number, the kernel's shortest sample over the reference
 * kernel's, which takes out how fast the machine was meanwhile. The logarithms of these numbers are compared by Yuen's test
 * (1974), which is Student's without the outer values, and with as many kernels in mind as there are (Bonferroni). Passes of one
 * file have more in common than those of two, as code lies where it lies until a program ends, so a change must also reach a
 * least size.
 */
import type { Sampled } from "../samples.ts";
import { outside } from "./student.ts";

/** A kernel in two files. */
export interface Change {
  key: string;
  /** The second file's time over the first's. */
  ratio: number;
  /** Standard error of the ratio, as a share of it: what the differences between passes explain. */
  noise: number;
  /** Whether it is more than noise. */
  changed: boolean;
}

/** Kernels that are called changed by chance in a comparison of two files, on average, were it not for the least size. */
const FALSE_ALARMS = 0.05;

/** Ratios nearer to 1 are not told. On a CPU, where memory and code lies makes more of a difference. */
export const LEAST_RATIO = { cpu: 1.1, gpu: 1.03 };

/** The share of passes that counts, and the share of these that is left out at each end. */
const QUIET = 0.75;
const TRIMMED = 0.2;

/**
 * Compares a kernel's samples.
 * @param kernels How many are compared: of the false alarms each has its share.
 */
export function changeOf(
  before: Sampled,
  after: Sampled,
  { kernels, leastRatio }: { kernels: number; leastRatio: number },
): Change {
  const a = trimmedMean(quietPasses(before));
  const b = trimmedMean(quietPasses(after));
  const freedom = a.kept + b.kept - 2;
  const change = b.mean - a.mean;
  const noise = Math.hypot(a.error, b.error);
  const changed = Math.abs(change) >= Math.log(leastRatio) && a.kept > 1 && b.kept > 1 &&
    outside(Math.abs(change) / noise, freedom) <= FALSE_ALARMS / kernels;
  return { key: before.key, ratio: Math.exp(change), noise, changed };
}

/** The passes that count, as one number each. */
function quietPasses({ ms, reference }: Sampled): number[] {
  const passes = reference.map((times, pass) => ({ own: Math.min(...ms[pass]), reference: Math.min(...times) }));
  const quiet = passes.sort((a, b) => a.reference - b.reference).slice(0, Math.ceil(QUIET * passes.length));
  return quiet.map(({ own, reference }) => Math.log(own / reference));
}

/**
 * The mean of those that are kept, and its standard error, by all values with the outer ones moved inwards: 0 where one value is
 * kept, of which nothing is known.
 */
function trimmedMean(values: readonly number[]): { mean: number; error: number; kept: number } {
  const sorted = values.toSorted((a, b) => a - b);
  const trimmed = Math.floor(TRIMMED * sorted.length);
  const inner = sorted.slice(trimmed, sorted.length - trimmed);
  const kept = inner.length;
  const moved = sorted.map((value) => Math.min(Math.max(value, inner[0]), inner[kept - 1]));
  const middle = meanOf(moved);
  const squares = moved.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  return { mean: meanOf(inner), error: kept > 1 ? Math.sqrt(squares / (kept * (kept - 1))) : 0, kept };
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
