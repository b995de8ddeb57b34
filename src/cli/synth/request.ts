/** What a run of synth is to make: from its options, or from the record in a picture that an earlier run made. */
import { asFloat32, readNpy } from "../../formats/npy.ts";
import { decodeImage } from "../../formats/png.ts";
import { UserError } from "../../formats/user_error.ts";
import {
  arithmetics,
  decide,
  formats,
  hasSizes,
  lastSeed,
  type MethodName,
  methodNames,
  methods,
  optionOf,
  parseTarget,
  type SettingName,
  settingNames,
  type Settings,
  settings,
  showTarget,
  termsOf,
} from "../../mod.ts";
import { type BatchItem, mostFrames, readRecord } from "../../record/record.ts";
import { type Request, requestOf } from "../../record/request.ts";
import { readBytes } from "../files.ts";
import { warn } from "../print.ts";
import { making, type SynthValues } from "./options.ts";
import { decimal, named, numberList, oneOf, position, wholeNumber } from "../values.ts";

/**
 * Reads the request from options, and the files that they name.
 * @param spread Settings that are made with each of its pictures besides, each of these.
 * @throws UserError in one sentence.
 */
export async function readRequest(
  values: SynthValues,
  spread: readonly Partial<Settings>[] = [{}],
): Promise<Request> {
  if (values.from !== undefined) return await repeat(values, values.from);
  const units = listOf(values, "unit", "units");
  const seeds = listOf(values, "seed", "seeds", lastSeed) ?? [0];
  const { target: targets } = values;
  if (targets.length > 0) {
    const other = (["unit", "units", "together", "layer", "xy", "gamma"] as const).find((name) => given(values[name]));
    if (other) throw new UserError(`--target says all that is climbed; --${other} cannot be given with it`);
  } else if (!units) throw new UserError("which unit? --unit 945 is the bell pepper; `deno task units` lists them");
  if (values.together && (units?.length ?? 0) < 2) throw new UserError("--together is for several units; give --units");
  if (values.gamma !== undefined && !values.together) {
    throw new UserError("--gamma balances several units in one picture; give --together");
  }
  if (values.window !== undefined && values.frames === undefined) {
    throw new UserError("--window says how many frames of a film are drawn at a time; --frames N makes one");
  }
  const xy = position("--xy", values.xy);
  const layers: (string | undefined)[] = values.layer.length > 0 ? values.layer : [undefined];
  const twice = layers.find((layer, n) => layers.indexOf(layer) < n);
  if (twice !== undefined) throw new UserError(`--layer gives ${twice} twice`);
  const groups = units && (values.together ? [units] : units.map((unit) => [unit]));
  const all = groups
    ? layers.map((layer) => ({
      layer,
      items: groups.flatMap((units) => seeds.map((seed): BatchItem => ({ units, seed }))),
    }))
    : targets.map((target) => ({
      items: seeds.map((seed): BatchItem => ({ target: showTarget(parseTarget(target)), seed })),
    }));
  const said = readSettings(values);
  const asked = readMethods(values.method, spread.map((one) => ({ ...said, ...one })));
  const rows = asked.flatMap((method) => all.map((row) => ({ method, ...row })));
  const set = named("--set", values.set, (file) => file);
  const inputs = await Promise.all(
    [...set].map(async ([name, file]) => [name, { file, values: await readValues(file) }] as const),
  );
  return {
    rows,
    xy,
    said,
    bounds: await fileOf(values.bounds),
    weights: oneOf("--weights", values.weights, formats),
    arithmetic: oneOf("--arithmetic", values.arithmetic, arithmetics),
    frames: several("--frames", values.frames),
    windowSize: several("--window", values.window),
    crop: oneOf("--crop", values.crop, ["field"]),
    init: await fileOf(values.init),
    directions: await readDirections(targets),
    set: Object.fromEntries(inputs),
  };
}

/** The number of an option about frames. */
const several = (option: string, text: string | undefined) =>
  text === undefined ? undefined : wholeNumber(option, text, { least: 1, most: mostFrames, fallback: 1 });

const given = (value: string | readonly string[] | boolean | undefined) =>
  Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false;

const fileOf = async (file: string | undefined) =>
  file === undefined ? undefined : { file, bytes: await readBytes(file) };

/** The numbers of a .npy file, whatever their shape. */
const readValues = async (file: string) => asFloat32(readNpy(await readBytes(file), file).data);

/** The numbers of a direction. @throws UserError where they lie along more than one dimension. */
async function readDirection(file: string): Promise<Float32Array> {
  const { shape, data } = readNpy(await readBytes(file), file);
  if (shape.filter((extent) => extent !== 1).length > 1) {
    throw new UserError(`direction ${file} has shape [${shape.join(", ")}], expected a number for each channel`);
  }
  return asFloat32(data);
}

/** The directions that targets name. */
async function readDirections(targets: readonly string[]): Promise<Record<string, Float32Array>> {
  const files = new Set(targets.flatMap((target) => termsOf(parseTarget(target))).flatMap(({ file }) => file ?? []));
  return Object.fromEntries(
    await Promise.all([...files].map(async (file) => [file, await readDirection(file)] as const)),
  );
}

/** The methods of --method, one of nothing where it is not given; of all, those that go with these settings. */
function readMethods(text: string | undefined, said: readonly Partial<Settings>[]): (MethodName | undefined)[] {
  if (text === undefined) return [undefined];
  if (text === "all") {
    const goes = (name: MethodName) => said.every((one) => hasSizes(decide(one, methods[name].settings(1))));
    const left = methodNames.filter((name) => !goes(name));
    if (left.length === methodNames.length) return left;
    if (left.length > 0) warn(`--method all without ${left.join(", ")}: a generator's pictures have one size, its own`);
    return methodNames.filter(goes);
  }
  const list = text.split(",").map((name) => oneOf("--method", name, methodNames, "all, or some of ")!);
  const twice = list.find((name, n) => list.indexOf(name) < n);
  if (twice !== undefined) throw new UserError(`--method gives ${twice} twice`);
  return list;
}

/** The settings that options say. */
function readSettings(values: SynthValues): Partial<Settings> {
  const said = settingNames.map((name): [SettingName, unknown] => {
    const option = optionOf(name) as keyof SynthValues;
    const text = values[option] as string | undefined;
    const setting = settings[name];
    if (text === undefined) return [name, undefined];
    if (setting.kind === "word") return [name, oneOf(`--${option}`, text, setting.words)];
    if (setting.kind === "number") return [name, decimal(`--${option}`, text, setting)];
    return [name, wholeNumber(`--${option}`, text, { ...setting, fallback: 0 })];
  });
  return Object.fromEntries(said);
}

/** The numbers of --unit or --units. */
function listOf(values: SynthValues, one: "unit" | "seed", several: "units" | "seeds", most?: number) {
  const single = values[one];
  const list = values[several];
  if (single !== undefined && list !== undefined) throw new UserError(`give --${one} or --${several}, not both`);
  if (single !== undefined) return [wholeNumber(`--${one}`, single, { most, fallback: 0 })];
  return list === undefined ? undefined : numberList(`--${several}`, list, most);
}

async function repeat(values: SynthValues, file: string): Promise<Request> {
  const other = Object.keys(making).find((name) => given(values[name as keyof typeof making]));
  if (other) throw new UserError(`--from repeats what ${file} says; --${other} cannot be given with it`);
  const { text, textLost } = await decodeImage(await readBytes(file), file);
  return requestOf(readRecord(text, file, textLost), file);
}
