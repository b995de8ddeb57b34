/**
 * What of a picture excites a unit: a window is slid over it, and the activation drops where it hides what the unit answers to
 * (Zeiler and Fergus 2014, section 4.2). Their window is grey; here it has the picture's mean colour, which is less often
 * something to see by itself.
 *
 * Each pixel is hidden by the same number of windows, and the heat there is the mean of what these take away. At the edge of what
 * excites a unit half of them hide it, so the region ends where the heat is half of its maximum.
 */
import type { Picture } from "../net/picture.ts";
import type { Box } from "./crop.ts";

/** A window's side in steps from one place to the next. */
const STEPS = 2;

/** How much of its maximum the heat has at the region's edge. */
const EDGE = 0.5;

/**
 * The windows that hide parts of a box, row by row: squares, cut to the box.
 * @param size Their side in pixels, at least 1.
 */
export function windowsOver({ left, top, width, height }: Box, size: number): Box[] {
  const step = Math.max(1, Math.floor(size / STEPS));
  const spans = (from: number, length: number) => {
    const found: { first: number; length: number }[] = [];
    for (let at = from - size + step; at < from + length; at += step) {
      const first = Math.max(from, at);
      const end = Math.min(from + length, at + size);
      found.push({ first, length: end - first });
    }
    return found;
  };
  return spans(top, height).flatMap((rows) =>
    spans(left, width).map((columns): Box => ({
      left: columns.first,
      top: rows.first,
      width: columns.length,
      height: rows.length,
    }))
  );
}

/** The mean colour of a picture. */
export function meanColour({ rgb }: Picture): [number, number, number] {
  const sums: [number, number, number] = [0, 0, 0];
  const pixels = rgb.length / 3;
  for (let at = 0; at < rgb.length; at++) sums[at % 3] += rgb[at];
  return sums.map((sum) => Math.round(sum / pixels)) as [number, number, number];
}

/** A picture with a box of one colour. */
export function occluded({ width, height, rgb }: Picture, box: Box, colour: readonly number[]): Picture {
  const hidden = { width, height, rgb: rgb.slice() };
  for (let y = box.top; y < box.top + box.height; y++) {
    const from = 3 * (y * width + box.left);
    for (let at = from; at < from + 3 * box.width; at += 3) hidden.rgb.set(colour, at);
  }
  return hidden;
}

/** Where a picture excites a unit. */
export interface Region {
  /** For each pixel, row by row, the mean drop of the activation when it is hidden; 0 outside the windows. */
  heat: Float32Array;
  /** Around what is as hot as half of the hottest pixel, and joined to it; undefined where hiding takes nothing away. */
  box?: Box;
}

/** The region that these drops of the activation, one for each window, tell of, in a picture of this size. */
export function regionOf(
  { width, height }: Pick<Picture, "width" | "height">,
  windows: readonly Box[],
  drops: ArrayLike<number>,
): Region {
  const heat = new Float32Array(width * height);
  const times = new Uint32Array(width * height);
  windows.forEach((box, n) => {
    for (let y = box.top; y < box.top + box.height; y++) {
      for (let x = box.left; x < box.left + box.width; x++) {
        heat[y * width + x] += drops[n];
        times[y * width + x]++;
      }
    }
  });
  let hottest = 0;
  heat.forEach((sum, at) => {
    if (times[at] > 0) heat[at] = sum / times[at];
    if (heat[at] > heat[hottest]) hottest = at;
  });
  return { heat, box: heat[hottest] > 0 ? boxAround(heat, width, hottest) : undefined };
}

/** The box around the pixels that are hot enough and joined to the hottest one, side by side. */
function boxAround(heat: Float32Array, width: number, hottest: number): Box {
  const least = EDGE * heat[hottest];
  const seen = new Set([hottest]);
  for (const at of seen) {
    const x = at % width;
    const beside = [at - width, at + width, ...x > 0 ? [at - 1] : [], ...x < width - 1 ? [at + 1] : []];
    for (const next of beside) if (heat[next] >= least) seen.add(next); // a set that grows is walked to its new end
  }
  const columns = [...seen].map((at) => at % width);
  const rows = [...seen].map((at) => Math.floor(at / width));
  const smallest = (list: number[]) => list.reduce((a, b) => Math.min(a, b));
  const largest = (list: number[]) => list.reduce((a, b) => Math.max(a, b));
  const [left, top] = [smallest(columns), smallest(rows)];
  return { left, top, width: largest(columns) - left + 1, height: largest(rows) - top + 1 };
}
