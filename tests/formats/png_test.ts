import assert from "node:assert/strict";
import { encode, type ImageData } from "fast-png";
import { zlibSync } from "fflate";
import { decodeImage, encodePng } from "../../src/formats/png.ts";
import { joinBytes } from "../../src/formats/bytes.ts";
import { type Chunk, readChunks, writeChunks } from "../../src/formats/png_chunks.ts";
import { UserError } from "../../src/formats/user_error.ts";
import { damageChunks } from "./damage.ts";
import { fuzzAsync, randomIntegers } from "./fuzz.ts";

const random = randomIntegers(7);
const noise = (n: number, top = 256) => Uint8Array.from({ length: n }, () => random(top));

/** A PNG of any kind, from its raw rows: a filter byte and packed samples each. */
function rawPng(
  width: number,
  height: number,
  depth: number,
  type: number,
  rows: number[],
  extra: Chunk[] = [],
) {
  const header = [0, 0, width >> 8, width & 255, 0, 0, height >> 8, height & 255, depth, type, 0, 0, 0];
  return writeChunks([
    { type: "IHDR", data: Uint8Array.from(header) },
    ...extra,
    { type: "IDAT", data: zlibSync(Uint8Array.from(rows)) },
    { type: "IEND", data: new Uint8Array(0) },
  ]);
}
const rgbOf = async (bytes: Uint8Array) => [...(await decodeImage(bytes, "x")).rgb];
const grey = (...values: number[]) => values.flatMap((value) => [value, value, value]);

Deno.test("png: pixels and text of any language come back", async () => {
  const image = { width: 7, height: 5, rgb: noise(7 * 5 * 3) };
  const text = {
    parameters: JSON.stringify({ unit: 945, label: "Spanischer Pfeffer, 辣椒 🌶" }),
    Software: "Phosphene",
    latin: "é",
    empty: "",
  };
  const bytes = encodePng(image, text);
  assert.deepEqual(await decodeImage(bytes, "x"), { ...image, text, textLost: false });
  const types = readChunks(bytes).map(({ type }) => type);
  assert.deepEqual(types, ["IHDR", "iTXt", "tEXt", "iTXt", "tEXt", "IDAT", "IEND"]);
  assert.throws(() => encodePng(image, { "": "x" }), RangeError);
});

Deno.test("png: golden bytes", () => {
  const bytes = encodePng({ width: 1, height: 1, rgb: Uint8Array.of(255, 0, 0) }, { a: "b" });
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const header = "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de";
  const text = "0000000374455874610062dc49a23b";
  assert.equal(hex.slice(0, header.length + text.length), header + text); // what follows is the deflater's affair
  assert.match(hex, /0000000049454e44ae426082$/);
});

Deno.test("png: a picture of greys alone is stored as grey", async () => {
  const image = { width: 3, height: 2, rgb: Uint8Array.from(grey(0, 1, 2, 250, 7, 255)) };
  const bytes = encodePng(image, { a: "b" });
  assert.deepEqual(await decodeImage(bytes, "x"), { ...image, text: { a: "b" }, textLost: false });
  const type = (file: Uint8Array) => readChunks(file)[0].data[9];
  assert.equal(type(bytes), 0);
  for (const c of [0, 1, 2]) {
    const coloured = { ...image, rgb: image.rgb.with(9 + c, 251) };
    assert.equal(type(encodePng(coloured)), 2);
    assert.deepEqual((await decodeImage(encodePng(coloured), "x")).rgb, coloured.rgb);
  }
});

Deno.test("png: compressed text of other programs is read", async () => {
  const encoder = new TextEncoder();
  const [header, ...rest] = readChunks(encodePng({ width: 1, height: 1, rgb: Uint8Array.of(1, 2, 3) }));
  const zTXt = { type: "zTXt", data: Uint8Array.of(97, 0, 0, ...zlibSync(Uint8Array.of(0xe9))) };
  const iTXt = { type: "iTXt", data: Uint8Array.of(98, 0, 1, 0, 0, 0, ...zlibSync(encoder.encode("椒"))) };
  assert.deepEqual((await decodeImage(writeChunks([header, zTXt, iTXt, ...rest]), "x")).text, { a: "é", b: "椒" });
});

Deno.test("png: every colour type and depth", async () => {
  const none = 0;
  assert.deepEqual(await rgbOf(rawPng(3, 2, 1, 0, [none, 0b10100000, none, 0b01000000])), grey(255, 0, 255, 0, 255, 0));
  assert.deepEqual(await rgbOf(rawPng(3, 1, 2, 0, [none, 0b00011000])), grey(0, 85, 170));
  assert.deepEqual(await rgbOf(rawPng(2, 1, 4, 0, [none, 0x1f])), grey(17, 255));
  assert.deepEqual(await rgbOf(rawPng(2, 1, 16, 0, [none, 0x80, 0x80, 0xff, 0xff])), grey(128, 255));
  assert.deepEqual(await rgbOf(rawPng(1, 1, 16, 2, [none, 1, 1, 2, 2, 3, 3])), [1, 2, 3]);
  assert.deepEqual(await rgbOf(rawPng(2, 1, 8, 4, [none, 100, 255, 100, 0])), grey(100, 255)); // transparent: white
  assert.deepEqual(await rgbOf(rawPng(1, 1, 8, 6, [none, 0, 100, 255, 51])), [204, 224, 255]);
  const palette = { type: "PLTE", data: Uint8Array.of(9, 8, 7, 255, 0, 0) };
  const alpha = { type: "tRNS", data: Uint8Array.of(0) };
  assert.deepEqual(await rgbOf(rawPng(2, 1, 1, 3, [none, 0b01000000], [palette])), [9, 8, 7, 255, 0, 0]);
  assert.deepEqual(await rgbOf(rawPng(2, 1, 8, 3, [none, 0, 1], [palette, alpha])), [255, 255, 255, 255, 0, 0]);
  const key = { type: "tRNS", data: Uint8Array.of(0, 1, 0, 2, 0, 3) };
  assert.deepEqual(await rgbOf(rawPng(2, 1, 8, 2, [none, 1, 2, 3, 1, 2, 4], [key])), [255, 255, 255, 1, 2, 4]);
});

Deno.test("png: interlaced files equal plain ones", async () => {
  for (const [width, height] of [[1, 1], [3, 5], [9, 8], [17, 13]]) {
    const image: ImageData = { width, height, data: noise(width * height * 3), channels: 3, depth: 8 };
    assert.deepEqual(
      await decodeImage(encode(image, { interlace: "Adam7" }), "x"),
      await decodeImage(encode(image), "x"),
    );
  }
});

Deno.test("png: interlaced files of a few bits a pixel", async () => {
  const [width, height, depth] = [5, 3, 2];
  const value = (x: number, y: number) => (3 * x + y) % 4;
  const rows: number[] = [];
  const passes = [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2]];
  for (const [left, top, dx, dy] of passes) {
    for (let y = top; y < height && left < width; y += dy) {
      const packed = new Uint8Array(Math.ceil(Math.ceil((width - left) / dx) * depth / 8));
      let n = 0;
      for (let x = left; x < width; x += dx, n++) packed[n >> 2] |= value(x, y) << 6 - 2 * (n & 3);
      rows.push(0, ...packed);
    }
  }
  const [header, ...rest] = readChunks(rawPng(width, height, depth, 0, rows));
  header.data[12] = 1;
  const expected = Array.from({ length: width * height }, (_, i) => 85 * value(i % width, Math.floor(i / width)));
  assert.deepEqual(await rgbOf(writeChunks([header, ...rest])), grey(...expected));
});

Deno.test("png: data in pieces of one byte take no more time than in one", async () => {
  const side = 200;
  const [header, data, end] = readChunks(encodePng({ width: side, height: side, rgb: noise(3 * side * side) }));
  const bytes = Array.from(data.data, (byte) => ({ type: "IDAT", data: Uint8Array.of(byte) }));
  const start = performance.now();
  assert.equal((await decodeImage(writeChunks([header, ...bytes, end]), "x")).width, side);
  assert.ok(performance.now() - start < 10_000);
});

/** A copy in which the checksum of the chunk of this type is another. */
function otherChecksum(file: Uint8Array, type: string): Uint8Array {
  const at = new TextDecoder("latin1").decode(file).indexOf(type) + 4;
  return file.with(at + new DataView(file.buffer).getUint32(at - 8), 1);
}

Deno.test("png: what is no part of the pixels may be damaged or missing", async () => {
  const image = { width: 5, height: 4, rgb: noise(60) };
  const [header, text, data, end] = readChunks(encodePng(image, { a: "b" }));
  const chunk = (type: string, ...content: Uint8Array[]) => ({ type, data: joinBytes(content) });
  const stream = data.data.subarray(0, -4);
  const sum = data.data.subarray(-4);
  const whole: Record<string, Uint8Array> = {
    "bytes behind the stream": writeChunks([header, text, chunk("IDAT", data.data, noise(20_000)), end]),
    "a byte in a chunk of its own": writeChunks([header, text, data, chunk("IDAT", Uint8Array.of(7)), end]),
    "no checksum of the pixels": writeChunks([header, text, chunk("IDAT", stream), end]),
    "another checksum of what is not needed": otherChecksum(
      writeChunks([header, text, chunk("pHYs"), data, end]),
      "pHYs",
    ),
    "another checksum of the end": otherChecksum(writeChunks([header, text, data, end]), "IEND"),
    "no end": writeChunks([header, text, data]),
    "half an end": writeChunks([header, text, data, end]).subarray(0, -7),
    "half a chunk at the end": writeChunks([header, text, data, chunk("tIME", noise(7))]).subarray(0, -7),
  };
  for (const [what, file] of Object.entries(whole)) {
    assert.deepEqual(await decodeImage(file, "x"), { ...image, text: { a: "b" }, textLost: false }, what);
  }
  assert.deepEqual(await rgbOf(rawPng(2, 1, 8, 0, [0, 1, 2, 0, 3, 4])), grey(1, 2)); // a row too many
  const faults: [Uint8Array, RegExp][] = [
    [otherChecksum(writeChunks([header, data, end]), "IDAT"), /a checksum is wrong/],
    [otherChecksum(writeChunks([header, chunk("tRNS", noise(6)), data, end]), "tRNS"), /a checksum is wrong/],
    [writeChunks([header, chunk("IDAT", stream, sum.map((byte) => byte ^ 1)), end]), /compressed data are damaged/],
    [writeChunks([header, data, end]).subarray(0, -20), /it is truncated/],
  ];
  for (const [file, message] of faults) await assert.rejects(() => decodeImage(file, "x"), message);
});

Deno.test("png: text that cannot be read is passed over, and that it was there is told", async () => {
  const image = { width: 1, height: 1, rgb: noise(3) };
  const [header, text, ...rest] = readChunks(encodePng(image, { a: "b" }));
  const long = Array(3).fill({
    type: "zTXt",
    data: joinBytes([Uint8Array.of(99, 0, 0), zlibSync(new Uint8Array(6e6))]),
  });
  const malformed = ["tEXtno end", "tEXt\0no keyword", "zTXtc\0\0not zlib", "iTXtc\0\0\0", "iTXtc\0\x01\0\0\0not zlib"]
    .map((bad) => [{ type: bad.slice(0, 4), data: new TextEncoder().encode(bad.slice(4)) }]);
  for (const lost of [long, ...malformed]) {
    const { text: { a }, textLost, ...pixels } = await decodeImage(writeChunks([header, ...lost, text, ...rest]), "x");
    assert.deepEqual([a, textLost, pixels], ["b", true, image]);
  }
  const { text: none, textLost } = await decodeImage(otherChecksum(writeChunks([header, text, ...rest]), "tEXt"), "x");
  assert.deepEqual([none, textLost], [{}, true]);
});

Deno.test("pictures: each fault is named", async () => {
  const png = encodePng({ width: 2, height: 2, rgb: noise(12) });
  const [header, data, end] = readChunks(png);
  const huge = Uint8Array.from(header.data);
  new DataView(huge.buffer).setUint32(0, 2 ** 31);
  const cases: [Uint8Array, RegExp][] = [
    [new Uint8Array(0), /photo: neither a PNG nor a JPEG/],
    [png.subarray(0, 40), /photo: this PNG cannot be read: it is truncated/],
    [png.map((byte, i) => i === 45 ? byte ^ 1 : byte), /a checksum is wrong/],
    [writeChunks([{ type: "IHDR", data: huge }, data, end]), /2147483648 × 2 pixels/],
    [writeChunks([header, end]), /take 14 bytes, 0 are there/],
    [
      writeChunks([header, { type: "IDAT", data: data.data.map((byte) => byte ^ 1) }, end]),
      /compressed data are damaged/,
    ],
    [rawPng(1, 1, 8, 0, [5, 0]), /there is no filter 5/],
    [writeChunks([header, { type: "IDAT", data: zlibSync(new Uint8Array(3)) }, end]), /take 14 bytes, 3 are there/],
    [writeChunks([data, end]), /does not start with a header/],
    [rawPng(1, 1, 8, 3, [0, 0]), /no palette/],
    [rawPng(1, 1, 8, 3, [0, 5], [{ type: "PLTE", data: Uint8Array.of(1, 2, 3) }]), /uses colour 5/],
    [rawPng(1, 1, 4, 2, [0, 0, 0]), /colour type 2 with 4 bits/],
  ];
  for (const [bytes, message] of cases) {
    await assert.rejects(() => decodeImage(bytes, "photo"), (error) => {
      assert.ok(error instanceof UserError, String((error as Error).stack));
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test("png: damaged files", async () => {
  const png = encodePng({ width: 9, height: 9, rgb: noise(243) }, { a: "b", c: "辣" });
  await fuzzAsync(png, 200, (bytes) => decodeImage(bytes, "x"));
  await fuzzAsync(png, 300, (bytes) => decodeImage(bytes, "x"), { damage: damageChunks });
  const chunks = readChunks(png);
  const interlaced = encode({ width: 9, height: 9, data: noise(243), channels: 3 }, { interlace: "Adam7" });
  const palette = rawPng(8, 2, 4, 3, [0, 1, 2, 3, 4, 0, 1, 1, 1, 1], [{ type: "PLTE", data: noise(48) }]);
  for (const file of [chunks, readChunks(interlaced), readChunks(palette)]) {
    for (const [i, { type, data }] of file.entries()) { // behind the checksums
      await fuzzAsync(data, 100, (damaged) => decodeImage(writeChunks(file.with(i, { type, data: damaged })), "x"));
    }
  }
});
