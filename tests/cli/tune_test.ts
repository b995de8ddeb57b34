/** `deno task tune` as a user types it, and the commands that take what it found. */
import assert from "node:assert/strict";
import { writeNpy } from "../../src/formats/npy.ts";
import { encodePng } from "../../src/formats/png.ts";
import { openDevice } from "../../src/gpu/device.ts";
import { tinyToTune } from "./tuning.ts";
import { namesIn, type } from "./user.ts";

/** The lines of `--verbose` that tell of ways. */
const wayLines = (err: string) => err.split("ways:\n")[1].split("\n").filter((line) => line.startsWith("  "));

Deno.test("tune: the search's ways are kept, and synth takes them and says so", async () => {
  using run = tinyToTune();
  const { file, generator, classifier } = run;
  const pair = ["--generator", generator, "--classifier", classifier];
  const first = await type(["tune", ...pair, "--tuned", file, "--json", "--batch", "1", "--adapter", "low-power"]);
  assert.equal(first.code, 0, first.err);
  const report = JSON.parse(first.out);
  assert.deepEqual([report.failed, report.known, report.file, report.batch], [[], 0, file, 1]);
  assert.deepEqual(report.layers.flatMap(({ layers }: { layers: string[] }) => layers), ["fc", "fc3"]);
  assert.match(first.err, /^layer 0\/2 {2}fc\n/);
  assert.deepEqual(namesIn(run.at("cache")), ["tuned.json"]);

  const synth = (...more: string[]) =>
    type(["synth", ...pair, "--unit", "1", "--iterations", "3", "--verbose", ...more]);
  const untuned = await synth("--tuned", "none", "--out", run.at("a.png"));
  assert.match(untuned.err, /^plan: [^]*\nways:\n {2}fc: [^\n]*; gradient: [^\n]* \(predicted\)\n/);
  assert.ok(wayLines(untuned.err).every((line) => !line.endsWith("(tuned)")));
  const tuned = await synth("--tuned", file, "--out", run.at("b.png"));
  assert.equal(tuned.code, 0, tuned.err);
  assert.equal(wayLines(tuned.err).filter((line) => line.endsWith(" (tuned)")).length, 2);
  assert.ok(wayLines(tuned.err).every((line) => !line.endsWith(" (predicted)")));
  assert.equal((await synth("--tuned", file, "--out", run.at("c.png"))).code, 0);
  assert.deepEqual(Deno.readFileSync(run.at("b.png")), Deno.readFileSync(run.at("c.png")));

  // The variable names the file too, and two pictures at a time are another question.
  const byName = await type(
    ["synth", ...pair, "--units", "0,1", "--iterations", "1", "--verbose", "--out", run.at("two")],
    { env: { PHOSPHENE_TUNED: file } },
  );
  assert.ok(wayLines(byName.err).every((line) => !line.endsWith("(tuned)")), byName.err);

  const again = await type(["tune", ...pair, "--tuned", file, "--quiet"]);
  assert.deepEqual([again.code, again.err], [0, ""]);
  assert.match(again.out, /^2 shapes timed before; --force times again\n\//);
  const forced = await type([
    "tune",
    ...pair,
    "--layer",
    "fc3",
    "--weights",
    "f16",
    "--batch",
    "1",
    "--tuned",
    file,
    "--force",
  ]);
  assert.match(
    forced.out,
    /^[* ] fc: [\d.]+ ms.*: direct .*; gradient: .*\n[^]*\nother ways than predicted are faster for \d of 2 shapes\n/,
  );
});

Deno.test("tune: a network by itself, for infer, classify and ranges", async () => {
  using run = tinyToTune();
  const { file, classifier, at } = run;
  Deno.writeFileSync(at("x.npy"), writeNpy({ shape: [3, 8, 8], data: new Float32Array(192).fill(0.5) }));
  const tune = (...more: string[]) => type(["tune", "--model", classifier, "--tuned", file, "--quiet", ...more]);
  assert.equal((await tune("--gradient", "--double-float")).code, 0);
  const infer = (...more: string[]) =>
    type(["infer", "--model", classifier, "--input", at("x.npy"), "--verbose", "--force", "--tuned", file, ...more]);
  const y = ["--output", at("y.npy")];
  const g = ["--gradient", at("g.npy"), "--unit", "1"];
  const counted = async (...args: string[]) =>
    wayLines((await infer(...args)).err).filter((line) => line.endsWith("(tuned)")).length;
  assert.deepEqual([await counted(...y, ...g), await counted(...y, "--fast", ...g), await counted(...y)], [1, 0, 0]);
  assert.equal((await tune()).code, 0);
  assert.deepEqual([await counted(...y, ...g), await counted(...y, "--fast")], [1, 1]);
});

Deno.test("tune: Ctrl-C keeps what is done, and the next run goes on there", async () => {
  using run = tinyToTune();
  const args = ["tune", "--generator", run.generator, "--classifier", run.classifier, "--tuned", run.file];
  const stopped = await type(args, { interruptAt: "layer 1/2" });
  assert.equal(stopped.code, 130, stopped.err);
  assert.match(stopped.err, /\nstopped after [12] shapes?; their ways are kept\n$/);
  const next = await type([...args, "--json", "--quiet"]);
  const { known, layers } = JSON.parse(next.out);
  assert.ok(known >= 1 && known + layers.length === 2, next.out);
});

Deno.test({
  name: "tune --arithmetic f16: its ways are for plans in f16 alone",
  ignore: !(await openDevice()).caps.features.includes("shader-f16"),
  async fn() {
    using run = tinyToTune();
    const { classifier, file } = run;
    const photo = run.at("photo.png");
    Deno.writeFileSync(photo, encodePng({ width: 8, height: 8, rgb: new Uint8Array(192).fill(90) }));
    assert.equal(
      (await type(["tune", "--model", classifier, "--arithmetic", "f16", "--tuned", file, "--quiet"])).code,
      0,
    );
    const tuned = async (...more: string[]) => {
      const { err } = await type(["classify", "--model", classifier, photo, "--tuned", file, "--verbose", ...more]);
      return wayLines(err).filter((line) => line.endsWith("(tuned)")).length;
    };
    assert.ok(await tuned("--arithmetic", "f16") > 0);
    assert.equal(await tuned(), 0);
  },
});
