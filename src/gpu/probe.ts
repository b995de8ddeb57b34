/** What this adapter can do at best, measured: the yardstick beside every figure of the benchmarks and in `doctor`. */
import { copy, multiplyAdd, sumOf } from "../../shaders/probe.ts";
import { type Call, read, write } from "./call.ts";
import { compile } from "./compile.ts";
import type { Device } from "./device.ts";
import { groupSize } from "./source.ts";
import { free, place, run, TEXEL } from "./tensor.ts";
import { timeSteps } from "./timing.ts";

/** The adapter's measured limits. */
export interface Peak {
  /** Multiply-adds in registers, a multiply-add counting two: GFLOP/s of the best of several kernels. */
  gflops: number;
  /** Bytes that kernels read and write: GB/s of the best of several, which copy or sum up texels in caches and beyond. */
  gigabytes: number;
}

/** Independent sums of the multiply-add kernels that are tried: what registers hold differs from 16 to 256 vectors. */
export const CHAINS = [1, 2, 3, 4, 6, 8];

/** Loop trips of a multiply-add kernel. */
export const TRIPS = 64;

/** Texels that each invocation of the reading kernels sums up; 1 is the copy. */
const READS = [1, 16, 64];

/** Rounds of a kernel's timing, and how long each lasts. */
const ROUNDS = 3;
const ROUND_MS = 40;

/** One of the kernels that measure: by its name, in the unit that it tells. */
interface Probe {
  name: string;
  unit: keyof Peak;
  /** What one run does of it. */
  amount: number;
}

/** A peak, and which kernels reached it. */
export interface MeasuredPeak extends Peak {
  readonly winners: readonly string[];
}

/** Measures the adapter; takes about three seconds. */
export async function measurePeak(device: Device): Promise<Peak> {
  const { gflops, gigabytes } = await probe(device);
  return { gflops, gigabytes };
}

/**
 * Measures the adapter, and tells by which kernels.
 * @param only The kernels to measure with: the winners of an earlier time, which takes half a second. All unless given.
 */
export async function probe(device: Device, only?: readonly string[]): Promise<MeasuredPeak> {
  // A software adapter's cores need pieces large enough to outlast the hand-over of each, and so many that all have some.
  const { software } = device.caps;
  const invocations = software ? 1 << 16 : 1 << 20;
  const best: Record<keyof Peak, { rate: number; name: string }> = {
    gflops: { rate: 0, name: "" },
    gigabytes: { rate: 0, name: "" },
  };
  const wanted = (name: string) => only?.includes(name) ?? true;
  const measure = async ({ name, unit, amount }: Probe, call: Call) => {
    const rate = amount / await timeSteps(device, [await compile(device, call)], ROUNDS, ROUND_MS) / 1e6;
    if (rate > best[unit].rate) best[unit] = { rate, name };
  };
  const y = place(device, run("peak", invocations, "buffer"));
  try {
    for (const chains of CHAINS) {
      const name = `${chains} chains`;
      if (!wanted(name)) continue;
      const { code, flopsPerInvocation } = multiplyAdd(chains, TRIPS);
      const flops = flopsPerInvocation * invocations;
      const math: Call = { label: "peak multiply-add", bindings: { y: write(y) }, code, invocations, flops };
      await measure({ name, unit: "gflops", amount: flops }, math);
    }
  } finally {
    free(device, y.memory!);
  }

  for (const texels of software ? [1 << 18, 1 << 20] : [1 << 18, 1 << 22]) {
    const reading = READS.filter((reads) => wanted(`${reads} of ${texels} texels`));
    if (reading.length === 0) continue;
    const from = run("peak source", texels, device.storage);
    const to = run("peak target", texels, device.storage);
    const bindings = { x: read(from), y: write(to) };
    try {
      for (const tensor of [from, to]) place(device, tensor);
      for (const reads of reading) {
        const written = texels / reads;
        const code = reads === 1 ? copy : sumOf(reads, groupSize(device));
        await measure(
          { name: `${reads} of ${texels} texels`, unit: "gigabytes", amount: (texels + written) * TEXEL },
          { label: "peak reads and writes", bindings, code, invocations: written, flops: 0 },
        );
      }
    } finally {
      for (const { memory } of [from, to]) if (memory) free(device, memory);
    }
  }
  const { gflops, gigabytes } = best;
  return { gflops: gflops.rate, gigabytes: gigabytes.rate, winners: [gflops.name, gigabytes.name] };
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
