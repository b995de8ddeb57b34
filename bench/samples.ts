/**
 * Samples: what benchmarks keep of everything that they measured, and what `bench compare` reads. A file is JSON:
 *
 *     {
 *       "kind": "kernels", "adapter": "…", "batch": 1, "arithmetic": "f32", "reference": "1f0c…", …
 *       "samples": [{ "key": "conv1 forward direct", "ms": [[1.31, 1.28], [1.30, 1.33]], "reference": [[3.9, 3.8], [3.9, 4.0]] }]
 *     }
 *
 * Times come in passes, each in a process of its own (on the page: on memory of its own): where code and memory lie makes a
 * kernel faster or slower, and what else the machine does comes and goes. In a pass they come in rounds.
 */
import { parseJson } from "../src/formats/json.ts";
import { UserError } from "../src/formats/user_error.ts";
import type { Reference } from "./reference.ts";
import type { Stopwatch, Turn } from "./stopwatch.ts";

/** The times of one thing. */
export interface Sampled {
  /** Names it: what two files have under the same key is compared. */
  key: string;
  /**
   * Milliseconds of a run, of each pass the rounds': by the GPU's clock, or where a CPU runs the shaders the time that all threads of
   * the program ran (`Taken.own`).
   */
  ms: number[][];
  /** The same of the reference kernel's last turn before each of them. */
  reference: number[][];
}

/** What a file says of its samples. Those of two files can be compared where all but the samples is the same. */
export interface SamplesFile {
  /** Which benchmark wrote it. */
  kind: string;
  adapter: string;
  /** Whether a CPU ran the shaders. */
  software: boolean;
  /** Items at once; none where each sample has its own. */
  batch?: number;
  arithmetic?: string;
  /** `Reference.hash`. */
  reference: string;
  /** Of layers by themselves: what each is, by its name. */
  layers?: Record<string, string>;
  samples: Sampled[];
}

/** Something that takes turns in `takeTurns`. */
export interface Runner extends Turn {
  sampled: Sampled;
  /** Rounds in which it takes part; all unless given. */
  rounds?: number;
}

/** Turns between two of the reference kernel. */
const OWN_TURNS = 8;

/**
 * One pass: everybody runs once a round, the reference kernel every few turns, every other round in the reverse order.
 * @returns The shortest time of a run of each by the clock, Infinity where it took no part.
 */
export async function takeTurns(
  stopwatch: Stopwatch,
  { turn }: Reference,
  runners: readonly Runner[],
  rounds: number,
): Promise<number[]> {
  const order: Runner[] = [];
  const least = new Map<Runner, number>();
  for (let round = 0; round < rounds; round++) {
    const left = runners.filter((runner) => round < (runner.rounds ?? rounds));
    order.push(...round % 2 ? left.reverse() : left);
  }
  for (const { sampled } of runners) for (const list of [sampled.ms, sampled.reference]) list.push([]);
  const groups = Array.from(
    { length: Math.ceil(order.length / OWN_TURNS) },
    (_, n) => order.slice(n * OWN_TURNS).slice(0, OWN_TURNS),
  );
  const taken = await stopwatch.time(groups.flatMap((group) => [turn, ...group]));
  for (const [n, runner] of order.entries()) {
    const { sampled, times } = runner;
    const first = Math.floor(n / OWN_TURNS) * (OWN_TURNS + 1);
    const reference = taken[first];
    const own = taken[first + 1 + n % OWN_TURNS];
    sampled.reference.at(-1)!.push(fewDigits(reference.own));
    sampled.ms.at(-1)!.push(fewDigits(own.own / times));
    least.set(runner, Math.min(least.get(runner) ?? Infinity, own.ms / times));
  }
  return runners.map((runner) => least.get(runner) ?? Infinity);
}

/** As many digits as any clock has. */
const fewDigits = (ms: number): number => Number(ms.toPrecision(6));

/** Entries of any list in a file, more than any benchmark writes. */
const MOST_ENTRIES = 100_000;

/** Files that have samples. */
const EXPECTED = `expected what bench kernels, profile or synth write with --json, or the page's "This GPU"`;

/** Reads a file. @throws UserError in one sentence where it is damaged, or none of a benchmark that keeps samples. */
export function readSamples(text: string, where: string): SamplesFile {
  const fail = (message: string) => new UserError(`${where}: ${message}`);
  let json: unknown;
  try {
    json = parseJson(text);
  } catch (error) {
    throw fail(`not JSON (${(error as Error).message})`);
  }
  const { kind, adapter, software, batch, arithmetic, reference, layers, samples } = fieldsOf(json);
  if (isText(adapter) && samples === undefined) {
    throw fail(`it has figures but no samples; ${EXPECTED}`);
  }
  if (!isText(kind) || !isText(adapter) || !isText(reference) || typeof software !== "boolean" || !isList(samples)) {
    throw fail(EXPECTED);
  }
  if (batch !== undefined && typeof batch !== "number" || arithmetic !== undefined && !isText(arithmetic)) {
    throw fail('"batch" expects a number, "arithmetic" a word');
  }
  if (layers !== undefined && !isTexts(layers)) throw fail('"layers" expects texts by name');
  const read = samples.map((sampled, n): Sampled => {
    const { key, ms, reference } = fieldsOf(sampled);
    if (!isText(key)) throw fail(`sample ${n + 1} has no key`);
    if (!isPasses(ms) || !isPasses(reference) || lengths(ms) !== lengths(reference)) {
      throw fail(
        `sample "${key}" expects as many times of the reference kernel as its own, lists of lists of numbers > 0`,
      );
    }
    return { key, ms, reference };
  });
  if (read.length === 0) throw fail("no pass was measured to its end");
  const keys = read.map(({ key }) => key);
  const twice = keys.find((key, n) => keys.indexOf(key) < n);
  if (twice !== undefined) throw fail(`sample "${twice}" is there twice`);
  return { kind, adapter, software, batch, arithmetic, reference, ...(layers && { layers }), samples: read };
}

/** @throws UserError where two files were not measured under the same conditions. */
export function checkConditions(before: SamplesFile, after: SamplesFile): void {
  const conditions = ({ kind, adapter, batch, arithmetic = "f32", reference }: SamplesFile) => ({
    ...{ benchmark: kind, adapter, batch, arithmetic, "reference kernel": reference },
  });
  const [first, second] = [conditions(before), conditions(after)];
  for (const name of Object.keys(first) as (keyof typeof first)[]) {
    if (first[name] === second[name]) continue;
    const told = [first, second].map((own) => own[name] ?? "none").join(" and ");
    throw new UserError(`the files cannot be compared: ${name} ${told}`);
  }
}

/** @throws UserError unless a file is of these layers, and of no others. `where` names it. */
export function checkLayers({ layers: own = {} }: SamplesFile, layers: Record<string, string>, where: string): void {
  const other = Object.keys({ ...own, ...layers }).find((name) => own[name] !== layers[name]);
  if (other === undefined) return;
  const of = (layer: string | undefined) => layer ? `${other} (${layer})` : `no ${other}`;
  throw new UserError(
    `${where} has samples of other layers: ${of(own[other])}, where ${of(layers[other])} is to be measured`,
  );
}

/** All times as those of one pass. */
export const asOnePass = (samples: readonly Sampled[]): Sampled[] =>
  samples.map(({ key, ms, reference }) => ({ key, ms: [ms.flat()], reference: [reference.flat()] }));

/** All passes of two lists of samples, the first's before the second's. */
export function joined(first: readonly Sampled[], second: readonly Sampled[]): Sampled[] {
  const all = new Map(first.map((sampled) => [sampled.key, sampled]));
  for (const { key, ms, reference } of second) {
    const found = all.get(key) ?? { ms: [], reference: [] };
    all.set(key, { key, ms: [...found.ms, ...ms], reference: [...found.reference, ...reference] });
  }
  return [...all.values()];
}

const fieldsOf = (json: unknown): Record<string, unknown> =>
  typeof json === "object" && json !== null && !Array.isArray(json) ? json as Record<string, unknown> : {};

const isText = (value: unknown): value is string => typeof value === "string" && value.length > 0;

const isTexts = (value: unknown): value is Record<string, string> => Object.values(fieldsOf(value)).every(isText);

const isList = (value: unknown): value is unknown[] => Array.isArray(value) && value.length <= MOST_ENTRIES;

const isPasses = (value: unknown): value is number[][] =>
  isList(value) && value.length > 0 &&
  value.every((rounds) => isList(rounds) && rounds.length > 0 && rounds.every(isTime));

const isTime = (value: unknown): boolean => typeof value === "number" && value > 0 && value < 1e12;

const lengths = (passes: readonly number[][]): string => passes.map(({ length }) => length).join();
