/**
 * What makes a picture of a code, in float64, straight from the definitions: the picture as a classifier's input, and the gradient
 * back from it to the code.
 */
import { type Network, record, tapeGradients } from "./network.ts";
import { crop } from "./shape_ops.ts";
import { type Tensor, tensor } from "./tensor.ts";

/** A maker of pictures [1, c, h, w]. */
export interface Maker {
  picture(code: ArrayLike<number>): Tensor;
  back(code: ArrayLike<number>, dPicture: Tensor): Float64Array;
}

/** A classifier's numbers: (level − mean) · scale. */
export interface Format {
  mean: readonly number[];
  scale: number;
}

/** A generator, cut to the centre. */
export function learned(network: Network, weights: Map<string, Tensor>, size: [number, number]): Maker {
  const { name, shape } = network.inputs[0];
  const last = network.layers.at(-1)!.name;
  const draw = (code: ArrayLike<number>) => record(network, weights, new Map([[name, tensor([1, ...shape], code)]]));
  return {
    picture: (code) => crop.forward([draw(code).values.at(-1)!], { size }, {}),
    back(code, dPicture) {
      const tape = draw(code);
      const picture = tape.values.at(-1)!;
      const [whole] = crop.backward([picture], dPicture, dPicture, { size }, {}).inputs;
      return Float64Array.from(tapeGradients(tape, last, whole).inputs.get(name)!.data);
    },
  };
}

/** Levels less the mean, [c, h, w]. */
export const pixels = ({ scale }: Format, [c, h, w]: readonly number[]): Maker => ({
  picture: (code) => tensor([1, c, h, w], Float64Array.from(code, (level) => level * scale)),
  back: (_, { data }) => Float64Array.from(data, (slope) => slope * scale),
});

/** Lucid's: red, green and blue of the three uncorrelated colours. */
const COLOURS = [[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]];

/** Fourier coefficients [part, frequency along columns, colour, frequency along rows]: irfft2, colours, sigmoid. */
export function fourier({ mean, scale }: Format, [, h, w]: readonly number[]): Maker {
  const half = Math.floor(w / 2) + 1;
  const area = h * w;
  const longest = Math.max(...[0, 1, 2].map((c) => Math.hypot(...COLOURS.map((row) => row[c]))));
  // e^{2πi(ky y / h + kx x / w)} of the half spectrum; its mirror image has the complex conjugate.
  const wave = (y: number, x: number, ky: number, kx: number): [real: number, imaginary: number] => {
    const fy = ky < h / 2 ? ky / h : (ky - h) / h;
    const frequency = Math.hypot(fy, kx / w);
    const size = Math.sqrt(area) / Math.max(frequency, 1 / Math.max(h, w)) / area / 4;
    const times = kx === 0 || kx === w / 2 ? size : 2 * size;
    const angle = 2 * Math.PI * (ky * y / h + kx * x / w);
    return [times * Math.cos(angle), -times * Math.sin(angle)];
  };
  const forEach = (visit: (colour: number, place: number, coefficient: number, weight: number) => void) => {
    for (let place = 0; place < area; place++) {
      for (let ky = 0; ky < h; ky++) {
        for (let kx = 0; kx < half; kx++) {
          wave(Math.floor(place / w), place % w, ky, kx).forEach((weight, part) => {
            for (let c = 0; c < 3; c++) visit(c, place, ((part * h + ky) * 3 + c) * half + kx, weight);
          });
        }
      }
    }
  };
  const shares = (code: ArrayLike<number>): Float64Array => {
    const plain = new Float64Array(3 * area);
    const all = new Float64Array(3 * area);
    forEach((c, place, at, weight) => plain[c * area + place] += weight * code[at]);
    for (let n = 0; n < 3 * area; n++) {
      const sum = COLOURS[Math.floor(n / area)].reduce(
        (sum, share, c) => sum + share / longest * plain[c * area + n % area],
        0,
      );
      all[n] = 1 / (1 + Math.exp(-sum));
    }
    return all;
  };
  return {
    picture: (code) =>
      tensor([1, 3, h, w], shares(code).map((share, n) => (255 * share - mean[Math.floor(n / area)]) * scale)),
    back(code, { data }) {
      const slopes = new Float64Array(3 * area);
      const result = new Float64Array(2 * h * 3 * half);
      shares(code).forEach((share, n) => {
        const slope = data[n] * 255 * scale * share * (1 - share);
        COLOURS[Math.floor(n / area)].forEach((own, c) => slopes[c * area + n % area] += own / longest * slope);
      });
      forEach((c, place, at, weight) => result[at] += weight * slopes[c * area + place]);
      return result;
    },
  };
}
