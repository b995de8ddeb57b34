/**
 * Long short-term memories: of LRCN (narrower input), then time in batch and item, streams, markers and every option.
 * Markers are random numbers here, not 0 and 1: what they multiply then shows.
 */
import type { LstmParameters } from "../reference/lstm.ts";
import { type Case, casesOf } from "./case.ts";

// Sums of some hundred products, then WGSL's exp, step after step.
const steps = 2e-5;

/** The LSTM table. */
export const lstmCases: Case<LstmParameters>[] = casesOf("lstm", [
  { name: "lrcn, 16 frames", inputs: [[16, 512], [16, 1]], params: { hidden: 256 }, tolerance: steps },
  {
    name: "64 steps, a stream in two dimensions",
    inputs: [[64, 1, 33], [64, 1]],
    params: { hidden: 20 },
    tolerance: steps,
  },
  { name: "many features, odd sizes", inputs: [[3, 261], [3, 1]], params: { hidden: 37 }, tolerance: steps },
  { name: "without marker", inputs: [[5, 12]], params: { hidden: 8 }, tolerance: steps },
  { name: "a single step of a single unit", inputs: [[1, 1], [1, 1]], params: { hidden: 1 }, tolerance: steps },
  { name: "odd sizes, reverse", inputs: [[7, 5], [7, 1]], params: { hidden: 6, reverse: true }, tolerance: steps },
  { name: "5 streams", inputs: [[6, 5, 7], [6, 5]], params: { hidden: 10 }, tolerance: steps },
  {
    name: "3 streams that take turns",
    inputs: [[12, 5], [12, 1]],
    params: { hidden: 6, streams: 3 },
    tolerance: steps,
  },
  {
    name: "2 times 5 streams, initial, reverse",
    inputs: [[6, 5, 4], [6, 5]],
    params: { hidden: 3, streams: 2, initial: true, reverse: true },
    tolerance: steps,
  },
  {
    name: "3 streams, peepholes, initial",
    inputs: [[4, 3, 5], [4, 3]],
    params: { hidden: 7, peepholes: true, initial: true },
    tolerance: steps,
  },
  {
    name: "the cell's values, peepholes",
    inputs: [[4, 3, 5], [4, 3]],
    params: { hidden: 7, peepholes: true, state: "cell" },
    tolerance: steps,
  },
  {
    name: "the cell's values, time in the item, reverse",
    inputs: [[2, 5, 3, 4]],
    params: { hidden: 6, time: "item", reverse: true, initial: true, state: "cell" },
    tolerance: steps,
  },
  { name: "time in the item", inputs: [[1, 6, 2, 5]], params: { hidden: 9, time: "item" }, tolerance: steps },
  {
    name: "time in the item, three items, marker",
    inputs: [[3, 6, 2, 5], [3, 6, 2]],
    params: { hidden: 4, time: "item" },
    tolerance: steps,
  },
  {
    name: "time in the item, two items, everything",
    inputs: [[2, 5, 3, 4], [2, 5, 3]],
    params: { hidden: 6, time: "item", reverse: true, peepholes: true, initial: true },
    tolerance: steps,
  },
]);
