/**
 * Slices along every axis of items of every rank, on and off the boundaries of texels.
 */
import type { SliceParameters } from "../reference/slice.ts";
import { type Case, casesOf } from "./case.ts";

// Values only move.
const exact = 0;

/** The slice table. */
export const sliceCases: Case<SliceParameters>[] = casesOf("slice", [
  // Channels: whole texels, then parts of them.
  { name: "caffenet half", inputs: [[1, 96, 13, 13]], params: { axis: 0, from: 48, count: 48 }, tolerance: exact },
  { name: "first channels", inputs: [[3, 10, 5, 4]], params: { axis: 0, from: 0, count: 3 }, tolerance: exact },
  {
    name: "middle channels, batch 3",
    inputs: [[3, 11, 3, 5]],
    params: { axis: 0, from: 3, count: 6 },
    tolerance: exact,
  },
  { name: "last channels", inputs: [[2, 13, 4, 4]], params: { axis: 0, from: 8, count: 5 }, tolerance: exact },
  { name: "one feature", inputs: [[64, 101]], params: { axis: 0, from: 100, count: 1 }, tolerance: exact },
  { name: "features from texel 1", inputs: [[3, 16]], params: { axis: 0, from: 4, count: 7 }, tolerance: exact },
  { name: "everything", inputs: [[3, 5, 2, 2]], params: { axis: 0, from: 0, count: 5 }, tolerance: exact },
  // The other axes.
  { name: "rows", inputs: [[3, 5, 7, 3]], params: { axis: 1, from: 2, count: 4 }, tolerance: exact },
  { name: "columns", inputs: [[3, 6, 4, 9]], params: { axis: 2, from: 5, count: 4 }, tolerance: exact },
  { name: "second of two axes", inputs: [[4, 3, 10]], params: { axis: 1, from: 4, count: 5 }, tolerance: exact },
  { name: "third of four axes", inputs: [[2, 3, 2, 5, 4]], params: { axis: 2, from: 1, count: 3 }, tolerance: exact },
  { name: "last of four axes", inputs: [[2, 3, 2, 5, 4]], params: { axis: 3, from: 1, count: 2 }, tolerance: exact },
  {
    name: "fourth of five axes",
    inputs: [[2, 5, 2, 3, 4, 2]],
    params: { axis: 3, from: 2, count: 2 },
    tolerance: exact,
  },
]);
