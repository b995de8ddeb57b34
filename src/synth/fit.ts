/** The image between: what makes a generator's picture one that a classifier takes. All of it is linear, with exact gradients. */
import { UserError } from "../formats/user_error.ts";
import { type Layer, makeLayer, type Value } from "../net/graph.ts";
import type { Model } from "../net/model.ts";
import type { ImageFormat } from "../net/network.ts";
import { imageFormat, scaleOf, sharesOf } from "../net/picture.ts";
import { chw, show } from "../ops/op.ts";
import type { Fitting } from "./fits.ts";

/** What makes a picture of one shape one of another's size; undefined where it has that. */
export function fittingOf(
  picture: readonly number[],
  wanted: readonly number[],
  { fit = "auto" }: Fitting,
): "crop" | "resize" | undefined {
  const [, h, w] = chw(picture);
  const [, ph, pw] = chw(wanted);
  if (h === ph && w === pw) return undefined;
  return fit === "crop" || fit === "auto" && h >= ph && w >= pw ? "crop" : "resize";
}

/** The layers between a picture of the generator's and the classifier's input. @throws UserError where nothing fits. */
export function fitLayers(
  picture: Value,
  wanted: readonly number[],
  generator: Model,
  classifier: Model,
  fitting: Fitting,
): Layer[] {
  const [c, h, w] = chw(picture.shape);
  const [pc, ph, pw] = chw(wanted);
  const from = imageFormat(generator.network, picture.shape);
  const to = imageFormat(classifier.network, wanted);
  const how = fittingOf(picture.shape, wanted, fitting);
  if (how === "crop" && (h < ph || w < pw)) {
    throw new UserError(
      `${generator.name} makes images of ${show([c, h, w])}, ${classifier.name} takes ${
        show([pc, ph, pw])
      }, which no crop ` +
        "makes of them; --fit resize does",
    );
  }
  const { interpolation: method = "bilinear" } = fitting;
  const params = how === "resize" ? { size: [ph, pw], method } : { size: [ph, pw] };
  const fitted = how ? [makeLayer(`${how} to classifier`, how, params, [picture])] : [];
  return [...fitted, ...formatLayers("to the classifier's pixel format", fitted.at(-1)?.output ?? picture, from, to)];
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
