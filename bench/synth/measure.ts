/** One iteration of a search: time, dispatches, arithmetic and its share of the adapter's peak. */
import { figure } from "../../src/formats/figure.ts";
import type { Device } from "../../src/gpu/device.ts";
import { type Peak, shareText } from "../../src/gpu/probe.ts";
import { type Submit, timeRuns } from "../../src/gpu/timing.ts";
import { Climb } from "../../src/synth/climb.ts";
import type { How } from "../running.ts";
import type { SearchSubject } from "./search.ts";

/** Timings of which the best counts. */
const ROUNDS = 5;

/** Iterations that one timing covers at batch 1 where a CPU runs the shaders, if they take long enough. */
const ITERATIONS = 5;

/**
 * What a timing aims at, in milliseconds: on a GPU long enough for its clock to rise to what it keeps, on a CPU for what other
 * programs do to it to be little beside it.
 */
const roundMs = (software: boolean): number => software ? 100 : 500;

/** What was measured. */
export interface SynthFigures {
  generator: string;
  classifier: string;
  batch: number;
  iterationMs: number;
  dispatches: number;
  flops: number;
  /** Of the multiplications and additions that the networks ask for. */
  gflops: number;
  /** Of those that are executed: fewer where filtering saves some, more where channels are padded. */
  executedGflops: number;
  /** Bytes of GPU memory: the plan's. */
  memory: number;
  /** From the models' files to the end of the first iteration: shaders are compiled here. */
  firstIterationMs: number;
}

/** Measures the search of a pair of models. */
export async function benchSynth(
  device: Device,
  open: () => Promise<SearchSubject>,
  how: How = {},
): Promise<SynthFigures> {
  const started = performance.now();
  const { generator, classifier, joined, batch, settings } = await open();
  using climb = await Climb.create(device, joined, settings, how);
  const submit = searches(climb, settings.iterations);
  submit(1);
  await device.finish();
  const firstIterationMs = performance.now() - started;
  const { software } = device.caps;
  const times = software ? Math.max(1, Math.round(ITERATIONS / batch)) : 1;
  const iterationMs = await timeRuns(device, submit, { rounds: ROUNDS, times, roundMs: roundMs(software) });
  const { flops, executedFlops, dispatches, memory } = climb;
  const rate = (operations: number) => operations / iterationMs / 1e6;
  return {
    ...{ generator, classifier },
    ...{ batch, iterationMs, dispatches, flops, memory: memory.total, firstIterationMs },
    gflops: rate(flops),
    executedGflops: rate(executedFlops),
  };
}

/** Submits whole searches, one after another, and the beginning of a last one. */
export const searches = (climb: Climb, iterationsOfOne: number): Submit => (iterations, timestamps) => {
  for (let done = 0; done < iterations; done += iterationsOfOne) {
    const times = Math.min(iterationsOfOne, iterations - done);
    climb.restart();
    climb.submit(times, timestamps && partOf(timestamps, done === 0, done + times === iterations));
  }
};

/** The timestamps that one of several passes writes: the first pass its beginning, the last its end. */
function partOf(
  { querySet, beginningOfPassWriteIndex, endOfPassWriteIndex }: GPUComputePassTimestampWrites,
  first: boolean,
  last: boolean,
): GPUComputePassTimestampWrites | undefined {
  if (!first && !last) return undefined;
  return {
    querySet,
    ...(first ? { beginningOfPassWriteIndex } : {}),
    ...(last ? { endOfPassWriteIndex } : {}),
  };
}

/** The figures as text. */
export function synthLines(s: SynthFigures, peak: Peak): string[] {
  return [
    `${s.generator} and ${s.classifier}, batch ${s.batch}: ${milliseconds(s.iterationMs)} an iteration (${
      milliseconds(s.iterationMs / s.batch)
    } a picture), ` +
    `${s.dispatches} dispatches, ${figure(s.flops / 1e9)} GFLOP`,
    `${figure(s.gflops)} GFLOP/s; ${figure(s.executedGflops)} executed, share of the peak: ${
      shareText(s.executedGflops, peak.gflops)
    }`,
    `${figure(s.memory / 2 ** 20, 1)} MiB of GPU memory`,
    `first iteration after ${figure(s.firstIterationMs / 1000, 1)} s, loading and compiling included`,
  ];
}

/** With a decimal, or three digits of what is shorter. */
export const milliseconds = (ms: number): string => `${ms < 10 ? ms.toPrecision(3) : ms.toFixed(1)} ms`;
