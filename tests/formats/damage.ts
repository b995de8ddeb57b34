/**
 * Damage that knows a file's structure, so that what is wrong gets past the first check: harsh numbers, missing, doubled
 * and exchanged parts, in texts, JSON, safetensors, protobuf, and files of chunks.
 */
import { joinBytes } from "../../src/formats/bytes.ts";
import { type Chunk, readChunks, writeChunks } from "../../src/formats/png_chunks.ts";
import { type Damage, damageBytes, type Integers } from "./fuzz.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const pick = <T>(items: readonly T[], random: Integers): T => items[random(items.length)];

/** Numbers as a text may write them: huge, negative, fractional, none. */
// deno-fmt-ignore
const harshNumbers = ["0", "-1", "1", "2", "7", "0.5", "-0.0", "1e-30", "65536", "1000000", "1000000000", "2147483647",
  "2147483648", "4294967295", "9007199254740993", "1e15", "1e100", "1e308", "1e999", "-1e999"];
const harshWords = ["nan", "inf", "-inf", "true", "__proto__", "constructor", "toString", "\u0000", "\n", "é辣"];

/** One of many ways to spoil a list: an item dropped, doubled, repeated, moved or replaced. */
function spoilList<T>(list: T[], random: Integers, replacement: () => T): T[] {
  if (list.length === 0) return list;
  const at = random(list.length);
  const other = random(list.length);
  switch (random(6)) {
    case 0:
      return list.toSpliced(at, 1);
    case 1:
      return list.toSpliced(at, 0, ...list.slice(at, at + 1 + random(8)));
    case 2:
      return list.toSpliced(at, 0, ...Array.from({ length: pick([10, 100, 1000], random) }, () => list[at]));
    case 3:
      return list.with(at, list[other]).with(other, list[at]);
    default:
      return list.with(at, replacement());
  }
}

/** Spoils the tokens of a text: words, numbers, quoted texts, signs. */
export const damageText: Damage = (file, random) => {
  let tokens: string[] = decode(file).match(/\s+|"[^"\n]*"|[\w.+-]+|[^]/g) ?? [];
  for (let times = 1 + random(3); times > 0; times--) {
    const numbers = tokens.flatMap((token, i) => /^[\d.+-]+$/.test(token) ? [i] : []);
    if (numbers.length && random(2)) tokens = tokens.with(pick(numbers, random), pick(harshNumbers, random));
    else {
      const deep = () => pick(["{", "a{", "[", "<"], random).repeat(pick([60, 5000], random));
      const long = () => pick(["1", '"a\\n"', "a", "\\", " "], random).repeat(20_000);
      tokens = spoilList(
        tokens,
        random,
        () => random(8) ? pick([...harshWords, ...harshNumbers, ...tokens], random) : random(2) ? deep() : long(),
      );
    }
  }
  return encode(tokens.join(""));
};

/** Spoils the values of a JSON document, at any depth. */
export const damageJson: Damage = (file, random) => {
  const root = { json: JSON.parse(decode(file)) };
  const texts = new Map<string, string>();
  const raw = (text: string) => {
    texts.set(`@${texts.size}@`, text);
    return `@${texts.size - 1}@`;
  };
  for (let times = 1 + random(3); times > 0; times--) {
    const slots: [holder: Record<string, unknown>, key: string][] = [];
    const walk = (holder: Record<string, unknown>) => {
      for (const [key, value] of Object.entries(holder)) {
        slots.push([holder, key]);
        if (typeof value === "object" && value !== null) walk(value as Record<string, unknown>);
      }
    };
    walk(root);
    const [holder, key] = pick(slots, random);
    const value = holder[key];
    const other = pick(slots, random);
    const deep = () => raw("[".repeat(50_000) + "]".repeat(50_000));
    const replacement = () =>
      pick<() => unknown>([
        () => raw(pick(harshNumbers, random)),
        () => raw(pick(harshNumbers, random)),
        () => pick([...harshWords, "a".repeat(10_000)], random),
        () => pick([null, true, [], {}, [[]], ""], random),
        () => structuredClone(other[0][other[1]]),
        () => random(4) ? [1, 2, 3] : deep(),
      ], random)();
    if (Array.isArray(value) && random(2)) holder[key] = spoilList(value, random, replacement);
    else if (random(5) === 0) delete holder[key];
    else if (random(8) === 0) { // under another name; an assignment to __proto__ would change the object
      const name = pick([...harshWords, ...slots.map(([, name]) => name)], random);
      Object.defineProperty(holder, name, { value, enumerable: true, configurable: true, writable: true });
    } else holder[key] = typeof value === "number" ? raw(pick(harshNumbers, random)) : replacement();
    if (!("json" in root)) break;
  }
  return encode((JSON.stringify(root.json) ?? "").replace(/"(@\d+@)"/g, (whole, key) => texts.get(key) ?? whole));
};

/** Spoils a safetensors file's header, or its data. */
export const damageSafetensors: Damage = (file, random) => {
  const length = new DataView(file.buffer, file.byteOffset).getUint32(0, true);
  const data = file.subarray(8 + length);
  const header = damageJson(file.subarray(8, 8 + length), random);
  const size = new BigUint64Array([BigInt(header.length)]);
  return joinBytes([new Uint8Array(size.buffer), header, random(4) ? data : damageBytes(data, random)]);
};

/** A protobuf field: the bytes of its key are made anew, those of a message from its fields. */
interface ProtoField {
  number: number;
  wire: number;
  value: bigint;
  bytes: Uint8Array;
  fields?: ProtoField[];
  /** What its length says beyond the truth. */
  lie?: bigint;
}

const harshIntegers = [
  0n,
  1n,
  2n,
  127n,
  128n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n,
  2n ** 53n + 1n,
  2n ** 63n,
  2n ** 64n - 1n,
];

/**
 * Spoils a protobuf message's fields, at any depth, and gives their lengths right but for those that lie.
 * @param isMessage Whether the field at a path of numbers, such as "100.7", is a message.
 */
export const damageProtobuf = (isMessage: (path: string) => boolean): Damage => (file, random) => {
  let message = parseProto(file, "", isMessage);
  for (let times = 1 + random(3); times > 0; times--) message = spoil(message, random);
  return writeProto(message);
};

function spoil(fields: ProtoField[], random: Integers): ProtoField[] {
  const at = random(Math.max(1, fields.length));
  const field = fields[at];
  if (field?.fields && random(5)) return fields.with(at, { ...field, fields: spoil(field.fields, random) });
  return spoilList(fields, random, () =>
    pick<() => ProtoField>([
      () => ({
        ...field,
        value: pick(harshIntegers, random),
        bytes: damageBytes(field.bytes, random),
        fields: undefined,
      }),
      () => ({ ...field, number: pick([1, 2, 3, 4, 5, 6, 7, 8, 50, 100, 0x1fffffff], random) }),
      () => ({ ...field, wire: random(6), bytes: field.bytes.length < 8 ? new Uint8Array(8) : field.bytes }),
      () => ({ ...field, lie: pick([-1n, 1n, ...harshIntegers], random) }),
    ], random)());
}

function parseProto(bytes: Uint8Array, path: string, isMessage: (path: string) => boolean): ProtoField[] {
  const fields: ProtoField[] = [];
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n;; shift += 7n) {
      value |= BigInt(bytes[at] & 127) << shift;
      if (bytes[at++] < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = Number(varint());
    const number = key >> 3;
    const wire = key & 7;
    const own = path ? `${path}.${number}` : `${number}`;
    const value = wire === 0 || wire === 2 ? varint() : 0n;
    const size = [0, 8, Number(value), 0, 0, 4][wire];
    const content = bytes.subarray(at, at += size);
    const nested = wire === 2 && isMessage(own);
    fields.push({
      number,
      wire,
      value,
      bytes: content,
      fields: nested ? parseProto(content, own, isMessage) : undefined,
    });
  }
  return fields;
}

function writeProto(fields: ProtoField[]): Uint8Array {
  return joinBytes(fields.flatMap(({ number, wire, value, bytes, fields, lie = 0n }) => {
    const content = fields ? writeProto(fields) : bytes;
    const key = varint(BigInt(number * 8 + wire));
    if (wire === 0) return [key, varint(value)];
    if (wire === 2) return [key, varint(BigInt.asUintN(64, BigInt(content.length) + lie)), content];
    return [key, content.subarray(0, wire === 1 ? 8 : 4)];
  }));
}

function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  for (; value >= 128n; value >>= 7n) bytes.push(Number(value & 127n) | 128);
  return Uint8Array.of(...bytes, Number(value));
}

/** Spoils the order and number of a file's pieces, or one of them. */
export const damagePieces = <T>(
  split: (file: Uint8Array) => T[],
  join: (pieces: T[]) => Uint8Array,
  spoilPiece: (piece: T, random: Integers) => T,
): Damage =>
(file, random) => {
  const pieces = split(file);
  return join(spoilList(pieces, random, () => spoilPiece(pick(pieces, random), random)));
};

/** Spoils a PNG's chunks, with checksums that are right. */
export const damageChunks: Damage = damagePieces<Chunk>(readChunks, writeChunks, ({ type, data }, random) => ({
  type: ["IHDR", "IDAT", "PLTE", "tRNS", "zTXt", "iTXt", "tEXt", "IEND", type, type][random(10)],
  data: damageBytes(data, random),
}));
