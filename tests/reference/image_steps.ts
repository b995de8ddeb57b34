/**
 * What published methods do to a picture, in float64: views of it, what it costs, blurs and removals, each from its definition.
 */
import { type Tensor, tensor } from "./tensor.ts";

/** A penalty of x [c, h, w] and its slopes, both of the mean over all values. */
export type Cost = (x: ArrayLike<number>, shape: readonly number[]) => { value: number; slopes: Float64Array };

/** Σ |x|^α / n. */
export const alphaNorm = (alpha: number): Cost => (x) => ({
  value: Array.from(x).reduce((sum, a) => sum + Math.abs(a) ** alpha, 0) / x.length,
  slopes: Float64Array.from(x, (a) => alpha * Math.sign(a) * Math.abs(a) ** (alpha - 1) / x.length),
});

/** Σ (right − own)² + (below − own)², over n. */
export const variation: Cost = (x, [, h, w]) => {
  const slopes = new Float64Array(x.length);
  let value = 0;
  const differ = (a: number, b: number) => {
    const by = x[b] - x[a];
    value += by * by / x.length;
    slopes[b] += 2 * by / x.length;
    slopes[a] -= 2 * by / x.length;
  };
  for (let n = 0; n < x.length; n++) {
    if (n % w + 1 < w) differ(n, n + 1);
    if (Math.floor(n / w) % h + 1 < h) differ(n, n + w);
  }
  return { value, slopes };
};

/** Σ r² x² / n, r from the middle in halves of the sides. */
export const centre: Cost = (x, [, h, w]) => {
  const far = (n: number) => ((2 * (n % w) + 1) / w - 1) ** 2 + ((2 * (Math.floor(n / w) % h) + 1) / h - 1) ** 2;
  return {
    value: Array.from(x).reduce((sum, a, n) => sum + far(n) * a * a, 0) / x.length,
    slopes: Float64Array.from(x, (a, n) => 2 * far(n) * a / x.length),
  };
};

/** SciPy's gaussian_filter of each channel: four sigmas wide, mirrored at the edges. */
export function blurred(x: ArrayLike<number>, [c, h, w]: readonly number[], sigma: number): Float64Array {
  const reach = Math.floor(4 * sigma + 0.5);
  const bell = (d: number) => Math.exp(-((d / sigma) ** 2) / 2);
  const mirrored = (p: number, size: number): number =>
    p < 0 ? mirrored(-1 - p, size) : p >= size ? mirrored(2 * size - 1 - p, size) : p;
  let sum = 0;
  for (let d = -reach; d <= reach; d++) sum += bell(d);
  const along = (from: ArrayLike<number>, source: (n: number, d: number) => number) =>
    Float64Array.from({ length: c * h * w }, (_, n) => {
      let value = 0;
      for (let d = -reach; d <= reach; d++) value += bell(d) / sum * from[source(n, d)];
      return value;
    });
  const rows = along(x, (n, d) => n - n % w + mirrored(n % w + d, w));
  return along(rows, (n, d) => {
    const y = Math.floor(n / w) % h;
    return n + (mirrored(y + d, h) - y) * w;
  });
}

/** NumPy's percentile: between two ranks, a straight line. */
export function percentile(values: ArrayLike<number>, percent: number): number {
  const sorted = Float64Array.from(values).sort();
  const at = percent / 100 * (sorted.length - 1);
  const below = Math.floor(at);
  return sorted[below] + (at - below) * ((sorted[below + 1] ?? sorted[below]) - sorted[below]);
}

/** The pixels whose measure is below that percentile set to zero; `measure` of a pixel's numbers in x and in g. */
function thinned(
  x: ArrayLike<number>,
  g: ArrayLike<number>,
  [c, h, w]: readonly number[],
  percent: number,
  measure: (x: number[], g: number[]) => number,
): Float64Array {
  const area = h * w;
  const of = (from: ArrayLike<number>, p: number) => Array.from({ length: c }, (_, k) => from[k * area + p]);
  const measures = Array.from({ length: area }, (_, p) => measure(of(x, p), of(g, p)));
  const least = percentile(measures, percent);
  return Float64Array.from(x, (value, n) => measures[n % area] < least ? 0 : value);
}

/** Without the pixels of small norm. */
export const withoutSmallNorms = (x: ArrayLike<number>, shape: readonly number[], percent: number): Float64Array =>
  thinned(x, x, shape, percent, (values) => Math.hypot(...values));

/** Without those that contribute little, |Σ_c x_c g_c|. */
export const withoutSmallContributions = (
  x: ArrayLike<number>,
  g: ArrayLike<number>,
  shape: readonly number[],
  percent: number,
): Float64Array =>
  thinned(x, g, shape, percent, (values, slopes) => Math.abs(values.reduce((sum, a, c) => sum + a * slopes[c], 0)));

/** A gradient over its mean magnitude. */
export function normalised(g: ArrayLike<number>): Float64Array {
  const mean = Array.from(g).reduce((sum, value) => sum + Math.abs(value), 0) / g.length;
  return Float64Array.from(g, (value) => mean === 0 ? 0 : value / mean);
}

/** a + b · factor, value by value. */
export const plus = (a: ArrayLike<number>, b: ArrayLike<number>, factor = 1): Float64Array =>
  Float64Array.from(a, (value, n) => value + factor * b[n]);

/** Values of all channels of a picture of one item. */
export const asPicture = (shape: readonly number[], data: ArrayLike<number>): Tensor => tensor([1, ...shape], data);
