/**
 * A shift for every channel.
 */
import type { NoParameters } from "../reference/op.ts";
import { type Case, casesOf } from "./case.ts";

// One sum.
const once = 1e-6;

/** The bias table. */
export const biasCases: Case<NoParameters>[] = casesOf("bias", [
  { name: "image", inputs: [[1, 64, 14, 14]], params: {}, tolerance: once },
  { name: "5 channels, odd sizes, batch 3", inputs: [[3, 5, 7, 3]], params: {}, tolerance: once },
  { name: "vector", inputs: [[3, 101]], params: {}, tolerance: once },
]);
