/**
 * Fourier coefficients with decorrelated colours, today's practice (Olah et al. 2017; the parametrisation of Lucid's `fft_image` and
 * `to_valid_rgb`). The code holds real and imaginary parts for the half spectrum of each of three uncorrelated colours:
 *
 *   z = irfft2(s · code) / 4,   s = √(H W) / max(f, 1 / max(H, W)),   f the frequency in cycles a pixel
 *   picture = sigmoid(C z),   C the square root of the colours' covariance over ImageNet, over its longest row
 *
 * so a step changes all frequencies as they are in pictures, not the finest most. The inverse transform is two products, along
 * columns and along rows, each a 1 × 1 convolution; dimensions are turned in between. Of an odd width Lucid takes one frequency
 * more and cuts; here the half spectrum is the exact one.
 */
import { UserError } from "../../formats/user_error.ts";
import type { Model } from "../../net/model.ts";
import type { LayerSpec } from "../../net/network.ts";
import { imageFormat } from "../../net/picture.ts";
import { type ImagePrior, type Size, stored } from "./image.ts";

/** How red, green and blue are made of three uncorrelated colours. */
const COLOURS = [[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]];

/** The length of the longest column of that: Lucid's normalisation. */
const LONGEST = Math.max(...[0, 1, 2].map((c) => Math.hypot(...COLOURS.map((row) => row[c]))));

/** Frequencies along a row: the half of them that is not given by the others. */
const half = (width: number): number => Math.floor(width / 2) + 1;

/** The whole number of cycles of frequency k of n. */
const cycles = (k: number, n: number): number => 2 * k < n ? k : k - n;

/** What a coefficient is multiplied by. */
function scaling(ky: number, kx: number, [height, width]: Size): number {
  const frequency = Math.hypot(cycles(ky, height) / height, kx / width);
  return Math.sqrt(height * width) / Math.max(frequency, 1 / Math.max(height, width));
}

/** Numbers in the order of the code: part, frequency along columns, colour, frequency along rows. */
function perCoefficient(size: Size, channels: number, value: (ky: number, kx: number) => number): Float32Array {
  const [height, width] = size;
  const parts = 2;
  const all = new Float32Array(parts * height * channels * half(width));
  let at = 0;
  for (let part = 0; part < parts; part++) {
    for (let ky = 0; ky < height; ky++) {
      for (let c = 0; c < channels; c++) for (let kx = 0; kx < half(width); kx++) all[at++] = value(ky, kx);
    }
  }
  return all;
}

/** The inverse transform along columns: complex to complex, [real; imaginary] as rows and columns. */
function alongColumns(height: number): Float32Array {
  const n = 2 * height;
  const matrix = new Float32Array(n * n);
  for (let y = 0; y < height; y++) {
    for (let k = 0; k < height; k++) {
      const angle = 2 * Math.PI * (y * k % height) / height;
      const cos = Math.cos(angle) / height;
      const sin = Math.sin(angle) / height;
      matrix[y * n + k] = matrix[(height + y) * n + height + k] = cos;
      matrix[y * n + height + k] = -sin;
      matrix[(height + y) * n + k] = sin;
    }
  }
  return matrix;
}

/** The inverse transform along rows: half of the frequencies, complex, to real numbers; a quarter of them, as Lucid's. */
function alongRows(width: number): Float32Array {
  const count = half(width);
  const matrix = new Float32Array(width * 2 * count);
  for (let x = 0; x < width; x++) {
    for (let k = 0; k < count; k++) {
      const times = (k === 0 || 2 * k === width ? 1 : 2) / width / 4;
      const angle = 2 * Math.PI * (x * k % width) / width;
      matrix[x * 2 * count + k] = times * Math.cos(angle);
      matrix[x * 2 * count + count + k] = -times * Math.sin(angle);
    }
  }
  return matrix;
}

/** The prior `fourier`. */
export const fourier: ImagePrior = {
  help: "Fourier coefficients of decorrelated colours",
  noise: 0.01,
  model({ network }: Model, size: Size): Model {
    const channels = imageFormat(network).mean.length;
    const [height, width] = size;
    const parts = 2;
    const count = half(width);
    if (height < 2 || width < 2) {
      throw new UserError(`the prior fourier makes pictures of 2×2 pixels or more, not ${width}×${height}`);
    }
    const spectrum = [parts * height, channels, count];
    const chain: [name: string, type: string, params: Record<string, unknown>][] = [
      ["scaled", "scale", { bias: false }],
      ["spectrum", "reshape", { shape: spectrum }],
      ["columns", "conv2d", { channels: parts * height, kernel: 1, bias: false }],
      ["complex", "reshape", { shape: [parts, height, channels, count] }],
      ["turned", "transpose", { order: [0, 3, 2, 1] }],
      ["frequencies", "reshape", { shape: [parts * count, channels, height] }],
      ["rows", "conv2d", { channels: width, kernel: 1, bias: false }],
      ["uncorrelated", "transpose", { order: [1, 2, 0] }],
      ["colours", "conv2d", { channels, kernel: 1, bias: false }],
      ["picture", "sigmoid", {}],
    ];
    const layers = chain.map(([name, type, params], n): LayerSpec => {
      return { name, type, inputs: [n === 0 ? "coefficients" : chain[n - 1][0]], output: name, params };
    });
    const colours = channels === 1 ? [1] : COLOURS.flat().map((value) => value / LONGEST);
    const scales = perCoefficient(size, channels, (ky, kx) => scaling(ky, kx, size));
    return {
      name: `fourier ${width}×${height}`,
      where: "fourier",
      network: {
        name: "fourier",
        inputs: [{ name: "coefficients", shape: [scales.length] }],
        image: { order: "RGB", mean: Array(channels).fill(0), scale: 1 / 255 },
        layers,
      },
      weights: new Map([
        ["scaled.weight", stored(scales, [scales.length])],
        ["columns.weight", stored(alongColumns(height), [parts * height, parts * height, 1, 1])],
        ["rows.weight", stored(alongRows(width), [width, parts * count, 1, 1])],
        ["colours.weight", stored(Float32Array.from(colours), [channels, channels, 1, 1])],
      ]),
      labels: [],
      hash: `fourier ${channels}×${height}×${width}`,
    };
  },
  /** Frequencies that both sizes have keep their amplitudes; new ones are zero. */
  resized(code, channels, from, to) {
    const [h, w] = from;
    const [height, width] = to;
    const all = new Float32Array(2 * height * channels * half(width));
    for (let part = 0; part < 2; part++) {
      for (let ky = 0; ky < h; ky++) {
        const cy = cycles(ky, h);
        const row = (cy + height) % height;
        if (2 * Math.abs(cy) >= Math.min(h, height)) continue;
        for (let kx = 0; 2 * kx < Math.min(w, width); kx++) {
          const share = height * width / (h * w) * scaling(ky, kx, from) / scaling(row, kx, to);
          for (let c = 0; c < channels; c++) {
            all[((part * height + row) * channels + c) * half(width) + kx] = share *
              code[((part * h + ky) * channels + c) * half(w) + kx];
          }
        }
      }
    }
    return all;
  },
};
