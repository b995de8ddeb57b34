/**
 * Max and average pooling: CaffeNet's, GoogLeNet's, ResNet's and ONNX's rules, then the awkward sizes.
 */
import type { AvgPoolParameters, PoolParameters } from "../reference/pool.ts";
import { type Case, casesOf } from "./case.ts";

// Values only move; a gradient adds the few windows that overlap.
const moves = 1e-6;
// Sums of a window, and one division.
const means = 1e-5;

/** Shapes that both kinds of pooling run. */
const shapes: { name: string; input: number[]; params: PoolParameters }[] = [
  // Layers of real networks.
  { name: "caffenet pool1: 55 to 27", input: [1, 24, 55, 55], params: { kernel: 3, stride: 2 } },
  { name: "caffenet64 pool1: 32 to 16", input: [1, 64, 32, 32], params: { kernel: 3, stride: 2 } },
  { name: "caffenet64 pool5: 8 to 4", input: [1, 256, 8, 8], params: { kernel: 3, stride: 2 } },
  { name: "googlenet pool1: 112 to 56", input: [1, 8, 112, 112], params: { kernel: 3, stride: 2 } },
  { name: "googlenet inception: 3/1 pad 1", input: [1, 32, 14, 14], params: { kernel: 3, stride: 1, padding: 1 } },
  { name: "googlenet pool5: 7/1", input: [1, 128, 7, 7], params: { kernel: 7 } },
  {
    name: "resnet pool1 as ONNX",
    input: [1, 16, 56, 56],
    params: { kernel: 3, stride: 2, padding: 1, rounding: "floor" },
  },
  { name: "vgg 2/2", input: [1, 32, 28, 28], params: { kernel: 2, stride: 2 } },
  // Rounding and padding.
  { name: "ceil adds a window that hangs over", input: [3, 5, 6, 6], params: { kernel: 3, stride: 2 } },
  { name: "floor leaves a row over", input: [3, 5, 6, 6], params: { kernel: 3, stride: 2, rounding: "floor" } },
  { name: "ceil with padding", input: [3, 5, 7, 8], params: { kernel: 3, stride: 2, padding: 1 } },
  { name: "ceil with padding, last window dropped", input: [3, 5, 5, 5], params: { kernel: 2, stride: 2, padding: 1 } },
  { name: "floor with padding", input: [3, 5, 7, 8], params: { kernel: 3, stride: 2, padding: 1, rounding: "floor" } },
  {
    name: "padding of each side its own",
    input: [1, 3, 9, 8],
    params: { kernel: 4, stride: 3, padding: [0, 1, 2, 3] },
  },
  {
    name: "padding below and right alone",
    input: [1, 3, 8, 8],
    params: { kernel: 3, stride: 2, padding: [0, 0, 1, 1] },
  },
  // Windows and strides.
  { name: "stride larger than the kernel", input: [3, 4, 11, 10], params: { kernel: 2, stride: 3 } },
  { name: "ceil would start a window outside", input: [3, 4, 5, 5], params: { kernel: 1, stride: 3 } },
  { name: "kernel larger than the image", input: [1, 4, 3, 2], params: { kernel: 5, padding: 2 } },
  { name: "kernel larger than the image, no padding", input: [1, 4, 3, 2], params: { kernel: 4, stride: 4 } },
  { name: "asymmetric kernel", input: [3, 5, 9, 12], params: { kernel: [1, 4], stride: [1, 2], padding: [0, 1] } },
  { name: "asymmetric stride", input: [3, 5, 12, 9], params: { kernel: 3, stride: [3, 1], padding: 1 } },
  { name: "1x1 image", input: [3, 6, 1, 1], params: { kernel: 1 } },
  { name: "1x1 image, padded", input: [3, 6, 1, 1], params: { kernel: 3, stride: 2, padding: 1 } },
  { name: "one channel, batch 64", input: [64, 1, 13, 13], params: { kernel: 3, stride: 2 } },
  // Dilation.
  { name: "dilation 2", input: [3, 5, 9, 8], params: { kernel: 3, stride: 2, dilation: 2, padding: 1 } },
  {
    name: "dilation of each axis its own",
    input: [1, 3, 9, 12],
    params: { kernel: [2, 3], stride: [1, 2], dilation: [3, 2], padding: [2, 0, 1, 3], rounding: "floor" },
  },
  {
    name: "dilation with a window that hangs over",
    input: [3, 2, 8, 8],
    params: { kernel: 2, stride: 3, dilation: 3 },
  },
  // Global pooling.
  { name: "global", input: [3, 10, 7, 7], params: { global: true } },
  { name: "global, not square", input: [1, 3, 5, 11], params: { global: true } },
  { name: "global over one pixel", input: [64, 5, 1, 1], params: { global: true } },
  // A long reduction: one adapter silently ends an invocation's loops after 65,535 trips in all.
  { name: "global over 90,000 pixels", input: [1, 2, 300, 300], params: { global: true } },
];

/** The max pooling table. */
export const maxpoolCases: Case<PoolParameters>[] = casesOf("maxpool", [
  ...shapes.map(({ name, input, params }) => ({ name, inputs: [input], params, tolerance: moves })),
  // Ties: the first maximum of the window has the gradient.
  { name: "ties", inputs: [[3, 5, 9, 9]], params: { kernel: 3, stride: 2 }, tolerance: moves, step: 1 },
  { name: "ties at the border", inputs: [[3, 5, 8, 8]], params: { kernel: 3, padding: 1 }, tolerance: moves, step: 1 },
  {
    name: "all values the same",
    inputs: [[1, 2, 6, 6]],
    params: { kernel: 3, stride: 2 },
    tolerance: moves,
    step: 100,
  },
]);

/** The average pooling table: every shape, and those with padding or windows that hang over counted both ways. */
export const avgpoolCases: Case<AvgPoolParameters>[] = casesOf(
  "avgpool",
  shapes.flatMap(({ name, input, params }) => {
    const counted = { name, inputs: [input], params, tolerance: means };
    return [counted, { ...counted, name: `${name}, image only`, params: { ...params, countPadding: false } }];
  }),
);
