/** Numbers to try kernels with, fresh each time. */
import { normals } from "../synth/random.ts";

/** A seed that nobody knew before. */
export const freshSeed = (): number => crypto.getRandomValues(new Uint32Array(1))[0];

/** Kinds of numbers: what is right for one of them alone is wrong for another. */
const kinds: readonly ((value: number, n: number) => number)[] = [
  (value) => value,
  (value, n) => n % 3 === 0 ? 0 : value - 1, // many zeros and negative numbers: whatever ReLUs and maxima decide, they decide often
  (value) => Math.abs(value) + 0.01, // where logarithms and roots are numbers too
];

/** How many different kinds there are. */
export const KINDS = kinds.length;

/** `count` random numbers of a kind. */
export const numbersOf = (kind: number, seed: number, count: number): Float32Array<ArrayBuffer> =>
  normals(seed, count).map(kinds[kind % KINDS]);
