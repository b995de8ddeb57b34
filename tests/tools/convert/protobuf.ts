/** protobuf's wire format, written. */
import { joinBytes } from "../../../src/formats/bytes.ts";

/** A number of seven bits a byte. */
export function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push(value % 128 | 128);
  return Uint8Array.of(...bytes, value);
}

/** Bytes of text. */
export const text = (value: string) => new TextEncoder().encode(value);

/** A field that holds bytes. */
export const bytesField = (number: number, bytes: Uint8Array) =>
  join(varint(number * 8 + 2), varint(bytes.length), bytes);

/** Bytes one after the other. */
export const join = (...parts: Uint8Array[]) => joinBytes(parts);
