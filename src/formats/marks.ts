/** Marks on pictures: outlines, light, and white around them. */
import type { Image } from "./image.ts";

/** A picture in the middle of a white one that is at least so large. */
export function centred(image: Image, { width, height }: { width: number; height: number }): Image {
  if (image.width === width && image.height === height) return image;
  const rgb = new Uint8Array(3 * width * height).fill(255);
  const left = Math.floor((width - image.width) / 2);
  const top = Math.floor((height - image.height) / 2);
  for (let y = 0; y < image.height; y++) {
    rgb.set(image.rgb.subarray(3 * y * image.width, 3 * (y + 1) * image.width), 3 * ((top + y) * width + left));
  }
  return { width, height, rgb };
}

/** A picture in which each pixel has so much of its light, from 0 to 1. */
export const lit = ({ width, height, rgb }: Image, light: (pixel: number) => number): Image => ({
  width,
  height,
  rgb: rgb.map((value, at) => Math.round(value * light(Math.floor(at / 3)))),
});

/** A picture with a line one pixel wide along a box's edge, inside it. */
export function outlined(
  { width, height, rgb }: Image,
  box: { left: number; top: number; width: number; height: number },
  colour: readonly number[],
): Image {
  const marked = { width, height, rgb: rgb.slice() };
  const right = box.left + box.width - 1;
  const bottom = box.top + box.height - 1;
  const set = (x: number, y: number) => marked.rgb.set(colour, 3 * (y * width + x));
  for (let x = box.left; x <= right; x++) {
    set(x, box.top);
    set(x, bottom);
  }
  for (let y = box.top; y <= bottom; y++) {
    set(box.left, y);
    set(right, y);
  }
  return marked;
}

/** The light of what is not hot at all, and the colour of a region's outline. */
const DIM = 0.35;
const RED = [255, 0, 0];

/** A picture as light as it is hot, pixel by pixel, the region outlined that there is. */
export function markRegion(
  image: Image,
  { heat, box }: { heat: Float32Array; box?: Parameters<typeof outlined>[1] },
): Image {
  const hottest = heat.reduce((a, b) => Math.max(a, b), 0);
  const light = (pixel: number) => hottest > 0 ? DIM + (1 - DIM) * Math.max(0, heat[pixel]) / hottest : DIM;
  const shown = lit(image, light);
  return box ? outlined(shown, box, RED) : shown;
}
