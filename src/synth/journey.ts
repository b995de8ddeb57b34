/** A search on its way: what of it outlives a device, and how it goes on from there to its end. */
import type { Device } from "../gpu/device.ts";
import { GpuError } from "../gpu/error.ts";
import { type Change, checkChange } from "./change.ts";
import { Climb, type ClimbOptions } from "./climb.ts";
import type { ClimbSettings, Readings, Saved } from "./climb_data.ts";
import { checkTrace, type Told } from "./finite.ts";
import { type SearchOptions, settle, suitable } from "./options.ts";
import { inOne, itemsOf, picturesOf, split, strongest } from "./result.ts";
import type { SearchResult } from "./search.ts";
import { sameKernels } from "./settings.ts";
import type { Stage } from "./stages.ts";

/** A search, and how far it has come. */
export interface Journey extends Stage {
  readonly device: Device;
  /** Their codes are where the search starts: after a detour through ReLUs that are off, where it took one. */
  settings: ClimbSettings;
  /** The items whose gradient is zero at the start, once that is known. */
  stuck?: readonly number[];
  /** What every item came to at each iteration before the settings last changed: [iterations × items]. */
  earlier: Float32Array;
  /** When the first iteration began, in milliseconds. */
  started?: number;
  /** Where the search goes on on another device; where it began with its settings unless given. */
  saved?: Saved;
  /** The last iteration with these settings that was reported. */
  told: number;
}

/** The iterations before the settings last changed. */
export const earlierOf = ({ earlier, settings: { objective: { items } } }: Journey): number => earlier.length / items;

/** Submits aim at this many milliseconds, far below any driver's watchdog. */
const SUBMIT_MS = 400;

/** Goes on from where a search is to its end. @throws UserError, GpuError as `search` does, and when the device is lost. */
export async function goOn(journey: Journey): Promise<Omit<SearchResult, "losses">> {
  const { device } = journey;
  const before = device.memory;
  const held: Held = {};
  try {
    for (;;) {
      const { climb, took } = await start(journey, held);
      const inUse = device.memory - before;
      const { done, seconds, readings, turning } = await run(journey, climb, took);
      if (turning) await turn(journey, climb, turning);
      else {
        const earlier = earlierOf(journey);
        const { iterations } = journey.settings;
        const { dispatches, flops } = climb;
        const memory = { ...climb.memory, device: inUse };
        const items = await itemsOf(journey, climb, readings!);
        return {
          ...{ iterations: earlier + done, aborted: done < iterations, seconds },
          ...{ dispatches, flops, memory, items },
        };
      }
    }
  } finally {
    held.climb?.[Symbol.dispose]();
  }
}

/** The climb that there is. */
interface Held {
  climb?: Climb;
}

/** The climb where the journey is: the held one where it takes the settings, else a new one. Its first iteration may be done. */
async function start(journey: Journey, held: Held): Promise<{ climb: Climb; took?: number }> {
  const { options, settings } = journey;
  const again = { ...options, onPlan: undefined, onReady: undefined, signal: undefined };
  const place = async (how: SearchOptions): Promise<Climb> => {
    if (held.climb?.takes(settings)) {
      held.climb.begin(settings);
      return held.climb;
    }
    release(held);
    return held.climb = await climbFor(journey, settings, how);
  };
  let climb = await place(journey.stuck || journey.started !== undefined ? again : options);
  if (journey.stuck) {
    if (journey.saved) climb.restore(journey.saved);
    return { climb };
  }
  if (journey.started === undefined) options.signal?.throwIfAborted();
  const first = await begin(climb);
  const stuck = settings.redirect > 0 ? first.stuck : [];
  let { took } = first;
  if (stuck.length > 0 && !options.signal?.aborted) {
    release(held);
    // Both at once: a search whose device is lost from here on has had its detour.
    [settings.codes, journey.stuck] = [await redirect(journey, stuck), stuck];
    climb = await place(again);
    took = (await begin(climb)).took;
  }
  journey.stuck = stuck;
  return { climb, took };
}

/** A climb; of a film whose frames are too many together, in smaller windows, which the journey then keeps to. */
async function climbFor(
  { device, joined, options, settings: kept }: Journey,
  settings: ClimbSettings,
  how: ClimbOptions,
) {
  for (;;) {
    try {
      return await Climb.create(device, joined, settings, how);
    } catch (error) {
      const { windowSize = 1 } = settings;
      const tooLarge = error instanceof GpuError && error.kind === "out-of-memory";
      if (!tooLarge || windowSize === 1 || options.windowSize !== undefined) throw error;
      kept.windowSize = settings.windowSize = Math.ceil(windowSize / 2);
      options.onWindow?.(settings.windowSize);
    }
  }
}

function release(held: Held): void {
  held.climb?.[Symbol.dispose]();
  held.climb = undefined;
}

/** A change of settings, and what every item came to at each iteration until then. */
interface Turning {
  change: Change;
  trace: Float32Array;
}

/** The journey becomes one with other settings, from the codes that the last step made: of the iterations that are left. */
async function turn(journey: Journey, climb: Climb, { change, trace }: Turning): Promise<void> {
  const { device, joined, options, settings: before } = journey;
  const { codes, ...others } = change;
  const { lrStart, lrEnd, iterations, objective: { items } } = before;
  const length = lrStart + (lrEnd - lrStart) * (trace.length / items) / iterations;
  const rate = others.rule === undefined && others.lrStart === undefined ? { lrStart: length } : {};
  const from = codes ?? split((await climb.codes()).codes, items);
  const targets = options.targets.map((target, n) => ({ ...target, code: from[n] }));
  journey.asked = { ...journey.asked, ...others };
  journey.earlier = inOne(journey.earlier, trace);
  journey.options = { ...options, ...others, ...suitable(journey.asked, journey.classifier), ...rate, targets };
  const left = Math.max(1, journey.options.iterations! - earlierOf(journey));
  const settings = settle(device, joined, { ...journey.options, iterations: left });
  journey.settings = sameKernels(settings, before) ? { ...settings, objective: before.objective } : settings;
  journey.stuck = undefined;
  journey.saved = undefined;
  journey.told = 0;
}

/** What sentences about a search tell of it. */
export const toldOf = (journey: Journey): Told => {
  const { options, joined, settings } = journey;
  return { ...options, joined, settings, earlier: earlierOf(journey) };
};

/** The first iteration: the milliseconds that it took, and the items whose gradient is zero there. */
async function begin(climb: Climb): Promise<{ took: number; stuck: number[] }> {
  const from = performance.now();
  climb.submit(1);
  const slopes = await climb.slopes(1);
  return { took: performance.now() - from, stuck: [...slopes.keys()].filter((item) => slopes[item] === 0) };
}

/** The codes to start from, where those of the items that are stuck have gone through ReLUs that are off. */
async function redirect(journey: Journey, stuck: readonly number[]): Promise<Float32Array> {
  const { options, settings } = journey;
  const { redirect, lrStart, codes, objective: { items } } = settings;
  const own = { ...settings, iterations: redirect, lrEnd: lrStart };
  const ours = { onPlan: undefined, onReady: undefined, replace: undefined }; // others' kernels mask with the ReLUs
  const climb = await climbFor(journey, own, { ...options, ...ours, redirected: true });
  climb.submit(redirect);
  const after = split((await climb.codes().finally(() => climb[Symbol.dispose]())).codes, items);
  const result = codes.slice();
  for (const item of stuck) result.set(after[item], item * after[item].length);
  return result;
}

/**
 * Iterates until the end, or until the search is aborted or changed; at least once.
 * @param begun The milliseconds of the first iteration, where it is done.
 */
async function run(
  journey: Journey,
  climb: Climb,
  begun?: number,
): Promise<{ done: number; seconds: number; readings?: Readings; turning?: Turning }> {
  const { device, options, settings: { iterations } } = journey;
  const { targets, classifier, signal, every, saveMs = 2000, onProgress } = options;
  const earlier = earlierOf(journey);
  const whole = earlier + iterations;
  const started = journey.started ??= performance.now() - (begun ?? 0);
  const growth = device.caps.software ? 4 : 32;
  const from = journey.saved?.iteration ?? 0;
  const pictures = async () => picturesOf(journey, await climb.images());
  const codes = async () => {
    const { codes, shown } = await climb.codes();
    const next = split(codes, targets.length);
    return split(shown, targets.length).map((code, n) => ({ code, next: next[n] }));
  };
  const elapsed = () => (performance.now() - started) / 1000;
  let done = from;
  let chunk = 1;
  let savedAt = performance.now();
  let ending: Readings | undefined;
  while (done < iterations && !(done > from && signal?.aborted)) {
    const times = Math.min(chunk, iterations - done, every ?? Infinity);
    const start = performance.now();
    const ahead = done === from ? begun : undefined;
    if (ahead === undefined) climb.submit(times);
    done += times;
    const telling = onProgress && done > journey.told;
    const reading = done === iterations ? climb.readings(done) : telling ? climb.progress(done) : device.finish();
    const saving = performance.now() - savedAt >= saveMs ? climb.save(done) : undefined;
    const [read, saved] = await Promise.all([reading, saving]);
    if (saved) [journey.saved, savedAt] = [saved, performance.now()];
    if (done === iterations) ending = read as Readings;
    if (telling && read) {
      checkTrace(read.trace, toldOf(journey));
      const activations = read.trace.slice((done - 1) * targets.length);
      const values = read.values && split(read.values, targets.length);
      const ranked = (most: number) => values?.map((values) => strongest(classifier, values, most));
      const state = {
        ...{ iteration: earlier + done, iterations: whole, activations, pictures, codes },
        ...{ top: ranked(1)?.map(([first]) => first), strongest: ranked },
      };
      const change = await onProgress(state);
      if (change !== undefined) checkChange(change, options);
      const more = change && (done < iterations || (change.iterations ?? whole) > whole);
      if (more) return { done, seconds: elapsed(), turning: { change, trace: read.trace } };
      journey.told = done;
    }
    const took = performance.now() - start + (ahead ?? 0);
    const known = done > from + times || !device.caps.software; // where a CPU compiles kernels as they first run, the first says little
    chunk = known ? Math.max(1, Math.min(growth * times, Math.floor(times * SUBMIT_MS / Math.max(took, 1)))) : 1;
  }
  const seconds = elapsed();
  return { done, seconds, readings: ending ?? await climb.readings(done) };
}
