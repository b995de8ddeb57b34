import assert from "node:assert/strict";
import { textWidth, wrapText, writeText } from "../../src/formats/font.ts";
import { centreCrop, contactSheet, type Image, resizeRgb } from "../../src/formats/image.ts";

const make = (width: number, height: number, value: (x: number, y: number, c: number) => number): Image => ({
  width,
  height,
  rgb: Uint8Array.from(
    { length: width * height * 3 },
    (_, i) => value(Math.floor(i / 3) % width, Math.floor(i / 3 / width), i % 3),
  ),
});

Deno.test("resize: a flat picture stays flat, the mean stays, a ramp stays a ramp", () => {
  for (const [width, height] of [[3, 2], [64, 64], [1, 1], [7, 50]]) {
    assert.deepEqual(
      resizeRgb(make(13, 9, (_x, _y, c) => 50 * c), width, height),
      make(width, height, (_, __, c) => 50 * c),
    );
  }
  const checks = resizeRgb(make(64, 64, (x, y) => (x + y) % 2 * 255), 8, 8);
  assert.ok(checks.rgb.every((value) => Math.abs(value - 127.5) < 8), "fine detail averages out");
  const ramp = resizeRgb(make(4, 1, (x) => 60 * x), 8, 1);
  assert.deepEqual([...ramp.rgb].filter((_, i) => i % 3 === 0), [0, 15, 45, 75, 105, 135, 165, 180]);
  assert.deepEqual([...resizeRgb(make(4, 1, (x) => 60 * x), 2, 1).rgb].filter((_, i) => i % 3 === 0), [43, 137]);
});

Deno.test("resize: without smoothing, what OpenCV's INTER_LINEAR gives", () => {
  const grey = [[10, 200, 30, 90, 250], [0, 7, 255, 128, 64], [90, 80, 70, 60, 50], [1, 2, 3, 250, 9]];
  const small = resizeRgb(make(5, 4, (x, y) => grey[y][x]), 3, 3, { smooth: false });
  const opencv = [61, 67, 178, 44, 163, 69, 15, 14, 83]; // which rounds in fixed point
  for (const [i, value] of opencv.entries()) assert.ok(Math.abs(small.rgb[3 * i] - value) <= 1);
});

Deno.test("crop: the middle square", () => {
  const wide = centreCrop(make(5, 2, (x) => x), { width: 2, height: 2 });
  assert.deepEqual(wide, make(2, 2, (x) => x + 1));
  assert.deepEqual(centreCrop(make(1, 4, (_, y) => y), { width: 1, height: 1 }), make(1, 1, () => 1));
});

Deno.test("captions: letters are drawn where they belong, and cut off at the edge", () => {
  const picture = make(7, 8, () => 255);
  writeText(picture, "L!", 1, 0);
  const rows = Array.from(
    { length: 8 },
    (_, y) => Array.from({ length: 7 }, (_, x) => picture.rgb[3 * (7 * y + x)] ? "." : "#").join(""),
  );
  assert.deepEqual(rows, [".#.....", ".#.....", ".#.....", ".#.....", ".#.....", ".#.....", ".#####.", "......."]);
});

Deno.test("captions: wrapped between words, shortened, and free of characters that the font lacks", () => {
  assert.deepEqual(wrapText("bell pepper seed 0", 65, 3), ["bell pepper", "seed 0"]);
  assert.deepEqual(wrapText("one two three four", 29, 2), ["one", "tw..."]);
  assert.deepEqual(wrapText("Rhododendron", 29, 3), ["Rhodo", "dendr", "on"]);
  assert.deepEqual(wrapText("naïve 椒~", 200, 1), ["naive ??"]);
  assert.deepEqual(wrapText("", 200, 1), []);
  assert.equal(textWidth("ab"), 11);
});

Deno.test("contact sheet: small pictures are enlarged to 128 pixels, captions stand below", () => {
  const tile = { image: make(64, 64, (x, y) => x + y), caption: "945 bell pepper" };
  const sheet = contactSheet([tile, tile, { ...tile, caption: "" }], 2);
  assert.deepEqual([sheet.width, sheet.height], [8 + 2 * 136, 8 + 2 * (128 + 10 + 8)]);
  const at = (x: number, y: number) => sheet.rgb[3 * (y * sheet.width + x)];
  assert.equal(at(8, 8), 0);
  assert.equal(at(8 + 127, 8 + 127), 126);
  assert.equal(at(8 + 3, 8 + 2), 2);
  const dark = (x: number, y: number, width: number, height: number) => {
    let count = 0;
    for (let j = y; j < y + height; j++) for (let i = x; i < x + width; i++) if (at(i, j) === 0) count++;
    return count;
  };
  assert.ok(dark(8, 8 + 128, 128, 10) > 100, "a caption below the first");
  assert.equal(dark(8, 8 + 146 + 128, 128, 10), 0, "none below the third");
  assert.equal(dark(144, 8 + 146, 128, 128), 0, "no fourth picture");
  assert.deepEqual([contactSheet([tile], 5).width], [144]);
});
