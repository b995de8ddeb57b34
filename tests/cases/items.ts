/**
 * Layers over items of any rank: transpose, pad, mean, broadcasting and matrix products.
 */
import type { BinaryParameters, MeanParameters, PadParameters, TransposeParameters } from "../reference/items.ts";
import type { NoParameters } from "../reference/op.ts";
import { type Case, casesOf } from "./case.ts";

// Values only move; a gradient adds those that are shown several times.
const moves = 1e-6;
// Sums of some thousand values or products.
const sums = 1e-5;
// A quotient's rounding, where the gradient is large by a small divisor; what WGSL allows exp and log.
const functions = 1e-5;

/** The transpose table. */
export const transposeCases: Case<TransposeParameters>[] = casesOf("transpose", [
  { name: "matrix", inputs: [[3, 5, 7]], params: { order: [1, 0] }, tolerance: moves },
  { name: "channels last", inputs: [[1, 6, 9, 5]], params: { order: [1, 2, 0] }, tolerance: moves },
  { name: "channels first", inputs: [[3, 9, 5, 3]], params: { order: [2, 0, 1] }, tolerance: moves },
  { name: "rows and columns", inputs: [[1, 3, 9, 5]], params: { order: [0, 2, 1] }, tolerance: moves },
  { name: "shuffled channels", inputs: [[3, 3, 4, 2, 5]], params: { order: [1, 0, 2, 3] }, tolerance: moves },
  { name: "five dimensions", inputs: [[3, 2, 3, 4, 5, 3]], params: { order: [4, 1, 0, 3, 2] }, tolerance: moves },
  { name: "nothing moves", inputs: [[1, 3, 4, 5]], params: { order: [0, 1, 2] }, tolerance: moves },
]);

/** The pad table. */
export const padCases: Case<PadParameters>[] = casesOf("pad", [
  { name: "rows", inputs: [[1, 5, 6, 7]], params: { axis: 1, before: 1, after: 2 }, tolerance: moves },
  {
    name: "columns with a value",
    inputs: [[3, 5, 6, 7]],
    params: { axis: 2, before: 3, value: -1.5 },
    tolerance: moves,
  },
  { name: "channels", inputs: [[3, 5, 3, 2]], params: { axis: 0, before: 2, after: 1 }, tolerance: moves },
  { name: "channels taken away", inputs: [[3, 9, 3, 2]], params: { axis: 0, before: -2, after: -3 }, tolerance: moves },
  { name: "more and fewer", inputs: [[3, 9]], params: { axis: 0, before: -2, after: 4 }, tolerance: moves },
  {
    name: "reflect",
    inputs: [[1, 3, 5, 6]],
    params: { axis: 2, before: 5, after: 3, mode: "reflect" },
    tolerance: moves,
  },
  {
    name: "reflect channels",
    inputs: [[3, 7]],
    params: { axis: 0, before: 2, after: 6, mode: "reflect" },
    tolerance: moves,
  },
  { name: "edge", inputs: [[3, 5, 2, 3]], params: { axis: 1, before: 4, after: 1, mode: "edge" }, tolerance: moves },
  { name: "edge of one", inputs: [[3, 1]], params: { axis: 0, before: 4, after: 9, mode: "edge" }, tolerance: moves },
  { name: "wrap", inputs: [[3, 2, 3, 4, 2]], params: { axis: 2, before: 4, after: 3, mode: "wrap" }, tolerance: moves },
  {
    name: "edge, cropped",
    inputs: [[3, 5, 6, 3]],
    params: { axis: 1, before: -1, after: 3, mode: "edge" },
    tolerance: moves,
  },
]);

/** The mean table. */
export const meanCases: Case<MeanParameters>[] = casesOf("mean", [
  { name: "of a map", inputs: [[1, 64, 7, 7]], params: { axes: [1, 2] }, tolerance: sums },
  { name: "of channels", inputs: [[3, 5, 6, 3]], params: { axes: [0] }, tolerance: sums },
  { name: "of rows", inputs: [[3, 5, 6, 3]], params: { axes: [1] }, tolerance: sums },
  { name: "of everything", inputs: [[3, 5, 6, 3]], params: { axes: [0, 1, 2] }, tolerance: sums },
  { name: "of nothing", inputs: [[3, 5, 6]], params: { axes: [] }, tolerance: sums },
  { name: "of every other dimension", inputs: [[3, 2, 3, 4, 5, 3]], params: { axes: [0, 2, 4] }, tolerance: sums },
  // A long reduction: one adapter silently ends an invocation's loops after 65,535 trips in all.
  { name: "of 90,001 values", inputs: [[1, 3, 90_001]], params: { axes: [1] }, tolerance: sums },
]);

/** The binary table: every operation over every way of stretching. */
export const binaryCases: Case<BinaryParameters>[] = casesOf(
  "binary",
  (["sum", "difference", "product", "quotient", "truncatedQuotient", "power", "less"] as const).flatMap((operation) =>
    ([
      ["the same shape", [3, 5, 4, 3], [3, 5, 4, 3]],
      ["channels", [3, 5, 4, 3], [3, 5, 1, 1]],
      ["columns", [3, 5, 4, 3], [3, 3]],
      ["both", [1, 5, 1, 3], [1, 1, 4, 3]],
      ["one number", [3, 1], [3, 2, 7, 3]],
      ["four dimensions", [1, 6, 1, 3, 2], [1, 2, 3, 1]],
    ] as const).map(([name, ...inputs]) => ({
      name: `${operation}, ${name}`,
      inputs: inputs.map((shape) => [...shape]),
      params: { operation },
      tolerance: operation === "quotient" || operation === "power" ? functions : sums,
    }))
  ),
);

/** The matmul table. */
export const matmulCases: Case<NoParameters>[] = casesOf("matmul", [
  { name: "matrices", inputs: [[3, 5, 7], [3, 7, 6]], params: {}, tolerance: sums },
  { name: "attention", inputs: [[1, 4, 9, 16], [1, 4, 16, 9]], params: {}, tolerance: sums },
  { name: "one matrix for all", inputs: [[3, 2, 3, 5], [3, 5, 3]], params: {}, tolerance: sums },
  { name: "leading dimensions stretched", inputs: [[1, 3, 1, 2, 5], [1, 2, 5, 3]], params: {}, tolerance: sums },
  { name: "row by column", inputs: [[3, 1, 9], [3, 9, 1]], params: {}, tolerance: sums },
  // A long reduction: one adapter silently ends an invocation's loops after 65,535 trips in all.
  { name: "70,001 products", inputs: [[1, 1, 70_001], [1, 70_001, 2]], params: {}, tolerance: sums },
]);
