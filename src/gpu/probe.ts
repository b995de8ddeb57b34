/** What this adapter can do at best, measured: the yardstick beside every figure of the benchmarks and in `doctor`. */
import { copy, multiplyAdd, sumOf } from "../../shaders/probe.ts";
import { type Call, read, write } from "./call.ts";
import { compile, encode, type Step } from "./compile.ts";
import type { Device } from "./device.ts";
import { groupSize } from "./source.ts";
import { free, place, run, TEXEL } from "./tensor.ts";

/** The adapter's measured limits. */
export interface Peak {
  /** Multiply-adds in registers, a multiply-add counting two: GFLOP/s of the best of several kernels. */
  gflops: number;
  /** Bytes that kernels read and write: GB/s of the best of several, which copy or sum up texels in caches and beyond. */
  gigabytes: number;
}

/** Milliseconds from submitting the steps, `times` over, to their end. */
export async function passTime(device: Device, steps: readonly Step[], times: number): Promise<number> {
  const started = performance.now(), encoder = device.gpu.createCommandEncoder({ label: "timing" });
  const pass = encoder.beginComputePass({ label: "timing" });
  for (let time = 0; time < times; time++) encode(pass, steps);
  pass.end();
  device.gpu.queue.submit([encoder.finish()]);
  await device.finish();
  return performance.now() - started;
}

/**
 * Milliseconds of one run of the steps: the best of `rounds`, each repeated to last long enough to be measured.
 * The steps may not depend on how often they run.
 */
export async function timeSteps(device: Device, steps: readonly Step[], rounds = 5, roundMs = 100): Promise<number> {
  await passTime(device, steps, 1);
  const idle = await idleTime(device);
  let times = 1, took = await passTime(device, steps, times) - idle;
  while (took < roundMs / 2 && times < 1000) {
    times = Math.min(1000, Math.ceil(times * Math.min(10, roundMs / Math.max(took, roundMs / 10))));
    took = await passTime(device, steps, times) - idle;
  }
  let best = took / times;
  for (let round = 1; round < rounds; round++) {
    best = Math.min(best, (await passTime(device, steps, times) - idle) / times);
  }
  return Math.max(best, 1e-6);
}

/** Milliseconds that an empty submit takes to come back. */
export async function idleTime(device: Device): Promise<number> {
  const once = async () => {
    const started = performance.now();
    device.gpu.queue.submit([device.gpu.createCommandEncoder({ label: "empty" }).finish()]);
    await device.finish();
    return performance.now() - started;
  };
  return Math.min(await once(), await once());
}

/** Independent sums of the multiply-add kernels that are tried: what registers hold differs from 16 to 256 vectors. */
export const CHAINS = [1, 2, 3, 4, 6, 8];

/** Loop trips of a multiply-add kernel. */
export const TRIPS = 64;

/** Texels that each invocation of the reading kernels sums up; 1 is the copy. */
const READS = [1, 16, 64];

/** Rounds of a kernel's timing, and how long each lasts. */
const ROUNDS = 3, ROUND_MS = 40;

/** Measures the adapter; takes about three seconds. */
export async function measurePeak(device: Device): Promise<Peak> {
  // A software adapter's cores need pieces large enough to outlast the hand-over of each, and so many that all have some.
  const { software } = device.caps, invocations = software ? 1 << 16 : 1 << 20;
  const time = async (call: Call) => await timeSteps(device, [await compile(device, call)], ROUNDS, ROUND_MS);
  const y = place(device, run("peak", invocations, "buffer"));
  let gflops = 0, gigabytes = 0;
  for (const chains of CHAINS) {
    const { code, flopsPerInvocation } = multiplyAdd(chains, TRIPS), flops = flopsPerInvocation * invocations;
    const math: Call = { label: "peak multiply-add", bindings: { y: write(y) }, code, invocations, flops };
    gflops = Math.max(gflops, flops / await time(math) / 1e6);
  }
  free(device, y.memory!);

  for (const texels of software ? [1 << 18, 1 << 20] : [1 << 18, 1 << 22]) {
    const from = place(device, run("peak source", texels, device.storage)),
      to = place(device, run("peak target", texels, device.storage));
    const bindings = { x: read(from), y: write(to) };
    for (const reads of READS) {
      const written = texels / reads, code = reads === 1 ? copy : sumOf(reads, groupSize(device));
      const ms = await time({ label: "peak reads and writes", bindings, code, invocations: written, flops: 0 });
      gigabytes = Math.max(gigabytes, (texels + written) * TEXEL / ms / 1e6);
    }
    for (const tensor of [from, to]) free(device, tensor.memory!);
  }
  return { gflops, gigabytes };
}

/** A figure as a share of the adapter's peak, or that the peak cannot be right. */
export type Share = { share: number } | { share: null; probeFailed: true };

/** The largest share that noise explains; beyond, the peak was measured wrongly, and every share with it. */
export const MOST_SHARE = 1.05;

/** What share of the peak a figure is, both in the same unit. A figure well above the peak proves the peak wrong. */
export function share(value: number, peak: number): Share {
  const ratio = value / peak;
  return ratio <= MOST_SHARE ? { share: ratio } : { share: null, probeFailed: true };
}

/** The share as text, such as "29.5 %", or the sentence that the probe failed. */
export function shareText(value: number, peak: number, unit = "GFLOP/s"): string {
  const { share: ratio } = share(value, peak);
  if (ratio !== null) return `${(100 * ratio).toFixed(1)} %`;
  const [measured, reached] = [peak, value].map((figure) => Number(figure.toPrecision(3)));
  return `the probe failed: ${measured} ${unit} measured as the peak, but this kernel reached ${reached}`;
}
