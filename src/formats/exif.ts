/**
 * Which way up a picture is: the orientation that EXIF gives, and turning by it.
 */
import type { Image } from "./image.ts";

/** The orientation (1 to 8) that an APP1 segment gives: "Exif\0\0", then a TIFF directory that may hold tag 0x0112. */
export function exifOrientation(segment: Uint8Array): number | undefined {
  if (segment.length < 14 || new TextDecoder().decode(segment.subarray(0, 6)) !== "Exif\0\0") return;
  const tiff = new DataView(segment.buffer, segment.byteOffset + 6, segment.length - 6);
  const little = tiff.getUint16(0) === 0x4949;
  const directory = tiff.getUint32(4, little);
  if (directory + 2 > tiff.byteLength) return;
  const count = tiff.getUint16(directory, little);
  for (let i = 0; i < count; i++) {
    const entry = directory + 2 + 12 * i;
    if (entry + 12 > tiff.byteLength) return;
    if (tiff.getUint16(entry, little) === 0x0112) return tiff.getUint16(entry + 8, little);
  }
}

/** Turns a picture stored with EXIF orientation 1 to 8 (a mirroring of either axis, and from 5 on a transposition). */
export function upright(image: Image, orientation: number): Image {
  if (!(orientation >= 2 && orientation <= 8)) return image;
  const transposed = orientation > 4;
  const mirrorX = [2, 3, 7, 8].includes(orientation); // in the stored picture's own axes
  const mirrorY = [3, 4, 6, 7].includes(orientation);
  const [width, height] = transposed ? [image.height, image.width] : [image.width, image.height];
  const rgb = new Uint8Array(image.rgb.length);
  let to = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to += 3) {
      const [u, v] = transposed ? [y, x] : [x, y];
      const from = 3 * ((mirrorY ? image.height - 1 - v : v) * image.width + (mirrorX ? image.width - 1 - u : u));
      rgb[to] = image.rgb[from];
      rgb[to + 1] = image.rgb[from + 1];
      rgb[to + 2] = image.rgb[from + 2];
    }
  }
  return { width, height, rgb };
}
