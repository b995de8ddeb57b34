/**
 * A factor and a shift for every channel.
 */
import type { ScaleParameters } from "../reference/scale.ts";
import { type Case, casesOf } from "./case.ts";

// A product and a sum.
const few = 1e-6;

/** The scale table. */
export const scaleCases: Case<ScaleParameters>[] = casesOf("scale", [
  { name: "resnet scale", inputs: [[1, 64, 14, 14]], params: {}, tolerance: few },
  { name: "without bias", inputs: [[1, 32, 7, 7]], params: { bias: false }, tolerance: few },
  { name: "5 channels, odd sizes, batch 3", inputs: [[3, 5, 7, 3]], params: {}, tolerance: few },
  { name: "one channel, batch 64", inputs: [[64, 1, 5, 5]], params: {}, tolerance: few },
  { name: "vector", inputs: [[3, 101]], params: {}, tolerance: few },
  { name: "1x1 image", inputs: [[3, 13, 1, 1]], params: { bias: false }, tolerance: few },
]);
