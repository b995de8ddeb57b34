/** Which positions of an axis Resize reads for each of the resized one, and how much of each (operators of versions 10 to 19). */
import { UserError } from "../../../src/formats/user_error.ts";

/** A position and its weight. */
export type Term = readonly [position: number, weight: number];

/** How an axis is resized. */
export interface Resizing {
  /** Positions before and after. */
  from: number;
  to: number;
  /** The ratio as the model gives it: float32, and only nearly to / from. */
  scale: number;
  mode: string;
  /** Where positions of the resized axis lie on the other. */
  coordinates: string;
  /** Whether align_corners is of whole positions, so that the last lies on the last, where the scale leaves a fraction. */
  whole: boolean;
  /** Which of two positions is the nearest. */
  nearest: string;
  /** The cubic's coefficient. */
  cubic: number;
  /** Whether what shrinks is smoothed. */
  antialias: boolean;
  /** Whether positions past the edges weigh nothing; else they show the edge. */
  excludeOutside: boolean;
  /** Where the region of tf_crop_and_resize begins and ends, over the axis. */
  region: readonly [start: number, end: number];
}

/** Where a position of the resized axis lies on the other, in steps of `round`. */
function placeOf(
  { from, to, scale, coordinates, whole, region: [start, end] }: Resizing,
  at: number,
  round: (n: number) => number,
) {
  const scaled = (position: number) => round(round(position) / scale);
  switch (coordinates) {
    case "half_pixel":
      return round(scaled(at + 0.5) - 0.5);
    case "pytorch_half_pixel":
      return to > 1 ? round(scaled(at + 0.5) - 0.5) : 0;
    case "half_pixel_symmetric":
      return round(scaled(at + 0.5) - 0.5 + from / 2 * (1 - to / (scale * from)));
    case "tf_half_pixel_for_nn":
      return scaled(at + 0.5);
    case "asymmetric":
      return scaled(at);
    case "align_corners":
      return to > 1 ? round(at * (from - 1) / ((whole ? to : scale * from) - 1)) : 0;
    case "tf_crop_and_resize":
      return (from - 1) * (to > 1 ? start + at * (end - start) / (to - 1) : (start + end) / 2);
    default:
      throw new UserError(`its coordinate_transformation_mode is ${JSON.stringify(coordinates.slice(0, 40))}`);
  }
}

/** The nearest position. */
function nearestTo(place: number, { nearest, scale }: Resizing): number {
  switch (nearest) {
    case "round_prefer_floor":
      return Math.ceil(place - 0.5);
    case "round_prefer_ceil":
      return Math.floor(place + 0.5);
    case "floor":
      return Math.floor(place);
    case "ceil":
      return Math.ceil(place);
    case "simple": // before version 11
      return scale < 1 ? Math.ceil(place) : Math.floor(place);
    default:
      throw new UserError(`its nearest_mode is ${JSON.stringify(nearest.slice(0, 40))}`);
  }
}

/** What a position at a distance counts, and up to which. */
interface Kernel {
  reach: number;
  weight: (distance: number, a: number) => number;
}

const linearKernel: Kernel = { reach: 1, weight: (d) => 1 - d };

const cubicKernel: Kernel = {
  reach: 2,
  weight: (d, a) => d <= 1 ? ((a + 2) * d - (a + 3)) * d * d + 1 : ((d - 5) * d + 8) * d * a - 4 * a,
};

/** The terms of each position of the resized axis: none where it lies outside the region of tf_crop_and_resize. */
export function termsOf(r: Resizing): Term[][] {
  const { from, to, scale, mode, coordinates, cubic, antialias, excludeOutside } = r;
  const kernel = mode === "cubic" ? cubicKernel : linearKernel;
  if (!["nearest", "linear", "cubic"].includes(mode)) {
    throw new UserError(`its mode is ${JSON.stringify(mode.slice(0, 40))}`);
  }
  const inside = (position: number) => Math.min(Math.max(position, 0), from - 1);
  return Array.from({ length: to }, (_, at): Term[] => {
    // Ties between two positions are found as those find them that exporters try their models with: in float32.
    const place = placeOf(r, at, mode === "nearest" ? Math.fround : (n) => n);
    if (coordinates === "tf_crop_and_resize" && (place < 0 || place > from - 1)) return [];
    if (mode === "nearest") return [[inside(nearestTo(place, r)), 1]];
    const stretch = antialias ? Math.max(1, 1 / scale) : 1;
    const reach = kernel.reach * stretch;
    const terms = new Map<number, number>();
    let total = 0;
    for (let position = Math.ceil(place - reach); position <= place + reach; position++) {
      const weight = kernel.weight(Math.abs(position - place) / stretch, cubic);
      if (excludeOutside && position !== inside(position)) continue;
      terms.set(inside(position), (terms.get(inside(position)) ?? 0) + weight);
      total += weight;
    }
    return [...terms].flatMap(([position, weight]): Term[] => weight === 0 ? [] : [[position, weight / total]]);
  });
}
