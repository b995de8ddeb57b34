/** What a run of synth is to make: from its options, or from the record in a picture that an earlier run made. */
import type { Image } from "../formats/image.ts";
import { asFloat32, readNpy } from "../formats/npy.ts";
import { decodeImage } from "../formats/png.ts";
import { valueCount } from "../formats/shape.ts";
import { UserError } from "../formats/user_error.ts";
import { type Device, encode, layerUnits, type Model, searchDefaults, settingLimits, type UnitLayer } from "../mod.ts";
import { readBounds } from "./bounds.ts";
import type { Values } from "./command.ts";
import { adapterOption } from "./defaults.ts";
import { readBytes } from "./files.ts";
import { arithmeticKinds, arithmeticOption, weightKinds, weightsOption } from "./memory.ts";
import { ownOptions } from "./own_kernels.ts";
import { fitted } from "./pictures.ts";
import { decodeCode, lastSeed, type PictureRecord, readRecord } from "./record.ts";
import { tunedOption } from "./tuned.ts";
import { decimal, numberList, oneOf, position, wholeNumber } from "./values.ts";

/** Options that say what is made; --from says it in their stead. */
const making = {
  unit: { value: "N", help: "the unit; `deno task units --search pepper` finds numbers" },
  units: { value: "LIST", help: "several units, such as 1,5-9: a picture each, made at the same time" },
  together: { help: "one picture that all the units of --units want to see" },
  layer: {
    value: "NAME",
    help: "the layer or blob that the units are in (the classifier's last; of a softmax, what it is taken of)",
  },
  xy: { value: "X,Y", help: "the position of a unit in a layer of maps (the centre)" },
  seed: { value: "N", help: "the random numbers to start from (0)" },
  seeds: { value: "LIST", help: "several seeds, such as 0-3: a picture each" },
  init: { value: "FILE", help: "starts from a picture (.png, .jpg) or from codes (.npy) instead of a seed" },
  iterations: { value: "N", help: "steps of the search (200)" },
  rule: { value: "NAME", help: "how a step is made: paper or adam (paper)" },
  "lr-start": { value: "X", help: "the step's length at the start (8; adam: 0.5)" },
  "lr-end": { value: "X", help: "the step's length at the end (1e-10)" },
  decay: { value: "X", help: "what the code is multiplied by after each step (0.99)" },
  gamma: { value: "X", help: "with --together: how much it costs when one unit is ahead of another (0)" },
  bounds: { value: "FILE", help: "upper bounds of the code: from ranges, or text with a number for each value" },
  weights: weightsOption,
  arithmetic: arithmeticOption,
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
  tuned: tunedOption,
  ...ownOptions,
  force: { help: "overwrites files that exist" },
  json: { help: "prints one JSON document" },
  verbose: { help: "tells of GPU memory before it is taken, of each layer's ways, and of dispatches and speed" },
  quiet: { help: "shows no progress and no picture" },
} as const;

/** The values of synth's options. */
export type SynthValues = Values<typeof synthOptions>;

/** What to make. A target is one picture; `code` is where it starts instead of at the seed's random numbers. */
export interface Request extends
  Pick<
    PictureRecord,
    "xy" | "iterations" | "rule" | "lrStart" | "lrEnd" | "decay" | "gamma" | "weights" | "arithmetic"
  > {
  /** The classifier's logits unless given. */
  layer?: string;
  targets: { units: number[]; seed: number }[];
  /** A file with upper bounds of the code; the generator's own where there is none. */
  bounds?: { file: string; bytes: Uint8Array };
  /** A picture or codes to start from. */
  init?: { file: string; bytes: Uint8Array };
  /** The record that this repeats. */
  repeats?: { file: string; record: PictureRecord };
}

/** Where the pictures start: one code for each target, or a picture that has still to be turned into one. */
export interface Start {
  file: string;
  codes?: Float32Array[];
  picture?: Image;
  /** The shape of the .npy file, which --save-code keeps. */
  shape?: number[];
}

/** Reads the request from options, and the file that they name. @throws UserError in one sentence. */
export async function readRequest(values: SynthValues): Promise<Request> {
  if (values.from !== undefined) return await repeat(values, values.from);
  const units = listOf(values, "unit", "units"), seeds = listOf(values, "seed", "seeds", lastSeed) ?? [0];
  if (!units) throw new UserError("which unit? --unit 945 is the bell pepper; `deno task units` lists them");
  if (values.together && units.length < 2) throw new UserError("--together is for several units; give --units");
  if (values.gamma !== undefined && !values.together) {
    throw new UserError("--gamma balances several units in one picture; give --together");
  }
  if (values.init !== undefined && seeds.length > 1) {
    throw new UserError("--init starts from a file, so several --seeds would give the same picture");
  }
  const rule = oneOf("--rule", values.rule, ["paper", "adam"]) ?? "paper", defaults = searchDefaults(rule);
  const groups = values.together ? [units] : units.map((unit) => [unit]);
  return {
    layer: values.layer,
    targets: groups.flatMap((group) => seeds.map((seed) => ({ units: group, seed }))),
    xy: position("--xy", values.xy),
    iterations: wholeNumber("--iterations", values.iterations, {
      ...settingLimits.iterations,
      fallback: defaults.iterations,
    }),
    rule,
    lrStart: decimal("--lr-start", values["lr-start"], settingLimits.lrStart) ?? defaults.lrStart,
    lrEnd: decimal("--lr-end", values["lr-end"], settingLimits.lrEnd) ?? defaults.lrEnd,
    decay: decimal("--decay", values.decay, settingLimits.decay) ?? defaults.decay,
    gamma: decimal("--gamma", values.gamma, settingLimits.gamma) ?? defaults.gamma,
    bounds: await fileOf(values.bounds),
    weights: oneOf("--weights", values.weights, weightKinds),
    arithmetic: oneOf("--arithmetic", values.arithmetic, arithmeticKinds),
    init: await fileOf(values.init),
  };
}

const fileOf = async (file: string | undefined) =>
  file === undefined ? undefined : { file, bytes: await readBytes(file) };

/** The numbers of --unit or --units. */
function listOf(values: SynthValues, one: "unit" | "seed", several: "units" | "seeds", most?: number) {
  const single = values[one], list = values[several];
  if (single !== undefined && list !== undefined) throw new UserError(`give --${one} or --${several}, not both`);
  if (single !== undefined) return [wholeNumber(`--${one}`, single, { most, fallback: 0 })];
  return list === undefined ? undefined : numberList(`--${several}`, list, most);
}

async function repeat(values: SynthValues, file: string): Promise<Request> {
  const other = Object.keys(making).find((name) => values[name as keyof typeof making]);
  if (other) throw new UserError(`--from repeats what ${file} says; --${other} cannot be given with it`);
  const record = readRecord((await decodeImage(await readBytes(file), file)).text, file);
  const { layer, units, seed, xy, iterations, rule, lrStart, lrEnd, decay, gamma, weights, arithmetic } = record;
  return {
    layer,
    targets: [{ units, seed }],
    xy,
    iterations,
    rule,
    lrStart,
    lrEnd,
    decay,
    gamma,
    weights,
    arithmetic,
    repeats: { file, record },
  };
}

/** Makes sure that these are the models of the record. @throws UserError naming the one that differs. */
export function checkModels({ repeats }: Request, models: { classifier: Model; generator: Model }): void {
  if (!repeats) return;
  for (const role of ["classifier", "generator"] as const) {
    const made = repeats.record[role], here = models[role];
    if (made.hash === here.hash) continue;
    throw new UserError(
      `${repeats.file} was made with ${role} ${made.name} (${made.hash.slice(0, 12)}…), ${here.where} is ` +
        `${here.name} (${here.hash.slice(0, 12)}…); --${role} names another folder`,
    );
  }
}

/** Makes sure that layer, units and position are there. @throws UserError in one sentence. */
export function checkUnits({ layer, targets, xy }: Request, classifier: Model): UnitLayer {
  const units = layerUnits(classifier, layer), { name, channels, height, width } = units;
  const missing = targets.flatMap(({ units }) => units).find((unit) => unit >= channels);
  if (missing !== undefined) {
    throw new UserError(`unit ${missing} does not exist: ${name} of ${classifier.name} has units 0 to ${channels - 1}`);
  }
  if (xy && (xy[0] >= width || xy[1] >= height)) {
    throw new UserError(`position ${xy} does not exist: the maps of ${name} are ${width} wide and ${height} high`);
  }
  return units;
}

/** Reads where the pictures start, where that is not the seed. @throws UserError when a code does not fit. */
export async function readStart(
  { init, repeats, targets }: Request,
  generator: Model,
): Promise<Start | undefined> {
  const { shape: item } = generator.network.inputs[0], size = valueCount(item);
  const saved = repeats?.record.start;
  if (saved) return { file: saved.file, codes: [decodeCode(saved.code, size, repeats.file)] };
  if (!init) return undefined;
  const { file, bytes } = init;
  if (bytes[0] !== npyMagic) return { file, picture: await decodeImage(bytes, file) };
  const { shape, data } = readNpy(bytes, file), values = asFloat32(data);
  const rows = values.length / size;
  if (rows !== 1 && (rows !== targets.length || shape[0] !== rows)) {
    throw new UserError(
      `${file} has shape [${shape.join(", ")}]; expected one code of ${generator.name}, [${item.join(", ")}]` +
        (targets.length > 1 ? `, or ${targets.length} of them` : ""),
    );
  }
  if (!values.every(Number.isFinite)) throw new UserError(`${file} holds NaN or infinity`);
  const codes = targets.map((_, i) => rows === 1 ? values : values.slice(i * size, (i + 1) * size));
  return { file, codes, shape };
}

/** The upper bounds of the code and the file they came from, where they are not the generator's own. */
export function readCodeBounds({ bounds, repeats }: Request, generator: Model) {
  const size = valueCount(generator.network.inputs[0].shape), saved = repeats?.record.bounds;
  if (saved) return { file: saved.file, values: decodeCode(saved.code, size, repeats!.file) };
  return bounds && { file: bounds.file, values: readBounds(bounds.bytes, bounds.file, generator) };
}

/** The first byte of every .npy file, and of no PNG or JPEG. */
const npyMagic = 0x93;

/** The codes to start from: a picture's are the classifier's features of its centre square. */
export async function startCodes(
  { codes, picture }: Start,
  device: Device,
  { classifier, generator }: { classifier: Model; generator: Model },
  count: number,
): Promise<Float32Array[]> {
  if (codes) return codes;
  const code = await encode(device, classifier, generator, fitted(classifier, picture!));
  return Array.from({ length: count }, () => code);
}
