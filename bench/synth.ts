/** One iteration of the default search: time, dispatches, arithmetic and its share of the adapter's peak. */
import { openClassifier, openGenerator } from "../src/cli/defaults.ts";
import type { Device } from "../src/gpu/device.ts";
import { type Peak, shareText } from "../src/gpu/probe.ts";
import type { Choose } from "../src/net/choose.ts";
import { count } from "../src/ops/op.ts";
import { Climb } from "../src/synth/climb.ts";
import { join } from "../src/synth/joined.ts";
import { normals } from "../src/synth/random.ts";
import { searchDefaults } from "../src/synth/search.ts";

/** Iterations that one timing covers at batch 1, and timings of which the best counts. */
const ITERATIONS = 5, ROUNDS = 5;

/** What was measured. */
export interface SynthFigures {
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

/** Measures the default search for unit 945 with `batch` pictures at once. */
export async function benchSynth(device: Device, batch: number, choose?: Choose): Promise<{ synth: SynthFigures }> {
  const started = performance.now();
  const joined = join(await openGenerator(), await openClassifier());
  const times = Math.max(1, Math.round(ITERATIONS / batch));
  using climb = await Climb.create(device, joined, {
    ...searchDefaults(),
    iterations: 1 + times * ROUNDS,
    codes: normals(0, batch * count(joined.code.shape)),
    targets: Array.from({ length: batch }, () => [[945, 0, 0] as const]),
  }, { choose });
  const run = async (iterations: number) => {
    const from = performance.now();
    climb.submit(iterations);
    await device.finish();
    return performance.now() - from;
  };
  await run(1);
  const firstIterationMs = performance.now() - started, rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) rounds.push(await run(times) / times);
  const iterationMs = Math.min(...rounds);
  const { flops, executedFlops, dispatches, memory } = climb;
  const rate = (operations: number) => operations / iterationMs / 1e6;
  return {
    synth: {
      ...{ batch, iterationMs, dispatches, flops, memory: memory.total, firstIterationMs },
      gflops: rate(flops),
      executedGflops: rate(executedFlops),
    },
  };
}

/** The figures as text. */
export function synthLines(s: SynthFigures, peak: Peak): string[] {
  return [
    `batch ${s.batch}: ${s.iterationMs.toFixed(1)} ms an iteration (${
      (s.iterationMs / s.batch).toFixed(1)
    } ms a picture), ` +
    `${s.dispatches} dispatches, ${(s.flops / 1e9).toFixed(2)} GFLOP`,
    `${s.gflops.toFixed(2)} GFLOP/s; ${s.executedGflops.toFixed(2)} executed, share of the peak: ${
      shareText(s.executedGflops, peak.gflops)
    }`,
    `${(s.memory / 2 ** 20).toFixed(1)} MiB of GPU memory`,
    `first iteration after ${(s.firstIterationMs / 1000).toFixed(1)} s, loading and compiling included`,
  ];
}
