/** What a run of synth is to make: from its options, or from the record in a picture that an earlier run made. */
import { asFloat32, readNpy } from "../formats/npy.ts";
import { decodeImage } from "../formats/png.ts";
import { UserError } from "../formats/user_error.ts";
import {
  checkSearch,
  fits,
  type Fitting,
  type GivenInputs,
  imageModel,
  interpolations,
  lastName,
  type MethodName,
  methodNames,
  methods,
  type Model,
  optionOf,
  parseTarget,
  searchedUnits,
  type SettingName,
  settingNames,
  type Settings,
  settings,
  showTarget,
  sizeOf,
  suitable,
  termsOf,
  type UnitLayer,
  unitsTarget,
} from "../mod.ts";
import { readBytes } from "./files.ts";
import { arithmeticKinds, weightKinds } from "./memory.ts";
import { type BatchItem, decodeCode, lastSeed, type PictureRecord, readRecord } from "./record.ts";
import { making, type SynthValues } from "./synth_options.ts";
import { decimal, named, numberList, oneOf, position, wholeNumber } from "./values.ts";

/** What to make, before the models are known. */
export interface Request extends Fitting, Pick<PictureRecord, "xy" | "weights" | "arithmetic" | "crop"> {
  /** Pictures that are made together: those of each method, and of each layer or target. */
  rows: { method?: MethodName; layer?: string; items: BatchItem[] }[];
  /** The settings that somebody said. */
  said: Partial<Settings>;
  /** A file with upper bounds of the code; the generator's own where there is none. */
  bounds?: NamedBytes;
  /** A picture or codes to start from. */
  init?: NamedBytes;
  /** Directions by their files, and other inputs by their names. */
  directions: Record<string, Float32Array>;
  set: Record<string, { file: string; values: Float32Array }>;
  /** The record that this repeats, and which of the batch is kept. */
  repeats?: { file: string; record: PictureRecord; keep: number };
}

interface NamedBytes {
  file: string;
  bytes: Uint8Array<ArrayBuffer>;
}

/** Pictures that are made together, each with its target. */
export interface Row {
  method?: MethodName;
  /** The layer of the units; none where targets are given. */
  layer?: UnitLayer;
  items: (BatchItem & { target: string })[];
  settings: Settings;
  /** What draws them: the learned generator, or an image prior's. */
  generator: Model;
}

/** What to make with the models at hand. */
export interface Job {
  rows: Row[];
}

/** The two networks; no generator where no row wants a learned one. */
export interface Models {
  classifier: Model;
  generator?: Model;
}

/** Reads the request from options, and the files that they name. @throws UserError in one sentence. */
export async function readRequest(values: SynthValues): Promise<Request> {
  if (values.from !== undefined) return await repeat(values, values.from);
  const units = listOf(values, "unit", "units"), seeds = listOf(values, "seed", "seeds", lastSeed) ?? [0];
  const { target: targets } = values;
  if (targets.length > 0) {
    const other = (["unit", "units", "together", "layer", "xy", "gamma"] as const).find((name) => given(values[name]));
    if (other) throw new UserError(`--target says all that is climbed; --${other} cannot be given with it`);
  } else if (!units) throw new UserError("which unit? --unit 945 is the bell pepper; `deno task units` lists them");
  if (values.together && (units?.length ?? 0) < 2) throw new UserError("--together is for several units; give --units");
  if (values.gamma !== undefined && !values.together) {
    throw new UserError("--gamma balances several units in one picture; give --together");
  }
  if (values.init !== undefined && seeds.length > 1) {
    throw new UserError("--init starts from a file, so several --seeds would give the same picture");
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
  const rows = readMethods(values.method).flatMap((method) => all.map((row) => ({ method, ...row })));
  const set = named("--set", values.set, (file) => file);
  const inputs = await Promise.all(
    [...set].map(async ([name, file]) => [name, { file, values: await readValues(file) }] as const),
  );
  return {
    rows,
    xy,
    said: readSettings(values),
    bounds: await fileOf(values.bounds),
    weights: oneOf("--weights", values.weights, weightKinds),
    arithmetic: oneOf("--arithmetic", values.arithmetic, arithmeticKinds),
    fit: oneOf("--fit", values.fit, fits),
    interpolation: oneOf("--interpolation", values.interpolation, interpolations),
    crop: oneOf("--crop", values.crop, ["field"]),
    init: await fileOf(values.init),
    directions: await readDirections(targets),
    set: Object.fromEntries(inputs),
  };
}

const given = (value: string | readonly string[] | boolean | undefined) =>
  Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false;

const fileOf = async (file: string | undefined) =>
  file === undefined ? undefined : { file, bytes: await readBytes(file) };

/** The numbers of a .npy file, whatever their shape. */
const readValues = async (file: string) => asFloat32(readNpy(await readBytes(file), file).data);

/** The directions that targets name. */
async function readDirections(targets: readonly string[]): Promise<Record<string, Float32Array>> {
  const files = new Set(targets.flatMap((target) => termsOf(parseTarget(target))).flatMap(({ file }) => file ?? []));
  return Object.fromEntries(await Promise.all([...files].map(async (file) => [file, await readValues(file)] as const)));
}

/** The methods of --method; none where it is not given. */
function readMethods(text: string | undefined): (MethodName | undefined)[] {
  if (text === undefined) return [undefined];
  if (text === "all") return [...methodNames];
  const list = text.split(",").map((name) => oneOf("--method", name, methodNames)!);
  const twice = list.find((name, n) => list.indexOf(name) < n);
  if (twice !== undefined) throw new UserError(`--method gives ${twice} twice`);
  return list;
}

/** The settings that options say. */
function readSettings(values: SynthValues): Partial<Settings> {
  const said = settingNames.map((name): [SettingName, unknown] => {
    const option = optionOf(name) as keyof SynthValues, text = values[option] as string | undefined;
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
  const single = values[one], list = values[several];
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

/** A request to make a picture again: alone, or among others where they mattered or made kernels round otherwise. */
export function requestOf(record: PictureRecord, file: string): Request {
  const { method, layer, units, target, seed, start, xy, weights, arithmetic, fit, interpolation, crop } = record;
  const { batch = 1, beside, place = 0 } = record, own: BatchItem = { units, target, seed, start };
  const items = beside ? beside.toSpliced(place, 0, own) : Array.from({ length: batch }, () => own);
  const said = Object.fromEntries(settingNames.map((name) => [name, record[name]])) as Partial<Settings>;
  const decode = (text: string, what: string) => decodeCode(text, undefined, file, what);
  return {
    rows: [{ method, layer, items }],
    xy,
    said: { ...said, redirect: said.redirect ?? 0 }, // which old pictures were made without
    weights,
    arithmetic,
    fit,
    interpolation,
    crop,
    directions: Object.fromEntries(
      Object.entries(record.directions ?? {}).map(([name, text]) => [name, decode(text, `direction ${name}`)]),
    ),
    set: Object.fromEntries(
      Object.entries(record.set ?? {}).map(([name, { file, code }]) => [
        name,
        { file, values: decode(code, `input ${name}`) },
      ]),
    ),
    repeats: { file, record, keep: beside ? place : 0 },
  };
}

/** Makes sure that these are the models of the record. @throws UserError naming the one that differs. */
export function checkModels({ repeats }: Request, models: Models): void {
  if (!repeats) return;
  for (const role of ["classifier", "generator"] as const) {
    const made = repeats.record[role], here = models[role];
    if (!here || made.hash === here.hash) continue;
    throw new UserError(
      `${repeats.file} was made with ${role} ${made.name} (${made.hash.slice(0, 12)}…), ${here.where} is ` +
        `${here.name} (${here.hash.slice(0, 12)}…); --${role} names another folder`,
    );
  }
}

/** What the request asks of these models. @throws UserError in one sentence where layers, units or positions are not there. */
export function settleRequest(request: Request, models: Models): Job {
  const { classifier } = models, { repeats, xy } = request;
  const rows = request.rows.map(({ method, layer, items }): Row => {
    const decided = settingsOf(request, method, classifier);
    const generator = imageModel(decided.prior, classifier, sizeOf(classifier, decided.size)) ?? models.generator!;
    const old = repeats && repeats.record.target === undefined && layer !== undefined;
    const units = items[0].units && searchedUnits(classifier, old ? lastName(classifier, layer) : layer);
    if (units) {
      checkUnits(units, items.flatMap(({ units }) => units ?? []), classifier);
      checkPosition(units, xy);
    }
    const targetOf = ({ units: list = [] }: BatchItem) =>
      showTarget(unitsTarget({ layer: units?.name, units: list, at: xy, gamma: decided.gamma }));
    const own = items.map((item) => ({ ...item, target: item.target ?? targetOf(item) }));
    return { method, layer: units, items: own, settings: decided, generator };
  });
  const { fit, interpolation, directions } = request, set = inputsOf(request);
  for (const { items: targets, settings, generator } of rows) {
    checkSearch({ classifier, generator, ...settings, ...{ fit, interpolation, directions, set, targets } });
  }
  return { rows };
}

/** The settings of a row. @throws UserError */
export function settingsOf(
  { said }: Pick<Request, "said">,
  method: MethodName | undefined,
  classifier: Model,
): Settings {
  const side = Math.max(...sizeOf(classifier, said.size ?? 0));
  return suitable(said, classifier, method && methods[method].settings(side));
}

/** @throws UserError unless a layer has all of these units. */
export function checkUnits({ name, channels }: UnitLayer, units: readonly number[], classifier: Model): void {
  const missing = units.find((unit) => unit >= channels);
  if (missing !== undefined) {
    throw new UserError(`unit ${missing} does not exist: ${name} of ${classifier.name} has units 0 to ${channels - 1}`);
  }
}

/** @throws UserError unless a position is in a layer's maps. */
function checkPosition({ name, height, width }: UnitLayer, xy: Request["xy"]): void {
  if (xy && (xy[0] >= width || xy[1] >= height)) {
    throw new UserError(`position ${xy} does not exist: the maps of ${name} are ${width} wide and ${height} high`);
  }
}

/** The values of the networks' other inputs. */
export const inputsOf = ({ set }: Request): GivenInputs =>
  Object.fromEntries(Object.entries(set).map(([name, { values }]) => [name, values]));
