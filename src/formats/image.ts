/**
 * Plain 8-bit RGB pictures: resizing, cropping, and sheets of captioned tiles.
 */
import { glyphHeight, textWidth, wrapText, writeText } from "./font.ts";

/** A picture: `rgb` holds width × height pixels row by row, three bytes each. */
export interface Image {
  width: number;
  height: number;
  rgb: Uint8Array;
}

/**
 * Resizes with a triangle filter: bilinear where the picture grows, and where it shrinks widened by the factor, so that
 * every source pixel counts (as Pillow's BILINEAR does) and photographs do not alias. Without `smooth` it is bilinear
 * always (as OpenCV's INTER_LINEAR), and a picture that shrinks loses pixels.
 */
export function resizeRgb(image: Image, width: number, height: number, { smooth = true } = {}): Image {
  if (width === image.width && height === image.height) return image;
  const columns = taps(image.width, width, smooth);
  const rows = taps(image.height, height, smooth);
  const from = image.rgb;
  const stride = 3 * width;
  const narrow = new Float32Array(image.height * stride);
  let to = 0;
  for (let y = 0; y < image.height; y++) {
    for (const { first, weights } of columns) {
      let red = 0;
      let green = 0;
      let blue = 0;
      let at = 3 * (y * image.width + first);
      for (let k = 0; k < weights.length; k++, at += 3) {
        red += weights[k] * from[at];
        green += weights[k] * from[at + 1];
        blue += weights[k] * from[at + 2];
      }
      narrow[to++] = red;
      narrow[to++] = green;
      narrow[to++] = blue;
    }
  }
  const rgb = new Uint8Array(height * stride);
  const sums = new Float64Array(stride);
  let next = 0;
  for (let y = 0; y < height; y++) {
    const { first, weights } = rows[y];
    sums.fill(0);
    for (let k = 0; k < weights.length; k++) {
      const weight = weights[k];
      const row = (first + k) * stride;
      for (let x = 0; x < stride; x++) sums[x] += weight * narrow[row + x];
    }
    for (let x = 0; x < stride; x++) rgb[next++] = Math.round(sums[x]);
  }
  return { width, height, rgb };
}

/** For each output position, the source positions under its triangle and their weights, which sum to 1. */
function taps(from: number, to: number, smooth: boolean): { first: number; weights: Float64Array }[] {
  const scale = from / to;
  const radius = smooth ? Math.max(1, scale) : 1;
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * scale - 0.5;
    const first = Math.max(0, Math.ceil(centre - radius));
    const last = Math.min(from - 1, Math.floor(centre + radius));
    const raw = Array.from({ length: last - first + 1 }, (_, k) => 1 - Math.abs(first + k - centre) / radius);
    const sum = raw.reduce((a, b) => a + b);
    return { first, weights: Float64Array.from(raw, (weight) => weight / sum) };
  });
}

/** The middle of a picture that is at least so large. */
export function centreCrop(image: Image, { width, height }: { width: number; height: number }): Image {
  if (width === image.width && height === image.height) return image;
  const [left, top] = [Math.floor((image.width - width) / 2), Math.floor((image.height - height) / 2)];
  return part(image, { left, top, width, height });
}

/** A part of a picture. */
export function part(
  image: Image,
  { left, top, width, height }: { left: number; top: number; width: number; height: number },
): Image {
  const cut: Image = { width, height, rgb: new Uint8Array(width * height * 3) };
  for (let y = 0; y < height; y++) {
    const from = 3 * ((top + y) * image.width + left);
    cut.rgb.set(image.rgb.subarray(from, from + 3 * width), 3 * y * width);
  }
  return cut;
}

/** A picture of a contact sheet and what is written below it. */
export interface Tile {
  image: Image;
  caption: string;
}

const gap = 8;
const lineHeight = glyphHeight + 3;
const minTileWidth = 128;
const maxCaptionLines = 3;

/**
 * A white sheet of equally large cells, `columns` a row, each a picture with its caption below. Pictures are enlarged by a
 * whole factor to at least 128 pixels' width, so that captions are legible; captions wrap, to three lines at most. `lines` leaves room
 * for so many.
 */
export function contactSheet(tiles: Tile[], columns: number, lines = 0): Image {
  const enlarged = tiles.map(({ image }) => enlarge(image, Math.ceil(minTileWidth / image.width)));
  const cellWidth = Math.max(...enlarged.map(({ width }) => width));
  const cellHeight = Math.max(...enlarged.map(({ height }) => height));
  const captions = tiles.map(({ caption }) => wrapText(caption, cellWidth, maxCaptionLines));
  const captionHeight = lineHeight * Math.max(lines, ...captions.map(({ length }) => length));
  const across = Math.min(columns, tiles.length);
  const down = Math.ceil(tiles.length / columns);
  const sheet = blank(gap + across * (cellWidth + gap), gap + down * (cellHeight + captionHeight + gap));
  tiles.forEach((_, i) => {
    const left = gap + (i % columns) * (cellWidth + gap);
    const top = gap + Math.floor(i / columns) * (cellHeight + captionHeight + gap);
    paste(sheet, enlarged[i], left + Math.floor((cellWidth - enlarged[i].width) / 2), top);
    captions[i].forEach((line, n) => {
      const x = left + Math.floor((cellWidth - textWidth(line)) / 2);
      writeText(sheet, line, x, top + cellHeight + 3 + n * lineHeight);
    });
  });
  return sheet;
}

/** Sheets of one picture each, of pictures of one size: all of one size too, whatever is written below them. */
export function captioned(tiles: Tile[]): Image[] {
  const linesOf = ({ image, caption }: Tile) => wrapText(caption, enlargedWidth(image), maxCaptionLines).length;
  const lines = Math.max(...tiles.map(linesOf));
  return tiles.map((tile) => contactSheet([tile], 1, lines));
}

/** How wide a picture is on a sheet. */
const enlargedWidth = ({ width }: Image): number => width * Math.ceil(minTileWidth / width);

const blank = (width: number, height: number): Image => ({
  width,
  height,
  rgb: new Uint8Array(width * height * 3).fill(255),
});

/** Repeats every pixel `factor` times in both directions. */
export const enlarge = ({ width, height, rgb }: Image, factor: number): Image => ({
  width: width * factor,
  height: height * factor,
  rgb: repeatPixels(rgb, width, 3, factor),
});

/** The same for pixels of any number of bytes. */
export function repeatPixels(pixels: Uint8Array, width: number, bytes: number, factor: number): Uint8Array {
  if (factor === 1) return pixels;
  const stride = width * bytes;
  const wide = new Uint8Array(stride * factor);
  const rows = pixels.length / stride;
  const large = new Uint8Array(pixels.length * factor ** 2);
  for (let y = 0; y < rows; y++) {
    let to = 0;
    for (let at = 0; at < stride; at += bytes) {
      for (let time = 0; time < factor; time++) {
        for (let c = 0; c < bytes; c++) wide[to++] = pixels[y * stride + at + c];
      }
    }
    for (let time = 0; time < factor; time++) large.set(wide, (y * factor + time) * wide.length);
  }
  return large;
}

function paste(sheet: Image, image: Image, left: number, top: number): void {
  for (let y = 0; y < image.height; y++) {
    sheet.rgb.set(
      image.rgb.subarray(3 * y * image.width, 3 * (y + 1) * image.width),
      3 * ((top + y) * sheet.width + left),
    );
  }
}
