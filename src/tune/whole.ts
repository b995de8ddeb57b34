/** Whole plans against each other: the last word on ways that won layer by layer. */
import { writeMap } from "../gpu/map.ts";
import type { Device } from "../gpu/device.ts";
import { GpuError } from "../gpu/error.ts";
import type { Clock } from "../gpu/timing.ts";
import type { Choose } from "../net/choose.ts";
import type { Computed } from "../net/outline.ts";
import { buildPlan, type Plan, type PlanRequest } from "../net/plan.ts";
import { count } from "../ops/op.ts";
import { normals } from "../synth/random.ts";

/** Rounds, and the milliseconds that one lasts about; of runs that take seconds fewer, in about so many milliseconds. */
const ROUNDS = 11;
const LEAST_ROUNDS = 5;
const ROUND_MS = 50;
const ALL_MS = 15_000;

/** Milliseconds of a run of a whole plan, the best of many. */
export interface WholeTimes {
  /** By the ways that are there now. */
  ms: number;
  /** By the predicted ones. */
  predictedMs: number;
}

/**
 * Times a run by chosen ways and one by the predicted ones, which take turns; undefined where both together do not fit on the
 * device. All of it is done twice, with one plan built first and with the other: where memory lies makes a plan faster or
 * slower too.
 * @throws the signal's reason once it is aborted.
 */
export async function timePlans(
  device: Device,
  request: Computed,
  choose: Choose,
  clock: Clock,
  signal?: AbortSignal,
): Promise<WholeTimes | undefined> {
  const ours = { ...request, choose, signal };
  const theirs = { ...request, signal };
  try {
    const [ms, predictedMs] = await takeTurns(device, clock, ours, theirs);
    const [predictedAgain, again] = await takeTurns(device, clock, theirs, ours);
    return { ms: Math.min(...ms, ...again), predictedMs: Math.min(...predictedMs, ...predictedAgain) };
  } catch (error) {
    if (error instanceof GpuError && error.kind === "out-of-memory") return undefined;
    throw error;
  }
}

/** Builds two plans, and gives the milliseconds of a run of each in every round. */
async function takeTurns(
  device: Device,
  clock: Clock,
  ...requests: [PlanRequest, PlanRequest]
): Promise<[number[], number[]]> {
  const built: Plan[] = [];
  try {
    return await inTurns(device, clock, requests, built);
  } finally {
    for (const plan of built) plan[Symbol.dispose]();
  }
}

async function inTurns(
  device: Device,
  clock: Clock,
  requests: readonly PlanRequest[],
  built: Plan[],
): Promise<[number[], number[]]> {
  for (const request of requests) {
    const plan = await buildPlan(device, request);
    const { of, dy } = plan.tensors;
    built.push(plan);
    for (const [seed, tensor] of [...request.graph.inputs.map(of), ...dy ?? []].entries()) {
      writeMap(device, tensor, normals(seed, count(tensor.shape)));
    }
    plan.submit();
    await device.finish();
  }
  const timed = (plan: Plan, times: number) => clock.time((times, writes) => plan.submit(times, false, writes), times);
  const once = Math.max(await timed(built[1], 1), 0.1);
  const times = Math.max(1, Math.round(ROUND_MS / once));
  const rounds = Math.max(LEAST_ROUNDS, Math.min(ROUNDS, Math.floor(ALL_MS / (2 * times * once))));
  const taken: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    for (const turn of round % 2 ? [1, 0] : [0, 1]) {
      requests[0].signal?.throwIfAborted();
      taken[turn].push(await timed(built[turn], times) / times);
    }
  }
  return taken;
}
