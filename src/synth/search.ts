/**
 * DGN-AM: climbs a target, such as the activation of units of a classifier, through the code of a generator.
 *
 *   x = fit(G(code));  g = ∂ Σ_k w_k t_k(x) / ∂code;  code ← clip(code + rate · g / mean|g|, 0, mean + 3σ) · decay
 *
 * (Nguyen et al. 2016, the paper's program's numbers as defaults). Many targets run as one batch. Iterations are
 * submitted several at a time, as many as fit into a fraction of a second; only the trace comes back between submits.
 *
 * An item whose gradient is exactly zero stays where it is. Where that is so at the start, a few steps go before the first in which
 * ReLUs that are off let the gradient through where it would turn them on (as Lucid does, Olah et al. 2017).
 */
import { UserError } from "../formats/user_error.ts";
import type { Device } from "../gpu/device.ts";
import { sequenceLayer } from "../net/graph.ts";
import { labelOf, type Model } from "../net/model.ts";
import { Net } from "../net/net.ts";
import { imageFormat, inputToPicture, type Picture, pictureToInput } from "../net/picture.ts";
import type { PlanMemory } from "../net/plan.ts";
import { count } from "../ops/op.ts";
import { Climb, type ClimbSettings, type Readings } from "./climb.ts";
import { checkGradient, checkReadings, checkTrace } from "./finite.ts";
import { type GivenInputs, sortInputs } from "./inputs.ts";
import type { Joined } from "./joined.ts";
import { feedOf, ofCodes, ofImages } from "./judged.ts";
import { settleObjective } from "./objective.ts";
import { throughOctaves } from "./octaves.ts";
import { type MadeSearch, type SearchOptions, settle, suitable, sumOf, type Target } from "./options.ts";
import { prepare, type Stage } from "./stages.ts";

/** A unit with its name and activation. */
export interface Ranked {
  unit: number;
  name: string;
  activation: number;
}

/** The state of a search between two submits. */
export interface Progress {
  iteration: number;
  iterations: number;
  /** Of each target. */
  activations: Float32Array;
  /** The strongest unit for each target, when a term is of the classifier's output or the logits of it. */
  top?: Ranked[];
  /** The pictures as they are now. */
  pictures(): Promise<Picture[]>;
}

/** What came out for one target. */
export interface SearchItem {
  target: Target;
  picture: Picture;
  /** The code of the picture. */
  code: Float32Array;
  /** The code that the last step made of it, with which a search would go on. */
  next: Float32Array;
  /** The activation, or what the target's terms come to without its pairs, at every iteration. */
  trace: Float32Array;
  activation: number;
  /** The classifier's five strongest output units on the picture, by their logits where these were searched. */
  top: Ranked[];
  /** The gradient was zero throughout: nothing leads to this unit. */
  zeroGradient: boolean;
  /** Steps before the first that went through ReLUs that were off. */
  redirected: number;
}

/** A finished or aborted search. */
export interface SearchResult {
  /** Iterations done. */
  iterations: number;
  aborted: boolean;
  seconds: number;
  /** Dispatches, multiplications and additions of one iteration. */
  dispatches: number;
  flops: number;
  /** GPU memory of the search in bytes, and what the device counted in use meanwhile. */
  memory: PlanMemory & { device: number };
  items: SearchItem[];
}

/** Submits aim at this many milliseconds, far below any driver's watchdog. */
const SUBMIT_MS = 400;

/**
 * Runs a search.
 *
 * ```ts
 * const { items: [{ picture }] } = await search(device, { generator, classifier, targets: [{ units: [945], seed: 0 }] });
 * ```
 * @throws UserError when models, layer, units or codes do not fit, or what comes out is not finite; GpuError when the device fails.
 */
export async function search(device: Device, options: SearchOptions): Promise<SearchResult> {
  const { octaves } = suitable(options, options.classifier);
  if (octaves === 1) return await searchStage(device, prepare(options));
  return await throughOctaves(options, (stage, size) => searchStage(device, prepare(stage, size)));
}

async function searchStage(device: Device, stage: Stage): Promise<SearchResult> {
  const { options, joined } = stage, settings = settle(device, joined, options);
  const { objective: { sources } } = settings;
  const sequence = sequenceLayer(joined.graph, [...sources, joined.output])?.name;
  if (sequence !== undefined && options.targets.length > 1) {
    throw new UserError(
      `${options.classifier.name}: layer "${sequence}" takes what runs together for steps in time; search one target at a time`,
    );
  }
  const before = device.memory;
  let climb: Climb | undefined = await Climb.create(device, joined, settings, options);
  try {
    options.signal?.throwIfAborted();
    const first = await begin(climb);
    const stuck = settings.redirect > 0 ? first.stuck : [];
    if (stuck.length > 0 && !options.signal?.aborted) {
      climb[Symbol.dispose]();
      climb = undefined;
      settings.codes = await redirect(device, joined, settings, stuck, options);
      climb = await Climb.create(device, joined, settings, { ...options, onPlan: undefined, onReady: undefined });
      Object.assign(first, await begin(climb));
    }
    return await run(device, stage, settings, climb, {
      inUse: device.memory - before,
      took: first.took,
      stuck,
    });
  } finally {
    climb?.[Symbol.dispose]();
  }
}

/** The first iteration: the milliseconds that it took, and the items whose gradient is zero there. */
async function begin(climb: Climb): Promise<{ took: number; stuck: number[] }> {
  const from = performance.now();
  climb.submit(1);
  const slopes = await climb.slopes(1);
  return { took: performance.now() - from, stuck: [...slopes.keys()].filter((item) => slopes[item] === 0) };
}

/** The codes to start from, where those of the items that are stuck have gone through ReLUs that are off. */
async function redirect(
  device: Device,
  joined: Joined,
  settings: ClimbSettings,
  stuck: readonly number[],
  options: MadeSearch,
): Promise<Float32Array> {
  const { redirect, lrStart, codes, objective: { items } } = settings;
  const own = { ...settings, iterations: redirect, lrEnd: lrStart };
  const ours = { onPlan: undefined, onReady: undefined, replace: undefined }; // others' kernels mask with the ReLUs
  using climb = await Climb.create(device, joined, own, { ...options, ...ours, redirected: true });
  climb.submit(redirect);
  const after = split((await climb.codes()).codes, items), result = codes.slice();
  for (const item of stuck) result.set(after[item], item * after[item].length);
  return result;
}

/** Runs a search, whose first iteration is submitted, to its end or until it is aborted. */
async function run(
  device: Device,
  stage: Stage,
  settings: ClimbSettings,
  climb: Climb,
  first: { inUse: number; took: number; stuck: readonly number[] },
): Promise<SearchResult> {
  const { options, joined, classifier } = stage, { targets, signal } = options, { iterations } = settings;
  const memory = { ...climb.memory, device: first.inUse }, told = { ...options, joined, settings };
  const started = performance.now() - first.took;
  const growth = device.caps.software ? 4 : 32;
  let done = 0, chunk = 1, ending: Readings | undefined;
  const pictures = async () =>
    split(await climb.images(), targets.length).map((values) =>
      inputToPicture(joined.shownAs, values, joined.shown.shape)
    );
  while (done < iterations && !(done > 0 && signal?.aborted)) {
    const times = Math.min(chunk, iterations - done, options.every ?? Infinity), from = performance.now();
    if (done > 0) climb.submit(times);
    done += times;
    if (done === iterations) ending = await climb.readings(done);
    if (options.onProgress) {
      const { trace, values } = ending ?? await climb.progress(done);
      checkTrace(trace, told);
      const activations = trace.slice((done - 1) * targets.length);
      const top = values && split(values, targets.length).map((v) => rank(classifier, v, 1)[0]);
      await options.onProgress({ iteration: done, iterations, activations, top, pictures });
    } else if (!ending) await device.finish();
    const took = performance.now() - from + (done === times ? first.took : 0);
    const known = done > times || !device.caps.software; // where a CPU compiles kernels as they first run, the first says little
    chunk = known ? Math.max(1, Math.min(growth * times, Math.floor(times * SUBMIT_MS / Math.max(took, 1)))) : 1;
  }
  const seconds = (performance.now() - started) / 1000;
  const readings = ending ?? await climb.readings(done),
    { trace, slopes, values: logits, images, codes, shown } = readings;
  checkReadings(readings, told);
  const slopesOf = (item: number) => column(slopes, targets.length, item);
  const asItIs = joined.shown === joined.image && classifier === options.classifier;
  const values = logits && asItIs
    ? logits
    : await (asItIs ? ofImages(device, stage, images) : ofCodes(device, stage, shown, logits ? "logits" : "output"));
  const items = targets.map((target, n): SearchItem => ({
    target,
    picture: inputToPicture(joined.shownAs, split(images, targets.length)[n], joined.shown.shape),
    code: split(shown, targets.length)[n],
    next: split(codes, targets.length)[n],
    trace: column(trace, targets.length, n),
    activation: trace[(done - 1) * targets.length + n],
    top: rank(classifier, split(values, targets.length)[n], 5),
    zeroGradient: slopesOf(n).every((slope) => slope === 0),
    redirected: first.stuck.includes(n) ? settings.redirect : 0,
  }));
  // A gradient past float32's range makes no step either.
  const still = items.map(({ zeroGradient }, n) => zeroGradient || !slopesOf(n).every(Number.isFinite));
  const gradients = still.includes(true) ? split(await climb.gradient(), targets.length) : [];
  gradients.forEach((gradient, n) => still[n] && checkGradient(gradient, told));
  const { dispatches, flops } = climb;
  return { iterations: done, aborted: done < iterations, seconds, dispatches, flops, memory, items };
}

/** Refuses what a search would refuse of its models and targets, before there is a device. @throws UserError */
export function checkSearch(options: SearchOptions): void {
  const { joined, options: { layer, targets, directions } } = prepare(options);
  settleObjective(joined, targets.map((target) => sumOf(target, layer, 0)), directions);
}

/**
 * The code of a picture: the classifier's features at the layer that the generator inverts.
 * @param picture Of the classifier's input size.
 * @param set The classifier's and the generator's other inputs, where they have any.
 * @throws UserError when the generator does not say which layer, or sizes differ.
 */
export async function encode(
  device: Device,
  classifier: Model,
  generator: Model,
  picture: Picture,
  set?: GivenInputs,
): Promise<Float32Array> {
  const { code, name } = generator.network, inputs = sortInputs({ generator, classifier }, set);
  if (!code) throw new UserError(`generator "${name}" does not say which layer's features its code is`);
  imageFormat(classifier.network);
  const net = await Net.create(device, classifier, { layer: code.layer });
  try {
    const values = count(net.outputShape), wanted = count(inputs.generator.free.shape);
    if (values !== wanted) throw new UserError(`layer "${code.layer}" has ${values} values, ${name} takes ${wanted}`);
    const image = pictureToInput(classifier.network, picture);
    return await net.forward(feedOf(classifier, inputs.classifier.given, image, 1));
  } finally {
    net[Symbol.dispose]();
  }
}

/** The strongest `most` units of an output, by the largest value of each map. */
function rank(classifier: Model, values: Float32Array, most: number): Ranked[] {
  return Array.from(values, (activation, unit) => ({ unit, name: labelOf(classifier, unit), activation }))
    .sort((a, b) => b.activation - a.activation).slice(0, most);
}

/** The n-th value of each of equal consecutive rows. */
const column = (values: Float32Array, width: number, n: number): Float32Array =>
  Float32Array.from({ length: values.length / width }, (_, row) => values[row * width + n]);

/** Equal consecutive pieces. */
function split(values: Float32Array, pieces: number): Float32Array[] {
  const size = values.length / pieces;
  return Array.from({ length: pieces }, (_, n) => values.subarray(n * size, (n + 1) * size));
}
