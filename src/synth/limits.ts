/** What a search's numbers may be. Beyond these no search comes to anything but infinity, or to an end. */
import { UserError } from "../formats/user_error.ts";

/** The least and the most of each. */
export const settingLimits = {
  iterations: { least: 1, most: 1_000_000 },
  lrStart: { least: 0, most: 1e6 },
  lrEnd: { least: 0, most: 1e6 },
  decay: { least: 0, most: 1 },
  gamma: { least: 0, most: 1e6 },
} as const;

/** The name of a number with limits. */
export type LimitedSetting = keyof typeof settingLimits;

/** Whether a number may be this. */
export function isAllowed(name: LimitedSetting, value: unknown): boolean {
  const { least, most } = settingLimits[name],
    isNumber = name === "iterations" ? Number.isSafeInteger : Number.isFinite;
  return isNumber(value) && value as number >= least && value as number <= most;
}

/** @throws UserError where one of the numbers is out of range. */
export function checkSettings(settings: Readonly<Record<LimitedSetting, number>>): void {
  for (const name of Object.keys(settingLimits) as LimitedSetting[]) {
    if (isAllowed(name, settings[name])) continue;
    const { least, most } = settingLimits[name], whole = name === "iterations" ? "whole " : "";
    throw new UserError(`${name} is ${settings[name]}, expected a ${whole}number from ${least} to ${most}`);
  }
}
