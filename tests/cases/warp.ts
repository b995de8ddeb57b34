/**
 * Warps by random numbers: turned and scaled by anything, zoomed far out and in, past the edges with zeros or once more.
 */
import type { WarpParameters } from "../reference/warp.ts";
import { type Case, casesOf } from "./case.ts";

// A position some hundred pixels off is known to 1e-5 of a pixel; a gradient sums over what a zoom makes of one.
const tolerance = 2e-5;

const row = (name: string, shape: number[], spread = 1): Omit<Case<WarpParameters>, "type">[] =>
  (["zero", "wrap"] as const).map((edges) => ({
    name: `${edges}, ${name}`,
    inputs: [shape, [shape[0], 4]],
    params: { edges },
    tolerance,
    spread,
  }));

/** The warp table. */
export const warpCases: Case<WarpParameters>[] = casesOf("warp", [
  ...row("a picture", [2, 3, 64, 64]),
  ...row("odd sizes, batch 3", [3, 5, 7, 3]),
  ...row("a far zoom, batch 3", [3, 2, 5, 6], 0.2),
  ...row("far away", [2, 4, 6, 5], 4),
  ...row("one pixel", [1, 6, 1, 1]),
]);
