/**
 * PNG's compressed data as samples: rows of packed bytes behind a filter byte each, once for the whole picture, or for each
 * of the seven pictures in one that an interlaced file (Adam7) gives one after the other.
 *
 *     filter 0 as it is, 1 less its left neighbour, 2 less the one above, 3 less their mean (rounded down), 4 less the one
 *     of left, above and above left that is nearest to left + above − above left
 */
import { inflate } from "./png_chunks.ts";

/** What a header says of the samples. */
export interface SampleFormat {
  width: number;
  height: number;
  /** Bits of a sample: 1, 2, 4, 8 or 16. */
  depth: number;
  /** Samples of a pixel. */
  channels: number;
  interlaced: boolean;
}

/** Adam7: every dx-th pixel from x on of every dy-th row from y on. */
const adam7 = [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2]];

/** The samples of all pixels, row by row. Throws Error where the data are damaged or not exactly these. */
export async function readSamples(
  compressed: Uint8Array,
  { width, height, depth, channels, interlaced }: SampleFormat,
): Promise<Uint8Array | Uint16Array> {
  const bits = depth * channels,
    passes = (interlaced ? adam7 : [[0, 0, 1, 1]]).map(([x, y, dx, dy]) => {
      const columns = Math.ceil((width - x) / dx), stride = Math.ceil(columns * bits / 8);
      return { x, y, dx, dy, columns, stride, rows: columns && Math.ceil((height - y) / dy) };
    });
  const expected = passes.reduce((sum, { rows, stride }) => sum + rows * (1 + stride), 0);
  if (expected > 2 ** 27 + 64 * compressed.length) {
    throw new Error(`${compressed.length} bytes that unpack to ${expected} are no picture`);
  }
  const bytes = await inflate(compressed, expected);
  if (bytes.length !== expected) throw new Error(`its pixels take ${expected} bytes, ${bytes.length} are there`);

  const samples = new (depth === 16 ? Uint16Array : Uint8Array)(width * height * channels), mask = (1 << depth) - 1;
  let at = 0;
  for (const { x, y, dx, dy, columns, stride, rows } of passes) {
    let above: Uint8Array = new Uint8Array(stride);
    for (let row = 0; row < rows; row++, at += 1 + stride) {
      const line = bytes.subarray(at + 1, at + 1 + stride), start = ((y + row * dy) * width + x) * channels;
      unfilter(bytes[at], line, above, Math.ceil(bits / 8));
      above = line;
      if (depth === 8 && dx === 1) {
        samples.set(line, start);
        continue;
      }
      for (let column = 0, n = 0; column < columns; column++) {
        for (let c = 0, to = start + column * dx * channels; c < channels; c++, n++, to++) {
          samples[to] = depth === 16
            ? line[2 * n] << 8 | line[2 * n + 1]
            : line[n * depth >> 3] >> (8 - depth - (n * depth & 7)) & mask;
        }
      }
    }
  }
  return samples;
}

/** Undoes a row's filter in place; its left neighbours are `pixel` bytes before. */
function unfilter(filter: number, line: Uint8Array, above: Uint8Array, pixel: number): void {
  if (filter > 4) throw new Error(`filter ${filter} does not exist`);
  if (filter === 2) { for (let i = 0; i < line.length; i++) line[i] += above[i]; }
  if (filter === 1) { for (let i = pixel; i < line.length; i++) line[i] += line[i - pixel]; }
  if (filter === 3) {
    for (let i = 0; i < line.length; i++) line[i] += (i < pixel ? 0 : line[i - pixel]) + above[i] >> 1;
  }
  if (filter === 4) {
    for (let i = 0; i < line.length; i++) {
      const a = i < pixel ? 0 : line[i - pixel], b = above[i], c = i < pixel ? 0 : above[i - pixel];
      const toA = Math.abs(b - c), toB = Math.abs(a - c), toC = Math.abs(a + b - 2 * c);
      line[i] += toA <= toB && toA <= toC ? a : toB <= toC ? b : c;
    }
  }
}
