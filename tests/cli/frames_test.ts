/** The sheet of a picture's iterations. */
import assert from "node:assert/strict";
import { encodeFrames } from "../../src/cli/synth/frames.ts";
import { contactSheet, type Image } from "../../src/formats/image.ts";
import { decodeImage } from "../../src/formats/png.ts";

Deno.test("a sheet of iterations: each picture with its number and its activation, ten in a row", async () => {
  const frames = Array.from({ length: 12 }, (_, n) => {
    const picture: Image = { width: 4, height: 4, rgb: new Uint8Array(48).fill(20 * n) };
    return { picture, iteration: n + 1, activation: n / 8 - 1 };
  });
  const text = { Software: "a test" };
  const file = encodeFrames("sheet", frames, { picture: frames[11].picture, scale: 1, text });
  const captions = ["1: -1.00", "2: -0.88", "3: -0.75", "4: -0.63", "5: -0.50", "6: -0.38"];
  captions.push("7: -0.25", "8: -0.13", "9: 0.00", "10: 0.13", "11: 0.25", "12: 0.38");
  const expected = contactSheet(frames.map(({ picture }, n) => ({ image: picture, caption: captions[n] })), 10);
  const { width, height, rgb } = await decodeImage(file, "sheet.png");
  assert.deepEqual([width, height], [expected.width, expected.height]);
  assert.equal(rgb.findIndex((level, at) => level !== expected.rgb[at]), -1);
});
