/** The options of synth. */
import { defaultsOf, methodNames, methods, optionOf, type SettingName, settingNames, settings } from "../../mod.ts";
import type { Values } from "../command.ts";
import { adapterOption } from "../defaults.ts";
import { arithmeticOption, weightsOption } from "../memory.ts";
import { ownOptions } from "../own_kernels.ts";
import { tunedOption } from "../tuned.ts";

/** `lr-start` of `lrStart`. */
type OptionOf<Name extends string> = Name extends `${infer First}${infer Rest}`
  ? `${First extends Lowercase<First> ? First : `-${Lowercase<First>}`}${OptionOf<Rest>}`
  : Name;

/** The options of settings. */
export type SettingOption = OptionOf<SettingName>;

const defaults = defaultsOf();

/** What a setting is for, and its default. */
export const settingHelp = (name: SettingName): string =>
  `${settings[name].help} (${settings[name].shown ?? defaults[name]})`;

/** An option for each setting, as their table has it. */
const settingOptions = Object.fromEntries(settingNames.map((name) => {
  const value = { word: "NAME", whole: "N", number: "X" }[settings[name].kind];
  return [optionOf(name), { value, help: settingHelp(name) }];
})) as Record<SettingOption, { value: string; help: string }>;

/** Options that say what is made; --from says it in their stead. */
export const making = {
  unit: { value: "N", help: "the unit; `deno task units --search pepper` finds numbers, `deno task layers` layers" },
  units: { value: "LIST", help: "several units, such as 1,5-9: a picture each, made at the same time" },
  together: { help: "one picture that all the units of --units want to see" },
  target: {
    value: "TARGET",
    repeats: true,
    help:
      "what to climb in place of a unit, such as 'fc8:945 - 0.001*variation(data)' (see docs/targets.md); a picture each",
  },
  layer: {
    value: "NAME",
    repeats: true,
    help:
      "the layer or blob that the units are in (the classifier's last; of a softmax, what it is taken of), before its last " +
      "activation in place; NAME+relu is after it; several have pictures of their own",
  },
  xy: { value: "X,Y", help: "the position of a unit in a layer of maps (the centre)" },
  seed: { value: "N", help: "the random numbers to start from (0)" },
  seeds: { value: "LIST", help: "several seeds, such as 0-3: a picture each" },
  init: { value: "FILE", help: "starts from a picture (.png, .jpg) or from codes (.npy) instead of a seed" },
  method: {
    value: "LIST",
    help:
      `settings of published methods, each with pictures of its own; other options count before them: all, or some of ${
        methodNames.map((name) => `${name} (${methods[name].help})`).join(", ")
      }`,
  },
  ...settingOptions,
  bounds: {
    value: "FILE",
    help:
      "bounds of the code: from ranges, or text with the upper one of each value, then, if it has as many more, the lower ones",
  },
  set: {
    value: "NAME=FILE.npy",
    repeats: true,
    help: "what another input of the generator or the classifier is given, where they have several",
  },
  frames: {
    value: "N",
    help: "a film of so many frames that a unit of a network that reads sequences wants to see (see docs/video.md)",
  },
  window: { value: "N", help: "with --frames: how many of them are drawn at a time (as many as memory holds)" },
  crop: { value: "WHAT", help: "field: cuts each picture to what its unit sees of it" },
  weights: weightsOption,
  arithmetic: arithmeticOption,
} as const;

/** All options of synth. */
export const synthOptions = {
  ...making,
  from: {
    value: "PICTURE.png",
    help:
      "makes a picture of synth's again, from what is written in it: alone, or where only that gives the same among as many as before",
  },
  out: {
    value: "PLACE",
    help: "the folder for the pictures, or the file for one, *.png; for a film *.gif, *.apng, *.mp4 (out)",
  },
  scale: { value: "N", help: "saves pictures N times as large, pixel by pixel (1)" },
  animate: {
    value: "KIND",
    help:
      "also saves how each picture came to be: gif or apng, or sheet, with the picture of every iteration and its activation",
  },
  film: { value: "KIND", help: "what a film is saved as: apng, gif, or mp4 where ffmpeg is installed (apng)" },
  fps: { value: "N", help: "frames that a film shows in a second, 1 to 50 (12)" },
  shuffle: { help: "with --frames: tells what the unit makes of the frames in other orders" },
  "save-code": { value: "CODE.npy", help: "also saves the codes of the pictures" },
  generator: { value: "DIR", help: "the image generator's model folder (the embedded one)" },
  classifier: {
    value: "DIR",
    alias: "model",
    help:
      'the classifier\'s model folder (the embedded one); several, or a pattern such as "snapshots/*", make a film of them',
  },
  adapter: adapterOption,
  tuned: tunedOption,
  ...ownOptions,
  force: { help: "overwrites files that exist" },
  json: { help: "prints one JSON document" },
  verbose: { help: "tells of GPU memory before it is taken, of each layer's ways, and of dispatches and speed" },
  quiet: { help: "shows no progress and no picture" },
} as const;

/** The values of synth's options. */
export type SynthValues = Values<typeof synthOptions>;
