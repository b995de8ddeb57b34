/**
 * Fully connected layers: of the embedded pair, of CaffeNet (narrower), then the awkward ones.
 */
import type { FcParameters } from "../reference/fc.ts";
import { type Case, casesOf } from "./case.ts";

// Float32 sums of up to some thousand products, output or gradient: about √terms · 6e-8 of their size.
const sums = 1e-5;
// The same for 60,000 products and more: added one after the other they were 1.5e-5 off at worst.
const longSums = 3e-5;

/** The fully connected table. */
export const fcCases: Case<FcParameters>[] = casesOf("fc", [
  // Layers of real networks.
  { name: "caffenet64 fc6", inputs: [[1, 256, 4, 4]], params: { channels: 1024 }, tolerance: sums },
  { name: "caffenet64 fc8", inputs: [[1, 1024]], params: { channels: 1000 }, tolerance: sums },
  { name: "deepsim64 defc5", inputs: [[1, 1024]], params: { channels: 4096 }, tolerance: sums },
  { name: "caffenet fc6", inputs: [[1, 256, 6, 6]], params: { channels: 128 }, tolerance: sums },
  { name: "places205 fc8", inputs: [[2, 4096]], params: { channels: 205 }, tolerance: sums },
  { name: "googlenet loss3", inputs: [[1, 1024, 1, 1]], params: { channels: 1000 }, tolerance: sums },
  // Batches.
  { name: "batch 3", inputs: [[3, 100]], params: { channels: 37 }, tolerance: sums },
  { name: "batch 2, odd sizes", inputs: [[2, 1037]], params: { channels: 270 }, tolerance: sums },
  { name: "batch 20", inputs: [[20, 256]], params: { channels: 100 }, tolerance: sums },
  { name: "batch 64", inputs: [[64, 65]], params: { channels: 33 }, tolerance: sums },
  // Sizes.
  { name: "one feature to one", inputs: [[1, 1]], params: { channels: 1 }, tolerance: sums },
  { name: "one feature to many", inputs: [[3, 1]], params: { channels: 1001 }, tolerance: sums },
  { name: "many features to one", inputs: [[3, 1001]], params: { channels: 1 }, tolerance: sums },
  { name: "three to five without bias", inputs: [[3, 3]], params: { channels: 5, bias: false }, tolerance: sums },
  { name: "image of 5 channels", inputs: [[3, 5, 3, 3]], params: { channels: 10 }, tolerance: sums },
  { name: "image of 6 channels, odd sizes", inputs: [[1, 6, 3, 5]], params: { channels: 7 }, tolerance: sums },
  { name: "image of one channel", inputs: [[64, 1, 5, 7]], params: { channels: 9 }, tolerance: sums },
  { name: "single pixels", inputs: [[3, 13, 1, 1]], params: { channels: 6 }, tolerance: sums },
  // Rows.
  { name: "lrcn fc8-final, batch 16", inputs: [[16, 1, 256]], params: { channels: 101, axis: 1 }, tolerance: sums },
  { name: "5 rows of 7, batch 3", inputs: [[3, 5, 7]], params: { channels: 6, axis: 1 }, tolerance: sums },
  { name: "rows of images", inputs: [[2, 3, 5, 4]], params: { channels: 9, axis: 1, bias: false }, tolerance: sums },
  { name: "rows in two dimensions", inputs: [[2, 3, 2, 2, 5]], params: { channels: 4, axis: 3 }, tolerance: sums },
  // Long reductions: one adapter silently ends an invocation's loops after 65,535 trips in all.
  { name: "70,000 features", inputs: [[1, 70_000]], params: { channels: 8 }, tolerance: longSums },
  {
    name: "71,672 features of an image, batch 3",
    inputs: [[3, 62, 34, 34]],
    params: { channels: 3 },
    tolerance: longSums,
  },
  { name: "image of 10,500 pixels, batch 2", inputs: [[2, 3, 105, 100]], params: { channels: 5 }, tolerance: sums },
  { name: "row of 70,000 pixels", inputs: [[1, 1, 1, 70_000]], params: { channels: 3 }, tolerance: longSums },
  { name: "gradients over 70,001 channels", inputs: [[1, 6]], params: { channels: 70_001 }, tolerance: longSums },
]);
