/** How pictures get the size of a model's input. */
import assert from "node:assert/strict";
import { runPictures } from "../../src/cli/pictures.ts";
import { fitted, inputOf } from "../../src/net/fitted.ts";
import { type Image, resizeRgb } from "../../src/formats/image.ts";
import { type Model, openDevice, type PlannedMemory } from "../../src/mod.ts";
import { parseNetwork } from "../../src/net/network.ts";
import { pretend } from "../gpu/pretend.ts";
import { uniform } from "../reference/random.ts";

/** A model of 4 × 4 pictures, which are resized first where it says so. */
function model(resize?: unknown, warp?: unknown): Model {
  const image = { order: "BGR", mean: [1, 2, 3], scale: 1, resize, warp };
  const layers = [{ name: "r", type: "relu", input: "data" }];
  const network = parseNetwork(
    JSON.stringify({ name: "small", inputs: [{ name: "data", shape: [3, 4, 4] }], image, layers }),
    "small",
  );
  return { name: "small", where: "small", network, weights: new Map(), labels: [], hash: "" };
}

const next = uniform(1), [width, height] = [13, 10];
const picture = { width, height, rgb: Uint8Array.from({ length: width * height * 3 }, () => 256 * next()) };

/** The pixels of a square that begins at (x, y). */
function square(image: Image, x: number, y: number, size: number): Image {
  const rgb = Array.from({ length: size * size * 3 }, (_, i) => {
    const [row, column] = [Math.floor(i / 3 / size), Math.floor(i / 3) % size];
    return image.rgb[((y + row) * image.width + x + column) * 3 + i % 3];
  });
  return { width: size, height: size, rgb: Uint8Array.from(rgb) };
}

Deno.test("a picture's centre square is resized to the input, or to a side whose middle is the input", () => {
  const centre = square(picture, 1, 0, 10);
  assert.deepEqual(fitted(model(), picture), resizeRgb(centre, 4, 4));
  assert.deepEqual(fitted(model(7), picture), square(resizeRgb(centre, 7, 7), 1, 1, 4));
  assert.deepEqual(fitted(model(10), picture), square(centre, 3, 3, 4));
});

Deno.test("a network that was tested on warped pictures gets all of each", () => {
  const rough = (side: number) => resizeRgb(picture, side, side, { smooth: false });
  assert.deepEqual(fitted(model(undefined, true), picture), rough(4));
  assert.deepEqual(fitted(model(7, true), picture), square(rough(7), 1, 1, 4));
  assert.deepEqual(fitted(model(7, false), picture), fitted(model(7), picture));
  assert.throws(() => model(7, 1), /"warp" \(true, false or nothing\)/);
});

Deno.test("a side that makes no sense is refused", () => {
  assert.throws(() => fitted(model(3), picture), /small: pictures are resized to 3, which is less than the input's 4/);
  for (const side of [0, -1, 2.5, "7"]) assert.throws(() => model(side), /"image" expects .* "resize"/);
});

Deno.test("as many pictures run together as memory allows, each with its own result", async () => {
  const real = await openDevice(),
    net = model(),
    pictures = Array.from({ length: 9 }, (_, i) => square(picture, i % 4, 0, 9));
  const run = async (maxMemory: number) => {
    const plans: number[] = [], outputs: number[][] = [], read = (index: number) => pictures[index];
    const onPlan = (pieces: readonly PlannedMemory[]) => plans.push(pieces.reduce((sum, { bytes }) => sum + bytes, 0));
    await runPictures(pretend(real, { maxMemory }, "buffer"), net, { count: 9, read }, { onPlan }, (output, index) => {
      outputs[index] = [...output];
    });
    assert.deepEqual(outputs, pictures.map((picture) => [...inputOf(net, picture).map((x) => Math.max(x, 0))]));
    return plans.map((bytes) => bytes / 512); // input and output, 16 texels each
  };
  assert.deepEqual(await run(Infinity), [9]);
  assert.deepEqual(await run(16 * 512), [9, 5, 3]);
  await assert.rejects(run(512), /^GpuError: the plan: needs 1 MiB, expected at most 1 MiB/);
});
