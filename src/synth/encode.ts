/** What classifiers are fed beside and in place of pictures of the search, and codes of pictures. */
import { UserError } from "../formats/user_error.ts";
import type { Device } from "../gpu/device.ts";
import type { Model } from "../net/model.ts";
import { Net } from "../net/net.ts";
import { imageFormat, type Picture, pictureToInput } from "../net/picture.ts";
import { count } from "../ops/op.ts";
import { type GivenInputs, sortInputs } from "./inputs.ts";
import type { Joined } from "./joined.ts";

/**
 * The code of a picture: the classifier's features at the layer that the generator inverts.
 * @param picture Of the classifier's input size.
 * @param frames Of a film that shall start there.
 * @param set The classifier's and the generator's other inputs, where they have any.
 * @throws UserError when the generator does not say which layer, or sizes differ.
 */
export async function encode(
  device: Device,
  classifier: Model,
  generator: Model,
  picture: Picture,
  set?: GivenInputs,
  frames?: number,
): Promise<Float32Array> {
  const { code, name } = generator.network;
  const inputs = sortInputs({ generator, classifier }, set, frames);
  if (!code) throw new UserError(`generator "${name}" does not say which layer's features its code is`);
  imageFormat(classifier.network);
  const net = await Net.create(device, classifier, { layer: code.layer });
  try {
    const values = count(net.outputShape);
    const wanted = count(inputs.generator.free.shape);
    if (values !== wanted) throw new UserError(`layer "${code.layer}" has ${values} values, ${name} takes ${wanted}`);
    const image = pictureToInput(classifier.network, picture);
    return await net.forward(feedOf(classifier, inputs.classifier.given, image, 1));
  } finally {
    net[Symbol.dispose]();
  }
}

/** What a classifier's inputs are fed: the given values, for each item, and the pictures. */
export const feedOf = ({ network }: Model, given: Joined["given"], images: Float32Array, batch: number) =>
  Object.fromEntries(network.inputs.map((input) => {
    const feed = given.get(input);
    return [input.name, feed ? feed(batch) : images];
  }));
