/** Any picture as one of the size that a network takes: by its centre square, or whole where the network warps. */
import { centreCrop, centreCropSquare, type Image, resizeRgb } from "../formats/image.ts";
import { UserError } from "../formats/user_error.ts";
import type { Model } from "./model.ts";
import { pictureToInput } from "./picture.ts";

/** Side of the square pictures that the model takes. @throws UserError where it takes no pictures. */
export function inputSize({ network, where }: Model): number {
  const [channels, height, width] = network.inputs[0].shape;
  if (!network.image || channels !== 3 || height !== width) {
    throw new UserError(`${where} takes an input of shape [${network.inputs[0].shape}], not square pictures`);
  }
  return width;
}

/** A picture in the size of the model's input. @throws UserError where the model takes no pictures. */
export function fitted(model: Model, picture: Image): Image {
  const size = inputSize(model), { resize = size, warp } = model.network.image!;
  if (resize < size) {
    throw new UserError(`${model.where}: pictures are resized to ${resize}, which is less than the input's ${size}`);
  }
  // convert_imageset, whose way to warp is, does not smooth.
  const square = warp
    ? resizeRgb(picture, resize, resize, { smooth: false })
    : resizeRgb(centreCropSquare(picture), resize, resize);
  return centreCrop(square, size);
}

/** A picture as the model's input. @throws UserError where the model takes no pictures. */
export const inputOf = (model: Model, picture: Image): Float32Array<ArrayBuffer> =>
  pictureToInput(model.network, fitted(model, picture));
