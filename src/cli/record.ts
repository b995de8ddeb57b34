/**
 * What a picture says of itself: everything that makes it again, as JSON in the PNG's text under "phosphene".
 */
import { parseJson } from "../formats/json.ts";
import { UserError } from "../formats/user_error.ts";
import { isAllowed, type Model } from "../mod.ts";

/** Which weights were used: a model's name and the hash of its files. */
export type ModelName = Pick<Model, "name" | "hash">;

/** A picture's making. Of these, `result` and `adapter` tell; the rest makes it again. */
export interface PictureRecord {
  version: string;
  classifier: ModelName;
  generator: ModelName;
  layer: string;
  /** Several units are maximised together. */
  units: number[];
  xy?: [x: number, y: number];
  seed: number;
  /** The code to start from instead of the seed's: little-endian float32 in base64, and the file it came from. */
  start?: { file: string; code: string };
  iterations: number;
  rule: "paper" | "adam";
  lrStart: number;
  lrEnd: number;
  decay: number;
  gamma: number;
  /** The code's upper bounds instead of the generator's, as `start`'s code, and the file they came from. */
  bounds?: { file: string; code: string };
  /** How weights were stored; as in the files unless given. */
  weights?: "f32" | "f16" | "i8";
  /** What sums were computed in; f32 unless given. */
  arithmetic?: "f32" | "f16";
  /** Kernels and modules of ways that were the user's own, by file and hash; `kernel` is what a file stood for. */
  own?: { kernel?: string; file: string; sha256: string }[];
  adapter: string;
  /** What came out; fewer iterations than asked for where the run was interrupted. */
  result: { iterations: number; activation: number; top: { unit: number; name: string; activation: number }[] };
}

const keyword = "phosphene";

/** Seeds are 32-bit numbers. */
export const lastSeed = 2 ** 32 - 1;

/** Units that are maximised together: as many as --units lists. */
const mostUnits = 10_000;

/** The text of a PNG. */
export function recordText(record: PictureRecord, description: string): { [keyword: string]: string } {
  return { Software: `Phosphene ${record.version}`, Description: description, [keyword]: JSON.stringify(record) };
}

/** Reads the record from a PNG's text. @throws UserError where there is none, or one that makes no sense. */
export function readRecord(text: { [keyword: string]: string }, file: string): PictureRecord {
  if (!Object.hasOwn(text, keyword)) {
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
  return record;
}

type Fields = { [field: string]: unknown };

const isText = (value: unknown) => typeof value === "string" && value !== "";
const isCount = (value: unknown) => Number.isSafeInteger(value) && value as number >= 0;
const isCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.length > 0 && value.every(isCount);
const isUnits = (value: unknown) =>
  isCounts(value) && value.length <= mostUnits && new Set(value).size === value.length;
const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null;
const isCode = (value: unknown) => isFields(value) && isText(value.file) && isText(value.code);
const isOwn = (value: unknown) =>
  isFields(value) && isText(value.file) && isText(value.sha256) && (value.kernel === undefined || isText(value.kernel));
const isModel = (value: unknown) => isFields(value) && isText(value.name) && isText(value.hash);

const checks: { [Field in keyof Required<PictureRecord>]: (value: unknown) => boolean } = {
  version: isText,
  classifier: isModel,
  generator: isModel,
  layer: isText,
  units: isUnits,
  xy: (value) => value === undefined || isCounts(value) && value.length === 2,
  seed: (value) => isCount(value) && value as number <= lastSeed,
  start: (value) => value === undefined || isCode(value),
  iterations: (value) => isAllowed("iterations", value),
  rule: (value) => value === "paper" || value === "adam",
  lrStart: (value) => isAllowed("lrStart", value),
  lrEnd: (value) => isAllowed("lrEnd", value),
  decay: (value) => isAllowed("decay", value),
  gamma: (value) => isAllowed("gamma", value),
  bounds: (value) => value === undefined || isCode(value),
  weights: (value) => value === undefined || ["f32", "f16", "i8"].includes(value as string),
  arithmetic: (value) => value === undefined || ["f32", "f16"].includes(value as string),
  own: (value) => value === undefined || Array.isArray(value) && value.every(isOwn),
  adapter: isText,
  result: (value) => isFields(value) && isCount(value.iterations),
};

/** A code as text. */
export function encodeCode(code: Float32Array): string {
  const bytes = new Uint8Array(code.buffer, code.byteOffset, code.byteLength);
  return bytes.toBase64();
}

/** The code in such a text. @throws UserError where it has not `size` finite values. */
export function decodeCode(text: string, size: number, file: string): Float32Array {
  let bytes = new Uint8Array(0);
  try {
    bytes = Uint8Array.fromBase64(text);
  } catch {
    // Not base64: no bytes, which is refused below.
  }
  const code = bytes.length === 4 * size ? new Float32Array(bytes.buffer) : undefined;
  if (!code?.every(Number.isFinite)) throw new UserError(`${file}: the code it started from is not ${size} numbers`);
  return code;
}
