/**
 * JPEG pictures as 8-bit RGB, decoded by jpeg-js and turned upright.
 *
 * jpeg-js trusts the size in a file's header and fills what is missing with grey, so the header is read here first: the
 * size must be one that the bytes there can hold, and the end of the picture must be among them.
 */
import { decode } from "jpeg-js";
import type { Image } from "./image.ts";

/** Coefficients of a 100-megapixel photograph would take 1.2 GB; a 50-megapixel one stays below this. */
const maxMegabytes = 1024;

/**
 * Bytes that decoding a small file may take, by its sizes, and what each byte of a larger one adds: a photograph of 24
 * megapixels with whole colours takes 430 MB, from some 7 MB. (jpeg-js takes about twice as much in fact.)
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

/** Decodes a JPEG, baseline or progressive. Throws Error where it is damaged, too large or of another kind. */
export function decodeJpeg(bytes: Uint8Array, maxPixels: number): Image {
  const { width, height, samples, orientation } = readHeader(bytes), pixels = width * height;
  // Coefficients of four bytes, the samples made of them, and the picture. A block of 8 × 8 pixels takes at least one bit.
  const taken = 5 * samples + 3 * pixels, most = Math.max(mostTaken, mostGrowth * bytes.length);
  if (pixels === 0 || pixels > Math.min(maxPixels, 512 * bytes.length) || taken > most) {
    throw new Error(`${width} × ${height} pixels do not go with a file of ${bytes.length} bytes`);
  }
  const decoded = decode(bytes, { useTArray: true, formatAsRGBA: false, maxMemoryUsageInMB: maxMegabytes });
  return upright({ width: decoded.width, height: decoded.height, rgb: decoded.data }, orientation);
}

/** What a frame says. */
interface Frame {
  width: number;
  height: number;
  /** Of all colours: those that are stored at a half of the pixels count a half. */
  samples: number;
}

/** Walks the segments up to the first scan. */
function readHeader(bytes: Uint8Array): Frame & { orientation: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let size: Frame | undefined;
  let orientation = 1;
  for (let at = 2; at + 4 <= bytes.length;) {
    const marker = bytes[at + 1];
    if (bytes[at] !== 0xff) throw new Error(`a marker is expected at byte ${at}`);
    if (marker === 0xff) { // a fill byte
      at++;
      continue;
    }
    const next = at + 2 + view.getUint16(at + 2);
    if (next > bytes.length) break;
    const segment = bytes.subarray(at + 4, next);
    if (isFrame(marker) && segment.length >= 6) {
      if (size) throw new Error("it has several frames");
      if (![1, 3, 4].includes(segment[5])) throw new Error(`${segment[5]} colour channels; 1, 3 or 4 are expected`);
      const height = view.getUint16(at + 5), width = view.getUint16(at + 7);
      size = { width, height, samples: samplesOf(segment, width, height) };
    } else if (marker === 0xe1) orientation = exifOrientation(segment) ?? orientation;
    else if (marker === 0xda) {
      if (!size) break;
      const scans = countScans(bytes, next);
      if (scans === 0) throw new Error("it is truncated");
      const most = Math.min(maxScans, usualScans + Math.floor(mostVisits / (size.width * size.height || 1)));
      if (scans > most) throw new Error(`${scans} scans; at most ${most} are expected`);
      return { ...size, orientation };
    }
    at = next;
  }
  throw new Error("it has no picture of a known kind");
}

/**
 * How many scans there are from the first on, 0 where no end of the image follows. In a scan, 0xff is never before these.
 * Throws Error where another frame follows, whose size nobody has looked at.
 */
function countScans(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(0xff, from), scans = 1; at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    const marker = bytes[at + 1];
    if (marker === 0xd9) return scans;
    if (marker === 0xda) scans++;
    if (isFrame(marker)) throw new Error("it has several frames");
  }
  return 0;
}

/**
 * Samples that a frame stores. Each colour has three bytes there, the second its blocks across and down in a unit; units of
 * all colours cover the picture.
 */
function samplesOf(frame: Uint8Array, width: number, height: number): number {
  const blocks = Array.from({ length: frame[5] }, (_, colour) => frame[7 + 3 * colour] || 0x11);
  const across = Math.max(1, ...blocks.map((each) => each >> 4)),
    down = Math.max(1, ...blocks.map((each) => each & 15));
  const units = Math.ceil(width / (8 * across)) * Math.ceil(height / (8 * down));
  return 64 * units * blocks.reduce((sum, each) => sum + (each >> 4) * (each & 15), 0);
}

/** Whether a marker starts a frame: baseline, extended or progressive. */
const isFrame = (marker: number) => marker >= 0xc0 && marker <= 0xc2;

/** The orientation (1 to 8) that an APP1 segment gives: "Exif\0\0", then a TIFF directory that may hold tag 0x0112. */
function exifOrientation(segment: Uint8Array): number | undefined {
  if (segment.length < 14 || new TextDecoder().decode(segment.subarray(0, 6)) !== "Exif\0\0") return;
  const tiff = new DataView(segment.buffer, segment.byteOffset + 6, segment.length - 6);
  const little = tiff.getUint16(0) === 0x4949;
  const directory = tiff.getUint32(4, little);
  if (directory + 2 > tiff.byteLength) return;
  const count = tiff.getUint16(directory, little);
  for (let entry = directory + 2, i = 0; i < count && entry + 12 <= tiff.byteLength; i++, entry += 12) {
    if (tiff.getUint16(entry, little) === 0x0112) return tiff.getUint16(entry + 8, little);
  }
}

/** Turns a picture stored with EXIF orientation 1 to 8 (a mirroring of either axis, and from 5 on a transposition). */
function upright(image: Image, orientation: number): Image {
  if (!(orientation >= 2 && orientation <= 8)) return image;
  const transposed = orientation > 4;
  const mirrorX = [2, 3, 7, 8].includes(orientation); // in the stored picture's own axes
  const mirrorY = [3, 4, 6, 7].includes(orientation);
  const [width, height] = transposed ? [image.height, image.width] : [image.width, image.height];
  const rgb = new Uint8Array(image.rgb.length);
  for (let y = 0, to = 0; y < height; y++) {
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
