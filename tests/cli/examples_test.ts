/** `deno task examples` as a user types it, over pictures whose exciting patch is known. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { decodeImage } from "../../src/formats/png.ts";
import type { Box } from "../../src/mod.ts";
import {
  activationOf,
  patchPicture,
  patchSide,
  stride,
  writeImages,
  writePatchNetwork,
  writePicture,
} from "./patches.ts";
import { writeTinyModels } from "./tiny_models.ts";
import { namesIn, temporaryFolder, type } from "./user.ts";

/** What --json says of a unit. */
interface Unit {
  unit: number;
  name: string;
  examples: { file: string; activation: number; at?: [number, number]; field?: Box; region?: Box }[];
  drawn?: { activation: number };
}

/** Reds and places of the patches of 0.png, 1.png and so on; a broken picture comes third. */
const patches: [red: number, at: [number, number]][] = [
  [200, [4, 8]],
  [255, [12, 2]],
  [0, [0, 0]],
  [255, [12, 2]],
  [140, [18, 18]],
];

function given() {
  const folder = temporaryFolder();
  const at = (...names: string[]) => join(folder.path, ...names);
  const model = writePatchNetwork(at("model"));
  Deno.mkdirSync(at("photos"));
  const files = patches.map(([red, place], n) => writePicture(at("photos", `${n}.png`), patchPicture(red, place)));
  Deno.writeTextFileSync(files[2], "no picture");
  const examples = (...more: string[]) => type(["examples", "--model", model, "--json", ...more]);
  const units = (out: string) => JSON.parse(out).units as Unit[];
  return { at, files, model, examples, units, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

Deno.test("examples: the patch that excites a unit most, where it is, and what marks it", async () => {
  using run = given();
  const args = ["--images", run.at("photos"), "--units", "0"];
  const map = await run.examples(...args, "--layer", "conv1", "--top", "3", "--out", run.at("map.png"));
  assert.equal(map.code, 1, "a picture is broken");
  assert.match(map.err, /^warning: left out: .*2\.png: neither a PNG nor a JPEG picture\n/);
  const [{ name, examples }] = run.units(map.out);
  assert.deepEqual([name, JSON.parse(map.out).pictures, JSON.parse(map.out).leftOut.length], ["unit 0", 4, 1]);
  // Of two that are the same the earlier comes first.
  assert.deepEqual(examples.map(({ file }) => file), [1, 3, 0].map((n) => run.files[n]));
  for (const [n, { activation, at, field }] of examples.entries()) {
    const [red, [left, top]] = patches[[1, 3, 0][n]];
    assert.ok(Math.abs(activation - activationOf(red)) < 1e-5);
    assert.deepEqual([at, field], [[left / stride, top / stride], { left, top, width: patchSide, height: patchSide }]);
  }
  // The crops are the patches and nothing else.
  const sheet = await decodeImage(Deno.readFileSync(run.at("map.png")), "map.png");
  const colours = new Set(
    Array.from({ length: sheet.width }, (_, x) => sheet.rgb.slice(3 * (20 * sheet.width + x)).slice(0, 3).join()),
  );
  assert.deepEqual([...colours].sort(), ["200,0,0", "255,0,0", "255,255,255"]);

  const region = ["--layer", "fc2", "--top", "1", "--region", "--window", "4", "--out", run.at("region.png")];
  const whole = run.units((await run.examples(...args, ...region)).out)[0].examples[0];
  const [, [left, top]] = patches[1];
  const box = whole.region!;
  assert.deepEqual([whole.file, whole.field], [run.files[1], undefined]);
  assert.ok(Math.abs(box.left - left) <= 2 && Math.abs(box.top - top) <= 2, JSON.stringify(box));
  assert.ok(Math.abs(box.width - patchSide) <= 2 && Math.abs(box.height - patchSide) <= 2, JSON.stringify(box));
});

Deno.test("examples: an index is all that later calls need; what does not fit it is refused", async () => {
  using run = given();
  Deno.removeSync(run.files[2]);
  const args = ["--images", run.at("photos"), "--layer", "conv1", "--index", run.at("seen"), "--out", run.at("a.png")];
  const first = await run.examples(...args, "--units", "0", "--top", "2");
  assert.equal(first.code, 0, first.err);
  assert.deepEqual(namesIn(run.at("seen")), ["examples.safetensors"]);
  // A picture that comes later is seen, and takes its place; the same as without an index. One that is broken is one of six.
  writePicture(run.at("photos", "00.png"), patchPicture(255, [2, 2]));
  Deno.writeTextFileSync(run.at("photos", "9.png"), "no picture");
  const again = await run.examples(...args, "--units", "0,1", "--top", "2", "--force");
  const anew = await run.examples(...args.toSpliced(4, 2), "--units", "0,1", "--top", "2", "--force");
  assert.deepEqual([again.code, anew.code], [1, 1], again.err + anew.err);
  assert.match(again.err, /9\.png: neither .*\nwarning: left out: 1 of 6 pictures\n$/);
  assert.deepEqual(run.units(again.out), run.units(anew.out));
  assert.deepEqual(run.units(again.out)[0].examples.map(({ file }) => file), [
    run.at("photos", "00.png"),
    run.files[1],
  ]);
  // Unit 1 wants blue, and where nothing is blue, grey: its value before the activation.
  assert.ok(run.units(again.out)[1].examples.every(({ activation }) => activation < 0));

  const other = writePatchNetwork(run.at("other"));
  Deno.writeTextFileSync(
    join(other, "network.json"),
    Deno.readTextFileSync(join(other, "network.json")).replace("patches", "others"),
  );
  const refused = async (images: string, model: string, message: RegExp) => {
    const place = ["--images", images, "--index", run.at("seen"), "--out", run.at("b.png")];
    const line = ["examples", ...place, "--model", model, "--layer", "conv1", "--units", "0", "--top", "2"];
    const { code, out, err } = await type(line);
    assert.deepEqual([code, out], [1, ""], err);
    assert.match(err, message);
  };
  await refused(run.at("photos"), other, /examples\.safetensors is of another model \(patches, .*…\) than others/);
  await refused(
    run.files[0],
    run.model,
    /knows pictures that are not among these any more, or have changed: .* and 3 more/,
  );
});

Deno.test("examples: what Ctrl-C has left is where the next call goes on", async () => {
  using run = given();
  const best = 1400;
  const pictures = Array.from({ length: 1500 }, (_, n) => patchPicture(n === best ? 255 : n % 200, [4, 4]));
  const images = writeImages(run.at("set.npz"), pictures, "photos");
  const index = run.at("seen");
  const args = ["--images", images, "--units", "0", "--index", index, "--top", "1"];
  const line = ["examples", "--model", run.model, "--json", ...args, "--out", run.at("a.png")];
  const stopped = await type(line, { interruptAt: "picture    1/1500" });
  assert.equal(stopped.code, 130, stopped.err);
  assert.match(stopped.err, /^.*set\.npz has no "images"; its pictures are "photos"\n/);
  const [, seen] = /stopped after (\d+) of 1500 pictures/.exec(stopped.err)!;
  const finished = await type([...line, "--force"]);
  const left = /picture +\d+\/(\d+)/.exec(finished.err)![1];
  assert.equal(Number(seen) + Number(left), 1500);
  assert.equal(JSON.parse(finished.out).pictures, 1500);
  assert.equal(run.units(finished.out)[0].examples[0].file, `${images}[${best}]`);
});

Deno.test("examples --beside: what the unit wants to see is at the left of its row", async () => {
  using folder = temporaryFolder();
  const { classifier, generator } = writeTinyModels(folder.path);
  const at = (name: string) => join(folder.path, name);
  for (let n = 0; n < 3; n++) {
    writePicture(at(`${n}.png`), { width: 8, height: 8, rgb: new Uint8Array(192).map((_, i) => (n + 1) * i * 37) });
  }
  Deno.writeTextFileSync(at("list.txt"), "0.png\n1.png 7\n\n2.png\n");
  const models = [
    "--model",
    classifier,
    "--generator",
    generator,
    "--adapter",
    "low-power",
    "--tuned",
    "none",
    "--verbose",
  ];
  const { code, out, err } = await type([
    "examples",
    ...models,
    ...[
      "--images",
      at("list.txt"),
      "--units",
      "1,4",
      "--top",
      "2",
      "--beside",
      "--iterations",
      "3",
      "--out",
      at("sheet.png"),
    ],
  ]);
  assert.equal(code, 0, err);
  assert.match(
    err,
    /^warning: unit 4 \(elephant\) of tiny classifier was not trained;.*\nplan: [\d,]+ bytes of GPU memory /,
  );
  assert.match(
    out,
    /^1 {2}bell pepper {2}\(drawn: -?[\d.]+\)\n(?: +-?(?=(?:\d\.?){4})[\d.]+ {2}.*\d\.png\n){2}4 {2}elephant/,
  );
  const { width } = await decodeImage(Deno.readFileSync(at("sheet.png")), "sheet.png");
  assert.equal(width, 8 + 3 * (128 + 8));
});

Deno.test("examples: bad input is one sentence, and nothing is written", async (t) => {
  using run = given();
  Deno.mkdirSync(run.at("none"));
  const broken = run.at("broken.txt");
  Deno.writeTextFileSync(broken, "photos/2.png\n");
  const good = { images: run.at("photos"), units: "0", out: run.at("o.png") };
  const cases: [string, Record<string, string>, RegExp][] = [
    ["an empty folder", { ...good, images: run.at("none") }, /none holds no pictures \(\.png, \.jpg\)/],
    ["nothing usable", { ...good, images: broken }, /2\.png: neither a PNG nor a JPEG picture/],
    ["no such unit", { ...good, units: "2" }, /unit 2 does not exist: fc2 of patches has units 0 to 1/],
    ["no such layer", { ...good, layer: "fc9" }, /no layer "fc9"/],
    ["a search of nothing", { ...good, iterations: "5" }, /--generator and --iterations go with --beside/],
  ];
  for (const [name, options, message] of cases) {
    await t.step(name, async () => {
      const before = namesIn(run.at(""));
      const { code, out, err } = await run.examples(
        ...Object.entries(options).map(([key, value]) => `--${key}=${value}`),
      );
      assert.deepEqual([code, out], [1, ""], err);
      assert.match(err, message);
      assert.match(err, /^examples: .+\n$/);
      assert.deepEqual(namesIn(run.at("")), before);
    });
  }
});
