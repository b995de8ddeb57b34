/**
 * Local response normalisation. With Caffe's α of 1e-4 and inputs near one the layer is almost the identity, so most
 * cases take larger inputs or a larger α, where each term of the gradient counts.
 */
import type { LrnParameters } from "../reference/lrn.ts";
import { type Case, casesOf } from "./case.ts";

// WGSL allows pow some ten units in the last place (it is exp2 of a product with log2).
const powers = 1e-5;
// The usual exponent takes square roots.
const roots = 2e-6;

/** The LRN table. */
export const lrnCases: Case<LrnParameters>[] = casesOf("lrn", [
  // Layers of real networks: activations there reach some hundreds.
  { name: "caffenet norm1", inputs: [[1, 96, 27, 27]], params: {}, tolerance: roots, spread: 100 },
  { name: "caffenet norm2, near one", inputs: [[1, 256, 13, 13]], params: {}, tolerance: roots, spread: 10 },
  {
    name: "googlenet norm1",
    inputs: [[1, 64, 14, 14]],
    params: { size: 5, alpha: 1e-4, beta: 0.75 },
    tolerance: roots,
    spread: 300,
  },
  // Parameters.
  { name: "size 3", inputs: [[3, 8, 5, 5]], params: { size: 3, alpha: 0.5 }, tolerance: powers },
  { name: "size 1", inputs: [[3, 5, 4, 4]], params: { size: 1, alpha: 0.5 }, tolerance: powers },
  { name: "even size", inputs: [[3, 9, 4, 4]], params: { size: 4, alpha: 0.5 }, tolerance: powers },
  { name: "beta 0.5, k 2", inputs: [[3, 8, 5, 5]], params: { size: 5, alpha: 1, beta: 0.5, k: 2 }, tolerance: powers },
  { name: "beta 1", inputs: [[1, 7, 5, 3]], params: { size: 5, alpha: 2, beta: 1 }, tolerance: powers },
  // Sizes.
  { name: "fewer channels than size", inputs: [[3, 3, 5, 5]], params: { size: 5, alpha: 1 }, tolerance: powers },
  { name: "one channel", inputs: [[3, 1, 7, 5]], params: { alpha: 1 }, tolerance: powers },
  { name: "wide window", inputs: [[1, 13, 3, 3]], params: { size: 11, alpha: 3 }, tolerance: powers },
  { name: "1x1 image", inputs: [[1, 17, 1, 1]], params: { alpha: 1 }, tolerance: powers },
  { name: "batch 64, odd sizes", inputs: [[64, 6, 3, 5]], params: { alpha: 1 }, tolerance: powers },
  // Within a channel. Caffe's CIFAR-10 network has size 3 and α = 5e-5.
  {
    name: "within, cifar10 norm1",
    inputs: [[1, 32, 16, 16]],
    params: { region: "within", size: 3, alpha: 5e-5 },
    tolerance: powers,
    spread: 100,
  },
  {
    name: "within, odd sizes, batch 3",
    inputs: [[3, 5, 7, 4]],
    params: { region: "within", size: 5, alpha: 2 },
    tolerance: powers,
  },
  {
    name: "within, even size, beta 0.5, k 2",
    inputs: [[2, 3, 6, 5]],
    params: { region: "within", size: 4, alpha: 3, beta: 0.5, k: 2 },
    tolerance: powers,
  },
  {
    name: "within, window over all",
    inputs: [[3, 6, 3, 2]],
    params: { region: "within", size: 9, alpha: 9 },
    tolerance: powers,
  },
  {
    name: "within, size 1",
    inputs: [[1, 3, 4, 4]],
    params: { region: "within", size: 1, alpha: 0.5 },
    tolerance: powers,
  },
]);
