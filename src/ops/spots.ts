/**
 * A gradient that is zero but at a few spots of each item, such as that of a single unit: told where they are, a kernel reads
 * few weights and needs no dy in memory.
 */
import type { Binding } from "../gpu/call.ts";
import { read } from "../gpu/call.ts";
import type { Tensor } from "../gpu/tensor.ts";

/** The spots of a gradient, as WGSL that says where they are and what it reads for that. */
export interface Spots {
  /** At most so many in each item. */
  readonly count: number;
  /** Under names that kernels have no use for themselves: they call their own tensors w, scale, dx. */
  readonly bindings: Readonly<Record<string, Binding>>;
  /**
   *     struct Spot, which is `SPOT`
   *     fn beginSpots(item: u32, first: bool)      called before the others; `first` in one invocation for each item
   *     fn spot(item: u32, k: u32) -> Spot         for k = 0 … count − 1: the value's number among the item's, lane after lane of
   *                                                texel after texel, and dy there; several at one place add up
   */
  readonly code: string;
}

/** WGSL of what `spot` returns. */
export const SPOT = `
struct Spot {
  index: u32,
  value: f32,
}`;

/** Spots that are listed in a tensor, one texel each: [texel of the item, lane, value, –]. */
export function listedSpots(list: Tensor, count: number): Spots {
  return {
    count,
    bindings: { spots: read(list) },
    code: `${SPOT}

fn beginSpots(item: u32, first: bool) {}

fn spot(item: u32, k: u32) -> Spot {
  let own = load_spots(item * ${count}u + k);
  return Spot(4u * u32(own.x) + u32(own.y), own.z);
}`,
  };
}

/** The texels of such a list: what is not zero of dy, [items × values] in the order of texels. `undefined` where it is more. */
export function listTexels(dy: Float32Array, items: number, count: number): Float32Array<ArrayBuffer> | undefined {
  const size = dy.length / items;
  const texels = new Float32Array(items * count * 4);
  for (let item = 0; item < items; item++) {
    let k = 0;
    for (let index = 0; index < size; index++) {
      const value = dy[item * size + index];
      if (value === 0) continue;
      if (k === count) return undefined;
      texels.set([index >> 2, index & 3, value], (item * count + k++) * 4);
    }
  }
  return texels;
}
