/**
 * The verdict on kernels that are somebody's own: right beside float64 on random numbers that are fresh each time, before and
 * after they are timed in turns with ours.
 */
import { UserError } from "../formats/user_error.ts";
import type { Step } from "../gpu/compile.ts";
import type { Device } from "../gpu/device.ts";
import { type Clock, clockOf, LEAST_MS, roundOf, type Submit, submitSteps } from "../gpu/timing.ts";
import type { PlannedKernel } from "../net/kernels.ts";
import type { Plan } from "../net/plan.ts";
import { freshSeed, KINDS } from "./numbers.ts";
import { type Deviation, Trial } from "./trial.ts";

/** How long a program takes, and the kernel of ours that it stands for. */
export interface Contest {
  /** Milliseconds of a run in the best turn of each: what else a machine does makes turns longer, never shorter. */
  ms: number;
  oursMs: number;
  /** Of these two; and the smallest and largest one between the best turns in each of the parts that the turns come in. */
  ratio: number;
  leastRatio: number;
  mostRatio: number;
}

/** What was found of a kernel. */
export interface Verdict extends Deviation, Partial<Contest> {
  kernel: string;
  /** Where the program comes from. */
  file: string;
  /** The way that its layer goes. */
  way?: string;
  /** Sets of random numbers that it was tried on. */
  trials: number;
  /** What its values were compared with: those of our kernel where it belongs to no layer. */
  beside: "float64" | "ours";
}

/** Turns of a kernel, the parts that they come in, and how long one lasts about, in milliseconds. */
const TURNS = 15;
const PARTS = 5;
const TURN_MS = { cpu: 20, gpu: 5 };

/**
 * Tries all kernels of a plan that are somebody's own. Their tensors hold anything afterwards.
 * @param turns How often a program and our kernel are timed, one after the other.
 * @throws UserError that says which kernel is wrong, where, and by how much; GpuError where one does not run.
 */
export async function judge(device: Device, plan: Plan, turns = TURNS): Promise<Verdict[]> {
  const suspects = plan.kernels.filter((kernel) => fileOf(kernel) !== undefined);
  if (suspects.length === 0) return [];
  const trial = await Trial.create(device, plan);
  const found = new Map<PlannedKernel, Deviation>();
  // What float64 says, it says of a layer: its kernels are tried together.
  const groups = [...Map.groupBy(suspects, (kernel) => trial.knows(kernel) ? kernel.layer! : kernel).values()];
  const tryOn = async (kind: number) => {
    for (const kernels of groups) {
      const own = await attempt(trial, kernels, kind);
      const { off, oursOff } = found.get(kernels[0]) ?? own;
      const worse = { off: Math.max(own.off, off), oursOff: Math.max(own.oursOff, oursOff) };
      for (const kernel of kernels) found.set(kernel, worse);
    }
  };
  for (let kind = 0; kind < KINDS; kind++) await tryOn(kind);
  const clock = await clockOf(device);
  const verdicts: Verdict[] = [];
  try {
    for (const kernel of suspects) {
      const at = plan.kernels.indexOf(kernel);
      const { name, way, call } = kernel;
      verdicts.push({
        ...found.get(kernel)!,
        ...{ kernel: name, file: fileOf(kernel)!, way, trials: KINDS + 1 },
        ...(call.own ? await inTurns(device, clock, turns, plan.steps[at], trial.ours[at]) : {}),
        beside: trial.knows(kernel) ? "float64" : "ours",
      });
    }
  } finally {
    clock.stop();
  }
  await tryOn(0);
  return verdicts;
}

/** The file that a kernel comes from: a program's, or the module of its layer's way; undefined where it is ours. */
const fileOf = ({ call, layer, pass }: PlannedKernel): string | undefined =>
  call.own?.file ?? layer?.ways[pass]?.way.file;

/** One set of numbers, for kernels of one layer or one that belongs to none. @throws UserError that names the kernels. */
async function attempt(trial: Trial, kernels: readonly PlannedKernel[], kind: number): Promise<Deviation> {
  const [kernel] = kernels;
  const seed = freshSeed();
  try {
    return await (trial.knows(kernel) ? trial.layer(kernel.layer!, kind, seed) : trial.kernel(kernel, kind, seed));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const whose = kernels.map((one) => `${one.name} by ${fileOf(one)}`);
    throw new UserError(`${whose.join(" and ")} is wrong: ${error.message}`);
  }
}

/** A step and ours, timed in many turns. */
async function inTurns(
  device: Device,
  clock: Clock,
  turns: number,
  step: Step,
  ours: Step,
): Promise<Contest> {
  const submits = [step, ours].map((one): Submit => (times, timestamps) =>
    submitSteps(device, [one], times, timestamps)
  );
  const turnMs = device.caps.software ? TURN_MS.cpu : TURN_MS.gpu;
  let times = 1;
  for (const submit of submits) {
    await clock.time(submit, 1);
    times = Math.max(times, (await roundOf(clock, submit, turnMs)).times);
  }
  const taken: [number[], number[]] = [[], []];
  for (let turn = 0; turn < turns; turn++) {
    for (const which of turn % 2 ? [1, 0] : [0, 1]) {
      taken[which].push(Math.max(await clock.time(submits[which], times) / times, LEAST_MS));
    }
  }
  return contestOf(...taken);
}

/** What the turns of a program and of our kernel come to, of each as many. */
export function contestOf(own: readonly number[], others: readonly number[]): Contest {
  const [ms, oursMs] = [own, others].map((turns) => Math.min(...turns));
  const size = Math.ceil(own.length / PARTS);
  const ratios = Array.from({ length: Math.ceil(own.length / size) }, (_, part) => {
    const [best, oursBest] = [own, others].map((turns) => Math.min(...turns.slice(size * part).slice(0, size)));
    return best / oursBest;
  });
  return { ms, oursMs, ratio: ms / oursMs, leastRatio: Math.min(...ratios), mostRatio: Math.max(...ratios) };
}

/** A verdict as a line. */
export function verdictLine(verdict: Verdict): string {
  const { kernel, file, way, off, oursOff, beside, trials } = verdict;
  const error = `off by ${off.toExponential(1)} of the largest value${beside === "ours" ? " that ours makes" : ""}`;
  const tried = `in ${trials} trials`;
  if (verdict.ms === undefined) return `${kernel} goes ${way} of ${file}: ${error} ${tried}`;
  const ours = beside === "ours" ? "" : `, ours by ${oursOff.toExponential(1)},`;
  return `${kernel}: ${file} in place of ${way ?? "ours"}: ${timeText(verdict as Contest)}; ${error}${ours} ${tried}`;
}

function timeText({ ms, oursMs, ratio, leastRatio, mostRatio }: Contest): string {
  const [quotient, from, to] = [ratio, leastRatio, mostRatio].map((value) => Number(value.toPrecision(2)));
  // Where the parts of the turns do not agree on which of the two is the faster, nothing is known of it.
  const noise = leastRatio <= 1 && mostRatio >= 1 ? " is within the noise" : "";
  return `${ms.toPrecision(3)} ms, ours ${oursMs.toPrecision(3)} ms, ratio ${quotient}${noise} (${from} to ${to})`;
}
