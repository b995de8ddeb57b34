/**
 * safetensors: a JSON header that names slices of one byte buffer.
 *
 *     u64 (little-endian) header length | JSON header, padded with spaces | the tensors' bytes
 *
 * A file is refused unless its tensors cover the buffer exactly once: no hole, no overlap, nothing left over. Tensors are
 * views into the file's bytes, so reading a model copies nothing. Those of other element types than ours are kept as bytes:
 * a file may hold what nobody here asks for.
 */
import { fromHalves, halfOf } from "./float16.ts";
import { parseJson } from "./json.ts";
import { refuseText } from "./kinds.ts";
import { valueCount } from "./shape.ts";
import { show, UserError } from "./user_error.ts";

const itemSizes = { F64: 8, F32: 4, F16: 2, BF16: 2, I8: 1, I64: 8, I32: 4, U8: 1 };

/** The element types whose values are read and written; safetensors' own names. */
export type DType = keyof typeof itemSizes;

const isDType = (dtype: string): dtype is DType => Object.hasOwn(itemSizes, dtype);

/** A tensor as a file holds it: row-major, little-endian, at any alignment. */
export interface StoredTensor {
  /** A `DType`, or another one as the file says it, whose values nobody here can read. */
  dtype: string;
  /** Its dimensions, the outermost first. */
  shape: number[];
  /** Its values. */
  bytes: Uint8Array;
}

/** What 100,000 tensors take; the format's reference implementation stops at 100 MB. */
const maxHeaderBytes = 2 ** 25;

/**
 * Reads the tensors of a safetensors file, in the header's order, as views into `bytes`.
 * `name` stands for the file in errors. Throws UserError where the file is not a sound safetensors file.
 */
export function readSafetensors(bytes: Uint8Array, name: string): Map<string, StoredTensor> {
  const { header, data } = splitHeader(bytes, name);
  const tensors = new Map<string, StoredTensor>();
  const spans: { key: string; begin: number; end: number }[] = [];
  for (const [key, entry] of Object.entries(header)) {
    if (key === "__metadata__") continue;
    const { dtype, shape, begin, end } = checkEntry(entry, data.length, `${name}: tensor ${show(key)}`);
    tensors.set(key, { dtype, shape, bytes: data.subarray(begin, end) });
    spans.push({ key, begin, end });
  }
  let covered = 0;
  for (const { key, begin, end } of spans.sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== covered) {
      const fault = begin < covered ? "overlaps the one before it" : "leaves a hole before it";
      throw new UserError(`${name}: tensor ${show(key)} ${fault}: it starts at byte ${begin}, expected ${covered}`);
    }
    covered = end;
  }
  if (covered !== data.length) {
    throw new UserError(`${name}: the header describes ${covered} bytes of tensors, the file holds ${data.length}`);
  }
  return tensors;
}

/**
 * Writes a safetensors file: the widest elements first and then by name, as the reference implementation does, so that
 * every tensor is aligned to its element size and equal tensors give equal bytes.
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata?: Record<string, string>,
): Uint8Array {
  const sorted = [...tensors].sort(([a, ta], [b, tb]) => widthOf(tb) - widthOf(ta) || (a < b ? -1 : a > b ? 1 : 0));
  const entries: [string, unknown][] = metadata ? [["__metadata__", metadata]] : [];
  let offset = 0;
  for (const [key, { dtype, shape, bytes }] of sorted) {
    const expected = isDType(dtype) ? valueCount(shape) * itemSizes[dtype] : bytes.length;
    if (bytes.length !== expected) {
      throw new RangeError(`tensor "${key}": ${dtype} [${shape}] takes ${expected} bytes, got ${bytes.length}`);
    }
    entries.push([key, { dtype, shape, data_offsets: [offset, offset += bytes.length] }]);
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const start = Math.ceil((8 + json.length) / 8) * 8;
  const file = new Uint8Array(start + offset).fill(0x20, 8, start);
  new DataView(file.buffer).setBigUint64(0, BigInt(start - 8), true);
  file.set(json, 8);
  let at = start;
  for (const [, { bytes }] of sorted) {
    file.set(bytes, at);
    at += bytes.length;
  }
  return file;
}

/** Bytes of an element; of a type that is not ours, as the tensor's bytes say. */
function widthOf({ dtype, shape, bytes }: StoredTensor): number {
  if (isDType(dtype)) return itemSizes[dtype];
  return bytes.length / Math.max(1, valueCount(shape));
}

/**
 * A tensor's values as float32, rounded to nearest where they are wider. An aligned F32 tensor is not copied: the result
 * then shares the tensor's memory. `what` stands for it in errors. Throws UserError where its type is none of ours.
 */
export function toFloat32({ dtype, bytes }: StoredTensor, what = "a tensor"): Float32Array {
  if (!isDType(dtype)) {
    throw new UserError(`${what} is of type ${show(dtype)}, expected one of ${Object.keys(itemSizes).join(", ")}`);
  }
  const size = itemSizes[dtype];
  const aligned = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  const { buffer, byteOffset } = aligned;
  const length = bytes.length / size;
  switch (dtype) {
    case "F32":
      return new Float32Array(buffer, byteOffset, length);
    case "F64":
      return new Float32Array(new Float64Array(buffer, byteOffset, length));
    case "F16":
      return fromHalves(new Uint16Array(buffer, byteOffset, length));
    case "BF16": { // the upper half of a float32
      const halves = new Uint16Array(buffer, byteOffset, length);
      const bits = new Uint32Array(length);
      for (let n = 0; n < length; n++) bits[n] = halves[n] << 16;
      return new Float32Array(bits.buffer);
    }
    case "I64":
      return Float32Array.from(new BigInt64Array(buffer, byteOffset, length), Number);
    case "I32":
      return new Float32Array(new Int32Array(buffer, byteOffset, length));
    case "I8":
      return new Float32Array(new Int8Array(buffer, byteOffset, length));
    case "U8":
      return new Float32Array(aligned);
  }
}

/**
 * Whether all values are finite as float32, by their exponents: bytes at any alignment pass through one small buffer.
 */
export function allFinite({ dtype, bytes }: StoredTensor): boolean {
  const exponent = { F32: 0x7f800000, F16: 0x7c00, BF16: 0x7f80 }[dtype];
  if (exponent === undefined && dtype !== "F64") return true;
  const buffer = new ArrayBuffer(1 << 16);
  const piece = new Uint8Array(buffer);
  for (let at = 0; at < bytes.length; at += piece.length) {
    const part = bytes.subarray(at, at + piece.length);
    const length = part.length / itemSizes[dtype as DType];
    piece.set(part);
    const finite = exponent === undefined
      ? new Float64Array(buffer, 0, length).every((value) => Number.isFinite(Math.fround(value)))
      : new (dtype === "F32" ? Uint32Array : Uint16Array)(buffer, 0, length).every((bits) =>
        (bits & exponent) !== exponent
      );
    if (!finite) return false;
  }
  return true;
}

/** A tensor of these values in C order; F16 rounds to nearest even, and beyond ±65504 to infinity. */
export function fromFloat32(values: ArrayLike<number>, dtype: "F32" | "F16", shape: number[]): StoredTensor {
  const stored = dtype === "F32" ? Float32Array.from(values) : Uint16Array.from(values, halfOf);
  return { dtype, shape, bytes: new Uint8Array(stored.buffer) };
}

function splitHeader(bytes: Uint8Array, name: string): { header: Record<string, unknown>; data: Uint8Array } {
  refuseText(bytes, name, "a safetensors file", "safetensors");
  if (bytes.length < 8) {
    throw new UserError(
      `${name}: a safetensors file starts with 8 bytes of header length, the file has ${bytes.length}`,
    );
  }
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true));
  if (length > maxHeaderBytes) {
    throw new UserError(`${name}: not a safetensors file (its header would be ${length} bytes long)`);
  }
  if (8 + length > bytes.length) {
    throw new UserError(`${name}: truncated: the header is ${length} bytes long, ${bytes.length - 8} are there`);
  }
  let header: unknown;
  try {
    header = parseJson(new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, 8 + length)));
  } catch (error) {
    throw new UserError(`${name}: the safetensors header is not JSON (${(error as Error).message})`);
  }
  if (!isRecord(header)) throw new UserError(`${name}: the safetensors header is not a JSON object`);
  return { header, data: bytes.subarray(8 + length) };
}

function checkEntry(entry: unknown, available: number, what: string) {
  const { dtype, shape, data_offsets: offsets } = isRecord(entry) ? entry : {};
  if (typeof dtype !== "string") throw new UserError(`${what}: dtype ${show(dtype)} is not the name of a type`);
  if (!isSizes(shape)) throw new UserError(`${what}: shape ${show(shape)} is not a list of sizes`);
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    throw new UserError(`${what}: data_offsets ${show(offsets)} is not [begin, end]`);
  }
  const [begin, end] = offsets;
  if (end > available) {
    throw new UserError(`${what}: ends at byte ${end} of the data, the file holds ${available}; is it truncated?`);
  }
  const expected = isDType(dtype) ? valueCount(shape) * itemSizes[dtype] : end - begin;
  if (end - begin !== expected) {
    throw new UserError(
      `${what}: ${dtype} ${show(shape)} takes ${expected} bytes, data_offsets give ${end - begin}`,
    );
  }
  return { dtype, shape, begin, end };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isSizes = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
