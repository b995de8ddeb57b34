/** Runs a case in every way that the registries have for it on a device: what the tests and `deno task doctor --all` both do. */
import type { Device } from "../../src/gpu/device.ts";
import type { Format } from "../../src/gpu/tensor.ts";
import { type Choose, chooseCheapest, type Question } from "../../src/net/choose.ts";
import type { Arithmetic } from "../../src/ops/op.ts";
import { type Candidate, cheapest, describe, formOf } from "../../src/ops/way.ts";
import { ops } from "../../src/ops/table.ts";
import { allCases } from "../cases/all.ts";
import { type Case, caseNetwork } from "../cases/case.ts";
import { narrowed } from "../cases/narrow.ts";
import { count } from "../reference/tensor.ts";
import { comparison } from "./check_case.ts";

/** How often a case may run. */
const MOST_RUNS = 100;

/** Whether a case checks a way, the nth of those that apply. */
export type IsDue = (way: CheckedWay, n: number) => boolean;

/**
 * The ways and sizes to check for a question: over many cases all are tried. They are those ways that are due, in the sizes whose
 * turn comes with the number of the case, or all, in the sizes predicted to be the best as well.
 */
function picksOf({ pass, candidates }: Question, turn: number, isDue?: IsDue): Candidate[] {
  const ways = [...Map.groupBy(candidates, ({ way }) => way.name)];
  if (isDue) return ways.filter(([way], n) => isDue({ pass, way }, n)).map(([, own]) => own[turn % own.length]);
  return ways.flatMap(([, own]) => [...new Set([cheapest(own), own[turn % own.length]])]);
}

/**
 * The largest error allowed of sums in f16, relative to the largest. shaders/conv/half.ts has the errors' standard deviation:
 * 0.06 % of what a sum of independent products comes to, up to twice that where an adapter truncates as it converts, as WGSL
 * lets it. Of some thousand sums the worst error is four standard deviations, the largest sum three; of three sums it may be
 * less than one. The worst of all cases was 0.23 % where conversions round.
 */
export const HALF_TOLERANCE = 2 ** -7;

/** What a case's op may be computed in on a device; where turns are taken, f16 has a third of them. */
function arithmeticsOf({ type }: Case, { caps }: Device, turn: number, takesTurns: boolean): Arithmetic[] {
  const hasHalf = caps.features.includes("shader-f16") &&
    ops[type].forward.some(({ arithmetic }) => arithmetic === "f16");
  return hasHalf && (!takesTurns || turn % 3 === 0) ? ["f32", "f16"] : ["f32"];
}

/** A way that was checked. */
export interface CheckedWay {
  pass: Question["pass"];
  way: string;
}

/** Whether an op can be computed in several ways. */
const hasWays = ({ type }: Case): boolean => ops[type].forward.length > 1 || ops[type].backward.length > 1;

/** The cases of ops with several ways that are small: enough to meet every way, and every kind of edge. */
export const smallWayCases: Case[] = allCases.filter((testCase) =>
  hasWays(testCase) && count(testCase.inputs[0]) < 3000 &&
  !/products|4096|4099|70,0|defc5|64 steps/.test(testCase.name)
);

/** Formats of weights, which take turns from case to case. */
const formats = ["f32", "f16", "f32", "i8"] as const;

/** The format of a turn's weights. */
export const formatOfTurn = (turn: number): Format => formats[turn % formats.length];

/**
 * Checks a case in all ways, output and gradients, and tells them.
 * @param turn Which sizes are tried beside the best.
 * @param weights How weights are stored; a matter of the turn too unless given.
 * @param isDue Which ways are checked; all unless given.
 * @throws Error that names the ways when a value is off by more than the case allows.
 */
export async function checkWays(
  device: Device,
  testCase: Case,
  turn: number,
  weights: Format = formatOfTurn(turn),
  isDue?: IsDue,
): Promise<CheckedWay[]> {
  const compare = comparison(weights === "f32" ? caseNetwork(testCase) : narrowed(testCase, weights));
  const checked: CheckedWay[] = [];
  for (const arithmetic of arithmeticsOf(testCase, device, turn, isDue !== undefined)) {
    const tolerance = arithmetic === "f16" ? Math.max(testCase.tolerance, HALF_TOLERANCE) : undefined;
    const run = (choose: Choose) => compare(device, { choose, weights, arithmetic }, { tolerance, listed: true });
    try {
      checked.push(...await everyWay(run, Math.floor(turn / formats.length), isDue));
    } catch (error) {
      const { message } = error as Error;
      throw new Error(`weights in ${weights}, arithmetic in ${arithmetic}, ${message}`, { cause: error });
    }
  }
  return checked;
}

/** Runs with a choice of ways until every pick was chosen. @throws Error that names the ways where a run fails. */
async function everyWay(
  once: (choose: Choose) => Promise<void>,
  turn: number,
  isDue?: IsDue,
): Promise<CheckedWay[]> {
  const seen = new Map<string, CheckedWay>();
  /** For each form of weights, how many picks of the gradient's ways are still to come. */
  const left = new Map<string, number>();
  for (let run = 0; run < MOST_RUNS; run++) {
    const ways = new Map<string, CheckedWay>();
    let others = 0;
    const choose = (question: Question): Candidate => {
      const own = picksOf(question, turn, isDue);
      const unseen = own.filter((pick) => !seen.has(`${question.pass} ${describe(pick)}`));
      const opens = question.pass === "forward" ? own.find(({ way }) => (left.get(formOf(way)) ?? 0) > 0) : undefined;
      const pick = unseen[0] ?? opens ?? chooseCheapest(question);
      if (question.pass === "backward") left.set(formOf(pick.way), Math.max(0, unseen.length - 1));
      if (question.pass === "forward") others += Math.max(0, unseen.length - 1);
      ways.set(`${question.pass} ${describe(pick)}`, { pass: question.pass, way: pick.way.name });
      return pick;
    };
    try {
      await once(choose);
    } catch (error) {
      throw new Error(`${[...ways.keys()].join(", ")}: ${(error as Error).message}`, { cause: error });
    }
    for (const [key, way] of ways) seen.set(key, way);
    if (others === 0 && [...left.values()].every((picks) => picks === 0)) return [...seen.values()];
  }
  throw new Error(`more than ${MOST_RUNS} ways`);
}
