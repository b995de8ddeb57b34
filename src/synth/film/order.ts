/** Whether a sequence's order matters: what the target comes to where the frames come in other orders, without drawing any anew. */
import type { Climb } from "../climb.ts";
import { uniforms } from "../random.ts";

/** Mean activations over a film's frames in several orders. */
export interface Orders {
  /** As they were drawn. */
  inOrder: number;
  /** In random orders. */
  shuffled: number[];
  /** The last frame first. */
  reversed: number;
}

/** A stream beside those of a seed's code and views. */
const STREAM = 0x2545f491;

/** Random orders of so many frames (Fisher and Yates), the same for the same seed. */
export function shuffles(seed: number, frames: number, times: number): number[][] {
  const uniform = uniforms(seed ^ STREAM);
  return Array.from({ length: times }, () => {
    const order = Array.from({ length: frames }, (_, n) => n);
    for (let last = frames - 1; last > 0; last--) {
      const other = Math.floor(uniform() * (last + 1));
      [order[last], order[other]] = [order[other], order[last]];
    }
    return order;
  });
}

/** Tries the orders on what the last iteration left. The climb is at its end then. */
export async function tryOrders(climb: Climb, seed: number, frames: number, times: number): Promise<Orders> {
  const order = Array.from({ length: frames }, (_, n) => n);
  const reversed = order.toReversed();
  const sums = await climb.inOrders([order, ...shuffles(seed, frames, times), reversed]);
  const means = sums.map(mean);
  return { inOrder: means[0], shuffled: means.slice(1, -1), reversed: means.at(-1)! };
}

/** The mean of some numbers. */
export const mean = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
