/**
 * protobuf's wire format, field by field, without copying anything.
 *
 *     key = varint (number << 3 | wire)   wire 0: varint   1: 8 bytes   2: varint length, bytes   5: 4 bytes
 */
import { UserError } from "../../src/formats/user_error.ts";

/** One field of a message. `bytes.subarray(start, end)` is its content. */
export interface Field {
  number: number;
  /** 0, 1, 2 or 5. */
  wire: number;
  /** The value of a varint; past 2⁵³ only its magnitude is right. */
  value: number;
  start: number;
  end: number;
}

/**
 * The fields of a message, in order. The same record is handed out every time: millions of unpacked numbers are fields.
 * @param file Named in errors, with the position of the fault where `bytes` is a part of the whole file's buffer.
 * @throws UserError where the bytes are not a message.
 */
export function* fields(bytes: Uint8Array, file: string): Generator<Field> {
  let at = 0;
  const fail = (problem: string) => new UserError(`${file}: ${problem} at byte ${bytes.byteOffset + at}`);
  const varint = (): number => {
    let value = 0;
    let scale = 1;
    for (let length = 1; length <= 10; length++) {
      const byte = bytes[at++];
      if (byte === undefined) throw fail("the file is cut off");
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
    throw fail("a number does not end");
  };
  const field: Field = { number: 0, wire: 0, value: 0, start: 0, end: 0 };
  while (at < bytes.length) {
    const key = varint();
    field.number = Math.floor(key / 8);
    field.wire = key % 8;
    field.start = at;
    if (field.number < 1 || field.number > 0x1fffffff) throw fail(`no protobuf field can be number ${field.number}`);
    switch (field.wire) {
      case 0:
        field.value = varint();
        field.end = at;
        break;
      case 1:
      case 5:
        field.end = at += field.wire === 1 ? 8 : 4;
        break;
      case 2: {
        const length = varint();
        field.start = at;
        field.end = at += length;
        break;
      }
      default:
        throw fail(`protobuf has no such kind of field (${field.wire})`);
    }
    if (field.end > bytes.length) throw fail("the file is cut off, or is no protobuf: a field ends");
    yield field;
  }
}

/** The content of a length-delimited field: a message, text, or packed numbers. @throws UserError where it is none. */
export function content(bytes: Uint8Array, { number, wire, start, end }: Field, file: string): Uint8Array {
  if (wire !== 2) {
    throw new UserError(`${file}: field ${number} at byte ${bytes.byteOffset + start} is no message; is it damaged?`);
  }
  return bytes.subarray(start, end);
}

/** Signed varints one after the other: of a packed field, or of one that holds a single number. */
export function varints(bytes: Uint8Array, { start, end }: Field, file: string): number[] {
  const values: number[] = [];
  let value = 0n;
  let shift = 0n;
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    value |= BigInt(byte & 127) << shift;
    shift += 7n;
    if (byte >= 128) {
      if (shift < 70n) continue;
      throw new UserError(`${file}: a number at byte ${bytes.byteOffset + at} does not end`);
    }
    values.push(Number(BigInt.asIntN(64, value)));
    [value, shift] = [0n, 0n];
  }
  if (shift !== 0n) throw new UserError(`${file}: numbers at byte ${bytes.byteOffset + start} are cut off`);
  return values;
}
