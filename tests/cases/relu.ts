/**
 * ReLU, plain and leaky.
 */
import type { ReluParameters } from "../reference/relu.ts";
import { type Case, casesOf } from "./case.ts";

// The value itself or one float32 product.
const once = 1e-6;

/** The ReLU table. */
export const reluCases: Case<ReluParameters>[] = casesOf("relu", [
  { name: "caffenet64 relu1", inputs: [[1, 64, 32, 32]], params: {}, tolerance: once },
  { name: "deepsim leaky", inputs: [[1, 256, 8, 8]], params: { slope: 0.3 }, tolerance: once },
  { name: "vector", inputs: [[1, 4096]], params: {}, tolerance: once },
  { name: "leaky vector of 1001, batch 3", inputs: [[3, 1001]], params: { slope: 0.1 }, tolerance: once },
  { name: "batch 64, odd sizes", inputs: [[64, 5, 7, 3]], params: { slope: 0.01 }, tolerance: once },
  { name: "one value", inputs: [[1, 1]], params: { slope: 0.3 }, tolerance: once },
  { name: "slope 1, the identity", inputs: [[3, 3, 3, 3]], params: { slope: 1 }, tolerance: once },
  // Exact zeros: the gradient there is the negative side's.
  { name: "zeros", inputs: [[3, 7, 5, 5]], params: {}, tolerance: once, step: 1 },
  { name: "zeros, leaky", inputs: [[3, 7, 5, 5]], params: { slope: 0.25 }, tolerance: once, step: 1 },
]);
