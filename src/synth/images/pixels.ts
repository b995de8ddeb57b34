/**
 * A picture's own pixels, in levels of 255 less the classifier's mean: zero is the mean image, and lengths of steps mean the same
 * for every classifier. That is what the first methods climbed (Simonyan et al. 2013), most of them in Caffe's units, which these
 * are.
 */
import type { Model } from "../../net/model.ts";
import { imageFormat, scaleOf } from "../../net/picture.ts";
import { type ImagePrior, type Size, stored } from "./image.ts";

/** The prior `pixels`. */
export const pixels: ImagePrior = {
  help: "the picture's pixels, in levels of 255 less the classifier's mean",
  noise: 10,
  model({ network }: Model, [height, width]: Size): Model {
    const image = imageFormat(network);
    const channels = image.mean.length;
    const area = height * width;
    const levels = (level: number) => Float32Array.from(image.mean.flatMap((mean) => Array(area).fill(level - mean)));
    const factors = Float32Array.from(image.mean, (_, c) => scaleOf(image, c));
    const shape = [channels, height, width];
    return {
      name: `pixels ${width}×${height}`,
      where: "pixels",
      network: {
        name: "pixels",
        inputs: [{ name: "pixels", shape }],
        image: { order: image.order, mean: image.mean, scale: image.scale },
        layers: [
          { name: "picture", type: "scale", inputs: ["pixels"], output: "picture", params: { bias: false } },
        ],
      },
      weights: new Map([
        ["picture.weight", stored(factors, [channels])],
        ["code.lower", stored(levels(0), shape)],
        ["code.upper", stored(levels(255), shape)],
      ]),
      labels: [],
      hash: `pixels ${channels}×${height}×${width}`,
    };
  },
  resized(code, channels, from, to) {
    const [h, w] = from;
    const [height, width] = to;
    const all = new Float32Array(channels * height * width);
    const rows = taps(h, height);
    const columns = taps(w, width);
    for (let c = 0; c < channels; c++) {
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          let sum = 0;
          for (const [row, down] of rows[y]) {
            for (const [column, across] of columns[x]) sum += down * across * code[(c * h + row) * w + column];
          }
          all[(c * height + y) * width + x] = sum;
        }
      }
    }
    return all;
  },
};

/** For each pixel along an axis, the two that it lies between, pixels being areas, and how much of each. */
function taps(from: number, to: number): [at: number, weight: number][][] {
  return Array.from({ length: to }, (_, o) => {
    const at = (o + 0.5) * from / to - 0.5;
    const below = Math.floor(at);
    const inside = (p: number) => Math.min(Math.max(p, 0), from - 1);
    return [[inside(below), 1 - (at - below)], [inside(below + 1), at - below]];
  });
}
