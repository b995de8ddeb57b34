/**
 * PReLU, a slope for every channel or one for all. Slopes are random between −0.5 and 0.5: those below zero turn signs.
 */
import type { PreluParameters } from "../reference/prelu.ts";
import { type Case, casesOf } from "./case.ts";

// The value itself or one float32 product.
const once = 1e-6;

/** The PReLU table. */
export const preluCases: Case<PreluParameters>[] = casesOf("prelu", [
  { name: "image", inputs: [[1, 64, 14, 14]], params: {}, tolerance: once },
  { name: "5 channels, odd sizes, batch 3", inputs: [[3, 5, 7, 3]], params: {}, tolerance: once },
  { name: "shared slope, batch 3", inputs: [[3, 6, 5, 4]], params: { shared: true }, tolerance: once },
  { name: "vector", inputs: [[3, 101]], params: {}, tolerance: once },
  { name: "rank 4", inputs: [[2, 3, 2, 3, 5]], params: {}, tolerance: once },
  { name: "one value, batch 64", inputs: [[64, 1, 1, 1]], params: { shared: true }, tolerance: once },
  // Exact zeros: the gradient there is the negative side's.
  { name: "zeros", inputs: [[3, 7, 5, 5]], params: {}, tolerance: once, step: 1 },
]);
