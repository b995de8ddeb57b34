/**
 * Convolutions: of CaffeNet, GoogLeNet, ResNet, the embedded pair and the generators (fewer channels where the whole
 * layer would be slow in float64), then the awkward ones.
 */
import type { Conv2dParameters } from "../reference/conv2d.ts";
import { type Case, casesOf } from "./case.ts";

// Float32 sums of up to some thousand products, output or gradient: about √terms · 6e-8 of their size.
const sums = 1e-5;
// The same for 60,000 products and more: added one after the other they were 1.5e-5 off at worst.
const longSums = 3e-5;

/** The convolution table. */
export const conv2dCases: Case<Conv2dParameters>[] = casesOf("conv2d", [
  // Layers of real networks.
  net("caffenet64 conv1", [1, 3, 64, 64], { channels: 64, kernel: 5, stride: 2, padding: 2 }),
  net("caffenet64 conv2", [1, 64, 16, 16], { channels: 80, kernel: 3, padding: 1 }),
  net("caffenet64 conv3", [1, 160, 8, 8], { channels: 128, kernel: 3, padding: 1 }),
  net("caffenet64 conv5", [1, 256, 8, 8], { channels: 96, kernel: 3, padding: 1 }),
  net("deepsim64 conv0", [1, 32, 64, 64], { channels: 3, kernel: 3, padding: 1 }),
  net("caffenet conv1", [1, 3, 227, 227], { channels: 8, kernel: 11, stride: 4 }),
  net("caffenet conv2", [1, 48, 27, 27], { channels: 32, kernel: 5, padding: 2, groups: 2 }),
  net("caffenet conv4", [1, 96, 13, 13], { channels: 96, kernel: 3, padding: 1, groups: 2 }),
  net("lrcn conv1", [1, 3, 115, 115], { channels: 16, kernel: 7, stride: 2 }),
  net("lrcn conv2", [1, 32, 28, 28], { channels: 32, kernel: 5, stride: 2, groups: 2 }),
  net("googlenet conv1", [1, 3, 112, 112], { channels: 16, kernel: 7, stride: 2, padding: 3 }),
  net("googlenet 1x1", [1, 192, 28, 28], { channels: 16, kernel: 1 }),
  net("googlenet 5x5", [1, 16, 28, 28], { channels: 32, kernel: 5, padding: 2 }),
  net("resnet 1x1 stride 2", [1, 64, 28, 28], { channels: 64, kernel: 1, stride: 2, bias: false }),
  net("resnet 3x3 without bias", [1, 64, 14, 14], { channels: 64, kernel: 3, padding: 1, bias: false }),
  // Batches.
  net("batch 3", [3, 16, 13, 13], { channels: 24, kernel: 3, padding: 1 }),
  net("batch 64", [64, 8, 9, 9], { channels: 12, kernel: 3, padding: 1 }),
  net("batch 64 of single pixels", [64, 32, 1, 1], { channels: 16, kernel: 1 }),
  // Sizes.
  net("one channel to one", [1, 1, 7, 9], { channels: 1, kernel: 3 }),
  net("odd everything", [3, 5, 11, 7], { channels: 7, kernel: 3, padding: 1 }),
  net("1x1 image", [3, 6, 1, 1], { channels: 5, kernel: 1 }),
  net("1x1 image under a 3x3 kernel", [3, 6, 1, 1], { channels: 5, kernel: 3, padding: 1 }),
  net("kernel larger than the image", [3, 4, 2, 3], { channels: 5, kernel: 5, padding: 2 }),
  net("kernel as large as the image", [3, 9, 6, 6], { channels: 10, kernel: 6 }),
  net("kernel as large as the image, many channels", [2, 70, 2, 3], { channels: 150, kernel: [2, 3] }),
  net("one row", [1, 4, 1, 37], { channels: 6, kernel: [1, 3], padding: [0, 1] }),
  net("one column", [1, 4, 37, 1], { channels: 6, kernel: [3, 1], padding: [1, 0] }),
  net("even kernel", [1, 6, 8, 8], { channels: 6, kernel: 4, padding: 1 }),
  net("asymmetric kernel", [3, 5, 9, 12], { channels: 6, kernel: [1, 5], padding: [0, 2] }),
  net("asymmetric stride", [3, 5, 12, 9], { channels: 6, kernel: 3, stride: [3, 1], padding: 1 }),
  net("padding of each side its own", [1, 3, 8, 7], { channels: 4, kernel: 3, padding: [0, 1, 2, 3] }),
  net("padding above and left alone", [3, 3, 8, 7], { channels: 4, kernel: 4, stride: 2, padding: [3, 2, 0, 0] }),
  net("padding larger than the kernel", [1, 3, 5, 5], { channels: 4, kernel: 2, padding: 3 }),
  // 3x3 kernels over whole blocks of four channels, which may go through tiles of 4x4 outputs.
  net("blocks without padding", [2, 8, 9, 7], { channels: 12, kernel: 3 }),
  net("blocks with padding of each side its own", [3, 8, 6, 11], { channels: 4, kernel: 3, padding: [0, 1, 2, 3] }),
  net("blocks with padding larger than the kernel", [1, 4, 3, 3], { channels: 8, kernel: 3, padding: 4 }),
  net("blocks in groups", [2, 24, 10, 5], { channels: 16, kernel: 3, padding: 1, groups: 2 }),
  net("blocks of single pixels", [5, 16, 1, 1], { channels: 12, kernel: 3, padding: 1, bias: false }),
  // Strides.
  net("stride 2 that leaves a row over", [1, 4, 8, 8], { channels: 8, kernel: 3, stride: 2 }),
  net("stride larger than the kernel", [3, 4, 13, 14], { channels: 6, kernel: 2, stride: 3 }),
  net("stride larger than the image", [3, 4, 3, 3], { channels: 6, kernel: 3, stride: 7, padding: 1 }),
  net("1x1 kernel with stride 3", [3, 8, 10, 11], { channels: 8, kernel: 1, stride: 3 }),
  // Dilation.
  net("dilation 2", [1, 8, 15, 15], { channels: 8, kernel: 3, padding: 2, dilation: 2 }),
  net("dilation [1, 3]", [3, 5, 9, 14], { channels: 6, kernel: 3, padding: [1, 3], dilation: [1, 3] }),
  net("dilation and stride", [3, 6, 17, 13], { channels: 6, kernel: 3, stride: 2, padding: 3, dilation: 3 }),
  net("dilation with holes that miss the image", [1, 3, 4, 4], { channels: 4, kernel: 3, padding: 5, dilation: 5 }),
  // Groups.
  net("6 channels in 3 groups", [3, 6, 9, 9], { channels: 6, kernel: 3, padding: 1, groups: 3 }),
  net("10 channels in 2 groups", [1, 10, 8, 7], { channels: 10, kernel: 3, padding: 1, groups: 2 }),
  net("groups that widen", [3, 6, 7, 7], { channels: 9, kernel: 3, stride: 2, padding: 1, groups: 3 }),
  net("depthwise", [1, 32, 14, 14], { channels: 32, kernel: 3, padding: 1, groups: 32 }),
  net("depthwise of 7 with multiplier 2", [3, 7, 9, 8], { channels: 14, kernel: 3, padding: 1, groups: 7 }),
  net("groups, dilation and stride", [3, 12, 15, 11], {
    channels: 20,
    kernel: [3, 2],
    stride: [2, 1],
    padding: [1, 0, 2, 1],
    dilation: [1, 2],
    groups: 4,
  }),
  // Long reductions: one adapter silently ends an invocation's loops after 65,535 trips in all.
  net("1x1 over 4096 channels", [1, 4096, 3, 3], { channels: 8, kernel: 1 }),
  { ...net("102,400 products a sum", [1, 4096, 5, 5], { channels: 4, kernel: 5 }), tolerance: longSums },
  {
    ...net("weight gradients over 90,000 pixels", [1, 1, 300, 300], { channels: 2, kernel: 3, padding: 1 }),
    tolerance: longSums,
  },
  // Many output channels: more workgroups than channels of any real layer.
  net("4099 channels from one", [1, 1, 3, 3], { channels: 4099, kernel: 3, padding: 1 }),
]);

function net(name: string, input: number[], params: Conv2dParameters) {
  return { name, inputs: [input], params, tolerance: sums };
}
