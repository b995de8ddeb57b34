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
    forEachGroup(x, p, sliding, (image, firstOutput, endOutput, firstValue, length) => {
      const patches = patchesOf(x, sliding, firstValue, length);
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
    const places = sliding.rows * sliding.columns;
    const dx = tensor(x.shape);
    const factors = weight.data;
    const slopes = dy.data;
    forEachGroup(x, p, sliding, (image, firstOutput, endOutput, firstValue, length) => {
      const dPatches = new Float64Array(places * length);
      for (let o = firstOutput; o < endOutput; o++) {
        let at = (image * p.channels + o) * places;
        for (let patch = 0; patch < dPatches.length; patch += length) {
          const slope = slopes[at++];
          for (let tap = 0; tap < length; tap++) dPatches[patch + tap] += slope * factors[o * length + tap];
        }
      }
      forEachTap(sliding, (value, tap) => dx.data[firstValue + value] += dPatches[tap]);
    });
    return {
      inputs: [dx],
      get weights() {
        const dWeight = tensor(weight.shape);
        const dBias = tensor([p.channels]);
        const dFactors = dWeight.data;
        forEachGroup(x, p, sliding, (image, firstOutput, endOutput, firstValue, length) => {
          const patches = patchesOf(x, sliding, firstValue, length);
          for (let o = firstOutput; o < endOutput; o++) {
            let at = (image * p.channels + o) * places;
            for (let patch = 0; patch < patches.length; patch += length) {
              const slope = slopes[at++];
              dBias.data[o] += slope;
              for (let tap = 0; tap < length; tap++) dFactors[o * length + tap] += slope * patches[patch + tap];
            }
          }
        });
        return { weight: dWeight, ...(bias && { bias: dBias }) };
      },
    };
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

/** The patches of a group whose channels start there in x, `length` values each. */
function patchesOf(x: Tensor, sliding: Sliding, firstValue: number, length: number): Float64Array {
  const patches = new Float64Array(sliding.rows * sliding.columns * length);
  forEachTap(sliding, (value, tap) => patches[tap] = x.data[firstValue + value]);
  return patches;
}

/** Visits every group of every image with its output channels, where its channels start in x, and the length of its patches. */
function forEachGroup(
  x: Tensor,
  { channels, groups = 1, kernel }: Conv2dParameters,
  sliding: Sliding,
  visit: (
    image: number,
    firstOutput: number,
    endOutput: number,
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
      visit(image, group * perGroup, (group + 1) * perGroup, (image * groups + group) * c * h * w, length);
    }
  }
}
