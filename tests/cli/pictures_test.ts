/** How pictures get the size of a model's input. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { runPictures } from "../../src/cli/pictures.ts";
import { picturesIn } from "../../src/cli/reading.ts";
import { fitted, inputOf } from "../../src/net/fitted.ts";
import { type Image, resizeRgb } from "../../src/formats/image.ts";
import { DamagedArchive } from "../../src/formats/npz_items.ts";
import { encodePng } from "../../src/formats/png.ts";
import { type Model, openDevice, type PlannedMemory } from "../../src/mod.ts";
import { parseNetwork } from "../../src/net/network.ts";
import { pretend } from "../gpu/pretend.ts";
import { uniform } from "../reference/random.ts";
import { temporaryFolder } from "./user.ts";

/** A model of 4 × 4 pictures unless other sides are given, which are resized first where it says so. */
function model(resize?: unknown, warp?: unknown, shape = [3, 4, 4]): Model {
  const image = { order: "BGR", mean: [1, 2, 3].slice(0, shape[0]), scale: 1, resize, warp };
  const layers = [{ name: "r", type: "relu", input: "data" }];
  const network = parseNetwork(
    JSON.stringify({ name: "small", inputs: [{ name: "data", shape }], image, layers }),
    "small",
  );
  return { name: "small", where: "small", network, weights: new Map(), labels: [], hash: "" };
}

const next = uniform(1);
const [width, height] = [13, 10];
const picture = { width, height, rgb: Uint8Array.from({ length: width * height * 3 }, () => 256 * next()) };

/** The pixels of a part, square unless a height is given, that begins at (x, y). */
function square(image: Image, x: number, y: number, width: number, height = width): Image {
  const rgb = Array.from({ length: width * height * 3 }, (_, i) => {
    const [row, column] = [Math.floor(i / 3 / width), Math.floor(i / 3) % width];
    return image.rgb[((y + row) * image.width + x + column) * 3 + i % 3];
  });
  return { width, height, rgb: Uint8Array.from(rgb) };
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

Deno.test("an input that is not square gets the largest middle of its shape, or of the square before it", () => {
  const wide = model(undefined, undefined, [3, 2, 6]);
  const tall = model(undefined, undefined, [3, 6, 2]);
  assert.deepEqual(fitted(wide, picture), resizeRgb(square(picture, 0, 3, 13, 4), 6, 2));
  assert.deepEqual(fitted(tall, picture), resizeRgb(square(picture, 5, 0, 3, 10), 2, 6));
  assert.deepEqual(fitted(tall, { ...picture, width: 130, height: 1 }), {
    width: 2,
    height: 6,
    rgb: fittedLine(picture),
  });
  assert.deepEqual(fitted(model(undefined, true, [3, 2, 6]), picture), resizeRgb(picture, 6, 2, { smooth: false }));
  const centre = resizeRgb(square(picture, 1, 0, 10), 8, 8);
  assert.deepEqual(fitted(model(8, undefined, [3, 2, 6]), picture), square(centre, 1, 3, 6, 2));
  assert.throws(
    () => fitted(model(5, undefined, [3, 2, 6]), picture),
    /resized to 5, which is less than the input's 6/,
  );
});

/** The middle pixel of a picture of one row, twelve times. */
const fittedLine = ({ rgb }: Image) => Uint8Array.from({ length: 36 }, (_, i) => rgb[3 * 64 + i % 3]);

Deno.test("a network of one channel takes the luma, and one of no pictures says so", () => {
  const grey = model(undefined, undefined, [1, 10, 13]);
  const { rgb } = picture;
  const luma = Array.from(
    { length: 130 },
    (_, i) => 0.299 * rgb[3 * i] + 0.587 * rgb[3 * i + 1] + 0.114 * rgb[3 * i + 2],
  );
  assert.deepEqual([...inputOf(grey, picture)], luma.map((value) => Math.fround(value - 1)));
  const refused = (shape: number[], message: RegExp) => {
    const odd = model();
    odd.network.inputs[0].shape = shape;
    assert.throws(() => fitted(odd, picture), message);
  };
  refused(
    [1, 4, 4],
    /^UserError: network "small": its pictures have shape 1×4×4, "image" has 3 means, expected one a channel$/,
  );
  refused([48], /^UserError: small takes an input of shape \[48\], not pictures$/);
});

Deno.test("a side that makes no sense is refused", () => {
  assert.throws(() => fitted(model(3), picture), /small: pictures are resized to 3, which is less than the input's 4/);
  for (const side of [0, -1, 2.5, "7"]) assert.throws(() => model(side), /"image" expects .* "resize"/);
});

Deno.test("as many pictures run together as memory allows, each with its own result", async () => {
  const real = await openDevice();
  const net = model();
  const pictures = Array.from({ length: 9 }, (_, i) => square(picture, i % 4, 0, 9));
  const run = async (maxMemory: number) => {
    const plans: number[] = [];
    const outputs: number[][] = [];
    const readFirst: number[] = [];
    let read = 0;
    const reading = (index: number) => {
      assert.equal(index, read++);
      return pictures[index];
    };
    const onPlan = (pieces: readonly PlannedMemory[]) => plans.push(pieces.reduce((sum, { bytes }) => sum + bytes, 0));
    await runPictures(
      pretend(real, { maxMemory }, "buffer"),
      net,
      { count: 9, read: reading },
      { onPlan },
      (output, index) => {
        outputs[index] = [...output];
        readFirst.push(read);
      },
    );
    assert.deepEqual(outputs, pictures.map((picture) => [...inputOf(net, picture).map((x) => Math.max(x, 0))]));
    return { plans: plans.map((bytes) => bytes / 512), readFirst }; // input and output, 16 texels each
  };
  assert.deepEqual(await run(Infinity), { plans: [9], readFirst: Array(9).fill(9) });
  // Three run while the next three are read.
  assert.deepEqual(await run(16 * 512), { plans: [9, 5, 3], readFirst: [6, 6, 6, 9, 9, 9, 9, 9, 9] });
  await assert.rejects(run(512), /^GpuError: the plan: needs 1 MiB, expected at most 1 MiB/);
});

Deno.test("of many files, the next are read by a worker while some run; one that cannot be used is left out", async () => {
  using folder = temporaryFolder();
  const net = model();
  const small = pretend(await openDevice(), { maxMemory: 9 * 512 }, "buffer"); // three together
  const pictures = Array.from({ length: 8 }, (_, i) => square(picture, i % 4, 0, 9));
  const files = pictures.map((picture, i) => {
    const file = join(folder.path, `${i}.png`);
    Deno.writeFileSync(file, i === 4 ? new Uint8Array(9) : encodePng(picture));
    return file;
  });
  files[6] = join(folder.path, "none.png");
  const run = async (files: string[]) => {
    const outputs = new Map<number, number[]>();
    const left = await runPictures(
      small,
      net,
      picturesIn(files),
      {},
      (output, index) => outputs.set(index, [...output]),
    );
    return { outputs, left };
  };
  const expected = (index: number) => [...inputOf(net, pictures[index])].map((x) => Math.max(x, 0));
  const { outputs, left } = await run(files);
  assert.deepEqual([...outputs], [0, 1, 2, 3, 5, 7].map((index) => [index, expected(index)]));
  assert.deepEqual(left.map((why) => why.slice(folder.path.length + 1)), [
    "4.png: neither a PNG nor a JPEG picture",
    "none.png cannot be read: it does not exist",
  ]);
  const few = await run([files[4], files[0]]);
  assert.deepEqual([[...few.outputs], few.left], [[[1, expected(0)]], left.slice(0, 1)]);
  await assert.rejects(run([files[6]]), /none\.png cannot be read: it does not exist$/);
});

Deno.test("a damaged archive ends the run: it has no other pictures either", async () => {
  using device = await openDevice();
  const read = () => Promise.reject(new DamagedArchive("set.npz is damaged"));
  await assert.rejects(runPictures(device, model(), { count: 4, read }, {}, () => {}), /set\.npz is damaged/);
});
