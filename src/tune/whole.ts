/** Whole plans against each other: the last word on ways that won layer by layer. */
import type { Device } from "../gpu/device.ts";
import { GpuError } from "../gpu/error.ts";
import { idleTime, passTime } from "../gpu/probe.ts";
import { upload } from "../gpu/tensor.ts";
import type { Choose } from "../net/choose.ts";
import { bytes } from "../net/net.ts";
import type { Computed } from "../net/outline.ts";
import { buildPlan, type Plan } from "../net/plan.ts";
import { normals } from "../synth/random.ts";
import { beats } from "./race.ts";

/** Rounds, and the milliseconds that one lasts about; of runs that take seconds fewer, in about so many milliseconds. */
const ROUNDS = 15, LEAST_ROUNDS = 5, ROUND_MS = 100, ALL_MS = 30_000;

/** Slower is who takes so many times as long in the middle of all rounds, and longer in most of them. */
const SLOWER = 1.015;

/** Milliseconds of a run of a whole plan, the best of many. */
export interface WholeTimes {
  ms: number;
  predictedMs: number;
  /** By the chosen ways it is slower, and noise does not explain it. */
  slower: boolean;
}

/**
 * Milliseconds of one run by chosen ways and by the predicted ones, which take turns; undefined where both together do not
 * fit on the device.
 * @throws the signal's reason once it is aborted.
 */
export async function timePlans(
  device: Device,
  request: Computed,
  choose: Choose,
  signal?: AbortSignal,
): Promise<WholeTimes | undefined> {
  using plans = new DisposableStack();
  const build = async (choose?: Choose): Promise<Plan> => {
    const plan = plans.use(await buildPlan(device, { ...request, choose, signal }));
    const { of, dy } = plan.tensors;
    for (const [seed, tensor] of [...request.graph.inputs.map(of), ...dy ? [dy] : []].entries()) {
      upload(device, tensor, bytes(normals(seed, tensor.texels * 4) as Float32Array<ArrayBuffer>));
    }
    return plan;
  };
  try {
    const ours = await build(choose), theirs = await build();
    const first = async ({ steps }: Plan) => await passTime(device, steps, 1);
    await first(ours), await first(theirs);
    const idle = await idleTime(device), once = Math.max(await first(theirs) - idle, ROUND_MS / 1000);
    const times = Math.max(1, Math.round(ROUND_MS / once));
    const most = Math.max(LEAST_ROUNDS, Math.min(ROUNDS, Math.floor(ALL_MS / (2 * times * once))));
    const rounds: { ms: number; predictedMs: number }[] = [];
    for (let round = 0; round < most; round++) {
      signal?.throwIfAborted();
      const time = async ({ steps }: Plan) => (await passTime(device, steps, times) - idle) / times;
      if (round % 2) rounds.push({ predictedMs: await time(theirs), ms: await time(ours) });
      else rounds.push({ ms: await time(ours), predictedMs: await time(theirs) });
    }
    const all = rounds.map(({ ms }) => ms), predicted = rounds.map(({ predictedMs }) => predictedMs);
    const slower = beats(predicted, all, 1 / SLOWER);
    return { ms: Math.min(...all), predictedMs: Math.min(...predicted), slower };
  } catch (error) {
    if (error instanceof GpuError && error.kind === "out-of-memory") return undefined;
    throw error;
  }
}
