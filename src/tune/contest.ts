/** The contest for a layer: its candidates are compiled, compared with the predicted ways, and race against each other. */
import type { Device } from "../gpu/device.ts";
import { GpuError } from "../gpu/error.ts";
import type { Clock } from "../gpu/timing.ts";
import { type LayerWays, type Pairing, pairings, type Subject } from "../net/choose.ts";
import { type Candidate, cheapest, describe, formOf } from "../ops/way.ts";
import { Alone, type Built, timer } from "./alone.ts";
import { type Field, race, type Runner } from "./race.ts";

/** Who won, how long a run of both passes takes by the winner and as predicted, and who could not take part. */
export interface Contest {
  winner: LayerWays;
  ms: number;
  predictedMs: number;
  failed: { layer: string; way: string; reason: string }[];
}

/** How much more than the best the best of another way may be predicted to cost: no prediction is so far off. */
const MOST_WAY_COST = 8;

/** Candidates of a pass that are timed beside the best of each way, and how much more they may be predicted to cost. */
const MOST_OTHERS = 6;
const MOST_COST = 2;

/** How far values may be from those of the predicted way, over the largest magnitude: ways differ in the order of sums only, and in f16 in where they round. */
const TOLERANCE = { f32: 1e-3, f16: 2 ** -6 };

/** A candidate with its clock. */
interface Contestant extends Runner {
  candidate: Candidate<never, unknown>;
}

/**
 * Finds the fastest ways of a layer.
 * @param predicted The ways to be beaten: what plans take untuned.
 * @param rotation Bytes of weights that the network has.
 * @param clock Times their runs.
 * @throws GpuError where not even the predicted ways run, the signal's reason once it is aborted.
 */
export async function contest(
  device: Device,
  about: Subject,
  predicted: LayerWays,
  rotation: number,
  clock: Clock,
  signal?: AbortSignal,
): Promise<Contest> {
  const alone = new Alone(device, about, rotation);
  const compiled: Built[] = [];
  try {
    return await hold(alone, compiled, device, about, predicted, clock, signal);
  } finally {
    for (const built of compiled) built[Symbol.dispose]();
    alone[Symbol.dispose]();
  }
}

async function hold(
  alone: Alone,
  compiled: Built[],
  device: Device,
  about: Subject,
  predicted: LayerWays,
  clock: Clock,
  signal?: AbortSignal,
): Promise<Contest> {
  const build = async (ways: LayerWays): Promise<Built> => {
    const built = await alone.build(ways);
    compiled.push(built);
    return built;
  };
  const failed: Contest["failed"] = [];
  const own = await build(predicted);
  const expected = await alone.values(own);

  /** Compiles and checks ways; undefined where they are not what they should be. */
  const admit = async (ways: LayerWays, suspect: Candidate<never, unknown>): Promise<Built | undefined> => {
    signal?.throwIfAborted();
    if (ways === predicted) return own;
    const fail = (reason: string) => {
      failed.push({ layer: about.layer.name, way: describe(suspect), reason });
    };
    try {
      const built = await build(ways);
      const off = largestDifference(expected, await alone.values(built));
      if (off <= TOLERANCE[about.task.arithmetic]) return built;
      fail(`its values are off by ${off.toPrecision(2)} of the largest`);
    } catch (error) {
      if (!(error instanceof GpuError) || error.kind === "lost") throw error;
      fail(error.message);
    }
  };

  const fields: Field<Contestant>[] = [];
  for (const [form, pairing] of pairings(about)) {
    const best = form === formOf(predicted.forward.way) ? predicted : bestOf(pairing);
    const field = await enter(pairing, best, admit, (rotation) => timer(device, clock, rotation));
    if (field) fields.push(field);
  }
  const find = (pass: "forward" | "backward") => {
    const wanted = predicted[pass];
    return wanted && fields.flatMap((field) => field[pass]).find(({ candidate }) => same(candidate, wanted));
  };
  const { forward, backward, ms, predictedMs } = await race(
    fields,
    { forward: find("forward")!, backward: find("backward") },
    signal,
  );
  const winner = { forward: forward.candidate, backward: backward?.candidate } as LayerWays;
  const unchanged = same(winner.forward, predicted.forward) &&
    (!winner.backward || same(winner.backward, predicted.backward!));
  return { winner: unchanged ? predicted : winner, ms, predictedMs, failed };
}

const bestOf = ({ forward, backward }: Pairing): LayerWays => ({
  forward: cheapest(forward),
  backward: backward.length ? cheapest(backward) : undefined,
});

/** A form's candidates that are worth their time, compiled; undefined where its best ones do not run. */
async function enter(
  { forward, backward }: Pairing,
  best: LayerWays,
  admit: (ways: LayerWays, suspect: Candidate<never, unknown>) => Promise<Built | undefined>,
  timerOf: (rotation: Built["forward"]) => Runner["time"],
): Promise<Field<Contestant> | undefined> {
  const first = await admit(best, best.forward);
  if (!first) return undefined;
  const field: { forward: Contestant[]; backward: Contestant[] } = { forward: [], backward: [] };
  for (const candidate of shortlist(forward)) {
    const built = same(candidate, best.forward) ? first : await admit({ ...best, forward: candidate }, candidate);
    if (built) field.forward.push({ candidate, time: timerOf(built.forward) });
  }
  for (const candidate of shortlist(backward)) {
    const built = same(candidate, best.backward!) ? first : await admit({ ...best, backward: candidate }, candidate);
    if (built) field.backward.push({ candidate, time: timerOf(built.backward) });
  }
  return field;
}

/** The best-predicted size of each way that is not hopeless, and the best-predicted others. */
export function shortlist<C extends Candidate<never, unknown>>(candidates: readonly C[]): C[] {
  const least = Math.min(...candidates.map(({ cost }) => cost));
  const best = [...Map.groupBy(candidates, ({ way }) => way.name).values()].map(cheapest)
    .filter(({ cost }) => cost <= MOST_WAY_COST * least);
  const others = candidates.filter((one) => !best.includes(one) && one.cost <= MOST_COST * least)
    .sort((a, b) => a.cost - b.cost);
  return [...best, ...others.slice(0, MOST_OTHERS)];
}

/** The largest difference between values, over the largest magnitude of those expected; NaN where something is NaN. */
export function largestDifference(expected: readonly Float32Array[], actual: readonly Float32Array[]): number {
  return Math.max(...expected.map((values, n) => {
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const off = values.reduce((most, value, i) => Math.max(most, Math.abs(value - actual[n][i])), 0);
    return off === 0 ? 0 : off / largest;
  }));
}

const same = (a: Candidate<never, unknown>, b: Candidate<never, unknown>): boolean =>
  describe(a) === describe(b) && formOf(a.way) === formOf(b.way);
