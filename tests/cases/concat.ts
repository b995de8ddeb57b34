/**
 * Concatenation along channels: counts that are no multiples of four are where packed kernels go wrong.
 */
import type { NoParameters } from "../reference/op.ts";
import { type Case, casesOf } from "./case.ts";

// Values only move.
const exact = 0;

/** The concatenation table. */
export const concatCases: Case<NoParameters>[] = casesOf("concat", [
  {
    name: "googlenet inception 3a",
    inputs: [[1, 64, 14, 14], [1, 128, 14, 14], [1, 32, 14, 14], [1, 32, 14, 14]],
    params: {},
    tolerance: exact,
  },
  { name: "1, 3 and 5 channels", inputs: [[3, 1, 5, 7], [3, 3, 5, 7], [3, 5, 5, 7]], params: {}, tolerance: exact },
  {
    name: "1, 3 and 5 single pixels",
    inputs: [[3, 1, 1, 1], [3, 3, 1, 1], [3, 5, 1, 1]],
    params: {},
    tolerance: exact,
  },
  { name: "two of one channel, batch 64", inputs: [[64, 1, 3, 3], [64, 1, 3, 3]], params: {}, tolerance: exact },
  { name: "vectors of 3 and 10", inputs: [[3, 3], [3, 10]], params: {}, tolerance: exact },
  { name: "vectors, batch 1", inputs: [[1, 1024], [1, 101], [1, 1]], params: {}, tolerance: exact },
  { name: "one input", inputs: [[3, 5, 3, 3]], params: {}, tolerance: exact },
  {
    name: "nine inputs",
    inputs: [1, 2, 3, 4, 5, 6, 7, 8, 9].map((channels) => [2, channels, 3, 5]),
    params: {},
    tolerance: exact,
  },
]);
