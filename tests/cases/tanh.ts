/**
 * Tanh: its range beside its shapes, as both ends must saturate without overflow.
 */
import type { NoParameters } from "../reference/op.ts";
import { type Case, casesOf } from "./case.ts";

// WGSL promises tanh to 1e-5 only; the gradient, 1 − y², doubles the error of y.
const transcendental = 2e-5;

/** The tanh table. */
export const tanhCases: Case<NoParameters>[] = casesOf("tanh", [
  { name: "image", inputs: [[1, 32, 14, 14]], params: {}, tolerance: transcendental },
  { name: "vector", inputs: [[1, 1024]], params: {}, tolerance: transcendental },
  { name: "odd sizes, batch 3", inputs: [[3, 5, 7, 3]], params: {}, tolerance: transcendental },
  { name: "batch 64", inputs: [[64, 101]], params: {}, tolerance: transcendental },
  { name: "one value", inputs: [[1, 1, 1, 1]], params: {}, tolerance: transcendental },
  // e^89 is infinite in float32.
  { name: "saturated", inputs: [[3, 9, 5, 2]], params: {}, tolerance: transcendental, spread: 100 },
]);
