/** How pictures of any size get that of a network's input. */
import { centreCrop, type Image, resizeRgb } from "./image.ts";

/** The size that is wanted, and how it is come by. */
export interface Fitting {
  /** Pixels in a row. */
  width: number;
  /** Rows. */
  height: number;
  /** Side of a square that comes before, of which the middle is taken; at least `width` and `height`. */
  resize?: number;
  /** Whether all of the picture counts, whatever its sides: Caffe's way. */
  warp?: boolean;
}

/** The largest middle part of the wanted shape, or all of the picture where it is warped, in the wanted size. */
export function fitPicture(picture: Image, { width, height, resize, warp }: Fitting): Image {
  if (resize !== undefined) {
    return centreCrop(fitPicture(picture, { width: resize, height: resize, warp }), { width, height });
  }
  // convert_imageset, whose way to warp is, does not smooth.
  if (warp) return resizeRgb(picture, width, height, { smooth: false });
  const part = {
    width: Math.max(1, Math.min(picture.width, Math.round(picture.height * width / height))),
    height: Math.max(1, Math.min(picture.height, Math.round(picture.width * height / width))),
  };
  return resizeRgb(centreCrop(picture, part), width, height);
}
