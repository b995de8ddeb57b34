/**
 * Positions repeated, left out, turned about and summed, along every axis of items of every rank.
 */
import type { ResampleParameters } from "../reference/resample.ts";
import { type Case, casesOf } from "./case.ts";

// A few products; a gradient sums as many values as show a position.
const tolerance = 1e-6;

const turned = (length: number) => Array.from({ length }, (_, n) => length - 1 - n);
const doubled = (length: number) => Array.from({ length: 2 * length }, (_, n) => n >> 1);
/** Two neighbours for each of twice as many positions, those past the edges being the edges. */
const between = (length: number) =>
  doubled(length).flatMap((at, n) => [at, n % 2 ? Math.min(at + 1, length - 1) : Math.max(at - 1, 0)]);

const rows: Omit<Case<ResampleParameters>, "type" | "tolerance">[] = [
  // A decoder's upsampling: repeated, and interpolated.
  { name: "rows doubled", inputs: [[1, 32, 16, 16]], params: { axis: 1, positions: doubled(16) } },
  {
    name: "columns interpolated",
    inputs: [[1, 16, 12, 12]],
    params: { axis: 2, positions: between(12), taps: 2, weighted: true },
  },
  // Texels, and parts of them.
  { name: "channels turned", inputs: [[3, 3, 4, 5]], params: { axis: 0, positions: turned(3) } },
  { name: "every third channel", inputs: [[2, 13, 2, 3]], params: { axis: 0, positions: [1, 4, 7, 10] } },
  {
    name: "channels summed, batch 3",
    inputs: [[3, 7, 3, 2]],
    params: { axis: 0, positions: [6, 0, 3, 3, 1, 5, 2, 2, 2, 4, 0, 6, 5, 5, 1], taps: 3, weighted: true },
  },
  { name: "features added up", inputs: [[3, 9]], params: { axis: 0, positions: [8, 8, 0, 5, 5, 2], taps: 2 } },
  // The other axes.
  { name: "rows turned", inputs: [[3, 5, 7, 3]], params: { axis: 1, positions: turned(7) } },
  { name: "one row shown often", inputs: [[2, 5, 1, 3]], params: { axis: 1, positions: Array(9).fill(0) } },
  {
    name: "last of five axes",
    inputs: [[2, 5, 2, 3, 4, 2]],
    params: { axis: 4, positions: [0, 1, 1, 0, 0, 0], taps: 2, weighted: true },
  },
];

/** The resample table. */
export const resampleCases: Case<ResampleParameters>[] = casesOf(
  "resample",
  rows.map((row) => ({ ...row, tolerance })),
);
