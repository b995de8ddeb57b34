import assert from "node:assert/strict";
import { joinBytes } from "../../src/formats/bytes.ts";
import { crc32 } from "../../src/formats/crc32.ts";
import { decodeImage } from "../../src/formats/png.ts";
import { UserError } from "../../src/formats/user_error.ts";
import { fuzzAsync } from "./fuzz.ts";
import { damageSegments, halfRed, jpegFiles, segments, unusualArithmetic } from "./jpeg_files.ts";

const photo = jpegFiles[0].bytes;

for (const { kind, crc, bytes } of jpegFiles) {
  Deno.test(`jpeg: ${kind}, to the bit as libjpeg`, async () => {
    const { width, height, rgb } = await decodeImage(bytes, "x");
    assert.deepEqual([width, height, crc32(rgb)], [27, 19, crc]);
  });
}

/** An APP1 segment whose one TIFF entry is the orientation. */
const exif = (orientation: number) => {
  const entry = [0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0];
  const tiff = [0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, ...entry, 0, 0, 0, 0];
  return [0xff, 0xe1, 0, 8 + tiff.length, 0x45, 0x78, 0x69, 0x66, 0, 0, ...tiff];
};

Deno.test("jpeg: decoded, and turned upright", async () => {
  const turned = (orientation: number) =>
    decodeImage(Uint8Array.from([0xff, 0xd8, ...exif(orientation), ...halfRed.subarray(2)]), "x");
  const isRed = ({ width, rgb }: { width: number; rgb: Uint8Array }, x: number, y: number) =>
    rgb[3 * (y * width + x)] > 128;
  // where the stored left half is shown: x or y, and whether at its start
  const shown = { 1: "left", 2: "right", 3: "right", 4: "left", 5: "top", 6: "top", 7: "bottom", 8: "bottom" };
  for (const [orientation, side] of Object.entries(shown)) {
    const image = await turned(Number(orientation));
    const upright = side === "left" || side === "right";
    assert.deepEqual([image.width, image.height], upright ? [16, 8] : [8, 16], `orientation ${orientation}`);
    const first = side === "left" || side === "top";
    assert.equal(isRed(image, 2, 2), first, `orientation ${orientation}`);
    assert.equal(isRed(image, image.width - 3, image.height - 3), !first, `orientation ${orientation}`);
  }
});

/** A copy of the photo, or of the file of another kind, whose frame has another byte, so far behind its marker's 0xff. */
function otherFrame(offset: number, value: number, kind = jpegFiles[0].kind): Uint8Array {
  const { bytes } = jpegFiles.find((file) => file.kind === kind)!;
  return bytes.with(bytes.findIndex((byte, at) => byte === 0xff && bytes[at + 1] === 0xc0) + offset, value);
}

Deno.test("jpeg: each fault is named", async () => {
  const cases: [Uint8Array, RegExp][] = [
    [photo.subarray(0, photo.length - 40), /photo: this JPEG cannot be read: it is truncated/],
    [photo.subarray(0, 100), /it is truncated/],
    [joinBytes(segments(photo).filter((piece) => piece[1] !== 0xc0)), /no picture of a known kind/],
    [joinBytes(segments(photo).flatMap((piece) => piece[1] === 0xc0 ? [piece, piece] : [piece])), /several frames/],
    [
      joinBytes(segments(photo).toSpliced(-1, 0, segments(photo).find((piece) => piece[1] === 0xc0)!)),
      /several frames/,
    ],
    [
      joinBytes(segments(photo).flatMap((piece) => piece[1] === 0xda ? Array(101).fill(piece) : [piece])),
      /101 scans/,
    ],
    [otherFrame(1, 0xc3), /lossless or hierarchical/],
    [otherFrame(1, 0xc9, "CMYK"), /four colours in arithmetic coding are not read/],
    [unusualArithmetic, /colours in blocks of 3×1, 1×1, 1×1 are not read in arithmetic coding/],
    [otherFrame(4, 12), /12 bits a sample/],
    [otherFrame(9, 2), /2 colour channels/],
    [otherFrame(5, 0xff), /27 × 65299 pixels do not go with/],
    [joinBytes(segments(photo).filter((piece) => piece[1] !== 0xdb)), /it is damaged/],
  ];
  for (const [bytes, message] of cases) {
    await assert.rejects(() => decodeImage(bytes, "photo"), (error) => {
      assert.ok(error instanceof UserError, String((error as Error).stack));
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test("jpeg: scans behind the end of the picture are none of it", async () => {
  const scan = segments(photo).find((piece) => piece[1] === 0xda)!;
  const { rgb } = await decodeImage(joinBytes([photo, ...Array(200).fill(scan)]), "x");
  assert.equal(crc32(rgb), jpegFiles[0].crc);
});

Deno.test("jpeg: damaged files", async () => {
  const rotated = Uint8Array.from([0xff, 0xd8, ...exif(6), ...photo.subarray(2)]);
  for (const { kind, bytes } of [{ kind: "rotated", bytes: rotated }, ...jpegFiles]) {
    const rounds = kind.includes("arithmetic") ? 20 : 100; // whose decoder is made anew after every failure
    for (const damage of [undefined, damageSegments]) {
      await fuzzAsync(bytes, rounds, (bytes) => decodeImage(bytes, "x"), { damage });
    }
  }
});
