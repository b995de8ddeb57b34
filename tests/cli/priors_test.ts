/** Pictures without a generator, and the published methods, as a user types them; with models so small that it takes no time. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { writeNpy } from "../../src/formats/npy.ts";
import { decodeImage, encodePng } from "../../src/formats/png.ts";
import { methodNames } from "../../src/mod.ts";
import { writeTinyModels } from "./tiny_models.ts";
import { namesIn, temporaryFolder, type } from "./user.ts";

/** A folder with a tiny classifier, and a place for pictures. */
function tiny() {
  const folder = temporaryFolder();
  const models = writeTinyModels(folder.path);
  const out = join(folder.path, "out");
  return { ...folder, models, out, chosen: ["--classifier", models.classifier] };
}

const read = (file: string) => decodeImage(Deno.readFileSync(file), file);
const recordIn = async (file: string) => JSON.parse((await read(file)).text.phosphene);

Deno.test("every published method: a row of the sheet each, and what a picture says of it", async () => {
  using run = tiny();
  const { code, out, err } = await type([
    ...["synth", ...run.chosen, "--generator", run.models.generator, "--units", "0-1", "--method", "all"],
    ...["--iterations", "2", "--out", run.out, "--quiet"],
  ]);
  assert.equal(code, 0, err);
  const pictures = methodNames.flatMap((name) => [0, 1].map((unit) => `${name}_fc3_000${unit}_0.png`));
  const sheet = "simonyan2013..fft_fc3_0000-0001_0_sheet.png";
  assert.deepEqual(namesIn(run.out), [...pictures, sheet].sort());
  assert.deepEqual(
    out.split("\n").slice(0, 14).map((line) => line.split(" ")[0]),
    pictures.map((name) => join(run.out, name)),
  );
  const { width } = await read(join(run.out, sheet));
  assert.equal(width, 8 + 2 * (128 + 8));
  const record = await recordIn(join(run.out, "yosinski2015_fc3_0001_0.png"));
  const { method, prior, blur, decay, iterations, octaves } = record;
  assert.deepEqual([method, prior, blur, decay, iterations, octaves], ["yosinski2015", "pixels", 1, 0.9999, 2, 1]);
  assert.equal(record.generator.name, "pixels 8×8");
  assert.equal((await recordIn(join(run.out, "dgn-am_fc3_0001_0.png"))).prior, undefined);
});

Deno.test("pixels with everything: many at once, an animation, and again from their record, byte for byte", async () => {
  using run = tiny();
  const settings = [
    ...["--prior", "pixels", "--noise", "30", "--variation", "2", "--alpha-norm", "3", "--alpha", "4", "--centre", "5"],
    ...["--blur", "0.5", "--blur-every", "2", "--small-norm", "10", "--small-contribution", "5", "--rule", "momentum"],
    ...["--jitter", "2", "--zoom", "0.1", "--rotation", "20", "--edges", "wrap", "--lowest=-1", "--clip", "bounds"],
  ];
  const made = await type([
    ...["synth", ...run.chosen, "--target", "fc3:1 + 0.1*mean(conv1:2)", "--seeds", "3-4", ...settings],
    ...["--iterations", "3", "--animate", "gif", "--out", run.out, "--json"],
  ]);
  assert.equal(made.code, 0, made.err);
  assert.match(made.err, /^plan: [\d,]+ bytes of GPU memory/m);
  const { file } = JSON.parse(made.out).pictures[1];
  const again = join(run.path, "again.png");
  const repeated = await type(["synth", ...run.chosen, "--from", file, "--out", again, "--quiet"]);
  assert.equal(repeated.code, 0, repeated.err);
  assert.deepEqual(Deno.readFileSync(again), Deno.readFileSync(file));
});

Deno.test("Fourier coefficients through octaves, in a size of their own, and pixels from a picture", async () => {
  using run = tiny();
  const fourier = join(run.path, "fourier.png");
  const dream = join(run.path, "dream.png");
  const photo = join(run.path, "photo.png");
  const larger = await type([
    ...[
      "synth",
      ...run.chosen,
      "--layer",
      "conv1",
      "--unit",
      "2",
      "--method",
      "fft",
      "--prior",
      "fourier",
      "--size",
      "20",
    ],
    ...["--octaves", "2", "--octave-scale", "1.6", "--iterations", "2", "--animate", "gif", "--verbose"],
    ...["--weights", "i8", "--out", fourier],
  ]);
  assert.equal(larger.code, 0, larger.err);
  assert.match(larger.err, /^weights in i8: the picture changes by [\d.]+ % .*, the output changes by [\d.]+ % /m);
  for (const told of ["plan for", "GPU memory in use for"]) {
    assert.deepEqual([...larger.err.matchAll(RegExp(`^${told} (\\S+): `, "gm"))].map(([, size]) => size), [
      "13×13",
      "20×20",
    ]);
  }
  assert.match(larger.err, /^iteration 4\/4 /m);
  const { width, height } = await read(fourier);
  assert.deepEqual([width, height, (await recordIn(fourier)).octaves], [20, 20, 2]);

  const rgb = Uint8Array.from({ length: 8 * 8 * 3 }, (_, n) => n);
  Deno.writeFileSync(photo, encodePng({ width: 8, height: 8, rgb }));
  const method = ["--method", "deepdream2015", "--octaves", "1", "--lr-start", "0", "--lr-end", "0"];
  const still = await type([
    "synth",
    ...run.chosen,
    "--target",
    "norm(conv1)",
    ...method,
    "--init",
    photo,
    "--out",
    dream,
    "--quiet",
  ]);
  assert.equal(still.code, 0, still.err);
  assert.deepEqual((await read(dream)).rgb, rgb); // steps of nothing
});

Deno.test("bounds of codes that may be negative", async () => {
  using run = tiny();
  const bounds = join(run.path, "bounds.txt");
  const again = join(run.path, "again.png");
  const picture = join(run.path, "a.png");
  Deno.writeTextFileSync(bounds, "1 1 1 1 1 1\n-1 -1 -0.5 -1 -1 -1\n");
  const zero = join(run.path, "zero.npy");
  Deno.writeFileSync(zero, writeNpy({ shape: [6], data: new Float32Array(6) }));
  const models = [...run.chosen, "--generator", run.models.generator];
  const made = await type([
    ...["synth", ...models, "--unit", "1", "--bounds", bounds, "--init", zero, "--iterations", "3", "--out", picture],
    ...["--quiet"],
  ]);
  assert.equal(made.code, 0, made.err);
  const repeated = await type(["synth", ...models, "--from", picture, "--out", again, "--quiet"]);
  assert.equal(repeated.code, 0, repeated.err);
  assert.deepEqual(Deno.readFileSync(again), Deno.readFileSync(picture));
});

Deno.test("what does not fit a prior or a method: one sentence, exit code 1, nothing written", async (t) => {
  using run = tiny();
  const code = join(run.path, "photo.png");
  Deno.writeFileSync(code, encodePng({ width: 8, height: 8, rgb: new Uint8Array(192) }));
  const cases: [args: string[], message: RegExp][] = [
    [["--method", "fft,best"], /--method expects all, or some of simonyan2013, .*, fft, got "best"/],
    [["--method", "fft,fft"], /--method gives fft twice/],
    [
      ["--method", "fft", "--generator", run.models.generator],
      /--generator .* is of no use: the pictures are made without one/,
    ],
    [["--method", "fft", "--size", "0"], /--size expects a whole number 1 to 4096, got "0"/],
    [["--prior", "fourier", "--init", code], /photo\.png is a picture; the prior fourier starts from codes/],
    [
      ["--generator", run.models.generator, "--blur", "1"],
      /blur is of codes that are maps, such as pixels; the code of tiny/,
    ],
  ];
  for (const [args, message] of cases) {
    await t.step(args.slice(0, 2).join(" "), async () => {
      const { code, out, err } = await type(["synth", ...run.chosen, "--unit", "1", "--out", run.out, ...args]);
      assert.deepEqual([code, out], [1, ""], err);
      assert.match(err, message);
      assert.match(err, /^synth: .+\n$/);
      assert.deepEqual(namesIn(run.out), []);
    });
  }
});
