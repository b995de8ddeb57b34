/**
 * Softmax and its logarithm over channels: of vectors and at every position of a map.
 */
import type { NoParameters } from "../reference/op.ts";
import { type Case, casesOf } from "./case.ts";

// WGSL allows exp 3 + 2|x| units in the last place, with |x| some ten below the maximum.
const exponentials = 1e-5;

/** What both run. */
const rows: Omit<Case<NoParameters>, "type">[] = [
  { name: "1000 classes", inputs: [[1, 1000]], params: {}, tolerance: exponentials },
  { name: "1000 classes, batch 64", inputs: [[64, 1000]], params: {}, tolerance: exponentials },
  { name: "1000 classes over one pixel", inputs: [[3, 1000, 1, 1]], params: {}, tolerance: exponentials },
  { name: "map of 21 classes", inputs: [[1, 21, 13, 17]], params: {}, tolerance: exponentials },
  { name: "map of 5 classes, batch 3", inputs: [[3, 5, 7, 3]], params: {}, tolerance: exponentials },
  { name: "two classes", inputs: [[3, 2]], params: {}, tolerance: exponentials },
  { name: "one class", inputs: [[3, 1, 3, 3]], params: {}, tolerance: exponentials },
  // Sure to overflow unless the maximum is taken off first.
  { name: "confident", inputs: [[3, 205]], params: {}, tolerance: exponentials, spread: 200 },
  { name: "equal logits", inputs: [[1, 101]], params: {}, tolerance: exponentials, step: 100 },
  // A long reduction: one adapter silently ends an invocation's loops after 65,535 trips in all.
  { name: "70,001 classes", inputs: [[1, 70_001]], params: {}, tolerance: exponentials },
];

/** The softmax table. */
export const softmaxCases: Case<NoParameters>[] = casesOf("softmax", rows);

/** The logsoftmax table. */
export const logsoftmaxCases: Case<NoParameters>[] = casesOf("logsoftmax", rows);
