/**
 * ELU: both ends must stay finite, and small numbers near to themselves.
 */
import type { EluParameters } from "../reference/elu.ts";
import { type Case, casesOf } from "./case.ts";

// WGSL allows exp 3 + 2|x| units in the last place.
const transcendental = 1e-5;

/** The ELU table. */
export const eluCases: Case<EluParameters>[] = casesOf("elu", [
  { name: "image", inputs: [[1, 32, 14, 14]], params: {}, tolerance: transcendental },
  { name: "alpha 0.3, odd sizes, batch 3", inputs: [[3, 5, 7, 3]], params: { alpha: 0.3 }, tolerance: transcendental },
  { name: "negative alpha", inputs: [[3, 101]], params: { alpha: -2 }, tolerance: transcendental },
  // e^100 is infinite in float32.
  { name: "saturated", inputs: [[3, 9, 5, 2]], params: {}, tolerance: transcendental, spread: 100 },
  { name: "zeros", inputs: [[3, 7, 5, 5]], params: { alpha: 0.5 }, tolerance: transcendental, step: 1 },
]);
