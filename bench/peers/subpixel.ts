/**
 * A deconvolution of stride s as a convolution (sub-pixel convolution, Shi et al. 2016): the s × s pixels that share their
 * place in the stride read the same pixels of the input, by taps of their own, so each place is s² more output channels of a
 * plain convolution, whose maps are then interleaved.
 *
 * Output Y = s · m + r takes tap k of input i where Y = s · i + k − padding: i = m − d with d = (k − r − padding) / s.
 */
import type { DeconvParams } from "../../src/ops/conv/deconv2d.ts";
import type { HostTensor } from "../../src/ops/op.ts";

/** The convolution of stride 1. */
export interface Subpixel {
  /** (s_y · s_x · channels, in, kernel): of each place in the stride all channels. */
  weight: { values: Float32Array; shape: number[] };
  /** [top, bottom] and [left, right]. */
  padding: [[number, number], [number, number]];
  /** Rows and columns of its output, each of which becomes a stride's. */
  size: [number, number];
}

/** Undefined where it is none: in groups, dilated, or with taps that the padding pushes outside. */
export function subpixel(
  { values, shape: [inputs, channels, kh, kw] }: HostTensor,
  { stride, padding, dilation, groups }: DeconvParams,
  input: readonly [number, number],
  output: readonly [number, number],
): Subpixel | undefined {
  const axes = [0, 1].map((a) => axisOf([kh, kw][a], stride[a], padding[a], input[a], output[a]));
  if (groups > 1 || Math.max(...dilation) > 1 || axes.some(({ after }) => after < 0)) return undefined;
  const [rows, columns] = axes;
  const [sy, sx] = stride;
  const shape = [sy * sx * channels, inputs, rows.taps, columns.taps];
  const area = rows.taps * columns.taps;
  const weight = new Float32Array(shape.reduce((a, b) => a * b));
  for (let place = 0; place < sy * sx; place++) {
    for (let ty = 0; ty < rows.taps; ty++) {
      for (let tx = 0; tx < columns.taps; tx++) {
        const ky = rows.tap(ty, Math.floor(place / sx));
        const kx = columns.tap(tx, place % sx);
        if (ky < 0 || ky >= kh || kx < 0 || kx >= kw) continue;
        for (let i = 0; i < inputs; i++) {
          for (let o = 0; o < channels; o++) {
            const to = ((place * channels + o) * inputs + i) * area + ty * columns.taps + tx;
            weight[to] = values[((i * channels + o) * kh + ky) * kw + kx];
          }
        }
      }
    }
  }
  return {
    weight: { values: weight, shape },
    padding: [[rows.before, rows.after], [columns.before, columns.after]],
    size: [rows.count, columns.count],
  };
}

function axisOf(kernel: number, stride: number, padding: number, input: number, output: number) {
  const most = Math.floor((kernel - 1 - padding) / stride);
  const least = Math.ceil((1 - stride - padding) / stride);
  const count = Math.ceil(output / stride);
  return {
    taps: most - least + 1,
    count,
    before: most,
    after: count - input - least,
    /** Which tap of the deconvolution is the convolution's t-th, at place r of a stride. */
    tap: (t: number, r: number) => stride * (most - t) + r + padding,
  };
}
