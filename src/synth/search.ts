/**
 * DGN-AM: climbs the activation of units of a classifier through the code of a generator.
 *
 *   x = G(code), cropped;  g = ∂ Σ_k a_k(x) / ∂code;  code ← clip(code + rate · g / mean|g|, 0, mean + 3σ) · decay
 *
 * (Nguyen et al. 2016, the paper's program's numbers as defaults). Many targets run as one batch. Iterations are
 * submitted several at a time, as many as fit into a fraction of a second; only the trace comes back between submits.
 * An item whose gradient is exactly zero stays where it is.
 */
import { UserError } from "../formats/user_error.ts";
import type { Device } from "../gpu/device.ts";
import { sequenceLayer } from "../net/graph.ts";
import { labelOf, type Model } from "../net/model.ts";
import { Net, type NetOptions } from "../net/net.ts";
import { imageFormat, inputToPicture, type Picture, pictureToInput } from "../net/picture.ts";
import type { PlanMemory } from "../net/plan.ts";
import { count } from "../ops/op.ts";
import { Climb, type ClimbSettings, type Readings } from "./climb.ts";
import { checkGradient, checkReadings, checkTrace } from "./finite.ts";
import { join, type Joined } from "./joined.ts";
import { type SearchOptions, settle, type Target } from "./options.ts";

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
  /** The strongest unit for each target, when the layer is the classifier's output or the logits of it. */
  top?: Ranked[];
  /** The pictures as they are now. */
  pictures(): Promise<Picture[]>;
}

/** What came out for one target. */
export interface SearchItem {
  target: Target;
  picture: Picture;
  code: Float32Array;
  /** The activation at every iteration. */
  trace: Float32Array;
  activation: number;
  /** The classifier's five strongest output units on the picture, by their logits where these were searched. */
  top: Ranked[];
  /** The gradient was zero throughout: nothing leads to this unit. */
  zeroGradient: boolean;
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
  const joined = join(options.generator, options.classifier, options.layer), settings = settle(device, joined, options);
  const sequence = sequenceLayer(joined.graph, [joined.layer, joined.output])?.name;
  if (sequence !== undefined && options.targets.length > 1) {
    throw new UserError(
      `${options.classifier.name}: layer "${sequence}" takes what runs together for steps in time; search one target at a time`,
    );
  }
  const before = device.memory;
  const climb = await Climb.create(device, joined, settings, options);
  try {
    return await run(device, options, joined, settings, climb, device.memory - before);
  } finally {
    climb[Symbol.dispose]();
  }
}

/** Runs a compiled search to its end or until it is aborted. */
async function run(
  device: Device,
  options: SearchOptions,
  joined: Joined,
  settings: ClimbSettings,
  climb: Climb,
  inUse: number,
): Promise<SearchResult> {
  const { classifier, targets, weights, arithmetic, choose, signal } = options, { iterations } = settings;
  const memory = { ...climb.memory, device: inUse }, told = { ...options, joined, settings };
  const started = performance.now();
  const growth = device.caps.software ? 4 : 32;
  let done = 0, chunk = 1, ending: Readings | undefined;
  const pictures = async () =>
    split(await climb.images(), targets.length).map((values) =>
      inputToPicture(classifier.network, values, joined.image.shape)
    );
  signal?.throwIfAborted();
  while (done < iterations && !(done > 0 && signal?.aborted)) {
    const times = Math.min(chunk, iterations - done, options.every ?? Infinity), from = performance.now();
    climb.submit(times);
    done += times;
    if (done === iterations) ending = await climb.readings(done);
    if (options.onProgress) {
      const { trace, values } = ending ?? await climb.progress(done);
      checkTrace(trace, told);
      const activations = trace.slice((done - 1) * targets.length);
      const top = values && split(values, targets.length).map((v) => rank(classifier, v, 1)[0]);
      await options.onProgress({ iteration: done, iterations, activations, top, pictures });
    } else if (!ending) await device.finish();
    const took = performance.now() - from;
    const known = done > times || !device.caps.software; // where a CPU compiles kernels as they first run, the first says little
    chunk = known ? Math.max(1, Math.min(growth * times, Math.floor(times * SUBMIT_MS / Math.max(took, 1)))) : 1;
  }
  const seconds = (performance.now() - started) / 1000;
  const readings = ending ?? await climb.readings(done), { trace, values: logits, images, codes: last } = readings;
  checkReadings(readings, told);
  const codes = split(last, targets.length);
  const values = logits
    ? split(logits, targets.length)
    : await outputs(device, classifier, images, { batch: targets.length, weights, arithmetic, choose });
  const items = targets.map((target, n): SearchItem => ({
    target,
    picture: inputToPicture(classifier.network, split(images, targets.length)[n], joined.image.shape),
    code: codes[n],
    trace: Float32Array.from({ length: done }, (_, i) => trace[i * targets.length + n]),
    activation: trace[(done - 1) * targets.length + n],
    top: rank(classifier, values[n], 5),
    zeroGradient: equal(codes[n], split(settings.codes, targets.length)[n]),
  }));
  const gradients = items.some(({ zeroGradient }) => zeroGradient) ? split(await climb.gradient(), targets.length) : [];
  gradients.forEach((gradient, n) => items[n].zeroGradient && checkGradient(gradient, told));
  const { dispatches, flops } = climb;
  return { iterations: done, aborted: done < iterations, seconds, dispatches, flops, memory, items };
}

/** The classifier's output for each image. */
async function outputs(
  device: Device,
  classifier: Model,
  images: Float32Array,
  options: Pick<NetOptions, "weights" | "arithmetic" | "choose"> & { batch: number },
): Promise<Float32Array[]> {
  const net = await Net.create(device, classifier, options);
  try {
    return split(await net.forward(images), options.batch);
  } finally {
    net[Symbol.dispose]();
  }
}

/**
 * The code of a picture: the classifier's features at the layer that the generator inverts.
 * @param picture Of the classifier's input size.
 * @throws UserError when the generator does not say which layer, or sizes differ.
 */
export async function encode(
  device: Device,
  classifier: Model,
  generator: Model,
  picture: Picture,
): Promise<Float32Array> {
  const { code, inputs, name } = generator.network;
  if (!code) throw new UserError(`generator "${name}" does not say which layer's features its code is`);
  imageFormat(classifier.network);
  const net = await Net.create(device, classifier, { layer: code.layer });
  try {
    const values = count(net.outputShape), wanted = count(inputs[0].shape);
    if (values !== wanted) throw new UserError(`layer "${code.layer}" has ${values} values, ${name} takes ${wanted}`);
    return await net.forward(pictureToInput(classifier.network, picture));
  } finally {
    net[Symbol.dispose]();
  }
}

/** The strongest `most` units of an output, by the largest value of each map. */
function rank(classifier: Model, values: Float32Array, most: number): Ranked[] {
  return Array.from(values, (activation, unit) => ({ unit, name: labelOf(classifier, unit), activation }))
    .sort((a, b) => b.activation - a.activation).slice(0, most);
}

/** Equal consecutive pieces. */
function split(values: Float32Array, pieces: number): Float32Array[] {
  const size = values.length / pieces;
  return Array.from({ length: pieces }, (_, n) => values.subarray(n * size, (n + 1) * size));
}

const equal = (a: Float32Array, b: Float32Array): boolean => a.every((value, n) => value === b[n]);
