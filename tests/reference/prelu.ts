/**
 * PReLU: y = x > 0 ? x : slope[c] · x, the slopes being weights. At zero the gradient is the negative side's.
 */
import type { Op } from "./op.ts";
import { map, planes, type Tensor } from "./tensor.ts";

/** The parameters of `prelu` in network.json. */
export interface PreluParameters {
  shared?: boolean;
}

/** The rectifier with a learnt slope for every channel, or one for all. */
export const prelu: Op<PreluParameters> = {
  weightShapes: ([[, c]], { shared = false }) => ({ slope: [shared ? 1 : c] }),
  forward: ([x], _p, { slope }) => map(x, (value, at) => value > 0 ? value : slopeAt(x, slope, at) * value),
  backward: ([x], _y, dy, _p, { slope }) => ({
    inputs: [map(dy, (value, at) => x.data[at] > 0 ? value : slopeAt(x, slope, at) * value)],
    weights: {},
  }),
};

function slopeAt(x: Tensor, { data }: Tensor, at: number): number {
  const { c, area } = planes(x);
  return data[data.length === 1 ? 0 : Math.floor(at / area) % c];
}
