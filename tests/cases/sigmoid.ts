/**
 * Sigmoid: its range beside its shapes, as both ends must saturate without overflow.
 */
import type { NoParameters } from "../reference/op.ts";
import { type Case, casesOf } from "./case.ts";

// WGSL allows exp 3 + 2|x| units in the last place, where 1 / (1 + e^−x) is not yet flat.
const transcendental = 1e-5;

/** The sigmoid table. */
export const sigmoidCases: Case<NoParameters>[] = casesOf("sigmoid", [
  { name: "image", inputs: [[1, 32, 14, 14]], params: {}, tolerance: transcendental },
  { name: "vector", inputs: [[1, 1024]], params: {}, tolerance: transcendental },
  { name: "odd sizes, batch 3", inputs: [[3, 5, 7, 3]], params: {}, tolerance: transcendental },
  { name: "batch 64", inputs: [[64, 101]], params: {}, tolerance: transcendental },
  { name: "one value", inputs: [[1, 1, 1, 1]], params: {}, tolerance: transcendental },
  // e^89 is infinite in float32.
  { name: "saturated", inputs: [[3, 9, 5, 2]], params: {}, tolerance: transcendental, spread: 100 },
]);
