/**
 * Small files that ask for much: compressed zeros, and headers that promise more than follows, in every format that is read. They
 * are made of bytes, without any large text, for what is measured where they are read is the readers' memory.
 */
import { constants, crc32 as nativeCrc32, deflateRawSync } from "node:zlib";
import { joinBytes } from "../../src/formats/bytes.ts";
import { crc32 } from "../../src/formats/crc32.ts";
import { writeNpy } from "../../src/formats/npy.ts";
import { encodedChunks } from "../../src/formats/png.ts";
import { type Chunk, writeChunks } from "../../src/formats/png_chunks.ts";
import type { Integers } from "./fuzz.ts";
import { flatGrey as jpeg } from "./jpeg_files.ts";

/** A hostile file, by the reader that it is for. */
export interface Bomb {
  kind: string;
  reader: "picture" | "npz" | "safetensors" | "json" | "record" | "archive";
  bytes: Uint8Array;
}

const text = (value: string) => new TextEncoder().encode(value);

/** A mebibyte of zeros, and what DEFLATE makes of it: a block that any other may follow. */
const mebibyte = new Uint8Array(2 ** 20);
const deflated = new Uint8Array(deflateRawSync(mebibyte, { level: 9, finishFlush: constants.Z_SYNC_FLUSH }));
const lastBlock = Uint8Array.of(3, 0);

/** What a mebibyte of zeros makes of each bit of a CRC-32, and so of any, for that is linear. */
const steps = Array.from({ length: 32 }, (_, bit) => ~nativeCrc32(mebibyte, ~(1 << bit) >>> 0));
const behindMebibyte = (crc: number) => ~steps.reduce((sum, step, bit) => ~crc >>> bit & 1 ? sum ^ step : sum, 0) >>> 0;

/** Zeros behind a beginning, as DEFLATE and as their size and CRC-32; a byte holds a thousand and nothing large is made. */
function zeros(mebibytes: number, beginning = new Uint8Array(0)) {
  const [length, size] = [beginning.length, beginning.length + mebibytes * mebibyte.length];
  const stored = joinBytes([Uint8Array.of(0, length & 255, length >> 8, ~length & 255, ~length >> 8 & 255), beginning]);
  let crc = crc32(beginning);
  for (let n = 0; n < mebibytes; n++) crc = behindMebibyte(crc);
  return { bytes: joinBytes([stored, ...Array(mebibytes).fill(deflated), lastBlock]), size, crc };
}

/** The zlib stream of zeros alone, as PNG has it. */
function zlib(mebibytes: number): Uint8Array {
  const adler = new Uint8Array(4);
  new DataView(adler.buffer).setUint32(0, (mebibytes * 2 ** 20 % 65_521 << 16 | 1) >>> 0);
  return joinBytes([Uint8Array.of(0x78, 0xda), zeros(mebibytes).bytes, adler]);
}

const little = (...fields: [value: number, size: number][]) =>
  Uint8Array.from(fields.flatMap(([value, size]) => Array.from({ length: size }, (_, i) => value / 256 ** i & 255)));

/** A gzip file of zeros. */
function gzip(mebibytes: number): Uint8Array {
  const { bytes, size, crc } = zeros(mebibytes);
  return joinBytes([Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255), bytes, little([crc, 4], [size, 4])]);
}

/** A zip archive; `claimed` sizes are what the directory says instead of the truth. */
function zip(files: Record<string, ReturnType<typeof zeros> & { claimed?: number }>): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  for (const [name, { bytes, size, crc, claimed = size }] of Object.entries(files)) {
    const label = text(name);
    const facts = little([20, 2], [0, 2], [8, 2], [0, 4], [crc, 4], [bytes.length, 4], [claimed, 4]);
    const file = [little([0x04034b50, 4]), facts, little([label.length, 2], [0, 2]), label, bytes];
    directory.push(little([0x02014b50, 4], [20, 2]), facts, little([label.length, 2], [0, 12], [at, 4]), label);
    parts.push(...file);
    at += joinBytes(file).length;
  }
  const list = joinBytes(directory);
  const count = Object.keys(files).length;
  const end = little([0x06054b50, 4], [0, 4], [count, 2], [count, 2], [list.length, 4], [at, 4], [0, 2]);
  return joinBytes([...parts, list, end]);
}

/** The beginning of a .npy file of so many bytes. */
const npyHeader = (mebibytes: number) => {
  const whole = writeNpy({ shape: [0], data: new Uint8Array(0) });
  const dict = new TextDecoder("latin1").decode(whole);
  const shape = `(${mebibytes * 2 ** 20},)`;
  return Uint8Array.from(
    dict.replace(/\(0,\), \}\s+$/, `${shape}, }`).padEnd(whole.length - 1) + "\n",
    (letter) => letter.charCodeAt(0),
  );
};

const [header, pixels, end] = encodedChunks({ width: 1, height: 1, rgb: new Uint8Array(3) });

/** IHDR of a picture. */
function ihdr(width: number, height: number, depth: number, type: number, interlaced = 0): Chunk {
  const data = new Uint8Array(13);
  const view = new DataView(data.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  data.set([depth, type, 0, 0, interlaced], 8);
  return { type: "IHDR", data };
}

/** A text between two others, so many times. */
function repeated(before: string, each: string, times: number, after: string): Uint8Array {
  const middle = new Uint8Array(each.length * times);
  if (times > 0) middle.set(text(each));
  for (let done = each.length; done < middle.length; done *= 2) middle.copyWithin(done, 0, done);
  return joinBytes([text(before), middle, text(after)]);
}

/** An object of so many keys, each another number, written over noughts. */
function keys(count: number): Uint8Array {
  const each = '"000000":{},';
  const object = repeated("{", each, count, '"a":{}}');
  for (let n = 0; n < count; n++) {
    for (let place = 6; place > 0; place--) {
      object[1 + n * each.length + place] += Math.floor(n / 10 ** (6 - place)) % 10;
    }
  }
  return object;
}

function safetensors(head: Uint8Array): Uint8Array {
  return joinBytes([new Uint8Array(new BigUint64Array([BigInt(head.length)]).buffer), head]);
}

const frame = jpeg.findIndex((byte, at) => byte === 0xff && jpeg[at + 1] === 0xc0);

/** A JPEG that says it is larger, and how it is coded, with scans of zeros. */
function largeJpeg(width: number, height: number, bytes: number, coding: number, scans: number): Uint8Array {
  const scan = jpeg.findIndex((byte, at) => byte === 0xff && jpeg[at + 1] === 0xda);
  const head = jpeg.slice(0, scan);
  const view = new DataView(head.buffer);
  view.setUint16(frame + 5, height);
  view.setUint16(frame + 7, width);
  head[frame + 1] = coding;
  const body = joinBytes([jpeg.subarray(scan, -2), new Uint8Array(Math.ceil(bytes / scans))]);
  return joinBytes([head, ...Array(scans).fill(body), Uint8Array.of(0xff, 0xd9)]);
}

/** How bombs are made, each with a size of its own. */
const makers: [kind: string, reader: Bomb["reader"], make: (random: Integers, size: number) => Uint8Array][] = [
  ["zTXt", "picture", (_, size) => {
    const data = joinBytes([Uint8Array.of(97, 0, 0), zlib(size)]);
    return writeChunks([header, { type: "zTXt", data }, pixels, end]);
  }],
  ["iTXt", "picture", (_, size) => {
    const data = joinBytes([Uint8Array.of(97, 0, 1, 0, 0, 0), zlib(size)]);
    return writeChunks([header, { type: "iTXt", data }, pixels, end]);
  }],
  ["iCCP", "picture", (_, size) => {
    const data = joinBytes([Uint8Array.of(97, 0, 0), zlib(size)]);
    return writeChunks([header, { type: "iCCP", data }, pixels, end]);
  }],
  ["IDAT", "picture", (random, size) => {
    const side = 1 + random(9000);
    const [depth, type] = [[8, 2], [16, 6], [1, 0], [1, 3], [16, 0]][random(5)];
    const data = zlib(size);
    return writeChunks([ihdr(side, side, depth, type, random(2)), { type: "IDAT", data }, end]);
  }],
  ["JPEG", "picture", (random, size) => {
    const bytes = 1000 * (size & 1023);
    const scans = 1 + random(3) * 45;
    const coding = [0xc0, 0xc2, 0xc9, 0xca][random(4)]; // baseline and progressive, Huffman's and arithmetic
    return largeJpeg(1 + random(65_535), 1 + random(4000), bytes, coding, scans);
  }],
  ["npz", "npz", (random, size) => {
    const array = zeros(size, npyHeader(size));
    return zip({ "images.npy": array, ...(random(2) ? { "labels.npy": array } : {}) });
  }],
  ["npz that lies", "npz", (random, size) => {
    return zip({ "images.npy": { ...zeros(size, npyHeader(size)), claimed: 1 + random(2 ** 27) } });
  }],
  ["zip", "archive", (_, size) => zip({ "fc6/generator.prototxt": zeros(size) })],
  ["tar.gz", "archive", (_, size) => gzip(size)],
  ["header", "safetensors", (random, size) => {
    const one = ["[],", "{},", "1,", '"a",'][random(4)];
    return safetensors(repeated('{"a":[', one, 50_000 * (size & 63), "1]}"));
  }],
  ["keys", "safetensors", (_, size) => safetensors(keys(5000 * (size & 63)))],
  ["lists", "json", (random, size) => {
    return repeated('{"name":"a","inputs":[', ["[],", "{},"][random(2)], 50_000 * (size & 63), "1]}");
  }],
  ["units", "record", (_, size) => repeated('{"units":[', "7,", 20_000 * (size & 63), "7]}")],
];

/** The nth bomb, of up to `most` mebibytes unpacked. */
export function bomb(n: number, random: Integers, most: number): Bomb {
  const [kind, reader, make] = makers[n % makers.length];
  return { kind, reader, bytes: make(random, 1 + random(most)) };
}

/** Of how many kinds bombs are. */
export const kinds = makers.length;
