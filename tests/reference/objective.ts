/**
 * What a target comes to in float64: Σ_k w_k t_k − Σ_groups γ Σ_{k<l} (t_k − t_l)², each term t_k straight from its definition.
 */
import type { Tensor } from "./tensor.ts";

/** A term of a target, as the language of targets has it. */
export interface Term {
  kind: string;
  layer?: string;
  unit?: number;
  at?: readonly [number, number] | "all";
  file?: string;
  power?: number;
}

/** A target. */
export interface TargetSum {
  terms: readonly { weight: number; term: Term }[];
  pairs: readonly { weight: number; terms: readonly Term[] }[];
}

/** One picture's layers, and what terms may want beside them. */
export interface Seen {
  /** The values of a layer, [1, c] or [1, c, h, w]. */
  valueOf(layer: string | undefined): Tensor;
  directions: Readonly<Record<string, ArrayLike<number>>>;
  /** The same layer in the other pictures of the batch. */
  others(layer: string | undefined): readonly Tensor[];
}

/** The terms' sum without the pairs, and with them. */
export function evaluate({ terms, pairs }: TargetSum, seen: Seen): { sum: number; whole: number } {
  const sum = terms.reduce((total, { weight, term }) => total + weight * termOf(term, seen), 0);
  const paired = pairs.reduce((total, { weight, terms }) => {
    const values = terms.map((term) => termOf(term, seen));
    let squares = 0;
    values.forEach((a, k) => values.slice(k + 1).forEach((b) => squares += (a - b) ** 2));
    return total + weight * squares;
  }, 0);
  return { sum, whole: sum + paired };
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let n = 0; n < a.length; n++) sum += a[n] * b[n];
  return sum;
};

const cosine = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  const lengths = Math.sqrt(dot(a, a) * dot(b, b));
  return lengths === 0 ? 0 : dot(a, b) / lengths;
};

function termOf({ kind, layer, unit, at, file, power }: Term, { valueOf, directions, others }: Seen): number {
  const { shape: [, c, h = 1, w = 1], data } = valueOf(layer);
  const area = h * w;
  const [x, y] = Array.isArray(at) ? at : [Math.floor(w / 2), Math.floor(h / 2)];
  const place = y * w + x;
  const channelsAt = (p: number) => Array.from({ length: c }, (_, channel) => data[channel * area + p]);
  const map = unit === undefined ? data : data.slice(unit * area, (unit + 1) * area);
  const positions = at === "all" ? Array.from({ length: area }, (_, p) => p) : [place];
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  switch (kind) {
    case "unit":
      return map[place];
    case "mean":
      return mean([...map]);
    case "sum":
      return map.reduce((a, b) => a + b, 0);
    case "max":
      return Math.max(...map);
    case "norm":
      return dot(map, map);
    case "dot":
      return mean(positions.map((p) => dot(directions[file!], channelsAt(p))));
    case "cosine":
      return mean(positions.map((p) => cosine(directions[file!], channelsAt(p))));
    case "prob":
    case "logprob": {
      const logits = channelsAt(place);
      const total = logits.reduce((sum, a) => sum + Math.exp(a), 0);
      const log = logits[unit!] - Math.log(total);
      return kind === "prob" ? Math.exp(log) : log;
    }
    case "diversity":
      return -mean(others(layer).map((other) => cosine(data, other.data)));
    case "power":
      return data.reduce((sum, a) => sum + Math.abs(a) ** power!, 0);
    case "centre":
      return data.reduce((sum, a, n) => {
        const x = (2 * (n % w) + 1) / w - 1;
        const y = (2 * (Math.floor(n / w) % h) + 1) / h - 1;
        return sum + (x * x + y * y) * a * a;
      }, 0);
    case "variation":
      return variation(data, c, h, w);
    default:
      throw new Error(`reference: no term "${kind}"`);
  }
}

function variation(data: ArrayLike<number>, c: number, h: number, w: number): number {
  let sum = 0;
  for (let n = 0; n < c * h * w; n++) {
    if (n % w < w - 1) sum += (data[n + 1] - data[n]) ** 2;
    if (Math.floor(n / w) % h < h - 1) sum += (data[n + w] - data[n]) ** 2;
  }
  return sum;
}
