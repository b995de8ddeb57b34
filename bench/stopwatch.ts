/**
 * Timing many things that take turns.
 *
 * A GPU's turns are submitted all at once, each between two timestamps: nothing waits for the program to hear that a turn is
 * over, which takes Deno 10 ms, so turns can be short, and what slows the machine down for a while slows neighbours alike.
 *
 * Where a CPU runs the shaders, other programs take it away for milliseconds at a time, and a turn takes three times as long as
 * the next. There each turn also tells how long this program's threads ran, which others do not lengthen: beside ten busy
 * programs on two cores, such times of one kernel differed by 2 %, those of the clock by 300 %.
 */
import { encode, type Step } from "../src/gpu/compile.ts";
import type { Device } from "../src/gpu/device.ts";
import { MOST_PASSES, timestampsOf } from "../src/gpu/timestamps.ts";
import { LEAST_MS, type Submit } from "../src/gpu/timing.ts";

/** Something that is run so many times. */
export interface Turn {
  /** Makes all of it ready; what that gives submits it. */
  prepare(times: number, timestampWrites?: GPUComputePassTimestampWrites): () => void;
  times: number;
}

/** How long a turn took, in milliseconds. */
export interface Taken {
  /** By the clock: the GPU's where it has one. */
  ms: number;
  /** Less what other programs took: of all threads together where a CPU runs the shaders and tells it, else the same. */
  own: number;
}

/** Runs turns one after another. */
export interface Stopwatch extends Disposable {
  time(turns: readonly Turn[]): Promise<Taken[]>;
}

/** So many runs of steps as a turn. */
export const stepsTurn = (device: Device, steps: readonly Step[], times: number): Turn => ({
  times,
  prepare(times, timestampWrites) {
    const encoder = device.gpu.createCommandEncoder({ label: "turn" });
    const pass = encoder.beginComputePass({ label: "turn", timestampWrites });
    for (let time = 0; time < times; time++) encode(pass, steps);
    pass.end();
    const commands = encoder.finish();
    return () => device.gpu.queue.submit([commands]);
  },
});

/** Anything that can be submitted as a turn. */
export const submitTurn = (submit: Submit, times: number): Turn => ({
  times,
  prepare: (times, timestampWrites) => () => submit(times, timestampWrites),
});

/** What a turn should last by `Taken.own`, in milliseconds: the longer the less what surrounds it counts. */
const turnMs = ({ caps: { software, timestamps } }: Device): number => software ? 10 : timestamps ? 3 : 30;

/** Runs of a turn at most. */
const MOST_RUNS = 1000;

/** Runs turns without timing them: the first run on new memory is slow, and so are the first on a GPU that has idled. */
export async function warmUp(device: Device, turns: readonly Turn[]): Promise<void> {
  for (const { prepare, times } of turns) prepare(device.caps.software ? 1 : times)();
  await device.finish();
}

/** How many runs of each thing make a turn, and the milliseconds of one by `Taken.own`. Each has run once when this begins to count. */
export async function turnTimes(
  device: Device,
  stopwatch: Stopwatch,
  turns: readonly ((times: number) => Turn)[],
): Promise<{ times: number; ms: number }[]> {
  const took = (times: readonly number[]) => stopwatch.time(turns.map((turn, n) => turn(times[n])));
  const fitting = (ms: number, most: number) => Math.max(1, Math.min(most, Math.round(turnMs(device) / ms)));
  const once = turns.map(() => 1);
  await warmUp(device, turns.map((turn) => turn(1)));
  // A single short run says little of many.
  const some = (await took(once)).map(({ own }) => fitting(own, 20));
  const many = await took(some);
  return many.map(({ own }, n) => {
    const ms = own / some[n];
    return { ms, times: fitting(ms, MOST_RUNS) };
  });
}

/** The stopwatch for a device. */
export async function stopwatchFor(device: Device): Promise<Stopwatch> {
  const { software, timestamps } = device.caps;
  const clock = timestamps ? await timestampsOf(device, MOST_PASSES) : undefined;
  const byThreads = software && process !== undefined;
  const idle = !clock || byThreads ? await idleOf(device) : { ms: 0, own: 0 };
  return {
    async time(turns) {
      const all: Taken[] = [];
      for (let done = 0; done < turns.length; done += MOST_PASSES) {
        const some = turns.slice(done, done + MOST_PASSES);
        const told: Taken[] = [];
        for (const [n, { prepare, times }] of some.entries()) {
          const submit = prepare(times, clock?.writes(n));
          if (clock && !software) submit();
          else told.push(await waited(device, submit));
        }
        const clocked = await clock?.read(some.length);
        all.push(...some.map((_, n) => {
          const ms = Math.max(LEAST_MS, clocked?.[n] ?? told[n].ms - idle.ms);
          return { ms, own: byThreads ? Math.max(LEAST_MS, told[n].own - idle.own) : ms };
        }));
      }
      return all;
    },
    [Symbol.dispose]: () => clock?.[Symbol.dispose](),
  };
}

/** Submits, and gives the time until it is over. */
async function waited(device: Device, submit: () => void): Promise<Taken> {
  const started = performance.now();
  const before = processorMs();
  submit();
  await device.finish();
  return { ms: performance.now() - started, own: processorMs() - before };
}

/** What browsers have not. */
const { process } = globalThis as { process?: { cpuUsage(): { user: number; system: number } } };

/** Milliseconds that this program's threads have run; in a browser, which does not tell, the clock's. */
export function processorMs(): number {
  if (!process) return performance.now();
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Empty submits that are timed. */
const EMPTY = 9;

/** What a turn of nothing takes: the least of some, for a machine that is busy with other things would take all from a short turn. */
async function idleOf(device: Device): Promise<Taken> {
  const taken: Taken[] = [];
  for (let n = 0; n < EMPTY; n++) taken.push(await waited(device, stepsTurn(device, [], 0).prepare(0)));
  return { ms: Math.min(...taken.map(({ ms }) => ms)), own: Math.min(...taken.map(({ own }) => own)) };
}
