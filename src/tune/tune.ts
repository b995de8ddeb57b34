/**
 * Tuning: every layer's ways are timed on the adapter at hand, and the winners are kept for plans to take.
 *
 * Layers of one shape are one question. Its candidates are the best-predicted sizes of each way to its output and its
 * gradient; each is first compared with the predicted way on random numbers, and then races (`race.ts`) on weights as cold
 * as in a plan (`alone.ts`). At last a whole plan of the winners runs against one of the predicted ways: where it is
 * no faster, the predicted ways stay.
 */
import type { Device } from "../gpu/device.ts";
import { UserError } from "../formats/user_error.ts";
import { clockOf } from "../gpu/timing.ts";
import { checkModel, checkNames, type Names, told } from "../net/asked.ts";
import { chooseCheapest, chooseWays, type LayerWays, type Subject } from "../net/choose.ts";
import { buildGraph } from "../net/graph.ts";
import type { Model } from "../net/model.ts";
import { type Computed, subjectsOf } from "../net/outline.ts";
import { checkArithmetic } from "../net/plan.ts";
import { type Arithmetic, count, type WeightStorage } from "../ops/op.ts";
import { describe } from "../ops/way.ts";
import { iterationOf, join } from "../synth/joined.ts";
import { sourceOf } from "../synth/objective.ts";
import { contest } from "./contest.ts";
import { adapterKey, kernelsHash, questionKey } from "./subject.ts";
import { hasChoice, lookUp, pickOf, tuned } from "./tuned.ts";
import { addEntry, type TunedWays } from "./ways_file.ts";
import { timePlans, type WholeTimes } from "./whole.ts";

/** What is tuned: an iteration of the search, or a network by itself. */
export type Tunable =
  | { generator: Model; classifier: Model; layer?: string }
  | { model: Model; layer?: string; gradient?: boolean; doubleFloat?: boolean };

/** How. */
export interface TuneOptions {
  /** Pictures or items together; 1 unless given. */
  batch?: number;
  /** How weights are stored; as in the files unless given. */
  weights?: WeightStorage;
  /** What sums are computed in, forward; f32 unless given. */
  arithmetic?: Arithmetic;
  /** Also what `ways` answers already. */
  again?: boolean;
  /** Told before each question. */
  onProgress?: (progress: TuneProgress) => void;
  /** Ends it with what there is. */
  signal?: AbortSignal;
}

const tuneOptions: Names<TuneOptions> = {
  ...{ batch: true, weights: true, arithmetic: true, again: true, onProgress: true, signal: true },
};

/** How far it is, in questions. */
export interface TuneProgress {
  /** Questions answered. */
  done: number;
  /** Questions in all. */
  total: number;
  /** The layer whose ways are timed next. */
  layer: string;
}

/** What was found for the layers of one shape. */
export interface TunedLayer {
  /** Their names. */
  layers: string[];
  /** The way of the output. */
  forward: string;
  /** The way of the gradients, where there are any. */
  backward?: string;
  /** Whether other ways had been predicted to be the fastest. */
  changed: boolean;
  /** Milliseconds of the layer, and what the predicted ways take. */
  ms: number;
  /** Milliseconds by the predicted ways, in the same rounds. */
  predictedMs: number;
}

/** What became of a tune. */
export interface TuneReport {
  /** One for each shape that was timed. */
  layers: TunedLayer[];
  /** Ways that failed, or computed something else than the others. */
  failed: { layer: string; way: string; reason: string }[];
  /** Questions that had been answered before. */
  known: number;
  /** Milliseconds of a whole run by the ways that are there now and by the predicted ones, where they differ. */
  whole?: WholeTimes;
  /** The whole run was no faster by the winners, so that the predicted ways stay. */
  reverted: boolean;
  /** Whether a signal ended it before its time. */
  aborted: boolean;
}

/** Bytes of weights that a rotation comes to at most: more than caches hold. */
const MOST_ROTATION = 1 << 28;

/**
 * Times the ways of all layers and adds the winners to `ways`.
 *
 * ```ts
 * const ways = loadWays();
 * await tune(device, { generator, classifier }, ways);
 * saveWays(ways);
 * await search(device, { generator, classifier, targets, choose: tuned(device, ways) });
 * ```
 * @throws UserError when networks or weights do not fit, GpuError when the device fails; `ways` holds what was found.
 */
export async function tune(
  device: Device,
  what: Tunable,
  ways: TunedWays,
  options: TuneOptions = {},
): Promise<TuneReport> {
  checkNames("tune", options, tuneOptions);
  const request = requestOf(what, options);
  if (!(ways instanceof Map)) {
    throw new UserError(`ways are ${told(ways)}, expected those of loadWays, or an empty Map`);
  }
  checkArithmetic(device, request);
  const subjects = subjectsOf(device, request);
  const adapter = adapterKey(device);
  const questions = [...Map.groupBy(subjects.filter(hasChoice), questionKey).values()];
  const open = questions.filter(([about]) => options.again || !lookUp(ways, adapter, about));
  const rotation = Math.min(MOST_ROTATION, weightBytes(subjects));
  const report: TuneReport = {
    layers: [],
    failed: [],
    known: questions.length - open.length,
    reverted: false,
    aborted: false,
  };
  const { signal, onProgress } = options;
  const predictions: [Subject, LayerWays][] = [];
  const keep = (about: Subject, { forward, backward }: LayerWays) =>
    addEntry(ways, adapter, questionKey(about), {
      forward: pickOf(forward),
      backward: backward && pickOf(backward),
      kernels: kernelsHash(about, { forward, backward }),
    });
  const clock = await clockOf(device);
  try {
    for (const [done, alike] of open.entries()) {
      const [about] = alike;
      const predicted = chooseWays(about, chooseCheapest);
      onProgress?.({ done, total: open.length, layer: about.layer.name });
      const { winner, ms, predictedMs, failed } = await contest(device, about, predicted, rotation, clock, signal);
      keep(about, winner);
      predictions.push([about, predicted]);
      report.failed.push(...failed);
      report.layers.push({
        layers: alike.map(({ layer }) => layer.name),
        forward: describe(winner.forward),
        backward: winner.backward && describe(winner.backward),
        changed: winner !== predicted,
        ms,
        predictedMs,
      });
    }
    if (report.layers.some(({ changed }) => changed)) {
      report.whole = await timePlans(device, request, tuned(device, ways), clock, signal);
      if (report.whole && report.whole.ms >= report.whole.predictedMs) {
        report.reverted = true;
        for (const [about, predicted] of predictions) keep(about, predicted);
      }
    }
    onProgress?.({ done: open.length, total: open.length, layer: "" });
  } catch (error) {
    if (!signal?.aborted || error !== signal.reason) throw error;
    report.aborted = true;
  } finally {
    clock.stop();
  }
  return report;
}

/** The part of a plan's request that says what is computed. */
function requestOf(what: Tunable, { batch = 1, weights, arithmetic }: TuneOptions): Computed {
  if ("generator" in what) {
    checkModel("generator", what.generator);
    checkModel("classifier", what.classifier);
    const joined = join(what.generator, what.classifier);
    const source = sourceOf(joined, what);
    return { ...iterationOf(joined, [source]), batch, storage: weights, arithmetic };
  }
  checkModel("model", what.model);
  const graph = buildGraph(what.model);
  const output = what.layer === undefined ? graph.output : graph.find(what.layer);
  const gradient = what.gradient ? { of: [output], to: graph.inputs[0] } : undefined;
  return { graph, batch, wanted: [output], gradient, storage: weights, doubleFloat: what.doubleFloat, arithmetic };
}

/** Bytes of a value in each format. */
const BYTES = { f32: 4, f16: 2, i8: 1 };

/** Bytes of all weights of a network as the GPU keeps them in their plain form. */
function weightBytes(subjects: readonly Subject[]): number {
  let sum = 0;
  for (const { layer, task } of subjects) {
    for (const [name, { shape }] of Object.entries(layer.weights())) sum += BYTES[task.formats[name]] * count(shape);
  }
  return sum;
}
