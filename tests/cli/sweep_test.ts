/** Sweeps: what a plan is, and that its pictures are the same however they come about. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { parse } from "../../src/cli/command.ts";
import { command, commands } from "../../src/cli/sweep.ts";
import { writeSafetensors } from "../../src/formats/safetensors.ts";
import { madeIn, tinyFolder } from "./sweeping.ts";
import { tinyStatistics } from "./tiny_models.ts";
import { namesIn, type } from "./user.ts";

/** A folder with tiny models and the words that begin every command on them. */
function tiny() {
  const folder = tinyFolder();
  const { classifier, generator } = folder;
  const words = [...["--classifier", classifier, "--generator", generator, "--judge", classifier], "--units", "0-3"];
  return { ...folder, words };
}

Deno.test("sweep: stopped and gone on with, or in shares, the pictures and the report are the same", async () => {
  using run = tiny();
  const plan = [
    "--seeds",
    "0-1",
    "--decay",
    "0.9,1",
    "--lr-start",
    "1:16:log",
    "--draws",
    "2",
    "--draw-seed",
    "3",
    "--batch",
    "5",
  ];
  const sweep = (
    out: string,
    ...more: string[]
  ) => ["sweep", ...run.words, ...plan, "--iterations", "4", "--out", run.at(out), ...more];
  const whole = await type(sweep("whole", "--adapter", "high-performance", "--tuned", "none"));
  assert.equal(whole.code, 0, whole.err);
  assert.equal(whole.out, `${run.at("whole/report.html")}  32 of 32 pictures\n`);
  const [pictures, lines] = madeIn(run.at("whole"));
  assert.deepEqual([pictures.size, lines.map(({ picture }) => picture)], [32, [...Array(32).keys()]]);
  assert.ok(
    lines.every(({ recognised, judge, top }) => judge!.recognised === recognised && judge!.top[0].unit === top[0].unit),
  );
  assert.equal(new Set(lines.map(({ settings }) => settings.lrStart)).size, 2);
  assert.match(
    lines[0].command,
    /^deno task synth --layer fc3 --unit 0 --seed 0 --iterations 4 --lr-start [\d.]+ --decay 0.9 --classifier /,
  );

  const stopped = await type(sweep("parts"), { interruptAt: "picture  5/32" });
  assert.equal(stopped.code, 130, stopped.err);
  assert.match(stopped.err, /stopped after \d+ of 32 pictures; the same command goes on/);
  const results = join(run.at("parts"), "results.jsonl");
  const text = Deno.readTextFileSync(results);
  assert.ok(madeIn(run.at("parts"))[1].length < 32);
  Deno.writeTextFileSync(results, `${text}{"picture": 31, "cut off`);
  Deno.writeTextFileSync(join(run.at("parts"), "pictures/.phosphene-0123456789abcdef.tmp"), "half a picture");
  const gone = await type(sweep("parts", "--quiet"));
  assert.deepEqual([gone.code, gone.err], [0, ""]);
  assert.deepEqual(madeIn(run.at("parts")), [pictures, lines]);
  assert.equal(namesIn(join(run.at("parts"), "pictures")).length, 32);
  const picture = (number: number) => join(run.at("parts"), "pictures", `0000${number}.png`);
  Deno.removeSync(picture(7));
  Deno.writeTextFileSync(picture(8), "damaged");
  const reportOf = ["sweep", "report", run.at("parts"), "--out", run.at("damaged.html")];
  const { code: lacking, out: lacks, err: said } = await type(reportOf);
  assert.deepEqual([lacking, lacks], [1, `${run.at("damaged.html")}  30 of 32 pictures\n`]);
  assert.match(said, /^warning: shown without its picture: .*00007\.png is not there as it was made$/m);
  const again = await type(sweep("parts"));
  assert.match(again.err, /^8 of 32 pictures to make/);
  assert.deepEqual(madeIn(run.at("parts")), [pictures, lines]);
  const from = ["synth", "--from", picture(7), ...run.words.slice(0, 4), "--out", run.at("from.png")];
  assert.equal((await type(from)).code, 0);
  assert.deepEqual(Deno.readFileSync(run.at("from.png")), pictures.get(7));

  for (const shard of ["1/2", "2/2"]) {
    const { code, err } = await type(sweep(`share${shard[0]}`, "--shard", shard));
    assert.equal(code, 0, err);
  }
  assert.deepEqual(madeIn(run.at("share1"), run.at("share2")), [pictures, lines]);
  const both = run.at("both.html");
  const reported = await type(["sweep", "report", run.at("share1"), run.at("share2"), "--out", both]);
  assert.deepEqual([reported.code, reported.out], [0, `${both}  32 of 32 pictures\n`]);
  assert.match(Deno.readTextFileSync(both), /<title>Sweep: share1, share2<\/title>/);
  const data = (file: string) =>
    /<script type="application\/json" id="data">(.*)<\/script>/.exec(Deno.readTextFileSync(file))![1];
  const told = (file: string) => JSON.parse(data(file)).lines as { again: string; image: string }[];
  const [one, other] = [both, run.at("whole/report.html")].map((file) =>
    told(file).map(({ again: _, ...line }) => line)
  );
  assert.deepEqual(one, other);
  assert.ok(one.every(({ image }) => image.length > 100));
  assert.ok(told(both)[0].again.startsWith(`deno task synth --from ${join(run.at("share1"), "pictures/00000.png")} `));

  const plans = await type(
    [...sweep("whole"), "--fit", "crop,resize"].filter((word) => word !== "--draw-seed" && word !== "3"),
  );
  assert.equal(plans.code, 1);
  assert.match(
    plans.err,
    /results\.jsonl holds the results of another plan: there --draw-seed is 3, here it is not given; there --fit is not given, here it is crop,resize; --out names another folder\n$/,
  );
  assert.deepEqual(namesIn(run.at("whole")), ["pictures", "report.html", "results.jsonl"]);
});

Deno.test("sweep: everything that synth is told can be told a sweep, and no name in the report can leave its place", async () => {
  using run = tiny();
  const [bounds, labels] = [run.at("bounds.safetensors"), run.at("classifier/labels.txt")];
  const name = '</script><img src=x onerror="alert(1)">';
  Deno.writeFileSync(bounds, writeSafetensors(tinyStatistics));
  Deno.writeTextFileSync(labels, ["zero", name, "two", "three", "four"].join("\n"));
  const [classifier, generator] = [run.at("classifier"), run.at("generator")];
  const out = run.at("out");
  const models = ["--classifier", classifier, "--generator", generator];
  const how = [
    "--bounds",
    bounds,
    "--fit",
    "resize",
    "--interpolation",
    "bicubic",
    "--weights",
    "f32",
    "--arithmetic",
    "f32",
  ];
  const settings = [
    "--rule",
    "paper,adam",
    "--sigmas",
    "1,2",
    "--lr-start",
    "1:4:log",
    "--iterations",
    "2:9",
    "--draws",
    "1",
    "--lr-end",
    "0",
    "--blur-every",
    "3",
  ];
  const unit = ["--unit", "1", "--layer", "fc3", "--seed", "1", "--redirect", "0", "--out", out];
  const { code, err } = await type(["sweep", ...models, ...how, ...settings, ...unit]);
  assert.equal(code, 0, err);
  const idle = ["fit", "interpolation", "blur-every"].map((name) => `warning: --${name} has no effect [^\n]+\n`);
  assert.match(err, new RegExp(`^${idle.join("")}(?!warning)`));
  const page = Deno.readTextFileSync(join(out, "report.html"));
  assert.equal(page.match(/<\/script>/g)?.length, 2);
  assert.ok(page.includes("\\u003c/script>\\u003cimg src=x"));
  assert.ok(!page.includes("<img"));
  const [, lines] = madeIn(out);
  const grid = ["paper", "adam"].flatMap((rule) => [1, 2].map((sigmas) => [rule, sigmas, name]));
  assert.deepEqual(lines.map(({ settings: { rule, sigmas }, title }) => [rule, sigmas, title]), grid);
  assert.ok(page.includes('"varied":["--rule","--sigmas"]'));
  const pixels = [
    "--model",
    classifier,
    "--method",
    "yosinski2015,fft",
    "--prior",
    "pixels",
    "--size",
    "8,16",
    "--clip",
    "none",
    "--lowest",
    "0",
  ];
  const start = [
    "--octaves",
    "1",
    "--octave-scale",
    "2",
    "--noise",
    "5:9",
    "--variation",
    "0.1",
    "--alpha-norm",
    "0.1",
  ];
  const costs = ["--alpha", "4", "--centre", "0.1", "--blur", "0.5", "--blur-every", "1", "--small-norm", "1"];
  const views = [
    "--small-contribution",
    "1",
    "--jitter",
    "1",
    "--zoom",
    "0.1",
    "--rotation",
    "5",
    "--edges",
    "mean,wrap",
  ];
  const priors = [
    ...pixels,
    ...start,
    ...costs,
    ...views,
    "--iterations",
    "2",
    "--draws",
    "1",
    "--out",
    run.at("priors"),
  ];
  const drawn = await type(["sweep", "--unit", "1", ...priors]);
  assert.equal(drawn.code, 0, drawn.err);
  const [, ways] = madeIn(run.at("priors"));
  const told = ways.map(({ settings: { size, edges }, command }) => [
    ...[size, edges],
    /--method (\S+)/.exec(command)![1],
  ]);
  assert.deepEqual([told.length, told[0], told.at(-1)], [8, [8, "mean", "yosinski2015"], [16, "wrap", "fft"]]);
  const far = [
    "--prior",
    "pixels",
    "--clip",
    "none",
    "--alpha-norm",
    "1e12",
    "--alpha",
    "16",
    "--lr-start",
    "1000000,8",
  ];
  const beyond = await type([
    ...["sweep", "--classifier", classifier, "--unit", "1", ...far, "--iterations", "4", "--out", run.at("far")],
  ]);
  assert.deepEqual([beyond.code, beyond.out], [1, `${run.at("far/report.html")}  1 of 2 pictures\n`], beyond.err);
  assert.match(beyond.err, /^warning: picture 0 cannot be made: .* beyond float32/m);
  const target = await type([
    "sweep",
    ...run.words.slice(0, 6),
    "--target",
    "fc2:1 - 2*fc2:0",
    "--iterations",
    "2",
    "--out",
    run.at("target"),
  ]);
  assert.equal(target.code, 0, target.err);
  assert.match(madeIn(run.at("target"))[1][0].command, /--target 'fc2:1 - 2\*fc2:0' --seed 0 --iterations 2/);
  const report = ["sweep", "report", out, "--out", join(out, "report.html")];
  assert.equal((await type(report)).code, 1);
  assert.equal((await type([...report, "--force"])).code, 0);
  assert.match((await type(["sweep", "--help"])).out, /^deno task sweep \[options\]/);
  assert.match((await type(["sweep", "report", "--help"])).out, /^deno task sweep report \[options\] DIR/);
});

Deno.test("sweep: whatever cannot be is one sentence, and leaves nothing behind", async () => {
  using run = tiny();
  Deno.mkdirSync(run.at("strange"));
  Deno.writeTextFileSync(run.at("strange/results.jsonl"), "{}\n");
  Deno.writeTextFileSync(run.at("file"), "");
  const cases: [words: string[], message: RegExp][] = [
    [["sweep", ...run.words, "--out", run.at("strange")], /holds no results of a sweep/],
    [["sweep", ...run.words, "--out", run.at("file/x")], /^sweep: nothing can be written in .*x: a part of its path/],
    [["sweep", "report", run.at("nowhere"), "--out", run.at("r.html")], /^sweep report: .*nowhere cannot be read/],
  ];
  for (const [words, message] of cases) {
    const { code, out, err } = await type(words);
    assert.deepEqual([code, out], [1, ""], err);
    assert.match(err, message);
    assert.equal(err.split("\n").length, 2, err);
  }
  const refused = async (words: string[], message: RegExp) => {
    const { values } = parse(command, [...run.words, ...words]);
    await assert.rejects(async () => await command.run(values, []), { name: "UserError", message });
  };
  await refused(["--shard", "3/2"], /^--shard expects K\/N with K from 1 to N/);
  await refused(["--lr-start", "1:4"], /^--lr-start is a range/);
  await refused(["--weights", "f16,f32"], /^--weights is one for a whole sweep, got "f16,f32"/);
  await refused(["--draw-seed", "1"], /^--draw-seed says how ranges are drawn from; --draws 20/);
  await refused(["--prior", "fourier"], /^--generator .*generator is of no use/);
  await refused(["--sigmas", "1,2"], /^--sigmas is of codes whose mean and deviation are known/);
  await refused(["--target", "fc3:3"], /^--target says all that is climbed/);
  await assert.rejects(async () => await commands.report.run({ out: "r.html", force: false }, []), /expected folders/);
  assert.deepEqual(namesIn(run.path), ["classifier", "file", "generator", "strange"]);
});

Deno.test("sweep: a device that is lost under the judge costs nothing", async () => {
  using run = tiny();
  const out = run.at("lost");
  const { code, err } = await type(["sweep", ...run.words, "--iterations", "2", "--out", out], {
    preload: "lose_judge.ts",
  });
  assert.equal(code, 0, err);
  assert.match(err, /^the judge's device is lost$/m);
  assert.ok(madeIn(out)[1].every(({ judge, top }) => judge!.top[0].unit === top[0].unit));
});
