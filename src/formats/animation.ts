/**
 * Animations that loop for ever: GIF (256 colours a frame, plays anywhere) and APNG (every colour, plays in browsers; a
 * viewer that does not know it shows the first frame).
 */
import { applyPalette, GIFEncoder, quantize } from "gifenc";
import { joinBytes } from "./bytes.ts";
import { type Chunk, textChunks, writeChunks } from "./png_chunks.ts";
import { encodedChunks, isGrey } from "./png.ts";
import { enlarge, type Image, repeatPixels } from "./image.ts";

/** How frames are shown. */
export interface Showing {
  /** How long each is shown. Files count in whole steps: the time of a frame is rounded, not how long one is shown. */
  delayMs: number;
  /** Every pixel is repeated so many times in both directions; 1 unless given. */
  scale?: number;
}

/** Encodes a GIF, each frame with the palette that suits it best. GIF counts time in steps of 10 ms. */
export function encodeGif(frames: Image[], { delayMs, scale = 1 }: Showing): Uint8Array<ArrayBuffer> {
  checkSizes(frames);
  const gif = GIFEncoder();
  for (const [n, { width, height, rgb }] of frames.entries()) {
    const rgba = new Uint8Array(width * height * 4).fill(255);
    for (let i = 0; i < width * height; i++) rgba.set(rgb.subarray(3 * i, 3 * i + 3), 4 * i);
    const palette = quantize(rgba, 256);
    const indices = repeatPixels(applyPalette(rgba, palette), width, 1, scale);
    gif.writeFrame(indices, width * scale, height * scale, { palette, delay: delayOf(n, delayMs, 10) });
  }
  gif.finish();
  return gif.bytes();
}

/** Encodes an APNG, with text as `encodePng` writes it. */
export function encodeApng(
  frames: Image[],
  { delayMs, scale = 1 }: Showing,
  text: Record<string, string> = {},
): Uint8Array<ArrayBuffer> {
  checkSizes(frames);
  const encoded = new Map<Image, Chunk[]>(); // one that is shown several times is encoded once
  const grey = frames.every(isGrey); // a file is of one kind
  for (const frame of frames) if (!encoded.has(frame)) encoded.set(frame, encodedChunks(enlarge(frame, scale), grey));
  const [width, height] = [frames[0].width * scale, frames[0].height * scale];
  const pictures = frames.map((frame) => encoded.get(frame)!);
  let sequence = 0; // counts fcTL and fdAT chunks together
  const frameChunks = pictures.flatMap(([, { data }], index): Chunk[] => [
    {
      type: "fcTL",
      data: bigEndian([sequence++, 4], [width, 4], [height, 4], [0, 8], [delayOf(index, delayMs, 1), 2], [1000, 2], [
        0,
        2,
      ]),
    },
    index === 0 ? { type: "IDAT", data } : { type: "fdAT", data: joinBytes([bigEndian([sequence++, 4]), data]) },
  ]);
  return writeChunks([
    pictures[0][0],
    { type: "acTL", data: bigEndian([frames.length, 4], [0, 4]) },
    ...textChunks(text),
    ...frameChunks,
    { type: "IEND", data: new Uint8Array(0) },
  ]);
}

/** How many milliseconds a frame is shown, in steps of so many. */
const delayOf = (frame: number, delayMs: number, step: number): number =>
  step * (Math.round((frame + 1) * delayMs / step) - Math.round(frame * delayMs / step));

/** Big-endian bytes of [value, size in bytes] fields. */
const bigEndian = (...fields: [number, number][]): Uint8Array =>
  Uint8Array.from(
    fields.flatMap(([value, size]) => Array.from({ length: size }, (_, i) => value / 2 ** (8 * (size - 1 - i)) & 255)),
  );

function checkSizes(frames: Image[]): void {
  if (frames.length === 0) throw new RangeError("an animation needs a frame");
  const { width, height } = frames[0];
  const other = frames.find((frame) => frame.width !== width || frame.height !== height);
  if (other) throw new RangeError(`frames differ in size: ${width}×${height} and ${other.width}×${other.height}`);
}
