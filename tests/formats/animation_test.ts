import assert from "node:assert/strict";
import { decodeApng } from "fast-png";
import { encodeApng, encodeGif } from "../../src/formats/animation.ts";
import { enlarge } from "../../src/formats/image.ts";
import { decodeImage } from "../../src/formats/png.ts";
import { readChunks } from "../../src/formats/png_chunks.ts";

const solid = (width: number, height: number, colour: number[]) => ({
  width,
  height,
  rgb: Uint8Array.from({ length: width * height * 3 }, (_, i) => colour[i % 3]),
});
const frames = [solid(4, 3, [255, 0, 0]), solid(4, 3, [0, 255, 0]), solid(4, 3, [1, 2, 3])];

Deno.test("apng: every frame comes back; a plain reader sees the first, and the text", async () => {
  const bytes = encodeApng(frames, { delayMs: 40 }, { unit: "945" });
  const decoded = decodeApng(bytes);
  assert.equal(decoded.numberOfFrames, 3);
  assert.equal(decoded.numberOfPlays, 0);
  assert.deepEqual(decoded.frames.map(({ data }) => data), frames.map(({ rgb }) => rgb));
  assert.deepEqual(decoded.frames.map(({ delayNumber, delayDenominator }) => delayNumber / delayDenominator), [
    0.04,
    0.04,
    0.04,
  ]);
  assert.deepEqual(await decodeImage(bytes, "x"), { ...frames[0], text: { unit: "945" }, textLost: false });
  const numbers = readChunks(bytes).filter(({ type }) => type === "fcTL" || type === "fdAT").map(({ data }) => data[3]);
  assert.deepEqual(numbers, [0, 1, 2, 3, 4]);
});

Deno.test("apng: stored as grey where all frames are", () => {
  const dark = solid(2, 1, [9, 9, 9]);
  const light = solid(2, 1, [200, 200, 200]);
  const grey = decodeApng(encodeApng([dark, light], { delayMs: 40 }));
  assert.deepEqual([grey.channels, ...grey.frames.map(({ data }) => [...data])], [1, [9, 9], [200, 200]]);
  const mixed = decodeApng(encodeApng([dark, solid(2, 1, [1, 2, 3])], { delayMs: 40 }));
  assert.deepEqual([mixed.channels, ...mixed.frames.map(({ data }) => data[2])], [3, 9, 3]);
});

Deno.test("gif: size, endless loop, and each frame with its delay", () => {
  const bytes = encodeGif([solid(2, 1, [255, 0, 0]), solid(2, 1, [0, 0, 255])], { delayMs: 100 });
  const text = String.fromCharCode(...bytes);
  assert.equal(text.slice(0, 6), "GIF89a");
  assert.deepEqual([...bytes.subarray(6, 10)], [2, 0, 1, 0]);
  assert.ok(text.includes("NETSCAPE2.0\x03\x01\0\0\0"), "loops for ever");
  assert.equal(text.split("\x21\xf9\x04").length, 3, "two frames");
  assert.ok(text.includes("\x21\xf9\x04\0\x0a\0\0\0"), "ten hundredths of a second a frame");
  assert.ok(text.endsWith("\0\x3b"));
});

Deno.test("animations: frames whose time is no whole step are rounded so that the whole is right", () => {
  const many = Array.from({ length: 12 }, (_, n) => solid(1, 1, [n, 0, 0]));
  const delayMs = 1000 / 12;
  const gif = encodeGif(many, { delayMs });
  const controls = [...gif.keys()].filter((at) => gif[at] === 0x21 && gif[at + 1] === 0xf9 && gif[at + 2] === 4);
  assert.equal(controls.reduce((sum, at) => sum + gif[at + 4], 0), 100);
  const { frames } = decodeApng(encodeApng(many, { delayMs }));
  const seconds = frames.reduce((sum, { delayNumber, delayDenominator }) => sum + delayNumber / delayDenominator, 0);
  assert.equal(seconds.toFixed(6), "1.000000");
});

Deno.test("animations enlarged: every pixel of every frame is repeated, those of a frame shown twice too", () => {
  const two = { width: 2, height: 2, rgb: Uint8Array.from({ length: 12 }, (_, i) => 20 * i) };
  const showing = { delayMs: 40, scale: 3 };
  const { frames: decoded } = decodeApng(encodeApng([solid(2, 2, [1, 2, 3]), two, two], showing));
  const expected = Array.from({ length: 36 * 3 }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % 6, Math.floor(i / 18)];
    return two.rgb[3 * (2 * Math.floor(y / 3) + Math.floor(x / 3)) + i % 3];
  });
  assert.equal(decoded.length, 3);
  for (const { data } of decoded.slice(1)) assert.deepEqual([...data], expected);
  assert.deepEqual([...enlarge(two, 3).rgb], expected);
  assert.deepEqual([...encodeGif([two], showing).subarray(6, 10)], [6, 0, 6, 0]);
});

Deno.test("animations of no frame or of frames of two sizes are refused", () => {
  for (const encode of [encodeGif, encodeApng]) {
    assert.throws(() => encode([], { delayMs: 40 }), /needs a frame/);
    assert.throws(() => encode([frames[0], solid(3, 3, [0, 0, 0])], { delayMs: 40 }), /differ in size: 4×3 and 3×3/);
  }
});
