/**
 * How long each dispatch of a plan takes where it stands.
 *
 * By timestamps: every dispatch is a pass of its own, in the plan's order and on the plan's data, so that caches hold what they
 * hold in a run. By repetition, where an adapter has no timestamps: every dispatch by itself, so many times that a clock can
 * tell; its data then lie in the nearest caches. A whole run as one pass, as a search submits it, takes turns with both.
 */
import { bytesMoved, executedFlops } from "../../src/gpu/call.ts";
import { encode, type Step } from "../../src/gpu/compile.ts";
import type { Device } from "../../src/gpu/device.ts";
import { MOST_PASSES, type Timestamps, timestampsOf } from "../../src/gpu/timestamps.ts";
import { type Clock, clockOf, gpuClock, LEAST_MS, roundOf, submitSteps } from "../../src/gpu/timing.ts";
import type { Plan } from "../../src/net/plan.ts";
import { typeOf } from "../../src/ops/table.ts";
import { median } from "../../src/tune/race.ts";
import type { Running } from "../running.ts";

/** How dispatches are timed. */
export type Method = "timestamps" | "repetition";

/** A dispatch. */
export interface ProfiledKernel {
  kernel: string;
  layer?: string;
  op?: string;
  pass: string;
  way?: string;
  /** The mean of the rounds that were the faster half. */
  ms: number;
  /** Milliseconds in each round. */
  samples: number[];
  /** Multiplications and additions that are asked for, and those that are executed. */
  flops: number;
  executedFlops: number;
  /** Of the tensors that it reads and writes, each once. */
  bytes: number;
}

/** A run and its dispatches. */
export interface Profile {
  title: string;
  method: Method;
  /** A whole run as one pass: the mean of the faster half, and each. */
  wallMs: number;
  wallSamples: number[];
  kernels: ProfiledKernel[];
}

/** Rounds, and the milliseconds that all of them take about; runs that take seconds have fewer rounds. */
const ROUNDS = 21;
const LEAST_ROUNDS = 5;
const ALL_MS = 10_000;

/** Milliseconds that repetitions of one dispatch last about. */
const TURN_MS = 10;

/** Dispatches of nothing in a round. */
const NOTHINGS = 9;

/** Measures a plan. */
export async function profile(
  device: Device,
  { plan, title, restart }: Running,
  method: Method = device.caps.timestamps ? "timestamps" : "repetition",
  onRound?: (done: number, total: number) => void,
): Promise<Profile> {
  const clock = await (method === "timestamps" ? gpuClock(device) : clockOf(device));
  const wallSamples: number[] = [];
  const samples: number[][] = plan.steps.map(() => []);
  const wall = async () => {
    restart();
    return Math.max(await clock.time((times, writes) => plan.submit(times, false, writes), 1), LEAST_MS);
  };
  const timer = method === "timestamps" ? await stamps(device, plan) : await repetitions(device, clock, plan);
  try {
    await wall();
    const once = await wall() + sum(await timer.round());
    const rounds = Math.max(LEAST_ROUNDS, Math.min(ROUNDS, Math.floor(ALL_MS / once)));
    for (let round = 0; round < rounds; round++) {
      onRound?.(round, rounds);
      wallSamples.push(await wall());
      restart();
      (await timer.round()).forEach((ms, n) => samples[n].push(ms));
      wallSamples.push(await wall());
    }
  } finally {
    timer[Symbol.dispose]();
    clock.stop();
  }
  const quiet = quietHalf(samples[0].map((_, round) => sum(samples.map((own) => own[round]))));
  const kernels = plan.kernels.map(({ name, call, layer, pass, way }, n): ProfiledKernel => ({
    kernel: name,
    ...(layer ? { layer: layer.layer.name, op: typeOf(layer.layer.op) } : {}),
    ...{ pass, way: call.own?.file ?? way, ms: mean(quiet.map((round) => samples[n][round])), samples: samples[n] },
    ...{ flops: call.flops, executedFlops: executedFlops(call), bytes: bytesMoved(call) },
  }));
  return { title, method, wallMs: mean(quietHalf(wallSamples).map((n) => wallSamples[n])), wallSamples, kernels };
}

/** Gives the milliseconds of each of a plan's dispatches. */
interface Timer extends Disposable {
  round(): Promise<number[]>;
}

/** Each dispatch between two timestamps, less what a dispatch of nothing takes there. */
async function stamps(device: Device, { steps: planned }: Plan): Promise<Timer> {
  const nothing: Step = { ...planned[0], grid: [0, 0, 0] };
  const steps = [...planned, ...Array.from({ length: NOTHINGS }, () => nothing)];
  const pieces: { steps: readonly Step[]; timestamps: Timestamps }[] = [];
  for (let from = 0; from < steps.length; from += MOST_PASSES) {
    const own = steps.slice(from, from + MOST_PASSES);
    pieces.push({ steps: own, timestamps: await timestampsOf(device, own.length) });
  }
  return {
    async round() {
      const encoder = device.gpu.createCommandEncoder({ label: "profile" });
      for (const { steps, timestamps } of pieces) {
        for (const [n, step] of steps.entries()) {
          const pass = encoder.beginComputePass({ label: step.call.label, timestampWrites: timestamps.writes(n) });
          encode(pass, [step]);
          pass.end();
        }
      }
      device.gpu.queue.submit([encoder.finish()]);
      const took: number[] = [];
      for (const { timestamps } of pieces) took.push(...await timestamps.read());
      const idle = median(took.splice(planned.length));
      return took.map((ms) => Math.max(ms - idle, LEAST_MS));
    },
    [Symbol.dispose]: () => pieces.forEach(({ timestamps }) => timestamps[Symbol.dispose]()),
  };
}

/** Each dispatch many times over. */
async function repetitions(device: Device, clock: Clock, { steps }: Plan): Promise<Timer> {
  const own = steps.map((step) => ({
    submit: (times: number, writes?: GPUComputePassTimestampWrites) => submitSteps(device, [step], times, writes),
    times: 0,
  }));
  for (const one of own) {
    await clock.time(one.submit, 1);
    one.times = (await roundOf(clock, one.submit, TURN_MS)).times;
  }
  return {
    async round() {
      const ms: number[] = [];
      for (const { submit, times } of own) ms.push(Math.max(await clock.time(submit, times) / times, LEAST_MS));
      return ms;
    },
    [Symbol.dispose]() {},
  };
}

/** Which of several totals are the smaller half: what else a machine does makes runs longer, never shorter. */
const quietHalf = (totals: readonly number[]): number[] =>
  [...totals.keys()].sort((a, b) => totals[a] - totals[b]).slice(0, Math.ceil(totals.length / 2));

const mean = (values: readonly number[]): number => sum(values) / values.length;

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
