/** Pictures in and out of networks: value = (pixel − mean) · scale, channels in the network's order. */
import { UserError } from "../formats/user_error.ts";
import { chw, type Shape, show } from "../ops/op.ts";
import type { ImageFormat, Network } from "./network.ts";

/** An RGB picture, eight bits a channel, row by row. */
export interface Picture {
  /** Pixels in a row. */
  width: number;
  /** Rows. */
  height: number;
  /** R, G and B of every pixel, row by row: 3 · width · height levels from 0 to 255. */
  rgb: Uint8Array;
}

/**
 * The image format of a network, for its pictures of this shape: its input, or a generator's output. @throws UserError when
 * network.json has none, or it does not fit one channel (grey) or three.
 */
export function imageFormat(network: Network, shape: Shape = network.inputs[0].shape): ImageFormat {
  const { image, name } = network;
  if (!image) {
    throw new UserError(
      `network "${name}" has no "image" entry, so pictures cannot be turned into its numbers; \`deno task convert\` with ` +
        "--pixels or --mean writes one, or see docs/model_folder.md",
    );
  }
  const { mean: { length } } = image;
  if (length !== 3 && length !== 1) {
    throw new UserError(`network "${name}": "image" has ${length} means, expected 3, or 1 for grey`);
  }
  if (length !== chw(shape)[0]) {
    throw new UserError(
      `network "${name}": its pictures have shape ${show(shape)}, "image" has ${
        length === 3 ? "3 means" : "1 mean"
      }, expected one a channel`,
    );
  }
  return image;
}

/** How much of a grey there is in red, green and blue (ITU-R BT.601). */
const LUMA = [0.299, 0.587, 0.114] as const;

/** What a channel of a format is made of: its shares of red, green and blue. */
export const sharesOf = (format: ImageFormat, c: number): readonly number[] =>
  format.mean.length === 1 ? LUMA : [0, 1, 2].map((rgb) => rgbIndex(format, c) === rgb ? 1 : 0);

/** Where channel c of a format stands in RGB. */
export const rgbIndex = ({ order }: ImageFormat, c: number): number => order === "RGB" ? c : 2 - c;

/** What channel c of a format is multiplied by. */
export const scaleOf = ({ scale }: ImageFormat, c: number): number => typeof scale === "number" ? scale : scale[c];

/** A picture of the input's size as NCHW values of one item. @throws UserError when the size differs. */
export function pictureToInput(network: Network, { width, height, rgb }: Picture): Float32Array<ArrayBuffer> {
  const format = imageFormat(network);
  const [c, h, w] = chw(network.inputs[0].shape);
  if (h !== height || w !== width) {
    throw new UserError(`network "${network.name}" takes pictures of ${w} × ${h}, this one has ${width} × ${height}`);
  }
  const area = h * w;
  const values = new Float32Array(c * area);
  for (let channel = 0; channel < c; channel++) {
    const [red, green, blue] = sharesOf(format, channel);
    const mean = format.mean[channel];
    const scale = scaleOf(format, channel);
    for (let p = 0; p < area; p++) {
      const pixel = red * rgb[p * 3] + green * rgb[p * 3 + 1] + blue * rgb[p * 3 + 2];
      values[channel * area + p] = (pixel - mean) * scale;
    }
  }
  return values;
}

/** NCHW values of one item of a map of one channel or three as a picture, clipped to 0 … 255. */
export function inputToPicture(network: Network, values: Float32Array, shape: Shape): Picture {
  const format = imageFormat(network, shape);
  const [, height, width] = chw(shape);
  const area = height * width;
  const rgb = new Uint8Array(3 * area);
  const grey = format.mean.length === 1;
  for (let n = 0; n < 3; n++) {
    const channel = grey ? 0 : n;
    const to = grey ? n : rgbIndex(format, n);
    const mean = format.mean[channel];
    const scale = scaleOf(format, channel);
    for (let p = 0; p < area; p++) {
      const pixel = values[channel * area + p] / scale + mean;
      rgb[p * 3 + to] = Math.min(255, Math.max(0, Math.round(pixel)));
    }
  }
  return { width, height, rgb };
}
