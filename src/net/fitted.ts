/** Any picture as one of the size that a network takes: by its middle, or whole where the network warps. */
import { fitPicture, type Fitting } from "../formats/fit.ts";
import type { Image } from "../formats/image.ts";
import { UserError } from "../formats/user_error.ts";
import type { Model } from "./model.ts";
import { imageFormat, pictureToInput } from "./picture.ts";

/** How pictures are fitted to the model's input. @throws UserError where it takes no pictures. */
export function fittingOf({ network, where }: Model): Fitting {
  const { shape } = network.inputs[0];
  const [, height, width] = shape;
  if (shape.length !== 3) throw new UserError(`${where} takes an input of shape [${shape}], not pictures`);
  const { resize, warp } = imageFormat(network);
  const side = Math.max(width, height);
  if (resize !== undefined && resize < side) {
    throw new UserError(`${where}: pictures are resized to ${resize}, which is less than the input's ${side}`);
  }
  return { width, height, resize, warp };
}

/** A picture in the size of the model's input. @throws UserError where the model takes no pictures. */
export const fitted = (model: Model, picture: Image): Image => fitPicture(picture, fittingOf(model));

/** A picture as the model's input. @throws UserError where the model takes no pictures. */
export const inputOf = (model: Model, picture: Image): Float32Array<ArrayBuffer> =>
  pictureToInput(model.network, fitted(model, picture));
