/** Whether a sequence's order matters: what the target comes to where the frames come in other orders, without drawing any anew. */
import type { Device } from "../../gpu/device.ts";
import { download, upload } from "../../gpu/tensor.ts";
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
export async function tryOrders(
  device: Device,
  climb: Climb,
  { seed, frames, times }: { seed: number; frames: number; times: number },
): Promise<Orders> {
  const order = Array.from({ length: frames }, (_, n) => n);
  const gathered = await Promise.all(
    climb.plan.gathered.map(async (tensor) => [tensor, await download(device, tensor)] as const),
  );
  const means: number[] = [];
  for (const one of [order, ...shuffles(seed, frames, times), order.toReversed()]) {
    for (const [tensor, values] of gathered) upload(device, tensor, ordered(values, one));
    climb.rejoin();
    means.push(mean(await climb.trace(1)));
  }
  return { inOrder: means[0], shuffled: means.slice(1, -1), reversed: means.at(-1)! };
}

/** The frames' bytes in another order. */
function ordered(values: Uint8Array, order: readonly number[]): Uint8Array<ArrayBuffer> {
  const size = values.length / order.length;
  const moved = new Uint8Array(values.length);
  order.forEach((from, to) => moved.set(values.subarray(from * size, (from + 1) * size), to * size));
  return moved;
}

/** The mean of some numbers. */
export const mean = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
