/** `classify --val`: how often a classifier is right, over a list of files or NumPy's arrays. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { zipSync } from "fflate";
import { labelledSet } from "../../src/cli/labelled_set.ts";
import { pictureSet } from "../../src/cli/picture_set.ts";
import { writeNpy } from "../../src/formats/npy.ts";
import { encodePng } from "../../src/formats/png.ts";
import { uniform } from "../reference/random.ts";
import { writeTinyModels } from "./tiny_models.ts";
import { temporaryFolder, type } from "./user.ts";

const count = 6;
const side = 12;
const next = uniform(7);
const pictures = Array.from({ length: count }, () => Uint8Array.from({ length: side * side * 3 }, () => 256 * next()));

/** A classifier, the pictures as files and as an array, and what the classifier takes each for, best first. */
async function given() {
  const folder = temporaryFolder();
  const at = (...names: string[]) => join(folder.path, ...names);
  const { classifier } = writeTinyModels(folder.path);
  Deno.mkdirSync(at("photos of mine"));
  const files = pictures.map((rgb, i) => {
    const name = join("photos of mine", `${i}.png`);
    Deno.writeFileSync(at(name), encodePng({ width: side, height: side, rgb }));
    return name;
  });
  const classify = (...more: string[]) => type(["classify", "--model", classifier, ...more]);
  const { out } = await classify("--json", ...files.map((file) => at(file)));
  const order = (JSON.parse(out).pictures as { top: { unit: number }[] }[]).map(({ top }) =>
    top.map(({ unit }) => unit)
  );
  /** Writes a list in which picture i's right unit is the one that came out in place[i]. */
  const list = (name: string, places: number[], more = "") => {
    const lines = places.map((place, i) => `${files[i]}${i % 2 ? "\t" : " "}${order[i][place]}`);
    Deno.writeTextFileSync(at(name), `${lines.join("\r\n")}\n${more}\n`);
    return at(name);
  };
  return { at, files, order, classify, list, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

Deno.test("classify --val: a list and arrays give one accuracy; a picture that cannot be used does not count", async () => {
  using run = await given();
  const list = run.list("val.txt", [0, 0, 0, 1, 4, 0]);
  const long = run.at("long.txt"); // more than run together
  Deno.writeTextFileSync(long, Deno.readTextFileSync(list).repeat(9));
  const plain = await run.classify("--val", long);
  assert.deepEqual([plain.code, plain.out], [0, "54 pictures: top-1 66.67 %, top-5 100.00 %\n"], plain.err);

  const images = new Uint8Array(count * side * side * 3);
  const labels = Int32Array.from([0, 0, 0, 1, 4, 0], (place, i) => {
    return run.order[i][place];
  });
  pictures.forEach((rgb, i) => images.set(rgb, i * rgb.length));
  const npz = zipSync({
    "images.npy": writeNpy({ shape: [count, side, side, 3], data: images }),
    "labels.npy": writeNpy({ shape: [count], data: labels }),
  });
  Deno.writeFileSync(run.at("val.npz"), npz);
  const arrays = await run.classify("--val", run.at("val.npz"), "--json");
  const { pictures: seen, top1, top5 } = JSON.parse(arrays.out);
  assert.deepEqual([seen, top1, top5], [6, 4 / 6, 1]);

  Deno.writeTextFileSync(run.at("broken.png"), "no picture");
  const elsewhere = run.at("photos of mine", "val.txt");
  const rooted = Deno.readTextFileSync(list).replaceAll(/^photos/gm, "/photos"); // below --images, as Caffe has it
  Deno.writeTextFileSync(elsewhere, `broken.png 0\n${rooted}none.png 0\n`);
  const left = await run.classify("--val", elsewhere, "--images", run.at(""), "--weights", "i8", "--json");
  assert.equal(left.code, 1, left.err);
  assert.match(
    left.err,
    /^(warning: left out: .*\/(broken\.png: neither|none\.png cannot be read: it does not exist).*\n){2}warning: left out: 2 of 8 pictures\nweights in i8: fc3 changes by/,
  );
  const { pictures: used, leftOut } = JSON.parse(left.out);
  assert.deepEqual([used, leftOut.length], [6, 2]);
});

Deno.test("a labelled set may be of grey arrays, and of planes", async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "val.npz");
  const labels = writeNpy({ shape: [2], data: Uint8Array.of(3, 4) });
  const set = async (shape: number[]) => {
    const images = writeNpy({ shape, data: Uint8Array.of(1, 2, 3, 4) });
    Deno.writeFileSync(file, zipSync({ "images.npy": images, "labels.npy": labels }));
    return await labelledSet(file);
  };
  for (const shape of [[2, 1, 2], [2, 1, 2, 1], [2, 1, 1, 2]]) {
    const { read, ...rest } = await set(shape);
    assert.deepEqual(rest, { count: 2, labels: [3, 4] });
    assert.deepEqual(await read(1), { width: 2, height: 1, rgb: Uint8Array.of(3, 3, 3, 4, 4, 4) });
  }
  for (const shape of [[2, 2], [1, 2, 1, 2], [2, 1, 2, 1, 1]]) {
    const has = `it has "images" (u1, [${shape.join(", ")}]), "labels" (u1, [2])`;
    await assert.rejects(
      set(shape),
      ({ message }: Error) => message.includes('val.npz: expected "images"') && message.endsWith(has),
    );
  }
});

Deno.test("what holds no pictures, or two arrays of them, is called what it is", async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "val.npz");
  const pictures = writeNpy({ shape: [2, 1, 2], data: Uint8Array.of(1, 2, 3, 4) });
  Deno.writeFileSync(file, zipSync({ "a.npy": pictures, "b.npy": pictures }));
  await assert.rejects(labelledSet(file), /: "a" and "b" could each be its pictures; name the one that is "images"$/);
  Deno.writeFileSync(file, zipSync({ "a.png": pictures }));
  await assert.rejects(
    pictureSet(file),
    /val\.npz: this is a zip archive, not a list of pictures or a \.npz; unpack it first$/,
  );
  Deno.writeFileSync(file, Uint8Array.of(1, 2, 0, 3));
  await assert.rejects(pictureSet(file), /val\.npz: this is no text, expected a list of pictures or a \.npz$/);
});

Deno.test("classify --val: what cannot be measured is one sentence", async (t) => {
  using run = await given();
  const text = (name: string, content: string) => {
    Deno.writeTextFileSync(run.at(name), content);
    return run.at(name);
  };
  text("broken.png", "no picture");
  const cases: [string, string[], RegExp][] = [
    [
      "no number",
      ["--val", text("a.txt", "x.png 1\nx.png\n")],
      /a\.txt: line 2 is "x\.png", expected a picture's path and/,
    ],
    ["an empty list", ["--val", text("b.txt", "\n")], /b\.txt: there is no picture in the list/],
    ["no such picture", ["--val", text("c.txt", "x.png 1")], /there is no file .*x\.png; --images DIR says where/],
    ["no such unit", ["--val", run.list("d.txt", [0], `${run.files[0]} 5`)], /d\.txt has label 5, .* has 5 units/],
    ["a picture as the list", ["--val", run.at(run.files[0])], /0\.png: this is a PNG picture, not a list of pictures/],
    [
      "nothing usable",
      ["--val", text("e.txt", "broken.png 1\nbroken.png 1")],
      /e\.txt: none of its 2 pictures can be used\n$/,
    ],
    ["a root without a list", ["--images", run.at(""), run.at(run.files[0])], /--images goes with --val/],
  ];
  for (const [name, args, message] of cases) {
    await t.step(name, async () => {
      const { code, out, err } = await run.classify(...args);
      assert.deepEqual([code, out], [1, ""]);
      assert.match(err, message);
    });
  }
});
