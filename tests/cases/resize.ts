/**
 * Resizing: larger, smaller, both at once, by odd ratios, from and to a single pixel.
 */
import type { ResizeParameters } from "../reference/resize.ts";
import { type Case, casesOf } from "./case.ts";

// Sixteen products; weights are off by a rounding or two, and a gradient sums up as many as the ratio.
const tolerance = 6e-7;

const row = (name: string, shape: number[], size: number | [number, number]): Omit<Case<ResizeParameters>, "type">[] =>
  (["bilinear", "bicubic"] as const).map((method) => ({
    name: `${method}, ${name}`,
    inputs: [shape],
    params: { size, method },
    tolerance,
  }));

/** The resize table. */
export const resizeCases: Case<ResizeParameters>[] = casesOf("resize", [
  ...row("deepsim64 to googlenet", [1, 3, 64, 64], 224),
  ...row("256 to 227", [1, 3, 256, 256], 227),
  ...row("odd sizes up, batch 3", [3, 5, 7, 3], [11, 8]),
  ...row("odd sizes down", [1, 4, 13, 9], [5, 2]),
  ...row("higher and narrower", [2, 1, 5, 12], [9, 7]),
  ...row("one pixel to many", [1, 6, 1, 1], [3, 4]),
  ...row("many to one", [1, 6, 5, 4], 1),
  ...row("doubled", [1, 4, 4, 4], 8),
  ...row("as it is", [1, 4, 5, 6], [5, 6]),
]);
