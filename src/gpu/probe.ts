/** What this adapter can do at best, measured: the yardstick beside every figure of the benchmarks and in `doctor`. */
import { copy, multiplyAdd } from "../../shaders/probe.ts";
import type { Device } from "./device.ts";
import { type Call, read, write } from "./call.ts";
import { compile, encode, type Step } from "./compile.ts";
import { free, place, run, TEXEL } from "./tensor.ts";

/** The adapter's measured limits. */
export interface Peak {
  /** Multiply-adds in registers, a multiply-add counting two: GFLOP/s of the best of several kernels. */
  gflops: number;
  /** Bytes read and written by a copy of texels: GB/s. */
  gigabytes: number;
}

/**
 * Milliseconds of one run of the steps: the best of `rounds`, each repeated to last long enough to be measured.
 * The steps may not depend on how often they run.
 */
export async function timeSteps(device: Device, steps: readonly Step[], rounds = 5, roundMs = 100): Promise<number> {
  const once = async (times: number) => {
    const started = performance.now(), encoder = device.gpu.createCommandEncoder({ label: "timing" });
    const pass = encoder.beginComputePass({ label: "timing" });
    for (let time = 0; time < times; time++) encode(pass, steps);
    pass.end();
    device.gpu.queue.submit([encoder.finish()]);
    await device.finish();
    return performance.now() - started;
  };
  await once(1);
  const idle = Math.min(await empty(device), await empty(device));
  let times = 1, took = await once(times) - idle;
  while (took < roundMs / 2 && times < 1000) {
    times = Math.min(1000, Math.ceil(times * Math.min(10, roundMs / Math.max(took, roundMs / 10))));
    took = await once(times) - idle;
  }
  let best = took / times;
  for (let round = 1; round < rounds; round++) best = Math.min(best, (await once(times) - idle) / times);
  return Math.max(best, 1e-6);
}

/** Milliseconds that an empty submit takes to come back. */
async function empty(device: Device): Promise<number> {
  const started = performance.now();
  device.gpu.queue.submit([device.gpu.createCommandEncoder({ label: "empty" }).finish()]);
  await device.finish();
  return performance.now() - started;
}

/** Independent sums of the multiply-add kernels that are tried. */
const CHAINS = [1, 2, 3, 4];

/** Measures the adapter; takes about two seconds. */
export async function measurePeak(device: Device): Promise<Peak> {
  const { software } = device.caps, invocations = software ? 8192 : 1 << 20;
  const y = place(device, run("peak", invocations, "buffer"));
  let gflops = 0;
  for (const chains of CHAINS) {
    const { code, flopsPerInvocation } = multiplyAdd(chains, 64), flops = flopsPerInvocation * invocations;
    const math: Call = { label: "peak multiply-add", bindings: { y: write(y) }, code, invocations, flops };
    gflops = Math.max(gflops, flops / await timeSteps(device, [await compile(device, math)]) / 1e6);
  }
  free(device, y.memory!);

  const texels = software ? 1 << 18 : 1 << 22, { storage } = device;
  const from = place(device, run("copy source", texels, storage)),
    to = place(device, run("copy target", texels, storage));
  const bindings = { x: read(from), y: write(to) };
  const copyMs = await timeSteps(device, [
    await compile(device, { label: "peak copy", bindings, code: copy, invocations: texels, flops: 0 }),
  ]);
  for (const tensor of [from, to]) free(device, tensor.memory!);
  return { gflops, gigabytes: 2 * texels * TEXEL / copyMs / 1e6 };
}
