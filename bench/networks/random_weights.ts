/**
 * Random weights: seeded by their names, and of spreads that keep values near one from layer to layer (He et al. 2015), so that
 * no kernel meets infinities or a map of zeros.
 */
import type { StoredTensor } from "../../src/formats/safetensors.ts";
import { buildGraph } from "../../src/net/graph.ts";
import type { Network } from "../../src/net/network.ts";
import { count, type HostTensor, lazyTensor } from "../../src/ops/op.ts";

/** A weight of a layer that a program makes: `name` as its op calls it, after `seed` in the numbers' name. */
export const randomWeight = (seed: string, name: string, shape: readonly number[]): HostTensor =>
  lazyTensor({ shape, stored: "F32" }, () => valuesOf(`${seed}.${name}`, shape));

/** All weights of a network. None is in memory: numbers are made anew whenever somebody asks for them. */
export function randomWeights(network: Network): ReadonlyMap<string, StoredTensor> {
  const weights = new Map<string, StoredTensor>();
  for (const { name, weightShapes } of buildGraph({ network, where: network.name, weights }).layers) {
    for (const [part, shape] of Object.entries(weightShapes)) {
      const full = `${name}.${part}`;
      weights.set(full, {
        dtype: "F32",
        shape: [...shape],
        get bytes() {
          return new Uint8Array(valuesOf(full, shape).buffer);
        },
      });
    }
  }
  return weights;
}

/** Uniform numbers of the mean and the spread that suit a weight of this name. */
function valuesOf(name: string, shape: readonly number[]): Float32Array<ArrayBuffer> {
  const values = new Float32Array(count(shape));
  const [least, most] = rangeOf(name, shape);
  let state = hash(name);
  for (let n = 0; n < values.length; n++) {
    state = (state + 0x9e3779b9) | 0; // splitmix32
    let z = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    values[n] = least + (most - least) * ((z ^ (z >>> 16)) >>> 0) / 2 ** 32;
  }
  return values;
}

function rangeOf(name: string, shape: readonly number[]): [least: number, most: number] {
  if (/(weight|variance|slope)$/i.test(name) && shape.length < 2) return [0.5, 1.5];
  if (!/weight$/i.test(name)) return [-0.1, 0.1];
  const most = Math.sqrt(6 / count(shape.slice(1))); // a spread of √(2 / products of a sum)
  return [-most, most];
}

/** FNV-1a. */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (let n = 0; n < text.length; n++) state = Math.imul(state ^ text.charCodeAt(n), 0x01000193);
  return state;
}
