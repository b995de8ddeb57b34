/**
 * `--arithmetic f16` as a user types it: its error is told, a picture remembers it, and where the adapter has no shader-f16 it
 * is refused.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { decodeImage, encodePng } from "../../src/formats/png.ts";
import { openDevice } from "../../src/gpu/device.ts";
import { writeTinyModels, writeWeights } from "./tiny_models.ts";
import { namesIn, temporaryFolder, type } from "./user.ts";

/** Whether the commands' adapter has it. */
const { caps } = await openDevice();
const ignore = !caps.features.includes("shader-f16");

/** Tiny models, and a picture of the user's. */
function tiny() {
  const folder = temporaryFolder();
  const models = writeTinyModels(folder.path);
  const photo = join(folder.path, "photo.png");
  Deno.writeFileSync(photo, encodePng({ width: 8, height: 8, rgb: new Uint8Array(192).map((_, i) => i * 37) }));
  const chosen = ["--classifier", models.classifier, "--generator", models.generator];
  return { ...folder, models, photo, chosen };
}

const change = String.raw`changes by [\d.e-]+ % of its largest value`;

Deno.test({
  name: "synth --arithmetic f16: what it changes is told, and --from repeats it byte for byte",
  ignore,
  async fn() {
    using run = tiny();
    const [first, again, plain] = ["first.png", "again.png", "plain.png"].map((name) => join(run.path, name));
    const settings = [...run.chosen, "--unit", "1", "--iterations", "4"];
    const made = await type(["synth", ...settings, "--arithmetic", "f16", "--out", first, "--json"]);
    assert.equal(made.code, 0, made.err);
    assert.match(
      made.err,
      RegExp(`\narithmetic in f16: the picture ${change}, fc3 ${change}, the gradient of fc3's unit 1 ${change}\n$`),
    );
    assert.equal(JSON.parse(made.out).pictures[0].arithmetic, "f16");
    assert.equal((await type(["synth", ...run.chosen, "--from", first, "--out", again])).code, 0);
    assert.deepEqual(Deno.readFileSync(again), Deno.readFileSync(first));
    const mixed = await type(["synth", ...run.chosen, "--from", first, "--arithmetic", "f32"]);
    assert.match(mixed.err, /--arithmetic cannot be given with it\n$/);

    const exact = await type(["synth", ...settings, "--out", plain]);
    assert.doesNotMatch(exact.err, /arithmetic/);
    const records = await Promise.all([first, plain].map(async (file) => {
      return JSON.parse((await decodeImage(Deno.readFileSync(file), file)).text.phosphene);
    }));
    assert.deepEqual(records.map(({ arithmetic }) => arithmetic), ["f16", undefined]);
    const [half, whole] = records.map(({ result }) => result.activation);
    assert.ok(half !== whole && Math.abs(half - whole) < 0.05 * Math.abs(whole), `${half}, ${whole}`);
  },
});

Deno.test({
  name: "values beyond f16's range are told as such",
  ignore,
  async fn() {
    using run = tiny();
    writeWeights(run.models.classifier, "classifier", (values, name) => {
      if (name === "fc2.weight") values.forEach((_, n) => values[n] *= 1e6);
    });
    const { code, err } = await type(["classify", "--model", run.models.classifier, run.photo, "--arithmetic", "f16"]);
    assert.equal(code, 1);
    assert.match(err, /^classify: .*: fc3 of picture 1 holds .*: values on the way leave f16's range of ±65504; .*\n$/);
  },
});

Deno.test({
  name: "classify and bench compute in f16 too",
  ignore,
  async fn() {
    using run = tiny();
    const { classifier, generator } = run.models;
    const narrow = ["--arithmetic", "f16", "--weights", "i8", "--json"];
    const seen = await type(["classify", "--model", classifier, run.photo, ...narrow]);
    assert.match(seen.err, RegExp(`^weights in i8, arithmetic in f16: fc3 ${change}\n$`));
    const { arithmetic, narrowing } = JSON.parse(seen.out);
    assert.ok(arithmetic === "f16" && narrowing > 0 && narrowing < 0.05, seen.out);

    const json = join(run.path, "kernels.json");
    const timed = await type([
      "bench",
      "kernels",
      "--model",
      classifier,
      "--op",
      "fc",
      "--arithmetic",
      "f16",
      "--passes",
      "1",
      "--json",
      json,
    ]);
    assert.equal(timed.code, 0, timed.err);
    const report = JSON.parse(Deno.readTextFileSync(json));
    assert.equal(report.arithmetic, "f16");
    const ways = report.kernels.map(({ pass, way }: Record<string, string>) => `${pass} ${way.split(" ")[0]}`);
    assert.ok(ways.includes("forward direct-f16") && ways.includes("forward workgroups-f16"), ways.join());
    assert.ok(!ways.includes("forward direct") && ways.includes("backward transposed"), ways.join());

    const synth = join(run.path, "synth.json");
    const pair = ["--generator", generator, "--classifier", classifier];
    const iteration = await type(["bench", "synth", ...pair, "--arithmetic", "f16", "--passes", "1", "--json", synth]);
    assert.match(iteration.out, /, batch 1: [\d.]+ ms an iteration /, iteration.err);
    assert.equal(JSON.parse(Deno.readTextFileSync(synth)).arithmetic, "f16");
  },
});

Deno.test({
  name: "bench static: kernels that compute in f16, on a GPU that is not there",
  ignore: Deno.build.os !== "linux",
  async fn() {
    using run = tiny();
    const isa = join(run.path, "isa");
    const args = ["--chip", "navi21", "--model", run.models.classifier, "--arithmetic", "f16"];
    const { code, err } = await type(["bench", "static", ...args, "--batch", "20", "--isa", isa]);
    assert.equal(code, 0, err);
    const inHalves = namesIn(isa).filter((name) => /v_pk_fma_f16/.test(Deno.readTextFileSync(join(isa, name))));
    assert.deepEqual(inHalves, ["conv1", "fc2", "fc3"].map((name) => `navi21_batch20_${name}.s`));
  },
});

Deno.test("--arithmetic: what makes no sense is one sentence, and so is an adapter that lacks f16", async () => {
  using run = tiny();
  const { classifier } = run.models;
  for (
    const words of [
      ["synth", ...run.chosen, "--unit", "1", "--arithmetic", "f64"],
      ["classify", "--model", classifier, run.photo, "--arithmetic", "f64"],
      ["bench", "synth", "--arithmetic", "f64"],
    ]
  ) {
    const { code, out, err } = await type(words);
    assert.deepEqual([code, out], [1, ""]);
    assert.match(err, /^[\w ]+: --arithmetic expects f32 or f16, got "f64"\n$/);
  }
  if (!ignore) return;
  const { code, out, err } = await type(["classify", "--model", classifier, run.photo, "--arithmetic", "f16"]);
  assert.deepEqual([code, out], [1, ""]);
  assert.match(err, /^classify: .* cannot compute in f16: it does not have WebGPU's shader-f16\n$/);
});
