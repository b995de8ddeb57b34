/**
 * Pictures in and out: PNG with text, and any PNG or JPEG as 8-bit RGB.
 *
 * fast-png undoes PNG's filters and interlacing. Sizes are checked against the bytes really there before it is called, so a
 * damaged or hostile file ends in one sentence and never in exhausted memory.
 */
import { decode, encode } from "fast-png";
import { UserError } from "./user_error.ts";
import { joinBytes } from "./bytes.ts";
import { type Chunk, inflate, isPng, readChunks, readText, textChunks, writeChunks } from "./png_chunks.ts";
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

/** Encodes an 8-bit RGB PNG. The text may hold any characters; its keywords are 1 to 79 ASCII characters. */
export function encodePng(image: Image, text: Record<string, string> = {}): Uint8Array<ArrayBuffer> {
  const [header, ...rest] = encodedChunks(image);
  return writeChunks([header, ...textChunks(text), ...rest]);
}

/** The chunks IHDR, IDAT and IEND of an 8-bit RGB PNG. */
export function encodedChunks({ width, height, rgb }: Image): Chunk[] {
  return readChunks(encode({ width, height, data: rgb, channels: 3, depth: 8 }, { zlib: { level: 6 } }));
}

/**
 * Decodes a PNG (any kind; transparency is laid over white) or a JPEG (turned upright by its EXIF orientation) to 8-bit
 * RGB, with the text of a PNG's chunks. `name` stands for the file in errors. Throws UserError where it is neither, is
 * damaged, or is larger than 100 megapixels.
 */
export async function decodeImage(
  bytes: Uint8Array,
  name: string,
): Promise<Image & { text: Record<string, string> }> {
  try {
    if (isPng(bytes)) return await decodePng(bytes);
    if (isJpeg(bytes)) return { ...decodeJpeg(bytes, maxPixels), text: {} };
  } catch (error) {
    throw new UserError(`${name}: this ${isPng(bytes) ? "PNG" : "JPEG"} cannot be read: ${(error as Error).message}`);
  }
  throw new UserError(`${name}: neither a PNG nor a JPEG picture`);
}

async function decodePng(bytes: Uint8Array): Promise<Image & { text: Record<string, string> }> {
  const chunks = readChunks(bytes);
  const header = chunks[0];
  // Joined first: inflating a million tiny pieces one by one would take minutes.
  const body = joinBytes(chunks.filter(({ type }) => type === "IDAT").map(({ data }) => data));
  const { width, height, depth, type, channels } = await checkHeader(header, body);
  const plain = [header, { type: "IDAT", data: body }, { type: "IEND", data: new Uint8Array(0) }];
  const { data } = decode(writeChunks(plain));
  const samples = depth < 8 ? unpack(data, width, height, depth) : data;
  const part = (name: string) => chunks.find((chunk) => chunk.type === name)?.data;
  const rgb = type === 3
    ? fromPalette(samples, part("PLTE"), part("tRNS"))
    : fromSamples(samples, channels, 2 ** depth - 1, part("tRNS"));
  return { width, height, rgb, text: await readText(chunks) };
}

/** Reads IHDR and makes sure that the compressed data hold exactly the pixels that it promises. */
async function checkHeader({ type: first, data }: Chunk, compressed: Uint8Array) {
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
  if (interlaced && depth < 8) throw new Error(`${depth} bits a channel, interlaced; save it without interlacing`);
  const { channels } = colourTypes[type];
  const bytesOf = (w: number, h: number) => w && h * (1 + Math.ceil(w * depth * channels / 8)); // a filter byte a row
  // Adam7's seven passes: every xStep-th pixel from x on of every yStep-th row from y on.
  const passes = [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2]];
  const expected = interlaced
    ? passes.reduce(
      (sum, [x, y, dx, dy]) => sum + bytesOf(Math.ceil((width - x) / dx), Math.ceil((height - y) / dy)),
      0,
    )
    : bytesOf(width, height);
  const most = 2 ** 27 + 64 * compressed.length;
  if (expected > most) throw new Error(`${compressed.length} bytes that unpack to ${expected} are no picture`);
  let found = 0;
  for await (const piece of inflate(compressed, expected)) found += piece.length;
  if (found !== expected) throw new Error(`its pixels take ${expected} bytes, ${found} are there`);
  return { width, height, depth, type, channels };
}

/** One sample a byte, from samples of 1, 2 or 4 bits in rows of whole bytes. */
function unpack(packed: ArrayLike<number>, width: number, height: number, depth: number): Uint8Array {
  const samples = new Uint8Array(width * height);
  const stride = Math.ceil(width * depth / 8);
  for (let i = 0; i < samples.length; i++) {
    const [y, bit] = [Math.floor(i / width), (i % width) * depth];
    samples[i] = packed[y * stride + (bit >> 3)] >> (8 - depth - (bit & 7)) & (1 << depth) - 1;
  }
  return samples;
}

function fromPalette(indices: ArrayLike<number>, palette: Uint8Array | undefined, alphas: Uint8Array | undefined) {
  if (!palette) throw new Error("it has no palette");
  const rgb = new Uint8Array(indices.length * 3);
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i];
    if (3 * index + 2 >= palette.length) throw new Error(`it uses colour ${index}, its palette is shorter`);
    for (let c = 0; c < 3; c++) rgb[3 * i + c] = overWhite(palette[3 * index + c], (alphas?.[index] ?? 255) / 255);
  }
  return rgb;
}

/** `key` is the tRNS chunk: the one colour, 16 bits a channel, that counts as transparent. */
function fromSamples(samples: ArrayLike<number>, channels: number, maximum: number, key: Uint8Array | undefined) {
  const pixels = samples.length / channels, rgb = new Uint8Array(pixels * 3), step = channels < 3 ? 0 : 1;
  const opaque = channels % 2 === 1;
  if (channels === 3 && !key && samples instanceof Uint8Array) return samples;
  const [r, g, b] = opaque && key ? [0, 1, 2].map((c) => key[2 * step * c] << 8 | key[2 * step * c + 1]) : [];
  for (let i = 0, at = 0; i < pixels; i++, at += channels) {
    const hidden = samples[at] === r && samples[at + step] === g && samples[at + 2 * step] === b;
    const alpha = opaque ? (hidden ? 0 : 1) : samples[at + channels - 1] / maximum;
    for (let c = 0; c < 3; c++) rgb[3 * i + c] = overWhite(samples[at + c * step] * 255 / maximum, alpha);
  }
  return rgb;
}

const overWhite = (value: number, alpha: number) => Math.round(255 - alpha * (255 - value));
