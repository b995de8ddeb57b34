/**
 * Convolution: y[o, oy, ox] = bias[o] + Σ weight[o, i, ky, kx] · x[i, oy · stride + ky · dilation − padding, …],
 * the sum over the kernel and over the input channels of o's group. Weight (channels, in / groups, kh, kw).
 *
 * Output size: floor((in + padding − dilation · (kernel − 1) − 1) / stride) + 1. Outside the image x is zero.
 *
 * It is done as one says it: lay out the patch of x under the kernel at every place (zero in the padding), then
 * multiply every patch with every output channel's weights.
 */
import type { Op } from "./op.ts";
import { type Tensor, tensor } from "./tensor.ts";
import { forEachTap, type Padding, type Pair, pair, sides, type Sliding } from "./window.ts";

/** The parameters of `conv2d` in network.json. */
export interface Conv2dParameters {
  channels: number;
  kernel: Pair;
  stride?: Pair;
  padding?: Padding;
  dilation?: Pair;
  groups?: number;
  bias?: boolean;
}

/** Convolution with stride, padding, dilation and groups. */
export const conv2d: Op<Conv2dParameters> = {
  weightShapes([[, c]], { channels, kernel, groups = 1, bias = true }) {
    return { weight: [channels, c / groups, ...pair(kernel)], ...(bias && { bias: [channels] }) };
  },

  forward([x], p, { weight, bias }) {
    const sliding = slide(x, p);
    const y = tensor([x.shape[0], p.channels, sliding.rows, sliding.columns]);
    const [values, factors] = [y.data, weight.data];
    forEachGroup(x, p, sliding, (image, firstOutput, endOutput, patches, _firstValue, length) => {
      for (let o = firstOutput; o < endOutput; o++) {
        let at = (image * p.channels + o) * sliding.rows * sliding.columns;
        for (let patch = 0; patch < patches.length; patch += length) {
          let sum = bias ? bias.data[o] : 0;
          for (let tap = 0; tap < length; tap++) sum += factors[o * length + tap] * patches[patch + tap];
          values[at++] = sum;
        }
      }
    });
    return y;
  },

  backward([x], _y, dy, p, { weight, bias }) {
    const sliding = slide(x, p);
    const [dx, dWeight, dBias] = [tensor(x.shape), tensor(weight.shape), tensor([p.channels])];
    const [factors, slopes, dFactors] = [weight.data, dy.data, dWeight.data];
    forEachGroup(x, p, sliding, (image, firstOutput, endOutput, patches, firstValue, length) => {
      const dPatches = new Float64Array(patches.length);
      for (let o = firstOutput; o < endOutput; o++) {
        let at = (image * p.channels + o) * sliding.rows * sliding.columns;
        for (let patch = 0; patch < patches.length; patch += length) {
          const slope = slopes[at++];
          dBias.data[o] += slope;
          for (let tap = 0; tap < length; tap++) {
            dFactors[o * length + tap] += slope * patches[patch + tap];
            dPatches[patch + tap] += slope * factors[o * length + tap];
          }
        }
      }
      forEachTap(sliding, (value, tap) => dx.data[firstValue + value] += dPatches[tap]);
    });
    return { inputs: [dx], weights: { weight: dWeight, ...(bias && { bias: dBias }) } };
  },
};

/** How the kernel moves over the channels of one group. */
function slide(x: Tensor, p: Conv2dParameters): Sliding {
  const { kernel, stride = 1, padding = 0, dilation = 1, groups = 1 } = p;
  const [, c, h, w] = x.shape;
  const { top, left, bottom, right } = sides(padding);
  const places = (length: number, axis: 0 | 1) =>
    Math.floor((length - pair(dilation)[axis] * (pair(kernel)[axis] - 1) - 1) / pair(stride)[axis]) + 1;
  return { ...p, image: [c / groups, h, w], rows: places(top + h + bottom, 0), columns: places(left + w + right, 1) };
}

/**
 * Visits every group of every image with its output channels, its patches (`length` values each), and where its
 * channels start in x.
 */
function forEachGroup(
  x: Tensor,
  { channels, groups = 1, kernel }: Conv2dParameters,
  sliding: Sliding,
  visit: (
    image: number,
    firstOutput: number,
    endOutput: number,
    patches: Float64Array,
    firstValue: number,
    length: number,
  ) => void,
): void {
  const [c, h, w] = sliding.image;
  const [kh, kw] = pair(kernel);
  const length = c * kh * kw;
  const perGroup = channels / groups;
  for (let image = 0; image < x.shape[0]; image++) {
    for (let group = 0; group < groups; group++) {
      const firstValue = (image * groups + group) * c * h * w;
      const patches = new Float64Array(sliding.rows * sliding.columns * length);
      forEachTap(sliding, (value, tap) => patches[tap] = x.data[firstValue + value]);
      visit(image, group * perGroup, (group + 1) * perGroup, patches, firstValue, length);
    }
  }
}
