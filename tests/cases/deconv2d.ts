/**
 * Deconvolutions: of the DeePSiM generators and the embedded one, then the awkward ones.
 */
import type { Deconv2dParameters } from "../reference/deconv2d.ts";
import { type Case, casesOf } from "./case.ts";

// Float32 sums of up to some thousand products, output or gradient: about √terms · 6e-8 of their size.
const sums = 1e-5;
// The same for 60,000 products and more: added one after the other they were 1.5e-5 off at worst.
const longSums = 3e-5;

/** The deconvolution table. */
export const deconv2dCases: Case<Deconv2dParameters>[] = casesOf("deconv2d", [
  // Layers of real networks.
  net("deepsim64 deconv5", [1, 256, 4, 4], { channels: 128, kernel: 4, stride: 2, padding: 1 }),
  net("deepsim64 deconv4", [1, 128, 8, 8], { channels: 64, kernel: 4, stride: 2, padding: 1 }),
  net("deepsim64 deconv2", [1, 64, 16, 16], { channels: 32, kernel: 4, stride: 2, padding: 1 }),
  net("deepsim conv5_1", [1, 128, 8, 8], { channels: 96, kernel: 3, padding: 1 }),
  net("deepsim deconv0", [1, 32, 48, 48], { channels: 3, kernel: 4, stride: 2, padding: 1 }),
  net("bilinear upsampling of segmentation nets", [1, 21, 9, 9], {
    channels: 21,
    kernel: 16,
    stride: 8,
    padding: 4,
    groups: 21,
    bias: false,
  }),
  // Batches.
  net("batch 2 of 1x1 images, many channels", [2, 150, 1, 1], { channels: 70, kernel: [2, 3] }),
  net("batch 3", [3, 12, 5, 5], { channels: 8, kernel: 4, stride: 2, padding: 1 }),
  net("batch 64", [64, 8, 4, 4], { channels: 6, kernel: 4, stride: 2, padding: 1 }),
  // Sizes.
  net("one channel to one", [1, 1, 5, 4], { channels: 1, kernel: 3 }),
  net("odd everything", [3, 5, 7, 3], { channels: 7, kernel: 3, padding: 1 }),
  net("1x1 image to 4x4", [3, 6, 1, 1], { channels: 5, kernel: 4 }),
  net("1x1 image, padded to one pixel", [3, 6, 1, 1], { channels: 5, kernel: 3, padding: 1 }),
  net("1x1 kernel", [3, 9, 4, 5], { channels: 6, kernel: 1 }),
  net("asymmetric kernel and stride", [3, 5, 4, 6], { channels: 6, kernel: [2, 5], stride: [1, 2], padding: [0, 2] }),
  net("padding of each side its own", [1, 3, 5, 4], { channels: 4, kernel: 4, stride: 2, padding: [0, 1, 2, 3] }),
  net("padding that hides the border pixels", [1, 3, 6, 6], { channels: 4, kernel: 3, padding: 3 }),
  // Strides: what the kernel does not reach holds the bias alone.
  net("kernel 3, stride 2", [3, 8, 6, 7], { channels: 6, kernel: 3, stride: 2, padding: 1 }),
  net("kernel 5, stride 3", [3, 5, 4, 5], { channels: 6, kernel: 5, stride: 3, padding: 1 }),
  net("stride larger than the kernel", [3, 5, 4, 3], { channels: 6, kernel: 2, stride: 3 }),
  net("1x1 kernel with stride 2", [1, 8, 5, 5], { channels: 8, kernel: 1, stride: 2 }),
  // Output padding.
  net("output padding", [3, 8, 5, 5], { channels: 6, kernel: 3, stride: 2, padding: 1, outputPadding: 1 }),
  net("output padding [0, 2]", [3, 5, 4, 3], { channels: 6, kernel: 5, stride: 3, padding: 2, outputPadding: [0, 2] }),
  net("output padding out of reach", [1, 3, 3, 3], { channels: 4, kernel: 2, stride: 3, outputPadding: 2 }),
  // Dilation.
  net("dilation 2", [1, 8, 6, 6], { channels: 8, kernel: 3, padding: 2, dilation: 2 }),
  net("dilation 3 with stride 2", [3, 5, 5, 4], { channels: 6, kernel: 3, stride: 2, padding: 1, dilation: 3 }),
  net("dilation 2 with stride 2", [3, 5, 5, 4], { channels: 6, kernel: 3, stride: 2, padding: 1, dilation: 2 }),
  // Groups.
  net("6 channels in 3 groups", [3, 6, 5, 5], { channels: 6, kernel: 4, stride: 2, padding: 1, groups: 3 }),
  net("10 channels in 2 groups", [1, 10, 4, 5], { channels: 10, kernel: 3, padding: 1, groups: 2 }),
  net("groups that narrow", [3, 9, 5, 4], { channels: 6, kernel: 3, stride: 2, groups: 3, bias: false }),
  net("depthwise", [1, 16, 7, 7], { channels: 16, kernel: 4, stride: 2, padding: 1, groups: 16 }),
  net("groups, dilation, stride and output padding", [3, 12, 5, 4], {
    channels: 20,
    kernel: [3, 2],
    stride: [2, 3],
    padding: [1, 0, 2, 1],
    dilation: [1, 2],
    groups: 4,
    outputPadding: [1, 2],
  }),
  // Long reductions: one adapter silently ends an invocation's loops after 65,535 trips in all.
  net("1x1 over 4096 channels", [1, 4096, 3, 3], { channels: 8, kernel: 1 }),
  { ...net("gradients of 102,400 products a sum", [1, 4, 1, 1], { channels: 4096, kernel: 5 }), tolerance: longSums },
  { ...net("102,400 products a sum", [1, 4096, 5, 5], { channels: 4, kernel: 5, padding: 2 }), tolerance: longSums },
]);

function net(name: string, input: number[], params: Deconv2dParameters) {
  return { name, inputs: [input], params, tolerance: sums };
}
