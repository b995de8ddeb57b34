/** What a setting of a search is: a number or a word, what stands where nobody says it, and when it has no effect. */
import type { Prior } from "./images/image.ts";
import type { Rule } from "./rules/table.ts";
import type { Settings } from "./settings.ts";

/** What defaults hang on. */
export interface Ground {
  /** What makes the picture. */
  prior: Prior;
  /** How a step is made. */
  rule: Rule;
}

/** What decides with the settings whether one of them has an effect. */
export interface Circumstances {
  /** Whether pictures start from codes that are given, and not from their seeds. */
  given: boolean;
  /** What bounds the code has: none, upper ones, or a lower one of each value too. */
  bounds: "none" | "upper" | "both";
  /** What is done to pictures, in each size that the search goes through, where they are not of the classifier's. */
  fittings(): readonly ("crop" | "resize" | undefined)[];
}

/** What every setting may have. */
export interface AnySetting {
  /** Why it has no effect among such settings, in words; undefined where it has one. */
  idle?(settings: Settings, circumstances: Circumstances): string | undefined;
}

/** A number that a search goes by. */
export interface NumberSetting extends AnySetting {
  /** Whether it is a whole number. */
  kind: "whole" | "number";
  /** The least that it may be. */
  least: number;
  /** The most. */
  most: number;
  /** What is used where nobody says. */
  fallback(ground: Ground): number;
  /** What it is for, and its default in words where that is more than a number. */
  help: string;
  /** Its default in words where that is more than a number. */
  shown?: string;
  /** Kernels read it from the state. */
  gpu?: true;
  /** Kernels know nothing of it: what a search starts with hangs on it. */
  start?: true;
}

/** One of a few words. */
export interface WordSetting extends AnySetting {
  /** Tells it from a number. */
  kind: "word";
  /** Those that it may be. */
  words: readonly string[];
  /** What is used where nobody says. */
  fallback(ground: Ground): string;
  /** What it is for. */
  help: string;
  /** Its default in words where it hangs on others. */
  shown?: string;
  /** Kernels do not read it: it decides which there are. */
  gpu?: undefined;
  /** Nor does a start hang on it. */
  start?: undefined;
}
