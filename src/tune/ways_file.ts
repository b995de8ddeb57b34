/**
 * The ways that were measured to be the fastest, and their file:
 *
 *     { "phosphene": "tuned ways 1", "adapters": { ADAPTER: { QUESTION: [ { forward, backward, kernels }, … ] } } }
 *
 * A question may have several entries, newest first: of versions whose kernels differ, and which share the file. What reads
 * it trusts nothing: a file that is not such a file holds nothing, and what is wrong in it is left out.
 */
import { parseJson } from "../formats/json.ts";
import type { Sizes } from "../ops/way.ts";

/** A way and its sizes, by name. */
export interface Pick {
  /** The way's name. */
  way: string;
  /** Those that it was timed with. */
  sizes: Sizes;
}

/** The ways that won. */
export interface Entry {
  /** The way of the output. */
  forward: Pick;
  /** Where a gradient is wanted. */
  backward?: Pick;
  /** Of the kernels that were measured (`kernelsHash`). */
  kernels: string;
}

/** Entries by adapter and question. */
export type TunedWays = Map<string, Map<string, Entry[]>>;

/** What the file says that it is. */
const KIND = "tuned ways 1";

/** Characters of the largest file that is read, entries of a question, and sizes of a way. */
const MOST_CHARACTERS = 1 << 24;
const MOST_ENTRIES = 8;
const MOST_SIZES = 16;

/** The entries of a question on an adapter. */
export const entriesOf = (ways: TunedWays, adapter: string, question: string): readonly Entry[] =>
  ways.get(adapter)?.get(question) ?? [];

/** Adds an entry, before all others in place of one of the same kernels; where there are too many the oldest goes. */
export function addEntry(ways: TunedWays, adapter: string, question: string, entry: Entry): void {
  const questions = ways.get(adapter) ?? new Map<string, Entry[]>();
  const others = (questions.get(question) ?? []).filter(({ kernels }) => kernels !== entry.kernels);
  ways.set(adapter, questions.set(question, [entry, ...others].slice(0, MOST_ENTRIES)));
}

/** Adds all entries of others to `ways`. */
export function mergeWays(ways: TunedWays, others: TunedWays): void {
  for (const [adapter, questions] of others) {
    for (const [question, entries] of questions) {
      for (const entry of entries.toReversed()) addEntry(ways, adapter, question, entry);
    }
  }
}

/** The file's text. */
export function writeWays(ways: TunedWays): string {
  const adapters = Object.fromEntries(
    [...ways].map(([adapter, questions]) => [adapter, Object.fromEntries(questions)]),
  );
  return `${JSON.stringify({ phosphene: KIND, adapters }, undefined, 1)}\n`;
}

/** What a file's text holds; nothing where it is no such file. Never throws. */
export function readWays(text: string): TunedWays {
  const ways: TunedWays = new Map();
  if (text.length > MOST_CHARACTERS) return ways;
  let json: unknown;
  try {
    json = parseJson(text);
  } catch {
    return ways;
  }
  const { phosphene, adapters } = fieldsOf(json);
  if (phosphene !== KIND) return ways;
  for (const [adapter, questions] of Object.entries(fieldsOf(adapters))) {
    for (const [question, list] of Object.entries(fieldsOf(questions))) {
      const entries = (Array.isArray(list) ? list.slice(0, MOST_ENTRIES) : []).flatMap(readEntry);
      for (const entry of entries.toReversed()) addEntry(ways, adapter, question, entry);
    }
  }
  return ways;
}

const fieldsOf = (json: unknown): Record<string, unknown> =>
  typeof json === "object" && json !== null && !Array.isArray(json) ? json as Record<string, unknown> : {};

function readEntry(json: unknown): Entry[] {
  const { forward, backward, kernels } = fieldsOf(json);
  const there = readPick(forward);
  if (!there || typeof kernels !== "string") return [];
  if (backward === undefined) return [{ forward: there, kernels }];
  const back = readPick(backward);
  return back ? [{ forward: there, backward: back, kernels }] : [];
}

function readPick(json: unknown): Pick | undefined {
  const { way, sizes } = fieldsOf(json);
  if (typeof way !== "string" || typeof sizes !== "object" || sizes === null || Array.isArray(sizes)) return undefined;
  const all = Object.entries(sizes);
  if (all.length > MOST_SIZES || !all.every(([, size]) => typeof size === "number")) return undefined;
  return { way, sizes: Object.fromEntries(all) };
}
