/**
 * The settings of a search, in one table: the command line's options and their help, the fields of a picture's record, and the
 * state of the GPU follow from it.
 */
import { UserError } from "../formats/user_error.ts";
import { type Fit, fits, type Interpolated, interpolations } from "./fits.ts";
import type { Prior } from "./images/image.ts";
import { imageNames, images } from "./images/table.ts";
import { type Rule, ruleNames, rules } from "./rules/table.ts";
import type { Ground, NumberSetting, WordSetting } from "./setting.ts";

/** All settings, decided. */
export interface Settings {
  /** What makes the picture: a generator, or a formula. */
  prior: Prior;
  /** Pixels along the longer side of a picture without a generator; 0 for the classifier's. */
  size: number;
  /** Sizes that such a picture goes through. */
  octaves: number;
  /** How much larger each is than the one before. */
  octaveScale: number;
  /** Standard deviation of the code that a seed starts with. */
  noise: number;
  /** How a step is made of the gradient. */
  rule: Rule;
  /** Steps. */
  iterations: number;
  /** The step's length at the start. */
  lrStart: number;
  /** And at the end; it falls in a straight line. */
  lrEnd: number;
  /** What the code is multiplied by after a step. */
  decay: number;
  /** Whether the code is kept within its bounds. */
  clip: "bounds" | "none";
  /** The least that a code with bounds may be. */
  lowest: number;
  /** How many deviations above its mean a code is bounded; 0 for as many as its generator says. */
  sigmas: number;
  /** How a picture of another size becomes one of the classifier's. */
  fit: Fit;
  /** How it is resized. */
  interpolation: Interpolated;
  /** Weight of the picture's mean total variation. */
  variation: number;
  /** Weight of the picture's mean |x|^alpha. */
  alphaNorm: number;
  /** That power. */
  alpha: number;
  /** Weight of what lies away from the picture's middle. */
  centre: number;
  /** Pixels of the Gaussian blur of a code of maps. */
  blur: number;
  /** Steps between two blurs. */
  blurEvery: number;
  /** Percent of the pixels, those of the smallest norm, that become zero after a step. */
  smallNorm: number;
  /** The same of those that contribute least. */
  smallContribution: number;
  /** Pixels by which the classifier's view is shifted at most. */
  jitter: number;
  /** By how much of its size it is larger or smaller at most. */
  zoom: number;
  /** Degrees by which it is turned at most. */
  rotation: number;
  /** What shows past the picture's edges then. */
  edges: "mean" | "wrap";
  /** Weight of the squared differences between units that are climbed together. */
  gamma: number;
  /** Most steps before the first that pass through ReLUs that are off. */
  redirect: number;
}

/** The name of a setting. */
export type SettingName = keyof Settings;

/** A number that is `value` where nobody says, and from `least` to `most`. */
const plain = (
  kind: "whole" | "number",
  [least, most]: readonly [number, number],
  value: number,
  help: string,
): NumberSetting => ({ kind, least, most, fallback: () => value, help });

/** Of what only has an effect where one of these numbers is more than its least: that none of them is. */
const unless = (...names: SettingName[]) => (given: Settings): string | undefined => {
  if (names.some((name) => given[name] as number > (settings[name] as NumberSetting).least)) return undefined;
  return `without ${names.map((name) => `--${optionOf(name)}`).join(" or ")}`;
};

/** Of what is about bounds: that the code has none. */
const NO_BOUNDS = "where the code has no bounds";

/** Of what is about bounds: that they do not hold. */
export const unbounded = ({ clip }: Settings): string | undefined => clip === "none" ? "with --clip none" : undefined;

/** The table. */
export const settings: Readonly<Record<SettingName, NumberSetting | WordSetting>> = {
  prior: {
    kind: "word",
    words: ["learned", ...imageNames],
    fallback: () => "learned",
    help: `what the picture is made by: learned, by the generator; or without one: ${
      imageNames.map((name) => `${name}, ${images[name].help}`).join("; ")
    }`,
  },
  size: {
    ...plain("whole", [1, 4096], 0, "pixels along the longer side of a picture without a generator"),
    shown: "the classifier's",
  },
  octaves: plain("whole", [1, 16], 1, "sizes that such a picture goes through, each with all iterations"),
  octaveScale: {
    ...plain("number", [1.01, 8], 1.4, "how much larger each octave is than the one before"),
    idle: unless("octaves"),
  },
  noise: {
    kind: "number",
    least: 0,
    most: 1e6,
    fallback: ({ prior }) => prior === "learned" ? 1 : images[prior].noise,
    help: "standard deviation of the code that a seed starts with; of pixels, 0 is the mean image",
    shown: "1; pixels: 10; fourier: 0.01",
    idle: (_, { given }) => given ? "with --init, which says where pictures start" : undefined,
    start: true,
  },
  rule: {
    kind: "word",
    words: ruleNames,
    fallback: ({ prior }) => prior === "fourier" ? "adam" : "paper",
    help: `how a step is made: ${ruleNames.map((name) => `${name}, ${rules[name].help}`).join("; ")}`,
    shown: "paper; fourier: adam",
  },
  iterations: { ...plain("whole", [1, 1_000_000], 200, "steps of the search"), gpu: true },
  lrStart: {
    kind: "number",
    least: 0,
    most: 1e6,
    fallback: ({ prior, rule }) => rules[rule].lrStart[prior],
    help: "the step's length at the start",
    shown: "8; adam: 0.5; pixels: 1.5; fourier: 0.05",
    gpu: true,
  },
  lrEnd: {
    ...plain("number", [0, 1e6], 1e-10, "the step's length at the end"),
    idle: ({ iterations }) => iterations === 1 ? "with --iterations 1" : undefined,
    gpu: true,
  },
  decay: {
    kind: "number",
    least: 0,
    most: 1,
    fallback: ({ prior }) => prior === "learned" ? 0.99 : 1,
    help: "what the code is multiplied by after each step: its L2 decay",
    shown: "0.99; without a generator: 1",
    gpu: true,
  },
  clip: {
    kind: "word",
    words: ["bounds", "none"],
    fallback: () => "bounds",
    help: "whether the code is kept within its bounds, pixels within 0 to 255: bounds or none",
    idle: (_, { bounds }) => bounds === "none" ? NO_BOUNDS : undefined,
  },
  lowest: {
    ...plain(
      "number",
      [-1e6, 1e6],
      0,
      "the least that a code with bounds may be, where its generator has no bounds below",
    ),
    idle: (given, { bounds }) =>
      bounds === "none"
        ? NO_BOUNDS
        : bounds === "both"
        ? "where the code has lower bounds of its own"
        : unbounded(given),
    gpu: true,
  },
  sigmas: {
    ...plain(
      "number",
      [0.01, 1e6],
      0,
      "how many deviations above its mean a code is bounded, by its generator's statistics or those of --bounds",
    ),
    shown: "the generator's own, else 3",
    idle: unbounded,
    start: true,
  },
  fit: {
    kind: "word",
    words: fits,
    fallback: () => "auto",
    help:
      "how the generator's picture becomes one of the classifier's size: crop, resize or auto, which crops what is larger",
    idle: (_, { fittings }) =>
      fittings().every((how) => how === undefined) ? "where pictures have the classifier's size" : undefined,
  },
  interpolation: {
    kind: "word",
    words: interpolations,
    fallback: () => "bilinear",
    help: `how it is resized: ${interpolations.join(" or ")}`,
    idle: (_, { fittings }) => fittings().includes("resize") ? undefined : "where no picture is resized",
  },
  variation: plain("number", [0, 1e12], 0, "what the picture's mean total variation costs, in units of 127.5 levels"),
  alphaNorm: plain(
    "number",
    [0, 1e12],
    0,
    "what the picture's mean |x|^alpha costs, x its distance from the mean image",
  ),
  alpha: { ...plain("number", [1, 16], 6, "that power"), idle: unless("alphaNorm") },
  centre: plain(
    "number",
    [0, 1e12],
    0,
    "what the picture's mean x² costs at the middle of an edge: r² times as much at r",
  ),
  blur: plain("number", [0, 20], 0, "pixels of the Gaussian blur of a code of maps after every so many steps"),
  blurEvery: { ...plain("whole", [1, 1_000_000], 4, "how many steps are between two blurs"), idle: unless("blur") },
  smallNorm: plain(
    "number",
    [0, 99.9],
    0,
    "percent of the pixels, those of the smallest norm, that become zero after a step",
  ),
  smallContribution: plain("number", [0, 99.9], 0, "the same of those that contribute least to the target"),
  jitter: plain("whole", [0, 1000], 0, "pixels by which the classifier's view is shifted at most in each iteration"),
  zoom: plain("number", [0, 0.9], 0, "by how much it is larger or smaller at most: 0.1 for a tenth"),
  rotation: plain("number", [0, 180], 0, "degrees by which it is turned at most"),
  edges: {
    kind: "word",
    words: ["mean", "wrap"],
    fallback: () => "mean",
    help: "what shows past the picture's edges then: mean, the classifier's, or wrap, the picture once more",
    idle: unless("jitter", "zoom", "rotation"),
  },
  gamma: plain("number", [0, 1e6], 0, "with --together: how much it costs when one unit is ahead of another"),
  redirect: plain(
    "whole",
    [0, 10_000],
    16,
    "where the gradient is zero at the start: steps before the first that pass through ReLUs that are off; 0 for none",
  ),
};

/** The largest seed: they are the numbers of 32 bits. */
export const lastSeed = 2 ** 32 - 1;

/** The names of all settings, in the order of the options. */
export const settingNames = Object.keys(settings) as SettingName[];

/** The option of a setting: `lr-start` of `lrStart`. */
export const optionOf = (name: SettingName): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** Whether somebody may ask for this value of a setting. */
export function allows(name: SettingName, value: unknown): boolean {
  const setting = settings[name];
  if (setting.kind === "word") return setting.words.includes(value as string);
  return (setting.kind === "whole" ? Number.isSafeInteger(value) : Number.isFinite(value)) &&
    value as number >= setting.least && value as number <= setting.most;
}

/** Whether a setting may have this value: one that can be asked for, or what stands where nobody asks (a size of 0: the classifier's). */
export const mayBe = (name: SettingName, value: unknown): boolean =>
  allows(name, value) || value === settings[name].fallback({ prior: "learned", rule: "paper" });

/** What a setting may be, in words. */
export function expected(name: SettingName): string {
  const setting = settings[name];
  if (setting.kind === "word") return setting.words.join(" or ");
  const { kind, least, most } = setting;
  const range = most === Infinity ? `of at least ${least}` : `from ${least} to ${most}`;
  return `a ${kind === "whole" ? "whole " : ""}number ${range}`;
}

/** The defaults of a prior, and of its own rule unless another is given. */
export function defaultsOf({ prior = "learned", rule }: Partial<Ground> = {}): Settings {
  const ground: Ground = { prior, rule: rule ?? settings.rule.fallback({ prior, rule: "paper" }) as Rule };
  const values = settingNames.map((name) => [name, settings[name].fallback(ground)] as const);
  return { ...Object.fromEntries(values), ...ground } as unknown as Settings;
}

/** The first of these that says each setting; `undefined` says nothing. @throws UserError for one that is out of range. */
export function decide(...saying: readonly (Partial<Settings> | undefined)[]): Settings {
  const said = (name: SettingName) => saying.map((one) => one?.[name]).find((value) => value !== undefined);
  const all = settingNames.map((name) => [name, said(name)] as const).filter(([, value]) => value !== undefined);
  const wrong = all.find(([name, value]) => !mayBe(name, value));
  if (wrong) throw new UserError(`${wrong[0]} is ${wrong[1]}, expected ${expected(wrong[0])}`);
  const given = Object.fromEntries(all) as Partial<Settings>;
  return { ...defaultsOf(given), ...given };
}

/** Whether a search with these settings has the same kernels as one with those: such differ in numbers of the GPU's state alone. */
export const sameKernels = (these: Settings, those: Settings): boolean =>
  settingNames.every((name) => settings[name].gpu || settings[name].start || these[name] === those[name]);

/** The numbers of the GPU's state, by name: the iteration, and the settings that kernels read. */
export const stateNames: readonly string[] = ["iteration", ...settingNames.filter((name) => settings[name].gpu)];
