/** `deno task tune` as a user types it, and the commands that take what it found. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { writeNpy } from "../../src/formats/npy.ts";
import { encodePng } from "../../src/formats/png.ts";
import { fromFloat32, writeSafetensors } from "../../src/formats/safetensors.ts";
import { openDevice } from "../../src/gpu/device.ts";
import { writeTinyModels } from "./tiny_models.ts";
import { namesIn, temporaryFolder, type } from "./user.ts";

/** A folder with tiny models, the classifier of one layer, for each takes seconds; and the file of tuned ways in it. */
function tiny() {
  const folder = temporaryFolder();
  const models = writeTinyModels(folder.path);
  const { path } = folder;
  const network = JSON.parse(Deno.readTextFileSync(join(models.classifier, "network.json")));
  network.layers = [{ name: "fc3", type: "fc", input: "data", channels: 5, bias: false }];
  const weight = fromFloat32(Float32Array.from({ length: 5 * 192 }, (_, n) => Math.sin(n)), "F32", [5, 192]);
  Deno.writeTextFileSync(join(models.classifier, "network.json"), JSON.stringify(network));
  Deno.writeFileSync(
    join(models.classifier, "weights.safetensors"),
    writeSafetensors(new Map([["fc3.weight", weight]])),
  );
  const at = (name: string) => join(path, name);
  const file = at("cache/tuned.json");
  return { at, file, ...models, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

/** The lines of `--verbose` that tell of ways. */
const wayLines = (err: string) => err.split("ways:\n")[1].split("\n").filter((line) => line.startsWith("  "));

Deno.test("tune: the search's ways are kept, and synth takes them and says so", async () => {
  using run = tiny();
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
  using run = tiny();
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
  using run = tiny();
  const args = ["tune", "--generator", run.generator, "--classifier", run.classifier, "--tuned", run.file];
  const stopped = await type(args, { interruptAt: "layer 1/2" });
  assert.equal(stopped.code, 130, stopped.err);
  assert.match(stopped.err, /\nstopped after [12] shapes?; their ways are kept\n$/);
  const next = await type([...args, "--json", "--quiet"]);
  const { known, layers } = JSON.parse(next.out);
  assert.ok(known >= 1 && known + layers.length === 2, next.out);
});

Deno.test("tune: the file lies in the user's folder for caches, and what is broken is ignored and replaced", async () => {
  using run = tiny();
  // Deno's own packages are not to move there.
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  const { denoDir } = JSON.parse(new TextDecoder().decode(stdout)) as { denoDir: string };
  const { classifier, at } = run;
  const env = { PHOSPHENE_TUNED: "", XDG_CACHE_HOME: at("home"), DENO_DIR: denoDir };
  const file = at("home/phosphene/tuned.json");
  const args = ["tune", "--model", classifier, "--quiet"];
  const infer = async (more: string[], env?: Record<string, string>) => {
    const { code, err } = await type(
      ["infer", "--model", classifier, "--input", at("x.npy"), "--output", at("y.npy"), "--fast", "--force", ...more],
      { env },
    );
    assert.equal(code, 0, err);
    return err;
  };
  Deno.writeFileSync(at("x.npy"), writeNpy({ shape: [3, 8, 8], data: new Float32Array(192) }));
  const first = await type(args, { env });
  assert.deepEqual([first.code, first.out.endsWith(`\n${file}\n`)], [0, true], first.err);
  const good = Deno.readTextFileSync(file);
  Deno.writeTextFileSync(file, good.slice(0, -9));
  assert.equal(await infer([], env), "");
  assert.equal((await type(args, { env })).code, 0);
  assert.equal(JSON.parse(Deno.readTextFileSync(file)).phosphene, "tuned ways 1");
  assert.match(await infer(["--verbose"], env), /\(tuned\)\n/);

  // A folder or nothing in the file's place is ignored too, but told where the user names it.
  assert.equal(await infer([], { PHOSPHENE_TUNED: at("home") }), "");
  assert.equal(await infer([], { PHOSPHENE_TUNED: at("none.json") }), "");
  assert.match(
    await infer(["--tuned", at("home")]),
    /^warning: .*home holds no tuned ways; all are chosen as predicted\n/,
  );
  // Paths that are not absolute are no folders for caches.
  const relative = await type(args, { env: { ...env, XDG_CACHE_HOME: "x", HOME: "y" } });
  assert.match(relative.err, /^tune: there is no place for the ways; --tuned FILE names one\n$/);
});

Deno.test("tune: a file that holds something else is refused and stays, a broken one is replaced", async () => {
  using run = tiny();
  const { classifier, at } = run;
  const tune = (file: string) => type(["tune", "--model", classifier, "--quiet", "--tuned", file]);
  Deno.writeTextFileSync(at("mine.json"), '{"mine": 1}');
  Deno.writeTextFileSync(at("mine.txt"), "tench\n");
  for (const file of [at("mine.json"), at("mine.txt")]) {
    const { code, err } = await tune(file);
    assert.equal(code, 1);
    assert.match(err, /^tune: .* is there and holds something else than tuned ways; --tuned names another file\n$/);
  }
  assert.equal(Deno.readTextFileSync(at("mine.txt")), "tench\n");
  Deno.writeTextFileSync(at("broken.json"), '{"mine": ');
  assert.equal((await tune(at("broken.json"))).code, 0);
  assert.equal(JSON.parse(Deno.readTextFileSync(at("broken.json"))).phosphene, "tuned ways 1");
});

Deno.test({
  name: "tune --arithmetic f16: its ways are for plans in f16 alone",
  ignore: !(await openDevice()).caps.features.includes("shader-f16"),
  async fn() {
    using run = tiny();
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

Deno.test("tune: what makes no sense is one sentence", async () => {
  using run = tiny();
  const { classifier, at } = run;
  const place = ["--tuned", run.file];
  const cases: [string[], RegExp][] = [
    [["--tuned", "none"], /there is no place for the ways; --tuned FILE names one/],
    [["--tuned", at(".")], /is a folder; a file's name is expected/],
    [[...place, "--batch", "0"], /--batch expects a whole number 1 to 100000, got "0"/],
    [[...place, "--weights", "f8"], /--weights/],
    [[...place, "--gradient"], /--gradient and --double-float go with --model/],
    [[...place, "--model", classifier, "--classifier", classifier], /--model is one network/],
    [[...place, "--model", classifier, "--layer", "conv9"], /no layer "conv9"/],
    [[...place, "--model", at("nothing")], /nothing does not exist/],
  ];
  for (const [args, message] of cases) {
    const { code, out, err } = await type(["tune", ...args]);
    assert.deepEqual([code, out, err.match(/\n/g)?.length], [1, "", 1], err);
    assert.match(err, message);
    assert.ok(err.startsWith("tune: "));
  }
  assert.deepEqual(namesIn(at("cache")), []);
  assert.match((await type(["tune", "--help"])).out, /^deno task tune \[options\]\n/);
});
