/**
 * What an image prior is: a generator that nobody trained. Its code is the picture itself in some form, its layers are a fixed map
 * from that to a picture, so a search through it is a search like any other.
 */
import type { Model } from "../../net/model.ts";

/** What a picture is made by: a trained generator, or one of these. */
export type Prior = "learned" | ImageName;

/** The name of an image prior. */
export type ImageName = "pixels" | "fourier";

/** Height and width of a picture. */
export type Size = readonly [height: number, width: number];

/** An image prior. */
export interface ImagePrior {
  readonly help: string;
  /** The standard deviation of the code that a seed starts with. */
  readonly noise: number;
  /** The generator of pictures of a size, for a classifier. @throws UserError where the classifier takes no pictures. */
  model(classifier: Model, size: Size): Model;
  /** The code of the same picture in another size, of so many channels. */
  resized(code: Float32Array, channels: number, from: Size, to: Size): Float32Array<ArrayBuffer>;
}

/** Numbers as a model folder would store them. */
export const stored = (values: Float32Array, shape: number[]) => ({
  dtype: "F32" as const,
  shape,
  bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
});
