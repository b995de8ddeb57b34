/**
 * Batch normalisation with fixed statistics.
 */
import type { BatchnormParameters } from "../reference/batchnorm.ts";
import { type Case, casesOf } from "./case.ts";

// A handful of float32 roundings, more where mean and input nearly cancel or scale and shift are folded into one.
const few = 2e-6;

/** The batch normalisation table. */
export const batchnormCases: Case<BatchnormParameters>[] = casesOf("batchnorm", [
  { name: "resnet bn", inputs: [[1, 64, 14, 14]], params: {}, tolerance: few },
  { name: "ONNX, affine", inputs: [[1, 32, 7, 7]], params: { affine: true }, tolerance: few },
  { name: "large epsilon", inputs: [[3, 8, 5, 5]], params: { epsilon: 0.5 }, tolerance: few },
  { name: "5 channels, odd sizes, batch 3", inputs: [[3, 5, 7, 3]], params: { affine: true }, tolerance: few },
  { name: "one channel, batch 64", inputs: [[64, 1, 5, 5]], params: {}, tolerance: few },
  { name: "vector", inputs: [[3, 101]], params: { affine: true, epsilon: 1e-3 }, tolerance: few },
  { name: "1x1 image", inputs: [[3, 13, 1, 1]], params: {}, tolerance: few },
]);
