/** What a search has left on the GPU, as pictures with names and numbers. */
import { checkFloats } from "../net/asked.ts";
import { labelOf, layerUnits, type Model } from "../net/model.ts";
import { inputToPicture, type Picture } from "../net/picture.ts";
import type { Climb } from "./climb.ts";
import type { ClimbSettings, Readings } from "./climb_data.ts";
import { checkGradient, checkReadings } from "./finite.ts";
import { type Journey, toldOf } from "./journey.ts";
import { outputsOfCodes, outputsOfImages } from "./judged.ts";
import { filmOf } from "./film/film.ts";
import type { Ranked, SearchItem } from "./search.ts";

/** What came out for each target. @throws UserError where something is no number, GpuError when the device fails. */
export async function itemsOf(journey: Journey, climb: Climb, readings: Readings): Promise<SearchItem[]> {
  const { device, options: { targets, classifier: seen }, joined, classifier, settings, stuck, earlier } = journey;
  const { slopes, values: logits, images, codes, shown } = readings;
  const trace = inOne(earlier, readings.trace);
  const batch = targets.length;
  checkReadings(readings, toldOf(journey));
  const slopesOf = (item: number) => column(slopes, batch, item);
  const asItIs = joined.shown === joined.image && seen === classifier;
  const judged = asItIs
    ? logits ?? await outputsOfImages(device, journey, images)
    : await outputsOfCodes(device, journey, shown, logits ? "logits" : "output", judgingWindow(settings));
  const values = split(judged, batch);
  const topOf = (asItIs ? climb.ranked ?? joined.output : joined[logits ? "logits" : "output"]).name;
  const pictures = picturesOf(journey, images);
  const items = targets.map((target, n): SearchItem => ({
    target,
    picture: pictures[n],
    code: split(shown, batch)[n],
    next: split(codes, batch)[n],
    trace: column(trace, batch, n),
    activation: trace[trace.length - batch + n],
    top: strongest(classifier, values[n], 5),
    topOf,
    zeroGradient: slopesOf(n).every((slope) => slope === 0),
    redirected: stuck?.includes(n) ? settings.redirect : 0,
  }));
  // A gradient past float32's range makes no step either.
  const still = items.map(({ zeroGradient }, n) => zeroGradient || !slopesOf(n).every(Number.isFinite));
  const gradients = still.includes(true) ? split(await climb.gradient(), batch) : [];
  gradients.forEach((gradient, n) => still[n] && checkGradient(gradient, toldOf(journey)));
  return settings.windowSize === undefined ? items : [await filmOf(journey, climb, items, values)];
}

/** How many frames of a film are judged at a time: few, for what the search has taken of the memory is not free yet. */
const judgingWindow = ({ windowSize }: ClimbSettings): number | undefined => windowSize && Math.ceil(windowSize / 8);

/** The pictures that a search's images are. */
export const picturesOf = ({ options: { targets }, joined }: Journey, images: Float32Array): Picture[] =>
  split(images, targets.length).map((values) => inputToPicture(joined.shownAs, values, joined.shown.shape));

/**
 * The strongest `most` units of a classifier's output or logits, of one picture.
 * @throws UserError unless there is a value for each of its units.
 */
export function rank(classifier: Model, values: Float32Array, most: number): Ranked[] {
  const { channels, height, width } = layerUnits(classifier);
  checkFloats(`${classifier.name}'s output`, values, channels * height * width);
  return strongest(classifier, values, most);
}

/** The same of values that are known to be these. */
export function strongest(classifier: Model, values: Float32Array, most: number): Ranked[] {
  return Array.from(values, (activation, unit) => ({ unit, name: labelOf(classifier, unit), activation }))
    .sort((a, b) => b.activation - a.activation).slice(0, most);
}

/** The n-th value of each of equal consecutive rows. */
const column = (values: Float32Array, width: number, n: number): Float32Array =>
  Float32Array.from({ length: values.length / width }, (_, row) => values[row * width + n]);

/** Two lists, one after the other. */
export function inOne(first: Float32Array, second: Float32Array): Float32Array {
  const both = new Float32Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

/** Equal consecutive pieces. */
export function split(values: Float32Array, pieces: number): Float32Array[] {
  const size = values.length / pieces;
  return Array.from({ length: pieces }, (_, n) => values.subarray(n * size, (n + 1) * size));
}
