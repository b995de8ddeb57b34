/**
 * A reshape after a fully connected layer, folded into its weights: the layer makes its values in the order in which the map's
 * texels have them, four neighbouring channels of a pixel after another, and nothing is left to move.
 */
import { chw, type HostTensor, type Shape } from "../ops/op.ts";

/** For each value of a map in the order of its texels, its number in (c, h, w) order; `undefined` where texels have spare lanes. */
export function texelOrder(shape: Shape): Uint32Array | undefined {
  const [c, h, w] = chw(shape);
  const area = h * w;
  if (c % 4 !== 0) return undefined;
  return Uint32Array.from({ length: c * area }, (_, n) => {
    const texel = n >> 2;
    return (4 * Math.floor(texel / area) + (n & 3)) * area + texel % area;
  });
}

/** Weights whose rows are those of `weights` in another order; made when first asked for. */
export function reordered(weights: Record<string, HostTensor>, order: Uint32Array): Record<string, HostTensor> {
  return Object.fromEntries(Object.entries(weights).map(([name, weight]) => [name, rowsOf(weight, order)]));
}

function rowsOf(weight: HostTensor, order: Uint32Array): HostTensor {
  const { shape, stored } = weight;
  let values: Float32Array | undefined;
  let quantised: HostTensor["quantised"];
  return {
    shape,
    stored,
    get values() {
      return values ??= inOrder(weight.values, order);
    },
    get quantised() {
      if (!weight.quantised) return undefined;
      const { integers, scales } = weight.quantised;
      return quantised ??= { integers: inOrder(integers, order), scales: inOrder(scales, order) };
    },
  };
}

/** The rows in their new order. */
function inOrder<T extends Float32Array | Int8Array>(values: T, order: Uint32Array): T {
  const length = values.length / order.length;
  const result = values.slice() as T;
  order.forEach((from, to) => result.set(values.subarray(from * length, (from + 1) * length), to * length));
  return result;
}
