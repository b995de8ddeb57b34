/**
 * The reference kernel: what a benchmark times beside everything that it measures, so that two of its files can be compared
 * although the machine was faster for one than for the other.
 *
 * One run multiplies and adds in registers, then sums up texels of a map: what slows layers down slows it down too. Its sizes
 * are fixed and its WGSL is no way's, so that it stays as it is when kernels change; where it changed all the same, `hash`
 * tells, and files with different ones are not compared.
 */
import { multiplyAdd, sumOf } from "../shaders/probe.ts";
import { type Call, read, write } from "../src/gpu/call.ts";
import { compile } from "../src/gpu/compile.ts";
import type { Device } from "../src/gpu/device.ts";
import { sourceOf } from "../src/gpu/source.ts";
import { free, place, run } from "../src/gpu/tensor.ts";
import { stepsTurn, type Turn } from "./stopwatch.ts";

/** A kernel that is the same in all builds. */
export interface Reference extends Disposable {
  /** Of its final WGSL and its sizes. */
  readonly hash: string;
  /** As it takes turns. */
  readonly turn: Turn;
}

/** Independent sums, trips and invocations of the multiply-adds, on a CPU and on a GPU. */
const CHAINS = 4;
const TRIPS = 64;
const INVOCATIONS = { cpu: 1 << 13, gpu: 1 << 20 };

/** Texels that are summed up, by how many an invocation, and how often. */
const TEXELS = { cpu: 1 << 18, gpu: 1 << 21 };
const READS = 16;
const SUMS = { cpu: 4, gpu: 8 };

/** Runs of a turn. */
const TIMES = { cpu: 1, gpu: 4 };

/** Invocations that read neighbours. */
const SIDE = 64;

/** Compiles it, on memory of its own. */
export async function openReference(device: Device): Promise<Reference> {
  const kind = device.caps.software ? "cpu" : "gpu";
  const invocations = INVOCATIONS[kind];
  const texels = TEXELS[kind];
  const sums = place(device, run("reference sums", invocations, "buffer"));
  const from = place(device, run("reference source", texels, device.storage));
  const to = place(device, run("reference target", texels / READS, device.storage));
  const kernel = (label: string, bindings: Call["bindings"], code: string, invocations: number): Call => (
    { label, bindings, code, invocations, flops: 0 }
  );
  const arithmetic = kernel("reference arithmetic", { y: write(sums) }, multiplyAdd(CHAINS, TRIPS).code, invocations);
  const memory = kernel("reference memory", { x: read(from), y: write(to) }, sumOf(READS, SIDE), texels / READS);
  const [first, second] = [await compile(device, arithmetic), await compile(device, memory)];
  const steps = [first, ...Array.from({ length: SUMS[kind] }, () => second)];
  const text = [arithmetic, memory].map((call) => sourceOf(call, device).wgsl).join("\n");
  return {
    hash: await shortHash(`${text}\n${steps.map(({ grid }) => grid).join(" ")}`),
    turn: stepsTurn(device, steps, TIMES[kind]),
    [Symbol.dispose]() {
      for (const tensor of [sums, from, to]) free(device, tensor.memory!);
    },
  };
}

async function shortHash(text: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return Array.from(digest.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
