/** How long kernels take: by the GPU's own clock where it has one, else by the program's. */
import { encode, type Step } from "./compile.ts";
import type { Device } from "./device.ts";
import { timestampsOf } from "./timestamps.ts";

/** How `timeRuns` measures. */
export interface Rounds {
  /** Rounds of which the best counts. */
  rounds: number;
  /** Runs of a round to begin with; 1 unless given. */
  times?: number;
  /** Rounds get longer until one lasts at least half as long, in milliseconds. */
  roundMs: number;
}

/** Rounds at most, while each is faster than the best before by this ratio: the clock of a GPU that idled rises slowly. */
const MOST_ROUNDS = 20;
const RISING = 0.98;

/** What takes no time at all. */
export const LEAST_MS = 1e-6;

/** Runs of a round at most. */
const MOST_RUNS = 1000;

/** Submits so many runs as one compute pass, which writes these timestamps where there are any. */
export type Submit = (times: number, timestampWrites?: GPUComputePassTimestampWrites) => void;

/**
 * Milliseconds of one run, `submit` submitting so many of them: the best of several rounds, each long enough to be measured.
 * Runs may not take longer because of those before.
 */
export async function timeRuns(
  device: Device,
  submit: Submit,
  { rounds, times = 1, roundMs }: Rounds,
): Promise<number> {
  const clock = await clockOf(device);
  try {
    const round = await roundOf(clock, submit, roundMs, times);
    times = round.times;
    let best = round.took / times;
    let faster = false;
    for (let done = 1; done < rounds || faster && done < MOST_ROUNDS; done++) {
      const own = await clock.time(submit, times) / times;
      faster = own < RISING * best;
      best = Math.min(best, own);
    }
    return Math.max(best, LEAST_MS);
  } finally {
    clock.stop();
  }
}

/** How many runs last at least half of so many milliseconds, at most `MOST_RUNS`, and how long they took. */
export async function roundOf(
  clock: Clock,
  submit: Submit,
  roundMs: number,
  times = 1,
): Promise<{ times: number; took: number }> {
  let took = await clock.time(submit, times);
  while (took < roundMs / 2 && times < MOST_RUNS) {
    times = Math.min(MOST_RUNS, Math.ceil(times * Math.min(10, roundMs / Math.max(took, roundMs / 10))));
    took = await clock.time(submit, times);
  }
  return { times, took };
}

/** Milliseconds that so many runs take, however often it is asked. */
export interface Clock {
  time(submit: Submit, times: number): Promise<number>;
  /** Frees what it has. */
  stop(): void;
}

/** The clock for a device. */
export const clockOf = (device: Device): Promise<Clock> =>
  device.caps.timestamps && !device.caps.software ? gpuClock(device) : wallClock(device);

/**
 * The adapter's own clock, for those that write timestamps: a program that waits for a GPU hears of its end late, by 10 ms in
 * Deno. A GPU that idles meanwhile takes its frequency back, to a sixth within seconds, so each measured pass is followed by
 * another that keeps it busy.
 */
export async function gpuClock(device: Device): Promise<Clock> {
  const timestamps = await timestampsOf(device, 1);
  return {
    async time(submit, times) {
      submit(times, timestamps.writes(0));
      const [ms] = await timestamps.read(1, device.caps.software ? undefined : () => submit(times));
      return ms;
    },
    stop: () => timestamps[Symbol.dispose](),
  };
}

/** Empty submits that are timed: on a busy machine one of a few may take longer than a short run. */
const EMPTY = 9;

/** The program's clock, less what an empty submit takes to come back. */
async function wallClock(device: Device): Promise<Clock> {
  const measured = async (run: () => void) => {
    const started = performance.now();
    run();
    await device.finish();
    return performance.now() - started;
  };
  const empty = () => device.gpu.queue.submit([device.gpu.createCommandEncoder({ label: "empty" }).finish()]);
  await device.finish();
  let idle = Infinity;
  for (let n = 0; n < EMPTY; n++) idle = Math.min(idle, await measured(empty));
  return {
    time: async (submit, times) => await measured(() => submit(times)) - idle,
    stop() {},
  };
}

/** Submits the steps, `times` over, as one compute pass. */
export function submitSteps(
  device: Device,
  steps: readonly Step[],
  times: number,
  timestampWrites?: GPUComputePassTimestampWrites,
): void {
  const encoder = device.gpu.createCommandEncoder({ label: "timing" });
  const pass = encoder.beginComputePass({ label: "timing", timestampWrites });
  for (let time = 0; time < times; time++) encode(pass, steps);
  pass.end();
  device.gpu.queue.submit([encoder.finish()]);
}

/** Milliseconds of one run of the steps, by `timeRuns`. */
export async function timeSteps(device: Device, steps: readonly Step[], rounds = 5, roundMs = 100): Promise<number> {
  const submit: Submit = (times, timestampWrites) => submitSteps(device, steps, times, timestampWrites);
  submit(1);
  await device.finish();
  return await timeRuns(device, submit, { rounds, roundMs });
}
