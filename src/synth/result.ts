/** What a search has left on the GPU, as pictures with names and numbers. */
import type { Device } from "../gpu/device.ts";
import { labelOf, type Model } from "../net/model.ts";
import { Net, type NetOptions } from "../net/net.ts";
import { inputToPicture, type Picture } from "../net/picture.ts";
import type { Climb, Readings } from "./climb.ts";
import { feedOf } from "./encode.ts";
import { checkGradient, checkReadings } from "./finite.ts";
import type { Joined } from "./joined.ts";
import { type Journey, toldOf } from "./journey.ts";
import type { Ranked, SearchItem } from "./search.ts";

/** What came out for each target. @throws UserError where something is no number, GpuError when the device fails. */
export async function itemsOf(journey: Journey, climb: Climb, readings: Readings): Promise<SearchItem[]> {
  const { device, options: { classifier, targets, weights, arithmetic, choose }, joined, settings, stuck } = journey;
  const { trace, slopes, values: logits, images, codes, shown } = readings, batch = targets.length;
  checkReadings(readings, toldOf(journey));
  const slopesOf = (item: number) => column(slopes, batch, item);
  const values = logits
    ? split(logits, batch)
    : await outputs(device, classifier, { images, ...joined }, { batch, weights, arithmetic, choose });
  const pictures = picturesOf(journey, images);
  const items = targets.map((target, n): SearchItem => ({
    target,
    picture: pictures[n],
    code: split(shown, batch)[n],
    next: split(codes, batch)[n],
    trace: column(trace, batch, n),
    activation: trace[trace.length - batch + n],
    top: rank(classifier, values[n], 5),
    zeroGradient: slopesOf(n).every((slope) => slope === 0),
    redirected: stuck?.includes(n) ? settings.redirect : 0,
  }));
  // A gradient past float32's range makes no step either.
  const still = items.map(({ zeroGradient }, n) => zeroGradient || !slopesOf(n).every(Number.isFinite));
  const gradients = still.includes(true) ? split(await climb.gradient(), batch) : [];
  gradients.forEach((gradient, n) => still[n] && checkGradient(gradient, toldOf(journey)));
  return items;
}

/** The pictures that a search's images are. */
export const picturesOf = ({ options: { classifier, targets }, joined }: Journey, images: Float32Array): Picture[] =>
  split(images, targets.length).map((values) => inputToPicture(classifier.network, values, joined.image.shape));

/** The classifier's output for each image. */
async function outputs(
  device: Device,
  classifier: Model,
  { images, given }: { images: Float32Array } & Pick<Joined, "given">,
  options: Pick<NetOptions, "weights" | "arithmetic" | "choose"> & { batch: number },
): Promise<Float32Array[]> {
  const net = await Net.create(device, classifier, options);
  try {
    return split(await net.forward(feedOf(classifier, given, images, options.batch)), options.batch);
  } finally {
    net[Symbol.dispose]();
  }
}

/** The strongest `most` units of an output, by the largest value of each map. */
export function rank(classifier: Model, values: Float32Array, most: number): Ranked[] {
  return Array.from(values, (activation, unit) => ({ unit, name: labelOf(classifier, unit), activation }))
    .sort((a, b) => b.activation - a.activation).slice(0, most);
}

/** The n-th value of each of equal consecutive rows. */
const column = (values: Float32Array, width: number, n: number): Float32Array =>
  Float32Array.from({ length: values.length / width }, (_, row) => values[row * width + n]);

/** Equal consecutive pieces. */
export function split(values: Float32Array, pieces: number): Float32Array[] {
  const size = values.length / pieces;
  return Array.from({ length: pieces }, (_, n) => values.subarray(n * size, (n + 1) * size));
}
