/**
 * A tensor of an ONNX file: its values lie raw in the message, in a list of the type's own, or in a file beside the model.
 *
 *     TensorProto   dims 1, data_type 2, float_data 4, int32_data 5, int64_data 7, name 8, raw_data 9, double_data 10,
 *                   uint64_data 11, external_data 13 { key 1, value 2 }, data_location 14
 */
import { joinBytes } from "../../../src/formats/bytes.ts";
import { fromHalves } from "../../../src/formats/float16.ts";
import { valueCount } from "../../../src/formats/shape.ts";
import { UserError } from "../../../src/formats/user_error.ts";
import { content, fields, varints } from "../protobuf.ts";

/** The element types that are read, by ONNX's numbers, with their size in bytes. */
const types = {
  1: { name: "float32", size: 4 },
  2: { name: "uint8", size: 1 },
  3: { name: "int8", size: 1 },
  4: { name: "uint16", size: 2 },
  5: { name: "int16", size: 2 },
  6: { name: "int32", size: 4 },
  7: { name: "int64", size: 8 },
  9: { name: "bool", size: 1 },
  10: { name: "float16", size: 2 },
  11: { name: "float64", size: 8 },
  12: { name: "uint32", size: 4 },
  13: { name: "uint64", size: 8 },
  16: { name: "bfloat16", size: 2 },
} as const;

/** A type's name. */
export type ElementType = (typeof types)[keyof typeof types]["name"];

/** Types of real numbers. */
export const floating: readonly ElementType[] = ["float32", "float64", "float16", "bfloat16"];

/** Whether a type is one of integers, which divide otherwise. */
export const integral = (type: ElementType | undefined): boolean =>
  type !== undefined && type !== "bool" && !floating.includes(type);

/** A type by ONNX's number, where it is one that is read. */
export const elementType = (code: number): ElementType | undefined => types[code as keyof typeof types]?.name;

/** A tensor in memory. Integers past 2⁵³ are rounded. */
export interface OnnxTensor {
  name: string;
  type: ElementType;
  shape: number[];
  /** The values, read when first asked for. */
  readonly values: Float32Array | Float64Array;
}

/**
 * Reads a file of external data. @throws UserError where it is not in the model's folder or cannot be read.
 * @param length All there is from `offset` on, where it is undefined.
 */
export type ExternalFile = (location: string, offset: number, length: number | undefined) => Uint8Array;

/** Dimensions past which a shape is damage. */
const MOST_DIMENSIONS = 12;

/** @throws UserError where a computed shape has more dimensions than any model's. */
export function checkDimensions(count: number): void {
  if (count > MOST_DIMENSIONS) throw new UserError(`it makes a tensor of ${count} dimensions`);
}

/** A tensor of known values. @throws UserError where it has too many dimensions. */
export function tensorOf(
  type: ElementType,
  shape: number[],
  values: Float32Array | Float64Array,
  name = "",
): OnnxTensor {
  checkDimensions(shape.length);
  return { name, type, shape, values };
}

/** @throws UserError where the message is damaged or its type is none that is read. */
export function readTensor(bytes: Uint8Array, file: string, external: ExternalFile): OnnxTensor {
  const shape: number[] = [];
  const pieces: Uint8Array[] = [];
  const outside = new Map<string, string>();
  let code = 0;
  let name = "";
  let raw: Uint8Array | undefined;
  let isExternal = false;
  for (const field of fields(bytes, file)) {
    switch (field.number) {
      case 1:
        for (const n of varints(bytes, field, file)) shape.push(n);
        break;
      case 2:
        code = field.value;
        break;
      case 4:
      case 5:
      case 7:
      case 10:
      case 11:
        pieces.push(bytes.subarray(field.start, field.end));
        break;
      case 8:
        name = new TextDecoder().decode(content(bytes, field, file));
        break;
      case 9:
        raw = content(bytes, field, file);
        break;
      case 13: {
        const [key, value] = readEntry(content(bytes, field, file), file);
        outside.set(key, value);
        break;
      }
      case 14:
        isExternal = field.value === 1;
    }
  }
  const what = `${file}: tensor ${JSON.stringify(name.slice(0, 60))}`;
  const type = types[code as keyof typeof types];
  if (!type) throw new UserError(`${what} is of ONNX's type ${code}, which is not supported`);
  const size = valueCount(shape);
  if (shape.length > MOST_DIMENSIONS || !shape.every((n) => Number.isSafeInteger(n) && n >= 0)) {
    throw new UserError(`${what}: shape [${shape.slice(0, 8)}] is none; is the file damaged?`);
  }
  if (isExternal) raw = readOutside(outside, what, external);
  const values = raw
    ? raw.length === size * type.size ? () => fromRaw(raw, type.name) : undefined
    : fromList(pieces, type.name, size, file);
  if (!values) {
    throw new UserError(
      `${what}: ${type.name} [${shape}] takes ${size * type.size} bytes, ${raw?.length ?? "other"} came`,
    );
  }
  let known: Float32Array | Float64Array | undefined;
  return {
    name,
    type: type.name,
    shape,
    get values() {
      return known ??= values();
    },
  };
}

function readEntry(bytes: Uint8Array, file: string): [key: string, value: string] {
  const entry: [string, string] = ["", ""];
  for (const field of fields(bytes, file)) {
    if (field.number === 1 || field.number === 2) {
      entry[field.number - 1] = new TextDecoder().decode(content(bytes, field, file));
    }
  }
  return entry;
}

function readOutside(entries: Map<string, string>, what: string, external: ExternalFile): Uint8Array {
  const number = (key: string) => {
    const text = entries.get(key);
    const value = Number(text);
    if (text !== undefined && !/^\d+$/.test(text) || value > Number.MAX_SAFE_INTEGER) {
      throw new UserError(`${what}: the ${key} of its external data is ${JSON.stringify(text?.slice(0, 40))}`);
    }
    return text === undefined ? undefined : value;
  };
  const location = entries.get("location");
  if (!location) throw new UserError(`${what}: its values lie in another file that is not named`);
  try {
    return external(location, number("offset") ?? 0, number("length"));
  } catch (error) {
    throw error instanceof UserError ? new UserError(`${what}: ${error.message}`) : error;
  }
}

/** Values that lie in a list: floats and doubles as they are, float16 and bfloat16 by their bits, integers as varints. */
function fromList(
  pieces: Uint8Array[],
  type: ElementType,
  size: number,
  file: string,
): (() => Float32Array | Float64Array) | undefined {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  if (type === "float32" || type === "float64") {
    if (length !== size * (type === "float32" ? 4 : 8)) return undefined;
    return () => fromRaw(pieces.length === 1 ? pieces[0] : joinBytes(pieces), type);
  }
  if (length < size) return undefined; // every varint takes a byte at least
  const numbers = pieces.flatMap((piece) => {
    return varints(piece, { number: 0, wire: 2, value: 0, start: 0, end: piece.length }, file);
  });
  if (numbers.length !== size) return undefined;
  if (type === "float16" || type === "bfloat16") {
    const bits = Uint16Array.from(numbers);
    return () => fromRaw(new Uint8Array(bits.buffer), type);
  }
  return () => Float64Array.from(numbers);
}

/** Little-endian bytes as numbers; float32 is not copied where it is aligned. */
function fromRaw(bytes: Uint8Array, type: ElementType): Float32Array | Float64Array {
  const size = Object.values(types).find(({ name }) => name === type)!.size;
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  const length = byteLength / size;
  switch (type) {
    case "float32":
      return new Float32Array(buffer, byteOffset, length);
    case "float64":
      return new Float64Array(buffer, byteOffset, length);
    case "float16":
      return fromHalves(new Uint16Array(buffer, byteOffset, length));
    case "bfloat16":
      return new Float32Array(Uint32Array.from(new Uint16Array(buffer, byteOffset, length), (v) => v << 16).buffer);
    case "int64":
      return Float64Array.from(new BigInt64Array(buffer, byteOffset, length), Number);
    case "uint64":
      return Float64Array.from(new BigUint64Array(buffer, byteOffset, length), Number);
    case "int32":
      return Float64Array.from(new Int32Array(buffer, byteOffset, length));
    case "uint32":
      return Float64Array.from(new Uint32Array(buffer, byteOffset, length));
    case "int16":
      return Float64Array.from(new Int16Array(buffer, byteOffset, length));
    case "uint16":
      return Float64Array.from(new Uint16Array(buffer, byteOffset, length));
    case "int8":
      return Float64Array.from(new Int8Array(buffer, byteOffset, length));
    case "uint8":
    case "bool":
      return Float64Array.from(bytes);
  }
}
