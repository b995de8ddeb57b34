/**
 * Convolution as a gather, for both directions of the same weights: one copy of them serves an output and its gradient.
 *
 *   direct.ts       y[n,o,·] = Σ_taps Σ_i w[o,i,tap] · x[n,i, · stride − padding + tap · dilation]
 *   transposed.ts   x[n,i,·] = Σ_taps Σ_o w[o,i,tap] · y[n,o, (· + padding − tap · dilation) / stride]
 *
 * shape.ts has the records, blocks.ts the weights, places.ts and registers.ts the tiles, arithmetic.ts, double.ts and half.ts
 * the sums.
 */
import { direct } from "./direct.ts";
import type { ConvKernel } from "./shape.ts";
import { transposed } from "./transposed.ts";

/** The WGSL of a kernel. */
export const conv = (k: ConvKernel): string => k.direction === "direct" ? direct(k) : transposed(k);
