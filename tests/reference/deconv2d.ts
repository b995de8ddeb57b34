/**
 * Deconvolution, the transpose of convolution: every x[i, iy, ix] adds weight[i, o, ky, kx] · x[i, iy, ix] to
 * y[o, iy · stride + ky · dilation − padding, …] for the output channels o of i's group. Weight (in, channels /
 * groups, kh, kw), as in Caffe and PyTorch.
 *
 * Output size: (in − 1) · stride − padding + dilation · (kernel − 1) + 1 + outputPadding. What falls outside is lost;
 * the rows and columns that outputPadding adds are at the bottom and right, and receive whatever the kernel reaches.
 *
 * It is done as one says it: every pixel of x, all channels of a group together, makes a patch; patches are added into
 * y where the kernel stands. Backwards, the patch of dy at every pixel is laid out first.
 */
import type { Conv2dParameters } from "./conv2d.ts";
import type { Op } from "./op.ts";
import { type Tensor, tensor } from "./tensor.ts";
import { forEachTap, type Pair, pair, sides, type Sliding } from "./window.ts";

/** The parameters of `deconv2d` in network.json. */
export interface Deconv2dParameters extends Conv2dParameters {
  outputPadding?: Pair;
}

/** Deconvolution with stride, padding, dilation, groups and output padding. */
export const deconv2d: Op<Deconv2dParameters> = {
  weightShapes([[, c]], { channels, kernel, groups = 1, bias = true }) {
    return { weight: [c, channels / groups, ...pair(kernel)], ...(bias && { bias: [channels] }) };
  },

  forward([x], p, { weight, bias }) {
    const { sliding, area, length, pixels } = geometry(x, p);
    const y = tensor([x.shape[0], p.channels, ...sliding.image.slice(1)]);
    if (bias) y.data.forEach((_, at) => y.data[at] = bias.data[Math.floor(at / area) % p.channels]);
    const [values, factors] = [x.data, weight.data];
    forEachGroup(x, p, (image, group, firstInput, endInput) => {
      const patches = new Float64Array(pixels * length);
      for (let i = firstInput; i < endInput; i++) {
        let at = (image * x.shape[1] + i) * pixels;
        for (let patch = 0; patch < patches.length; patch += length) {
          const value = values[at++];
          for (let tap = 0; tap < length; tap++) patches[patch + tap] += factors[i * length + tap] * value;
        }
      }
      const first = (image * p.channels + group * sliding.image[0]) * area;
      forEachTap(sliding, (value, tap) => y.data[first + value] += patches[tap]);
    });
    return y;
  },

  backward([x], _y, dy, p, { weight, bias }) {
    const { sliding, area, length, pixels } = geometry(x, p);
    const dx = tensor(x.shape);
    const values = x.data;
    const factors = weight.data;
    const dPatchesOf = (image: number, group: number) => {
      const first = (image * p.channels + group * sliding.image[0]) * area;
      const dPatches = new Float64Array(pixels * length);
      forEachTap(sliding, (value, tap) => dPatches[tap] = dy.data[first + value]);
      return dPatches;
    };
    forEachGroup(x, p, (image, group, firstInput, endInput) => {
      const dPatches = dPatchesOf(image, group);
      for (let i = firstInput; i < endInput; i++) {
        let at = (image * x.shape[1] + i) * pixels;
        for (let patch = 0; patch < dPatches.length; patch += length) {
          let sum = 0;
          for (let tap = 0; tap < length; tap++) sum += factors[i * length + tap] * dPatches[patch + tap];
          dx.data[at++] = sum;
        }
      }
    });
    return {
      inputs: [dx],
      get weights() {
        const dWeight = tensor(weight.shape);
        const dBias = tensor([p.channels]);
        const dFactors = dWeight.data;
        dy.data.forEach((slope, at) => dBias.data[Math.floor(at / area) % p.channels] += slope);
        forEachGroup(x, p, (image, group, firstInput, endInput) => {
          const dPatches = dPatchesOf(image, group);
          for (let i = firstInput; i < endInput; i++) {
            let at = (image * x.shape[1] + i) * pixels;
            for (let patch = 0; patch < dPatches.length; patch += length) {
              const value = values[at++];
              for (let tap = 0; tap < length; tap++) dFactors[i * length + tap] += value * dPatches[patch + tap];
            }
          }
        });
        return { weight: dWeight, ...(bias && { bias: dBias }) };
      },
    };
  },
};

/** How the kernel moves over one group of the output, the area of an output plane, the sizes of patches and of x. */
function geometry(x: Tensor, p: Deconv2dParameters) {
  const { channels, kernel, stride = 1, padding = 0, dilation = 1, groups = 1, outputPadding = 0 } = p;
  const [, , h, w] = x.shape;
  const { top, left, bottom, right } = sides(padding);
  const reach = (length: number, axis: 0 | 1) =>
    (length - 1) * pair(stride)[axis] + pair(dilation)[axis] * (pair(kernel)[axis] - 1) + 1 + pair(outputPadding)[axis];
  const [oh, ow] = [reach(h, 0) - top - bottom, reach(w, 1) - left - right];
  const [kh, kw] = pair(kernel);
  const sliding: Sliding = { ...p, image: [channels / groups, oh, ow], rows: h, columns: w };
  return { sliding, area: oh * ow, length: channels / groups * kh * kw, pixels: h * w };
}

/** Visits every group of every image with its input channels. */
function forEachGroup(
  x: Tensor,
  { groups = 1 }: Deconv2dParameters,
  visit: (image: number, group: number, firstInput: number, endInput: number) => void,
): void {
  const perGroup = x.shape[1] / groups;
  for (let image = 0; image < x.shape[0]; image++) {
    for (let group = 0; group < groups; group++) visit(image, group, group * perGroup, (group + 1) * perGroup);
  }
}
