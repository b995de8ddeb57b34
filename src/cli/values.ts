/** Option values: text in, numbers out, one sentence where the text is no such number. */
import { UserError } from "../formats/user_error.ts";

/** Most entries of a list like 0-999: more is a slip, and would take all memory. */
const mostEntries = 10_000;

/** A whole number in [least, most], or `fallback` where the option is not given. */
export function wholeNumber(
  option: string,
  text: string | undefined,
  { least = 0, most = Number.MAX_SAFE_INTEGER, fallback }: { least?: number; most?: number; fallback: number },
): number {
  if (text === undefined) return fallback;
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!(value >= least && value <= most)) {
    const range = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `${least} to ${most}`;
    throw new UserError(`${option} expects ${least === most ? least : `a whole number ${range}`}, got "${text}"`);
  }
  return value;
}

/** A number in [least, most], or undefined where the option is not given. */
export function decimal(
  option: string,
  text: string | undefined,
  { least, most = Infinity }: { least: number; most?: number },
): number | undefined {
  if (text === undefined) return undefined;
  const value = text.trim() === "" ? NaN : Number(text);
  if (!Number.isFinite(value) || value < least || value > most) {
    const range = most === Infinity ? `of at least ${least}` : `from ${least} to ${most}`;
    throw new UserError(`${option} expects a number ${range}, got "${text}"`);
  }
  return value;
}

/** A list of whole numbers and ranges, such as "1,5-9", in the order given. */
export function numberList(option: string, text: string, most = Number.MAX_SAFE_INTEGER): number[] {
  const numbers: number[] = [];
  for (const part of text.split(",")) {
    const range = /^(\d+)(?:-(\d+))?$/.exec(part);
    const first = Number(range?.[1]);
    const last = Number(range?.[2] ?? range?.[1]);
    if (!range || last < first || last > most) {
      const limit = most === Number.MAX_SAFE_INTEGER ? "" : ` up to ${most}`;
      throw new UserError(`${option} expects numbers${limit} like 7 or 1,5-9, got "${text}"`);
    }
    if (numbers.length + last - first >= mostEntries) {
      throw new UserError(`${option} ${text} lists more than ${mostEntries} numbers`);
    }
    for (let n = first; n <= last; n++) numbers.push(n);
  }
  const seen = new Set<number>();
  const twice = numbers.find((n) => seen.size === seen.add(n).size);
  if (twice !== undefined) throw new UserError(`${option} ${text} lists ${twice} twice`);
  return numbers;
}

/** A position "X,Y" in a map, or undefined where the option is not given. */
export function position(option: string, text: string | undefined): [x: number, y: number] | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d+),(\d+)$/.exec(text);
  if (!match) throw new UserError(`${option} expects a position like 3,5 (x, then y), got "${text}"`);
  return [Number(match[1]), Number(match[2])];
}

/** One of a few words, or undefined where the option is not given. */
export function oneOf<Word extends string>(
  option: string,
  text: string | undefined,
  words: readonly Word[],
  before = "",
): Word | undefined {
  if (text === undefined) return undefined;
  const word = words.find((candidate) => candidate === text);
  if (word === undefined) {
    const list = before ? words.join(", ") : words.join(" or ");
    throw new UserError(`${option} expects ${before}${list}, got "${text}"`);
  }
  return word;
}

/** The values of a repeated option NAME=VALUE, by name, each read by `read`. */
export function named<T>(
  option: string,
  values: readonly string[],
  read: (text: string, name: string) => T,
): Map<string, T> {
  const result = new Map<string, T>();
  for (const value of values) {
    // A name may hold "=", a file's seldom does: the last one parts them.
    const at = value.lastIndexOf("=");
    const name = value.slice(0, at);
    if (at < 1) throw new UserError(`${option} expects NAME=VALUE, got "${value}"`);
    if (result.has(name)) throw new UserError(`${option} gives ${name} twice`);
    result.set(name, read(value.slice(at + 1), name));
  }
  return result;
}
