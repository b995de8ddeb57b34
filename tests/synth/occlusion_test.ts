/** Regions that excite a unit, found by hiding them: a made patch, of which the unit's activation is known. */
import assert from "node:assert/strict";
import { type Box, meanColour, occluded, regionOf, windowsOver } from "../../src/mod.ts";
import type { Picture } from "../../src/mod.ts";
import { uniform } from "../reference/random.ts";

const side = 48;
const next = uniform(3);
const noise = (): Picture => ({
  width: side,
  height: side,
  rgb: Uint8Array.from({ length: 3 * side * side }, () => 100 + 56 * next()),
});
const whole: Box = { left: 0, top: 0, width: side, height: side };

/** Makes a patch as red as can be. */
function paint({ rgb, width }: Picture, { left, top, width: w, height: h }: Box): void {
  for (let y = top; y < top + h; y++) for (let x = left; x < left + w; x++) rgb[3 * (y * width + x)] = 255;
}

/** What a unit sees that adds up the red of a patch. */
function redIn({ rgb, width }: Picture, { left, top, width: w, height: h }: Box): number {
  let sum = 0;
  for (let y = top; y < top + h; y++) for (let x = left; x < left + w; x++) sum += rgb[3 * (y * width + x)];
  return sum;
}

/** The region that hiding finds, for an activation of one's own. */
function found(picture: Picture, area: Box, size: number, activation: (picture: Picture) => number) {
  const windows = windowsOver(area, size);
  const before = activation(picture);
  const colour = meanColour(picture);
  const drops = windows.map((window) => before - activation(occluded(picture, window, colour)));
  return { windows, ...regionOf(picture, windows, drops) };
}

Deno.test("the region is the patch that excites the unit, to half a window", () => {
  const size = 6;
  for (const patch of [{ left: 9, top: 21, width: 12, height: 8 }, { left: 0, top: 38, width: 10, height: 10 }]) {
    const picture = noise();
    paint(picture, patch);
    const { box } = found(picture, whole, size, (seen) => redIn(seen, patch));
    for (const edge of ["left", "top", "width", "height"] as const) {
      assert.ok(Math.abs(box![edge] - patch[edge]) <= size / 2, `${edge}: ${box![edge]}, expected ${patch[edge]}`);
    }
  }
});

Deno.test("of two patches the hotter one is the region, and nothing outside the field is hidden", () => {
  const [strong, weak] = [{ left: 6, top: 6, width: 8, height: 8 }, { left: 30, top: 30, width: 8, height: 8 }];
  const picture = noise();
  paint(picture, strong);
  paint(picture, weak);
  const activation = (seen: Picture) => redIn(seen, strong) + 0.8 * redIn(seen, weak);
  const { box } = found(picture, whole, 4, activation);
  assert.ok(box!.left >= 4 && box!.left + box!.width <= 16 && box!.top >= 4 && box!.top + box!.height <= 16);
  const field = { left: 26, top: 27, width: 20, height: 16 };
  const inside = found(picture, field, 4, activation);
  assert.ok(inside.box!.left >= 28 && inside.box!.left + inside.box!.width <= 40);
  for (const { left, top, width, height } of inside.windows) {
    assert.ok(left >= 26 && top >= 27 && left + width <= 46 && top + height <= 43 && width > 0 && height > 0);
  }
});

Deno.test("each pixel is hidden as often; where hiding takes nothing away there is no region", () => {
  const times = new Uint32Array(side * side);
  for (const { left, top, width, height } of windowsOver(whole, 6)) {
    for (let y = top; y < top + height; y++) for (let x = left; x < left + width; x++) times[y * side + x]++;
  }
  assert.deepEqual([...new Set(times)], [4]);
  assert.equal(found(noise(), whole, 6, () => 1).box, undefined);
  const picture = noise();
  const patch = { left: 9, top: 21, width: 12, height: 8 };
  paint(picture, patch);
  assert.equal(found(picture, whole, 6, (seen) => -redIn(seen, patch)).box, undefined);
});
