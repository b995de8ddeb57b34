/**
 * Dropout, flatten, reshape and crop.
 */
import type { NoParameters } from "../reference/op.ts";
import type { CropParameters, ReshapeParameters } from "../reference/shape_ops.ts";
import { type Case, casesOf } from "./case.ts";

// Values only move.
const exact = 0;

/** The dropout table. */
export const dropoutCases: Case<NoParameters>[] = casesOf("dropout", [
  { name: "vector", inputs: [[1, 1024]], params: {}, tolerance: exact },
  { name: "image of 5 channels, batch 3", inputs: [[3, 5, 7, 3]], params: {}, tolerance: exact },
]);

/** The flatten table. */
export const flattenCases: Case<NoParameters>[] = casesOf("flatten", [
  { name: "caffenet64 pool5", inputs: [[1, 256, 4, 4]], params: {}, tolerance: exact },
  { name: "5 channels, odd sizes, batch 3", inputs: [[3, 5, 7, 3]], params: {}, tolerance: exact },
  { name: "single pixels, batch 64", inputs: [[64, 6, 1, 1]], params: {}, tolerance: exact },
  { name: "already flat", inputs: [[3, 101]], params: {}, tolerance: exact },
]);

/** The reshape table. */
export const reshapeCases: Case<ReshapeParameters>[] = casesOf("reshape", [
  { name: "deepsim fc6 to 4x4", inputs: [[1, 4096]], params: { shape: [256, 4, 4] }, tolerance: exact },
  { name: "vector to 5 channels, batch 3", inputs: [[3, 105]], params: { shape: [5, 7, 3] }, tolerance: exact },
  { name: "vector to one channel", inputs: [[3, 35]], params: { shape: [1, 5, 7] }, tolerance: exact },
  { name: "vector to single pixels", inputs: [[3, 13]], params: { shape: [13, 1, 1] }, tolerance: exact },
  { name: "5 channels to a vector", inputs: [[3, 5, 7, 3]], params: { shape: [105] }, tolerance: exact },
  { name: "6 channels to 9", inputs: [[3, 6, 3, 5]], params: { shape: [9, 5, 2] }, tolerance: exact },
  { name: "channels left to find", inputs: [[64, 54]], params: { shape: [-1, 3, 3] }, tolerance: exact },
  { name: "features left to find", inputs: [[3, 3, 5, 5]], params: { shape: [-1] }, tolerance: exact },
]);

/** The crop table. */
export const cropCases: Case<CropParameters>[] = casesOf("crop", [
  { name: "deepsim 256 to caffenet 227", inputs: [[1, 3, 256, 256]], params: { size: [227, 227] }, tolerance: exact },
  { name: "centre, odd difference", inputs: [[3, 3, 10, 9]], params: { size: [5, 6] }, tolerance: exact },
  { name: "offset", inputs: [[3, 5, 9, 8]], params: { size: [4, 3], offset: [2, 4] }, tolerance: exact },
  { name: "top left", inputs: [[1, 6, 7, 7]], params: { size: [3, 3], offset: [0, 0] }, tolerance: exact },
  { name: "bottom right", inputs: [[1, 6, 7, 7]], params: { size: [3, 4], offset: [4, 3] }, tolerance: exact },
  { name: "one pixel", inputs: [[64, 5, 5, 5]], params: { size: [1, 1] }, tolerance: exact },
  { name: "everything", inputs: [[3, 4, 5, 6]], params: { size: [5, 6] }, tolerance: exact },
  { name: "columns alone", inputs: [[3, 1, 5, 12]], params: { size: [5, 7] }, tolerance: exact },
]);
