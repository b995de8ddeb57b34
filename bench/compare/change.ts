/**
 * Whether a kernel became faster or slower, by the passes of two files.
 *
 * Whatever else a machine does, and where code and memory lie, only adds to a time. So a pass comes to its shortest time, over
 * the reference kernel's shortest in that pass, which takes out how fast the machine was; a file comes to its best pass. How far the
 * others are from it is the noise, an exponential distribution's above all: that two best ones of the same build differ by chance
 * has the probability that Epstein and Tsao gave (Some tests based on ordered observations from two exponential populations, 1953).
 * It counts with as many kernels in mind as there are (Bonferroni), and a change must also reach a least size.
 */

/** A kernel in two files. */
export interface Change {
  key: string;
  /** The second file's time over the first's. */
  ratio: number;
  /** Standard error of the ratio, as a share of it: what the differences between passes explain. */
  noise: number;
  /** Whether it is more than noise. */
  changed: boolean;
  /** Whether a change of 20 % would not be. */
  noisy: boolean;
}

/** Kernels that are called changed by chance in a comparison of two files, on average, were it not for the least size. */
const FALSE_ALARMS = 0.05;

/** Ratios nearer to 1 are not told. */
export const LEAST_RATIO = { cpu: 1.1, gpu: 1.03 };

/** A change that should be seen, as a ratio. */
const SEEN = 1.2;

/**
 * Compares a kernel's passes.
 * @param before Of each pass the shortest time in those of the reference kernel.
 * @param kernels How many are compared: of the false alarms each has its share.
 */
export function changeOf(
  key: string,
  before: readonly number[],
  after: readonly number[],
  { kernels, leastRatio }: { kernels: number; leastRatio: number },
): Change {
  const [a, b] = [before, after].map(bestOf);
  const change = b.best - a.best;
  // The file that was measured on the busier machine says how far to trust the two.
  const spread = Math.max(a.spread, b.spread);
  const least = Math.min(before.length, after.length);
  const freedom = before.length + after.length - 2;
  const isChange = (change: number) =>
    least > 1 && change >= Math.log(leastRatio) &&
    (1 + least * change / (freedom * spread)) ** -freedom <= FALSE_ALARMS / kernels;
  return {
    ...{ key, ratio: Math.exp(change), noise: Math.hypot(a.spread / before.length, b.spread / after.length) },
    changed: isChange(Math.abs(change)),
    noisy: !isChange(Math.log(Math.max(SEEN, leastRatio))),
  };
}

/** The logarithm of the best, and how far the others are above it, on average (of so many passes as there are but one). */
function bestOf(passes: readonly number[]): { best: number; spread: number } {
  const logarithms = passes.map(Math.log);
  const best = Math.min(...logarithms);
  const above = logarithms.reduce((sum, one) => sum + one - best, 0);
  return { best, spread: above / Math.max(1, passes.length - 1) };
}
