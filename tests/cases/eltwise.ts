/**
 * Elementwise sum, product and maximum over two inputs and more.
 */
import type { EltwiseParameters } from "../reference/eltwise.ts";
import { type Case, casesOf } from "./case.ts";

// A few float32 roundings.
const few = 1e-6;

/** The elementwise table. */
export const eltwiseCases: Case<EltwiseParameters>[] = casesOf("eltwise", [
  { name: "resnet sum", inputs: same(2, [1, 64, 14, 14]), params: { operation: "sum" }, tolerance: few },
  { name: "sum of 3", inputs: same(3, [3, 5, 7, 3]), params: { operation: "sum" }, tolerance: few },
  {
    name: "difference",
    inputs: same(2, [3, 5, 7, 3]),
    params: { operation: "sum", coefficients: [1, -1] },
    tolerance: few,
  },
  {
    name: "sum of 3 with coefficients",
    inputs: same(3, [3, 6, 5, 5]),
    params: { operation: "sum", coefficients: [0.5, -2, 0] },
    tolerance: few,
  },
  { name: "product of 2", inputs: same(2, [3, 5, 7, 3]), params: { operation: "product" }, tolerance: few },
  { name: "product of 3", inputs: same(3, [1, 8, 6, 6]), params: { operation: "product" }, tolerance: few },
  // The gradient of a product must not divide by an input.
  {
    name: "product with zeros",
    inputs: same(3, [3, 4, 5, 5]),
    params: { operation: "product" },
    tolerance: few,
    step: 1,
  },
  { name: "max of 2", inputs: same(2, [3, 5, 7, 3]), params: { operation: "max" }, tolerance: few },
  { name: "max of 3", inputs: same(3, [1, 8, 6, 6]), params: { operation: "max" }, tolerance: few },
  // Ties: the first input that holds the maximum has the gradient.
  { name: "max of 3 with ties", inputs: same(3, [3, 4, 5, 5]), params: { operation: "max" }, tolerance: few, step: 1 },
  { name: "vectors, batch 64", inputs: same(2, [64, 101]), params: { operation: "sum" }, tolerance: few },
  { name: "one value", inputs: same(2, [1, 1, 1, 1]), params: { operation: "max" }, tolerance: few },
  { name: "max of 5", inputs: same(5, [1, 3, 4, 4]), params: { operation: "max" }, tolerance: few },
]);

function same(inputs: number, shape: number[]): number[][] {
  return Array.from({ length: inputs }, () => shape);
}
