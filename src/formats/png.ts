/**
 * Pictures in and out: PNG with text, and any PNG or JPEG as 8-bit RGB.
 *
 * Sizes are checked against the bytes really there before memory is taken for them, and pixels are unpacked row by row, so a
 * damaged or hostile file ends in one sentence and never in exhausted memory.
 */
import { encode } from "fast-png";
import { UserError } from "./user_error.ts";
import { joinBytes } from "./bytes.ts";
import { inflate, inflateStart } from "./inflate.ts";
import { refuseOthers } from "./kinds.ts";
import { type Chunk, isPng, readChunks, readText, textChunks, writeChunks } from "./png_chunks.ts";
import { filteredBytes, type Pieces, type PngHeader, readPixels, type Samples } from "./png_rows.ts";
import { decodeJpeg, isJpeg } from "./jpeg.ts";
import type { Image } from "./image.ts";

/** No picture of more pixels is decoded: 100 megapixels, the largest that cameras make. */
export const maxPixels = 100_000_000;

/** Bit depths that PNG allows for each colour type, and the channels of a pixel. */
const colourTypes: Record<number, { channels: number; depths: number[] }> = {
  0: { channels: 1, depths: [1, 2, 4, 8, 16] }, // grey
  2: { channels: 3, depths: [8, 16] }, // RGB
  3: { channels: 1, depths: [1, 2, 4, 8] }, // palette
  4: { channels: 2, depths: [8, 16] }, // grey, alpha
  6: { channels: 4, depths: [8, 16] }, // RGB, alpha
};

/** Encodes a PNG of 8 bits a sample, RGB, or grey where all pixels are. The text may hold any characters; its keywords are 1 to 79 ASCII characters. */
export function encodePng(image: Image, text: Record<string, string> = {}): Uint8Array<ArrayBuffer> {
  const [header, ...rest] = encodedChunks(image, isGrey(image));
  return writeChunks([header, ...textChunks(text), ...rest]);
}

/** The chunks IHDR, IDAT and IEND of an 8-bit PNG, RGB or grey. */
export function encodedChunks({ width, height, rgb }: Image, grey = false): Chunk[] {
  const data = grey ? Uint8Array.from({ length: width * height }, (_, i) => rgb[3 * i]) : rgb;
  return readChunks(encode({ width, height, data, channels: grey ? 1 : 3, depth: 8 }, { zlib: { level: 6 } }));
}

/** Whether every pixel is as red as it is green and blue. */
export const isGrey = ({ rgb }: Image): boolean => rgb.every((value, i) => i % 3 === 0 || value === rgb[i - 1]);

/** A picture with what its file says. */
export interface DecodedImage extends Image {
  /** The texts of a PNG, by their keywords. */
  text: Record<string, string>;
  /** Whether there was text that cannot be read. */
  textLost: boolean;
}

/**
 * Decodes a PNG (any kind; transparency is laid over white) or a JPEG (turned upright by its EXIF orientation) to 8-bit
 * RGB, with the text of a PNG's chunks. `name` stands for the file in errors. Throws UserError where it is neither, is
 * larger than 100 megapixels, or is damaged where its pixels hang on it.
 */
export async function decodeImage(bytes: Uint8Array, name: string): Promise<DecodedImage> {
  try {
    if (isPng(bytes)) return await decodePng(bytes);
    if (isJpeg(bytes)) return { ...await decodeJpeg(bytes, maxPixels), text: {}, textLost: false };
  } catch (error) {
    throw new UserError(`${name}: this ${isPng(bytes) ? "PNG" : "JPEG"} cannot be read: ${(error as Error).message}`);
  }
  refuseOthers(bytes, name, "a PNG or JPEG picture");
  throw new UserError(`${name}: neither a PNG nor a JPEG picture`);
}

async function decodePng(bytes: Uint8Array): Promise<DecodedImage> {
  const chunks = readChunks(bytes);
  const part = (name: string) => chunks.find((chunk) => chunk.type === name)?.data;
  // Joined first: a stream of a million tiny pieces would take minutes.
  const body = joinBytes(chunks.filter(({ type }) => type === "IDAT").map(({ data }) => data));
  const header = readHeader(chunks[0], body.length);
  const { width, height, depth, channels } = header;
  const palette = part("PLTE");
  const transparent = part("tRNS");
  const toRgb = (samples: Samples, rgb: Uint8Array) =>
    header.type === 3
      ? fromPalette(samples, rgb, palette, transparent)
      : fromSamples(samples, rgb, channels, 2 ** depth - 1, transparent);
  const pixels = (pieces: Pieces) => readPixels(header, pieces, toRgb);
  // What is behind the pixels is none of them: bytes behind the stream, rows that are too many.
  const rgb = await pixels(inflate([body], "deflate")).catch(() => pixels(inflateStart(body)));
  return { width, height, rgb, ...await readText(chunks) };
}

/** Bytes that the smallest file may unpack to, and what each compressed one may add. */
const mostUnpacked = 2 ** 27;
const mostGrowth = 32;

/** Reads IHDR; its pixels must be so many that the compressed bytes there can hold them. */
function readHeader({ type: first, data }: Chunk, compressed: number): PngHeader & { type: number } {
  if (first !== "IHDR" || data.length !== 13) throw new Error("it does not start with a header");
  const view = new DataView(data.buffer, data.byteOffset);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const [depth, type, , , interlaced] = data.subarray(8);
  if (width === 0 || height === 0 || width * height > maxPixels) {
    throw new Error(`${width} × ${height} pixels; 1 to ${maxPixels} are expected`);
  }
  if (!colourTypes[type]?.depths.includes(depth)) {
    throw new Error(`colour type ${type} with ${depth} bits does not exist`);
  }
  const header = { width, height, depth, type, channels: colourTypes[type].channels, interlaced: interlaced !== 0 };
  const largest = Math.max(filteredBytes(header), 3 * width * height);
  if (largest > mostUnpacked + mostGrowth * compressed) {
    throw new Error(`${compressed} bytes that unpack to ${largest} are no picture`);
  }
  return header;
}

function fromPalette(
  indices: Samples,
  rgb: Uint8Array,
  palette: Uint8Array | undefined,
  alphas: Uint8Array | undefined,
): void {
  if (!palette) throw new Error("it has no palette");
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i];
    if (3 * index + 2 >= palette.length) throw new Error(`it uses colour ${index}, its palette is shorter`);
    for (let c = 0; c < 3; c++) rgb[3 * i + c] = overWhite(palette[3 * index + c], (alphas?.[index] ?? 255) / 255);
  }
}

/** `key` is the tRNS chunk: the one colour, 16 bits a channel, that counts as transparent. */
function fromSamples(
  samples: Samples,
  rgb: Uint8Array,
  channels: number,
  maximum: number,
  key: Uint8Array | undefined,
): void {
  const pixels = samples.length / channels;
  const step = channels < 3 ? 0 : 1;
  const opaque = channels % 2 === 1;
  if (channels === 3 && !key && samples instanceof Uint8Array) return rgb.set(samples);
  const [r, g, b] = opaque && key ? [0, 1, 2].map((c) => key[2 * step * c] << 8 | key[2 * step * c + 1]) : [];
  let at = 0;
  for (let i = 0; i < pixels; i++, at += channels) {
    const hidden = samples[at] === r && samples[at + step] === g && samples[at + 2 * step] === b;
    const alpha = opaque ? (hidden ? 0 : 1) : samples[at + channels - 1] / maximum;
    for (let c = 0; c < 3; c++) rgb[3 * i + c] = overWhite(samples[at + c * step] * 255 / maximum, alpha);
  }
}

const overWhite = (value: number, alpha: number) => Math.round(255 - alpha * (255 - value));
