/**
 * What a picture says of itself: everything that makes it again, as JSON in the PNG's text under "phosphene".
 */
import { fromBase64, toBase64 } from "../formats/base64.ts";
import { parseJson } from "../formats/json.ts";
import { UserError } from "../formats/user_error.ts";
import {
  type Arithmetic,
  arithmetics,
  defaultsOf,
  type Format,
  formats,
  lastSeed,
  type Loss,
  mayBe,
  type MethodName,
  methodNames,
  type Model,
  MOST_FRAMES,
  type SettingName,
  settingNames,
  type Settings,
} from "../mod.ts";

/** Which weights were used: a model's name and the hash of its files. */
export type ModelName = Pick<Model, "name" | "hash">;

/** Numbers as text: little-endian float32 in base64, and the file they came from. */
export interface SavedValues {
  file: string;
  code: string;
}

/** One picture of a batch: what it climbs, and where it starts. */
export interface BatchItem {
  /** Several units are maximised together. */
  units?: number[];
  /** What is climbed in place of units of the layer, in the language of targets. */
  target?: string;
  seed: number;
  /** The code to start from instead of the seed's. */
  start?: SavedValues;
}

/**
 * A picture's making. Of these, `result` and `adapter` tell; the rest makes it again.
 *
 * Pictures made before there were targets have none: their layer is a blob's last value, as `LAYER+last` means now.
 */
export interface PictureRecord extends BatchItem, Partial<Settings> {
  version: string;
  classifier: ModelName;
  generator: ModelName;
  /** The method whose settings these are, where none was said otherwise. */
  method?: MethodName;
  /** The layer of the units. */
  layer?: string;
  xy?: [x: number, y: number];
  /** The code's upper bounds instead of the generator's. */
  bounds?: SavedValues;
  /** The directions of the target, by their files. */
  directions?: Record<string, string>;
  /** The networks' other inputs, by their names. */
  set?: Record<string, SavedValues>;
  /** Of a film, how many frames it has, how many were drawn at a time, and how many are shown in a second. */
  frames?: number;
  windowSize?: number;
  fps?: number;
  /** Of a film over several classifiers, all of them in its order; the record is that of the last frame else. */
  classifiers?: ModelName[];
  /** Whether the picture is cut to the unit's receptive field. */
  crop?: "field";
  /** How weights were stored; as in the files unless given. */
  weights?: Format;
  /** What sums were computed in; f32 unless given. */
  arithmetic?: Arithmetic;
  /** How many pictures were made together: kernels for another number round otherwise. */
  batch?: number;
  /** The others of the batch, where they mattered, and this one's place among them. */
  beside?: BatchItem[];
  place?: number;
  /** Kernels and modules of ways that were the user's own, by file and hash; `kernel` is what a file stood for. */
  own?: { kernel?: string; file: string; sha256: string }[];
  adapter: string;
  /** What came out; fewer iterations than asked for where the run was interrupted. */
  result: {
    iterations: number;
    activation: number;
    top: { unit: number; name: string; activation: number }[];
    /** Steps before the first that went through ReLUs that were off. */
    redirected?: number;
    /** Of a film over several classifiers that was stopped, how many of them it has come to. */
    frames?: number;
    /** The adapters that were lost meanwhile, and the iterations after which the search went on. */
    losses?: Loss[];
  };
}

const keyword = "phosphene";

/** Units that are maximised together: as many as --units lists. */
const mostUnits = 10_000;

/** Frames of the longest film. */
export const mostFrames = MOST_FRAMES;

/** Frames that a film shows in a second, which is what browsers show of a GIF. */
export const mostFps = 50;

/** Pictures made together, more than any memory holds. */
const mostBatch = 10_000;

/** The text of a PNG. */
export function recordText(record: PictureRecord, description: string): { [keyword: string]: string } {
  return { Software: `Phosphene ${record.version}`, Description: description, [keyword]: JSON.stringify(record) };
}

/**
 * Reads the record from a PNG's text, some of which may be lost. @throws UserError where there is none, or one that makes no
 * sense.
 */
export function readRecord(text: { [keyword: string]: string }, file: string, textLost = false): PictureRecord {
  if (!Object.hasOwn(text, keyword)) {
    if (textLost) throw new UserError(`${file} does not say how it was made: its text is damaged`);
    throw new UserError(`${file} does not say how it was made; --from reads pictures that synth has written`);
  }
  let record: PictureRecord;
  try {
    record = parseJson(text[keyword]) as PictureRecord;
  } catch {
    throw new UserError(`${file} says how it was made, but not in JSON`);
  }
  const faulty = Object.entries(checks).find(([field, sound]) => !sound((record as unknown as Fields)?.[field]));
  if (faulty) throw new UserError(`${file} does not say how it was made: "${faulty[0]}" is missing or makes no sense`);
  if (record.units === undefined && record.target === undefined) {
    throw new UserError(`${file} does not say how it was made: "units" and "target" are both missing`);
  }
  const { beside = [], place = 0 } = record;
  if (place > beside.length) {
    throw new UserError(`${file} does not say how it was made: "place" is ${place} among ${beside.length} others`);
  }
  return record;
}

type Fields = { [field: string]: unknown };

const isText = (value: unknown) => typeof value === "string" && value !== "";
const isCount = (value: unknown) => Number.isSafeInteger(value) && value as number >= 0;
const isCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.length > 0 && value.every(isCount);
const isUpTo = (most: number) => (value: unknown) => isCount(value) && value as number >= 1 && value as number <= most;
const isUnits = (value: unknown) =>
  isCounts(value) && value.length <= mostUnits && new Set(value).size === value.length;
const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null;
const isCode = (value: unknown) => isFields(value) && isText(value.file) && isText(value.code);
const isOwn = (value: unknown) =>
  isFields(value) && isText(value.file) && isText(value.sha256) && (value.kernel === undefined || isText(value.kernel));
const isModel = (value: unknown) => isFields(value) && isText(value.name) && isText(value.hash);

const isWord = (...words: readonly string[]) => (value: unknown) => words.includes(value as string);
const isOptional = (valid: (value: unknown) => boolean) => (value: unknown) => value === undefined || valid(value);
const isEach = (valid: (value: unknown) => boolean) => (value: unknown) =>
  isFields(value) && !Array.isArray(value) && Object.values(value).every(valid);

const itemChecks: { [Field in keyof Required<BatchItem>]: (value: unknown) => boolean } = {
  units: isOptional(isUnits),
  target: isOptional(isText),
  seed: (value) => isCount(value) && value as number <= lastSeed,
  start: isOptional(isCode),
};

const isItem = (value: unknown) =>
  isFields(value) && Object.entries(itemChecks).every(([field, sound]) => sound(value[field]));

/** Fields that every record has had, whatever was made. */
const needed = ["rule", "iterations", "lrStart", "lrEnd", "decay"] as const;

/** Settings that stand in every record; others, of a learned prior, only where they are not as they have always been. */
const always: readonly SettingName[] = [...needed, "gamma", "redirect"];

/** The settings that a record tells. */
export function toldSettings(settings: Settings): Partial<Settings> {
  if (settings.prior !== "learned") return settings;
  const usual = defaultsOf(settings);
  const told = settingNames.filter((name) => always.includes(name) || settings[name] !== usual[name]);
  return Object.fromEntries(told.map((name) => [name, settings[name]]));
}

const checks: { [Field in keyof Required<Omit<PictureRecord, keyof Settings>>]: (value: unknown) => boolean } = {
  version: isText,
  classifier: isModel,
  generator: isModel,
  method: isOptional(isWord(...methodNames)),
  layer: isOptional(isText),
  ...itemChecks,
  ...Object.fromEntries(settingNames.map((name) => {
    const valid = (value: unknown) => mayBe(name, value);
    return [name, needed.some((field) => field === name) ? valid : isOptional(valid)];
  })),
  xy: isOptional((value) => isCounts(value) && (value as unknown[]).length === 2),
  bounds: isOptional(isCode),
  directions: isOptional(isEach(isText)),
  set: isOptional(isEach(isCode)),
  frames: isOptional(isUpTo(mostFrames)),
  windowSize: isOptional(isUpTo(mostFrames)),
  fps: isOptional(isUpTo(mostFps)),
  classifiers: isOptional((value) => Array.isArray(value) && value.length <= mostFrames && value.every(isModel)),
  crop: isOptional(isWord("field")),
  weights: isOptional(isWord(...formats)),
  arithmetic: isOptional(isWord(...arithmetics)),
  batch: isOptional(isUpTo(mostBatch)),
  beside: isOptional((value) => Array.isArray(value) && value.length < mostBatch && value.every(isItem)),
  place: isOptional(isCount),
  own: isOptional((value) => Array.isArray(value) && value.every(isOwn)),
  adapter: isText,
  result: (value) => isFields(value) && isCount(value.iterations) && isOptional(isCount)(value.frames),
};

/** A code as text. */
export function encodeCode(code: Float32Array): string {
  const bytes = new Uint8Array(code.buffer, code.byteOffset, code.byteLength);
  return toBase64(bytes);
}

/** The numbers in such a text. @throws UserError where they are not `size` finite ones, or one of these numbers of them, or none. */
export function decodeCode(
  text: string,
  size: number | readonly number[] | undefined,
  file: string,
  what = "the code it started from",
): Float32Array {
  let bytes = new Uint8Array(0);
  try {
    bytes = fromBase64(text);
  } catch {
    // Not base64: no bytes, which is refused below.
  }
  const fits = bytes.length > 0 && bytes.length % 4 === 0 &&
    (size === undefined || [size].flat().includes(bytes.length / 4));
  const code = fits ? new Float32Array(bytes.buffer) : undefined;
  if (!code?.every(Number.isFinite)) {
    throw new UserError(`${file}: ${what} is not ${[size ?? "any"].flat().join(" or ")} numbers`);
  }
  return code;
}
