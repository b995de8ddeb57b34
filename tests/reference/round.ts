/**
 * Rounding to whole numbers, without a gradient.
 */
import type { Op } from "./op.ts";
import { map } from "./tensor.ts";

/** The parameters of `round` in network.json. */
export interface RoundParameters {
  to?: "nearest" | "down" | "up" | "zero";
}

/** The nearest whole number, of two as near the even one. */
function nearest(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  return rest < 0.5 || rest === 0.5 && below % 2 === 0 ? below : below + 1;
}

const functions = { nearest, down: Math.floor, up: Math.ceil, zero: Math.trunc };

/** Rounding. */
export const round: Op<RoundParameters> = {
  forward: ([x], { to = "nearest" }) => map(x, functions[to]),
  backward: ([x]) => ({ inputs: [map(x, () => 0)], weights: {} }),
};
