/**
 * Bounded values: ReLU6, one bound, and values that lie on a bound.
 */
import type { ClipParameters } from "../reference/clip.ts";
import { type Case, casesOf } from "./case.ts";

// Values only move.
const exact = 0;

/** The clip table. */
export const clipCases: Case<ClipParameters>[] = casesOf("clip", [
  { name: "relu6", inputs: [[1, 32, 14, 14]], params: { min: 0, max: 6 }, tolerance: exact, spread: 5 },
  { name: "odd channels, batch 3", inputs: [[3, 5, 7, 3]], params: { min: -0.5, max: 0.25 }, tolerance: exact },
  { name: "below alone", inputs: [[3, 7]], params: { min: 0.5 }, tolerance: exact },
  { name: "above alone", inputs: [[3, 7]], params: { max: -0.5 }, tolerance: exact },
  { name: "no bound", inputs: [[3, 7]], params: {}, tolerance: exact },
  { name: "on the bounds", inputs: [[3, 5, 4, 4]], params: { min: -1, max: 1 }, tolerance: exact, step: 1 },
]);
