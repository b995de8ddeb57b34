/**
 * JPEG pictures as 8-bit RGB, decoded by libjpeg-turbo and turned upright.
 *
 * The header is read here first: the size must be one that the bytes there can hold, and the end of the picture must be among
 * them.
 */
import { decodeArithmetic } from "./arithmetic_jpeg.ts";
import { upright } from "./exif.ts";
import type { Image } from "./image.ts";
import { type JpegHeader, readJpegHeader } from "./jpeg_header.ts";
import { decodeLibjpeg } from "./libjpeg.ts";

/**
 * Bytes that decoding a small file may take, by its sizes, and what each byte of a larger one adds: a photograph of 24
 * megapixels with whole colours takes 290 MB, from some 7 MB.
 */
const mostTaken = 150 * 2 ** 20;
const mostGrowth = 64;

/**
 * Progressive files have about ten scans. A few bytes of a scan can make the decoder visit the whole picture again: more
 * are for pictures that are small.
 */
const maxScans = 100;
const usualScans = 12;
const mostVisits = 2 ** 28;

/** Whether the bytes start as every JPEG does. */
export const isJpeg = (bytes: Uint8Array): boolean => bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff;

/**
 * Decodes a JPEG, baseline or progressive, of grey, YCbCr, RGB, CMYK or YCCK, as libjpeg does by default. Throws Error where
 * it is damaged, too large or of another kind.
 */
export async function decodeJpeg(bytes: Uint8Array, maxPixels: number): Promise<Image> {
  const header = readJpegHeader(bytes);
  const { width, height, channels, orientation } = header;
  checkSizes(header, bytes.length, maxPixels);
  const file = bytes.subarray(0, header.end); // the scans that were counted, and no others
  if (header.arithmetic && channels === 4) {
    throw new Error("four colours in arithmetic coding are not read; jpegtran makes a usual JPEG of it");
  }
  const rgb = header.arithmetic
    ? await decodeArithmetic(file, header)
    : channels === 4
    ? rgbOfCmyk(decode(file, width, height, "cmyk"))
    : decode(file, width, height, "rgb");
  return upright({ width, height, rgb }, orientation);
}

function checkSizes({ width, height, samples, scans, arithmetic }: JpegHeader, bytes: number, maxPixels: number): void {
  // Coefficients of two bytes, and the picture twice. A block of 8 × 8 pixels takes at least one bit.
  const pixels = width * height;
  const taken = 2 * samples + 6 * pixels;
  const most = Math.max(mostTaken, mostGrowth * bytes);
  if (pixels === 0 || pixels > Math.min(maxPixels, 512 * bytes) || taken > most) {
    throw new Error(`${width} × ${height} pixels do not go with a file of ${bytes} bytes`);
  }
  // Arithmetic coding goes on without any bytes: all of its visits count.
  const mostScans = Math.min(maxScans, (arithmetic ? 0 : usualScans) + Math.floor(mostVisits / pixels));
  if (scans > mostScans) throw new Error(`${scans} scans; at most ${mostScans} are expected`);
}

/** Decodes; a trap of the decoder is an error like any other. */
function decode(file: Uint8Array, width: number, height: number, format: "rgb" | "cmyk"): Uint8Array {
  try {
    return decodeLibjpeg(file, width, height, format);
  } catch (error) {
    throw error instanceof WebAssembly.RuntimeError ? new Error("it is damaged") : error;
  }
}

/** CMYK in JPEGs is stored as what is left of the light, with or without Adobe's marker: every program reads it so. */
function rgbOfCmyk(cmyk: Uint8Array): Uint8Array {
  const rgb = new Uint8Array(cmyk.length / 4 * 3);
  let to = 0;
  for (let from = 0; from < cmyk.length; from += 4, to += 3) {
    const light = cmyk[from + 3] / 255;
    rgb[to] = Math.round(cmyk[from] * light);
    rgb[to + 1] = Math.round(cmyk[from + 1] * light);
    rgb[to + 2] = Math.round(cmyk[from + 2] * light);
  }
  return rgb;
}
