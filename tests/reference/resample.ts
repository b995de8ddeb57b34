/**
 * Positions along one axis as weighted sums of others: y[…, o, …] = Σ_k weight[o, k] · x[…, positions[o · taps + k], …].
 */
import type { Op } from "./op.ts";
import { count, type Tensor, tensor } from "./tensor.ts";

/** The parameters of `resample` in network.json; axis 0 is the first dimension after the batch. */
export interface ResampleParameters {
  axis: number;
  positions: number[];
  taps?: number;
  weighted?: boolean;
}

/** Calls `visit` with the number of an output value, that of an input value that it sums, and how much of it. */
function forEachTerm(
  shape: number[],
  { axis, positions, taps = 1 }: ResampleParameters,
  weight: Tensor | undefined,
  visit: (to: number, from: number, weight: number) => void,
): void {
  const outer = count(shape.slice(0, axis + 1));
  const length = shape[axis + 1];
  const inner = count(shape.slice(axis + 2));
  const size = positions.length / taps;
  for (let o = 0; o < outer; o++) {
    positions.forEach((at, n) => {
      for (let i = 0; i < inner; i++) {
        visit((o * size + Math.floor(n / taps)) * inner + i, (o * length + at) * inner + i, weight?.data[n] ?? 1);
      }
    });
  }
}

/** The layer type. The weights are fixed: they have no gradient. */
export const resample: Op<ResampleParameters> = {
  forward([x], p, { weight }) {
    const y = tensor(x.shape.with(p.axis + 1, p.positions.length / (p.taps ?? 1)));
    forEachTerm(x.shape, p, weight, (to, from, weight) => y.data[to] += weight * x.data[from]);
    return y;
  },
  backward([x], _y, dy, p, { weight }) {
    const dx = tensor(x.shape);
    forEachTerm(x.shape, p, weight, (to, from, weight) => dx.data[from] += weight * dy.data[to]);
    return { inputs: [dx], weights: {} };
  },
  weightShapes: (_, { positions, taps = 1, weighted }): Record<string, number[]> =>
    weighted ? { weight: [positions.length / taps, taps] } : {},
};
