/**
 * Random numbers that are the same on every machine: mulberry32, and Box and Muller's normal on top of it.
 */
import { count, type Tensor } from "./tensor.ts";

/** Gives the next number of a stream. */
export type Random = () => number;

/** A stream of uniform numbers in [0, 1). Strings seed by their FNV-1a hash, so a case's name can be its seed. */
export function uniform(seed: number | string): Random {
  let state = typeof seed === "number" ? seed | 0 : hash(seed);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A stream of normal numbers N(0, 1). */
export function normal(seed: number | string): Random {
  const next = uniform(seed);
  let second: number | undefined;
  return () => {
    if (second !== undefined) {
      const value = second;
      second = undefined;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - next()));
    const angle = 2 * Math.PI * next();
    second = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}

/** A tensor filled from a stream; its values are exact in float32, so a GPU computes on the very same numbers. */
export function randomTensor(shape: number[], next: Random): Tensor {
  const data = new Float64Array(count(shape));
  for (let i = 0; i < data.length; i++) data[i] = Math.fround(next());
  return { shape: [...shape], data };
}

function hash(text: string): number {
  let state = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193);
  return state;
}
