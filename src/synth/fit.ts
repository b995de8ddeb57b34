/** The image between: what makes a generator's picture one that a classifier takes. All of it is linear, with exact gradients. */
import { UserError } from "../formats/user_error.ts";
import { type Layer, makeLayer, type Value } from "../net/graph.ts";
import type { Model } from "../net/model.ts";
import type { ImageFormat } from "../net/network.ts";
import { imageFormat, scaleOf, sharesOf } from "../net/picture.ts";
import { chw, type HostTensor, show } from "../ops/op.ts";

/** How a picture of another size becomes one of the classifier's. */
export const fits = ["auto", "crop", "resize"] as const;
/** One of them. */
export type Fit = typeof fits[number];

/** How a picture is resized. */
export const interpolations = ["bilinear", "bicubic"] as const;
/** One of them. */
export type Interpolated = typeof interpolations[number];

/** How a picture is fitted. */
export interface Fitting {
  /** `auto`, the default, keeps the centre of a picture that is larger, and resizes others. */
  fit?: Fit;
  /** How it is resized; bilinear unless given. */
  interpolation?: Interpolated;
}

const noWeights = (name: string): HostTensor => {
  throw new UserError(`"${name}" has no weights`);
};

/** The layers between a picture of the generator's and the classifier's input. @throws UserError where nothing fits. */
export function fitLayers(
  picture: Value,
  wanted: readonly number[],
  generator: Model,
  classifier: Model,
  { fit = "auto", interpolation = "bilinear" }: Fitting,
): Layer[] {
  const layers: Layer[] = [];
  const [c, h, w] = chw(picture.shape);
  const [pc, ph, pw] = chw(wanted);
  const from = imageFormat(generator.network, picture.shape);
  const to = imageFormat(classifier.network, wanted);
  const add = (...[name, type, params, inputs, weight]: Parameters<typeof makeLayer>) =>
    layers.push(makeLayer(name, type, params, inputs, weight));
  const last = () => layers.at(-1)?.output ?? picture;
  if (h !== ph || w !== pw) {
    const larger = h >= ph && w >= pw;
    if (fit === "crop" && !larger) {
      throw new UserError(
        `${generator.name} makes images of ${show([c, h, w])}, ${classifier.name} takes ${
          show([pc, ph, pw])
        }, which no crop ` +
          "makes of them; --fit resize does",
      );
    }
    if (fit === "crop" || fit === "auto" && larger) {
      add("crop to classifier", "crop", { size: [ph, pw] }, [last()], noWeights);
    } else add("resize to classifier", "resize", { size: [ph, pw], method: interpolation }, [last()], noWeights);
  }
  return [...layers, ...formatLayers("to the classifier's pixel format", last(), from, to)];
}

/** The layer that makes one format's numbers of another's, where they differ. */
export function formatLayers(name: string, picture: Value, from: ImageFormat, to: ImageFormat): Layer[] {
  const numbers = ({ order, mean, scale }: ImageFormat) => JSON.stringify([order, mean, scale]);
  if (numbers(from) === numbers(to)) return [];
  const weights = conversion(from, to);
  const params = { channels: to.mean.length, kernel: 1 };
  return [makeLayer(name, "conv2d", params, [picture], (name, shape) => ({
    shape,
    stored: "F32",
    values: weights[name],
  }))];
}

/** One format's numbers from another's, as the weights of a 1 × 1 convolution. */
function conversion(from: ImageFormat, to: ImageFormat): Record<string, Float32Array> {
  const channels = to.mean.length;
  const sources = from.mean.length;
  const weight = new Float32Array(channels * sources);
  const bias = new Float32Array(channels);
  for (let out = 0; out < channels; out++) {
    // A grey picture's red, green and blue are all its grey.
    const shares = sharesOf(to, out);
    const scale = scaleOf(to, out);
    let shift = -to.mean[out];
    for (let source = 0; source < sources; source++) {
      const own = sources === 1 ? [1, 1, 1] : sharesOf(from, source);
      const share = shares.reduce((sum, value, n) => sum + value * own[n], 0);
      if (share === 0) continue;
      weight[out * sources + source] = share * (scale / scaleOf(from, source));
      shift += share * from.mean[source];
    }
    bias[out] = shift * scale;
  }
  return { weight, bias };
}
