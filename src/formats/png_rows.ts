/**
 * PNG's pixels: rows of packed samples, each behind a byte that says how it was filtered, in one pass over the picture or
 * in Adam7's seven. Rows are taken as they come, so that only the finished picture is ever whole in memory.
 */
import { giveBack } from "./bytes.ts";

/** What IHDR says. */
export interface PngHeader {
  width: number;
  height: number;
  /** Bits of a sample. */
  depth: number;
  /** Samples of a pixel. */
  channels: number;
  interlaced: boolean;
}

/** The pixels of a pass: every `dx`-th from `x` on of every `dy`-th row from `y` on. */
interface Pass {
  x: number;
  y: number;
  dx: number;
  dy: number;
}

const whole: Pass[] = [{ x: 0, y: 0, dx: 1, dy: 1 }];

const adam7: Pass[] = [
  { x: 0, y: 0, dx: 8, dy: 8 },
  { x: 4, y: 0, dx: 8, dy: 8 },
  { x: 0, y: 4, dx: 4, dy: 8 },
  { x: 2, y: 0, dx: 4, dy: 4 },
  { x: 0, y: 2, dx: 2, dy: 4 },
  { x: 1, y: 0, dx: 2, dy: 2 },
  { x: 0, y: 1, dx: 1, dy: 2 },
];

/** The passes that have pixels, with their sizes in pixels and the bytes of a row without its filter's. */
function passesOf({ width, height, depth, channels, interlaced }: PngHeader) {
  return (interlaced ? adam7 : whole).map((pass) => {
    const columns = Math.ceil((width - pass.x) / pass.dx);
    const rows = Math.ceil((height - pass.y) / pass.dy);
    return { ...pass, columns, rows, bytes: Math.ceil(columns * depth * channels / 8) };
  }).filter(({ columns, rows }) => columns > 0 && rows > 0);
}

/** Bytes that the pixels take, filtered. */
export const filteredBytes = (header: PngHeader): number =>
  passesOf(header).reduce((sum, { rows, bytes }) => sum + rows * (1 + bytes), 0);

/** Samples of one row: 0 … 2^depth − 1. */
export type Samples = Uint8Array | Uint16Array;

/** Bytes in pieces of any size. */
export type Pieces = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/**
 * Reads the pixels as 8-bit RGB. Throws Error where there are fewer than the header promises, or a filter is unknown; what is
 * behind them is not read, but for a checksum that follows at once.
 * @param pieces The filtered bytes.
 * @param toRgb Writes a row's pixels, made of its samples; no row has memory of its own, for it would be freed long after.
 */
export async function readPixels(
  header: PngHeader,
  pieces: Pieces,
  toRgb: (samples: Samples, rgb: Uint8Array) => void,
): Promise<Uint8Array> {
  const rgb = new Uint8Array(3 * header.width * header.height);
  try {
    await fillPixels(rgb, header, pieces, toRgb);
    return rgb;
  } catch (error) {
    giveBack(rgb);
    throw error;
  }
}

async function fillPixels(
  rgb: Uint8Array,
  header: PngHeader,
  pieces: Pieces,
  toRgb: (samples: Samples, rgb: Uint8Array) => void,
): Promise<void> {
  const { width, height, depth, channels } = header;
  const pixelBytes = Math.max(1, depth * channels / 8);
  const bytes = byteReader(pieces);
  for (const pass of passesOf(header)) {
    let row = new Uint8Array(1 + pass.bytes);
    let above = new Uint8Array(1 + pass.bytes);
    const count = pass.columns * channels;
    const pixels = new Uint8Array(3 * pass.columns);
    const wide = depth === 16 ? new Uint16Array(count) : new Uint8Array(count);
    for (let y = pass.y; y < height; y += pass.dy) {
      if (!await bytes.fill(row)) {
        throw new Error(`its pixels take ${filteredBytes(header)} bytes, ${bytes.taken()} are there`);
      }
      unfilter(row, above, pixelBytes);
      const samples = depth === 8 ? row.subarray(1) : unpacked(row.subarray(1), depth, wide);
      if (pass.dx === 1) toRgb(samples, rgb.subarray(3 * y * width, 3 * (y + 1) * width));
      else {
        toRgb(samples, pixels);
        let from = 0;
        for (let x = pass.x; x < width; from += 3, x += pass.dx) {
          const to = 3 * (y * width + x);
          rgb[to] = pixels[from];
          rgb[to + 1] = pixels[from + 1];
          rgb[to + 2] = pixels[from + 2];
        }
      }
      [row, above] = [above, row];
    }
  }
  await bytes.end();
}

/** Takes bytes out of pieces. */
function byteReader(pieces: Pieces) {
  const iterator = Symbol.asyncIterator in pieces ? pieces[Symbol.asyncIterator]() : pieces[Symbol.iterator]();
  let piece: Uint8Array = new Uint8Array(0);
  let at = 0;
  let taken = 0;
  const next = async () => {
    const { value, done } = await iterator.next();
    [piece, at] = [value, 0];
    return !done;
  };
  return {
    taken: () => taken,
    /** Fills `target`, or says that there is not so much. */
    async fill(target: Uint8Array): Promise<boolean> {
      for (let filled = 0; filled < target.length;) {
        if (at === piece.length && !await next()) return false;
        const part = piece.subarray(at, at + target.length - filled);
        target.set(part, filled);
        filled += part.length;
        at += part.length;
        taken += part.length;
      }
      return true;
    },
    /** Asks for what is behind the last byte, so that a wrong checksum is found, and for no more. */
    async end(): Promise<void> {
      if (at === piece.length) await next();
      await iterator.return?.();
    },
  };
}

/** Undoes a row's filter, in place: samples are differences to the byte of the pixel before (a), above (b), or both (c: left above). */
function unfilter(row: Uint8Array, above: Uint8Array, pixelBytes: number): void {
  const [filter] = row;
  const second = Math.min(1 + pixelBytes, row.length);
  const { length } = row;
  if (filter > 4) throw new Error(`there is no filter ${filter}`);
  // Before the first pixel all are 0.
  for (let i = 1; filter > 1 && i < second; i++) row[i] += filter === 3 ? above[i] >> 1 : above[i];
  if (filter === 1) { for (let i = second; i < length; i++) row[i] += row[i - pixelBytes]; }
  if (filter === 2) { for (let i = second; i < length; i++) row[i] += above[i]; }
  if (filter === 3) { for (let i = second; i < length; i++) row[i] += row[i - pixelBytes] + above[i] >> 1; }
  if (filter === 4) {
    for (let i = second; i < length; i++) row[i] += paeth(row[i - pixelBytes], above[i], above[i - pixelBytes]);
  }
}

/** Of a, b and c the one next to a + b − c. */
function paeth(a: number, b: number, c: number): number {
  const da = Math.abs(b - c);
  const db = Math.abs(a - c);
  const dc = Math.abs(a + b - 2 * c);
  return da <= db && da <= dc ? a : db <= dc ? b : c;
}

/** A row's samples, of 1, 2, 4 or 16 bits each, in `samples`. */
function unpacked(packed: Uint8Array, depth: number, samples: Samples): Samples {
  if (depth === 16) {
    for (let i = 0; i < samples.length; i++) samples[i] = packed[2 * i] << 8 | packed[2 * i + 1];
    return samples;
  }
  const mask = (1 << depth) - 1;
  let bit = 0;
  for (let i = 0; i < samples.length; i++, bit += depth) {
    samples[i] = packed[bit >> 3] >> (8 - depth - (bit & 7)) & mask;
  }
  return samples;
}
