/** What a run of synth is to make: from its options, or from the record in a picture that an earlier run made. */
import { centreCropSquare, type Image, resizeRgb } from "../formats/image.ts";
import { readNpy } from "../formats/npy.ts";
import { decodeImage } from "../formats/png.ts";
import { UserError } from "../formats/user_error.ts";
import { type Device, encode, layerUnits, type Model } from "../mod.ts";
import type { Values } from "./command.ts";
import { adapterOption } from "./defaults.ts";
import { readBytes } from "./files.ts";
import { decodeCode, readRecord, type Record } from "./record.ts";
import { decimal, numberList, oneOf, position, wholeNumber } from "./values.ts";

/** Options that say what is made; --from says it in their stead. */
const making = {
  unit: { value: "N", help: "the unit; `deno task units --search pepper` finds numbers" },
  units: { value: "LIST", help: "several units, such as 1,5-9: a picture each, made at the same time" },
  together: { help: "one picture that all the units of --units want to see" },
  layer: { value: "NAME", help: "the layer or blob that the units are in (the classifier's last)" },
  xy: { value: "X,Y", help: "the position of a unit in a layer of maps (the centre)" },
  seed: { value: "N", help: "the random numbers to start from (0)" },
  seeds: { value: "LIST", help: "several seeds, such as 0-3: a picture each" },
  init: { value: "FILE", help: "starts from a picture (.png, .jpg) or from codes (.npy) instead of a seed" },
  iterations: { value: "N", help: "steps of the search (200)" },
  rule: { value: "NAME", help: "how a step is made: paper or adam (paper)" },
  "lr-start": { value: "X", help: "the step's length at the start" },
  "lr-end": { value: "X", help: "the step's length at the end" },
  decay: { value: "X", help: "what the code is multiplied by after each step" },
  gamma: { value: "X", help: "with --together: how much it costs when one unit is ahead of another (0)" },
} as const;

/** All options of synth. */
export const synthOptions = {
  ...making,
  from: { value: "PICTURE.png", help: "makes a picture of synth's again, from what is written in it" },
  out: { value: "PLACE", help: "the folder for the pictures, or the file for one, *.png (out)" },
  scale: { value: "N", help: "saves pictures N times as large, pixel by pixel (1)" },
  animate: { value: "KIND", help: "gif or apng: also saves how each picture came to be" },
  "save-code": { value: "CODE.npy", help: "also saves the codes of the pictures" },
  generator: { value: "DIR", help: "the image generator's model folder (the embedded one)" },
  classifier: { value: "DIR", help: "the classifier's model folder (the embedded one)" },
  adapter: adapterOption,
  force: { help: "overwrites files that exist" },
  json: { help: "prints one JSON document" },
  verbose: { help: "tells of GPU memory, dispatches and speed" },
  quiet: { help: "shows no progress and no picture" },
} as const;

/** The values of synth's options. */
export type SynthValues = Values<typeof synthOptions>;

/** What to make. A target is one picture. */
export interface Request {
  /** The classifier's last unless given. */
  layer?: string;
  targets: { units: number[]; seed: number }[];
  xy?: [x: number, y: number];
  iterations: number;
  rule: "paper" | "adam";
  lrStart: number;
  lrEnd: number;
  decay: number;
  gamma: number;
  /** A picture or .npy to start from, as bytes. */
  init?: { file: string; bytes: Uint8Array };
  /** The record that this repeats. */
  repeats?: { file: string; record: Record };
}

/** Most seeds: they are 32-bit numbers. */
const lastSeed = 2 ** 32 - 1;

/** Reads the request from options, and the files that they name. @throws UserError in one sentence. */
export async function readRequest(values: SynthValues): Promise<Request> {
  if (values.from !== undefined) return await repeat(values, values.from);
  if (values.unit !== undefined && values.units !== undefined) throw new UserError("give --unit or --units, not both");
  if (values.seed !== undefined && values.seeds !== undefined) throw new UserError("give --seed or --seeds, not both");
  const units = unitsOf(values);
  const seeds = values.seeds === undefined
    ? [wholeNumber("--seed", values.seed, { most: lastSeed, fallback: 0 })]
    : numberList("--seeds", values.seeds, lastSeed);
  if (values.together && units.length < 2) throw new UserError("--together takes several units; give --units");
  if (values.gamma !== undefined && !values.together) {
    throw new UserError("--gamma balances several units; give --together");
  }
  if (values.init !== undefined && (values.seed ?? values.seeds) !== undefined) {
    throw new UserError("--init starts from a file and --seed from random numbers; give one of them");
  }
  const groups = values.together ? [units] : units.map((unit) => [unit]);
  const rule = oneOf("--rule", values.rule, ["paper", "adam"]) ?? "paper";
  return {
    layer: values.layer,
    targets: groups.flatMap((group) => seeds.map((seed) => ({ units: group, seed }))),
    xy: position("--xy", values.xy),
    iterations: wholeNumber("--iterations", values.iterations, { least: 1, most: 1_000_000, fallback: 200 }),
    rule,
    lrStart: decimal("--lr-start", values["lr-start"], { least: 0 }) ?? 8,
    lrEnd: decimal("--lr-end", values["lr-end"], { least: 0 }) ?? 1e-10,
    decay: decimal("--decay", values.decay, { least: 0, most: 1 }) ?? 0.99,
    gamma: decimal("--gamma", values.gamma, { least: 0 }) ?? 0,
    init: values.init === undefined ? undefined : { file: values.init, bytes: await readBytes(values.init) },
  };
}
