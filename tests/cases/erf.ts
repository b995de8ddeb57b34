/**
 * The error function, near zero and where it is one.
 */
import type { NoParameters } from "../reference/op.ts";
import { type Case, casesOf } from "./case.ts";

// WGSL's division and exp, and a polynomial of some units in the last place.
const transcendental = 1e-6;

/** The erf table. */
export const erfCases: Case<NoParameters>[] = casesOf("erf", [
  { name: "5 channels, batch 3", inputs: [[3, 5, 7, 3]], params: {}, tolerance: transcendental },
  { name: "saturated", inputs: [[3, 101]], params: {}, tolerance: transcendental, spread: 100 },
  { name: "small", inputs: [[1, 9, 2, 3]], params: {}, tolerance: transcendental, spread: 1e-3 },
]);
