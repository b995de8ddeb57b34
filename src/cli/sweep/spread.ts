/**
 * What a sweep does with a setting: `8` is one value, `0.98,0.99` a list, of which a grid is made, `1:16` or `1:16:log` a range,
 * from which values are drawn, evenly or evenly in their logarithm.
 */
import { UserError } from "../../formats/user_error.ts";
import { allows, optionOf, type SettingName, type Settings, settings, uniforms } from "../../mod.ts";

/** A setting's values: those of a list, or a range to draw from. */
export type Spread =
  & { name: SettingName }
  & ({ values: readonly (number | string)[] } | { from: number; to: number; log: boolean });

/** What options of a sweep may hold. */
export const spreadHelp = "one, a list such as 1,2,4, or a range to draw from, such as 1:16 or 1:16:log";

/** Values of a list, and settings of a sweep. */
const mostValues = 1000;

/** Digits of a drawn number: enough to tell one from another, few enough to type. */
const digits = 4;

/** Reads the text of an option. @throws UserError in one sentence. */
export function readSpread(name: SettingName, text: string): Spread {
  const option = `--${optionOf(name)}`;
  const setting = settings[name];
  const fail = (range = "") => {
    const one = setting.kind === "word"
      ? `one of ${setting.words.join(", ")}, or a list of them`
      : `${
        setting.kind === "whole" ? "whole numbers" : "numbers"
      } from ${setting.least} to ${setting.most}: ${spreadHelp}`;
    return new UserError(`${option} expects ${one}; got "${text}"${range}`);
  };
  const range = /^([^:,]+):([^:,]+?)(:log)?$/.exec(text);
  if (range && setting.kind !== "word") {
    const [from, to] = [numberOf(range[1]), numberOf(range[2])];
    const log = range[3] !== undefined;
    if (!allows(name, from) || !allows(name, to)) throw fail();
    if (from >= to) throw fail(", which begins behind its end");
    if (log && from <= 0) throw fail(`, and ${from} has no logarithm`);
    return { name, from, to, log };
  }
  const values = text.split(",").map((word) => setting.kind === "word" ? word : numberOf(word));
  if (values.length > mostValues || !values.every((value) => allows(name, value))) throw fail();
  if (new Set(values).size < values.length) throw new UserError(`${option} ${text} lists a value twice`);
  return { name, values };
}

const numberOf = (text: string): number => text.trim() === "" ? NaN : Number(text);

/**
 * Every value of each list with every other's, and each of these with all draws: draws are the same everywhere on the grid, and
 * with more of them the first remain as they were.
 * @param draws How often the ranges are drawn from, all of them at once.
 * @throws UserError where ranges and draws do not go together, or come to too much.
 */
export function combinations(spreads: readonly Spread[], draws: number | undefined, seed: number): Partial<Settings>[] {
  const ranges = spreads.filter((spread) => "from" in spread);
  const next = uniforms(seed);
  if (draws === undefined && ranges.length > 0) {
    throw new UserError(`--${optionOf(ranges[0].name)} is a range; how often is it drawn from? --draws 20`);
  }
  if (draws !== undefined && ranges.length === 0) {
    throw new UserError("--draws draws from ranges, such as --lr-start 1:16:log, and there is none");
  }
  const drawn = Array.from(
    { length: draws ?? 1 },
    () => ranges.map((range) => [range.name, draw(range, next())] as const),
  );
  let grid: (readonly (readonly [SettingName, number | string])[])[] = [[]];
  for (const spread of spreads) {
    if (!("values" in spread)) continue;
    grid = grid.flatMap((point) => spread.values.map((value) => [...point, [spread.name, value] as const]));
    if (grid.length * drawn.length > mostValues ** 2) {
      throw new UserError(`the lists come to more than ${mostValues ** 2} settings`);
    }
  }
  return grid.flatMap((point) => drawn.map((values) => Object.fromEntries([...point, ...values]) as Partial<Settings>));
}

/** A value of a range, of which a number between 0 and 1 says how far it lies in it. */
function draw({ name, from, to, log }: Extract<Spread, { from: number }>, at: number): number {
  if (settings[name].kind === "whole" && !log) return from + Math.floor(at * (to - from + 1));
  const value = log ? from * (to / from) ** at : from + (to - from) * at;
  const rounded = settings[name].kind === "whole" ? Math.round(value) : Number(value.toPrecision(digits));
  return Math.min(Math.max(rounded, from), to);
}
