/** Pictures that a search starts from, as codes. */
import type { Image } from "../formats/image.ts";
import { UserError } from "../formats/user_error.ts";
import { type Device, encode, fitted, type GivenInputs, imageFormat, type Model, pictureToInput } from "../mod.ts";
import type { Row } from "./request.ts";

/**
 * The code of a picture: the classifier's features of its centre square, or its own pixels.
 * @param frames Of a film that shall start there.
 * @throws UserError where the generator has no such code.
 */
export async function codeOf(
  device: Device,
  classifier: Model,
  { generator, settings: { prior } }: Row,
  picture: Image,
  inputs?: GivenInputs,
  frames?: number,
): Promise<Float32Array> {
  if (prior === "pixels") return levelsOf(generator, picture);
  if (prior === "learned") {
    return await encode(device, classifier, generator, fitted(classifier, picture), inputs, frames);
  }
  throw new UserError(`the prior ${prior} starts from codes or seeds, not from pictures`);
}

/** A picture as the code of the prior of pixels: levels less the mean. */
function levelsOf(generator: Model, picture: Image): Float32Array {
  const { network } = generator;
  const levels: Model = { ...generator, network: { ...network, image: { ...imageFormat(network), scale: 1 } } };
  return pictureToInput(levels.network, fitted(levels, picture));
}
