/**
 * The settings of a search, in one table: the command line's options and their help, the fields of a picture's record, and the
 * state of the GPU follow from it.
 */
import { UserError } from "../formats/user_error.ts";
import { type Rule, ruleNames, rules } from "./rules/table.ts";

/** A number that a search goes by. */
export interface NumberSetting {
  kind: "whole" | "number";
  least: number;
  most: number;
  /** What is used where nobody says. */
  fallback(rule: Rule): number;
  /** What it is for, and its default in words where that is more than a number. */
  help: string;
  shown?: string;
  /** Kernels read it from the state. */
  gpu?: true;
}

/** One of a few words. */
export interface WordSetting {
  kind: "word";
  words: readonly string[];
  fallback(rule: Rule): string;
  help: string;
  shown?: string;
  gpu?: undefined;
}

/** All settings, decided. */
export interface Settings {
  rule: Rule;
  iterations: number;
  lrStart: number;
  lrEnd: number;
  decay: number;
  gamma: number;
  redirect: number;
}

/** The name of a setting. */
export type SettingName = keyof Settings;

const plain = (value: number) => () => value;

/** The table. */
export const settings: Readonly<Record<SettingName, NumberSetting | WordSetting>> = {
  rule: {
    kind: "word",
    words: ruleNames,
    fallback: () => "paper",
    help: "how a step is made: paper or adam",
  },
  iterations: {
    kind: "whole",
    least: 1,
    most: 1_000_000,
    fallback: plain(200),
    help: "steps of the search",
    gpu: true,
  },
  lrStart: {
    kind: "number",
    least: 0,
    most: 1e6,
    fallback: (rule) => rules[rule].lrStart,
    help: "the step's length at the start",
    shown: "8; adam: 0.5",
    gpu: true,
  },
  lrEnd: {
    kind: "number",
    least: 0,
    most: 1e6,
    fallback: plain(1e-10),
    help: "the step's length at the end",
    gpu: true,
  },
  decay: {
    kind: "number",
    least: 0,
    most: 1,
    fallback: plain(0.99),
    help: "what the code is multiplied by after each step",
    gpu: true,
  },
  gamma: {
    kind: "number",
    least: 0,
    most: 1e6,
    fallback: plain(0),
    help: "with --together: how much it costs when one unit is ahead of another",
  },
  redirect: {
    kind: "whole",
    least: 0,
    most: 10_000,
    fallback: plain(16),
    help:
      "where the gradient is zero at the start: steps before the first that pass through ReLUs that are off; 0 for none",
  },
};

/** The names of all settings, in the order of the options. */
export const settingNames = Object.keys(settings) as SettingName[];

/** The option of a setting: `lr-start` of `lrStart`. */
export const optionOf = (name: SettingName): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** Whether a setting may have this value. */
export function allows(name: SettingName, value: unknown): boolean {
  const setting = settings[name];
  if (setting.kind === "word") return setting.words.includes(value as string);
  return (setting.kind === "whole" ? Number.isSafeInteger(value) : Number.isFinite(value)) &&
    value as number >= setting.least && value as number <= setting.most;
}

/** What a setting may be, in words. */
export function expected(name: SettingName): string {
  const setting = settings[name];
  if (setting.kind === "word") return setting.words.join(" or ");
  const { kind, least, most } = setting;
  const range = most === Infinity ? `of at least ${least}` : `from ${least} to ${most}`;
  return `a ${kind === "whole" ? "whole " : ""}number ${range}`;
}

/** The defaults of a rule. */
export function defaultsOf(rule: Rule): Settings {
  const values = settingNames.map((name) => [name, settings[name].fallback(rule)] as const);
  return Object.fromEntries(values) as unknown as Settings;
}

/** The first of these that says each setting; `undefined` says nothing. @throws UserError for one that is out of range. */
export function decide(...saying: readonly (Partial<Settings> | undefined)[]): Settings {
  const said = (name: SettingName) => saying.map((one) => one?.[name]).find((value) => value !== undefined);
  const rule = (said("rule") ?? settings.rule.fallback("paper")) as Rule;
  const decided: Record<string, unknown> = { ...defaultsOf(rule) };
  for (const name of settingNames) {
    const value = said(name);
    if (value === undefined) continue;
    if (!allows(name, value)) throw new UserError(`${name} is ${value}, expected ${expected(name)}`);
    decided[name] = value;
  }
  return decided as unknown as Settings;
}

/** The numbers of the GPU's state, by name: the iteration, the settings that kernels read, and the code's lowest value. */
export const stateNames: readonly string[] = [
  "iteration",
  ...settingNames.filter((name) => settings[name].gpu),
  "lowest",
];
