/** The kernel laboratory as a user types it: profile, dump, replace, ways; and docs/kernels.md from end to end. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { decodeImage } from "../../src/formats/png.ts";
import { writeTinyModels } from "./tiny_models.ts";
import { namesIn, root, temporaryFolder, type } from "./user.ts";

/** A folder with tiny models, and the options that choose them. */
function tiny() {
  const folder = temporaryFolder();
  const { classifier, generator } = writeTinyModels(folder.path);
  return { ...folder, classifier, pair: ["--classifier", classifier, "--generator", generator] };
}

const picture = (file: string) => decodeImage(Deno.readFileSync(file), file);

Deno.test("the laboratory, with tiny models", async (t) => {
  using at = tiny();
  const [svg, dump] = ["roof.svg", "kernels"].map((name) => join(at.path, name));
  const dumped = (kernel: string) => join(dump, `${kernel}.wgsl`);
  const blocks = join(root, "examples/pool_by_blocks.ts");

  await t.step(
    "bench profile: every dispatch of a search, its roof, a drawing, its kernels, and what is left over",
    async () => {
      const args = ["bench", "profile", ...at.pair, "--roofline", svg, "--dump", dump];
      const { code, out, err } = await type([...args, "--tuned", "none", "--adapter", "low-power", "--force"]);
      assert.equal(code, 0, err);
      const [peak, title, head, ...rows] = out.trimEnd().split("\n");
      assert.match(peak, /: peak [\d.]+ GFLOP\/s, [\d.]+ GB\/s$/);
      assert.match(
        title,
        /^tiny generator and tiny classifier, batch 1: \d+ dispatches, timed by (timestamps|repetition)$/,
      );
      assert.match(head, /^kernel +way +ms +of the run +GFLOP\/s +executed +GB\/s +bound by +of that$/);
      const names = rows.slice(0, Number(/(\d+) dispatches/.exec(title)![1])).map((row) => row.split(/ {2,}/)[0]);
      assert.deepEqual(names, [
        "fc",
        "picture",
        "conv1",
        "fc2",
        "fc3",
        "objective",
        "fc3.gradient",
        "fc2.gradient",
        "conv1.gradient",
        "picture.gradient",
        "fc.gradient",
        "magnitude",
        "step",
      ]);
      assert.match(rows[names.length], /^(left over|all of these) +[\d.e-]+ +[\d.e-]+ %$/);
      assert.match(rows[names.length + 1], /^a whole run +[\d.]+ +[\d.]+ %$/);
      assert.match(Deno.readTextFileSync(svg), /^<svg [^]*<title>conv1[^]*<\/svg>\n$/);
      assert.deepEqual(namesIn(dump).filter((name) => name.startsWith("conv1")), [
        "conv1.gradient.json",
        "conv1.gradient.wgsl",
        "conv1.json",
        "conv1.wgsl",
      ]);
      const again = await type(["bench", "profile", ...at.pair, "--dump", dump]);
      assert.match(again.err, /^bench profile: .*kernels is not empty; --force overwrites what is there\n$/);
    },
  );

  await t.step("bench profile: a network with a kernel of one's own", async () => {
    const own = ["--replace", `conv1=${dumped("conv1")}`, "--ways", blocks];
    const { out, err } = await type(["bench", "profile", "--model", at.classifier, "--by", "repetition", ...own]);
    assert.match(
      out,
      /\ntiny classifier, forward and gradient, batch 1: 6 dispatches, timed by repetition\nkernel /,
      err,
    );
    assert.match(out, /\nconv1 +\S*conv1\.wgsl .*\n(.*\n)*conv1: .*conv1\.wgsl in place of .* ratio /);
  });

  await t.step("synth --replace and --ways: checked, used, told, and in the picture's record", async () => {
    const [plain, own, other] = ["a", "b", "d"].map((name) => join(at.path, `${name}.png`));
    const options = ["--unit", "1", "--iterations", "3", ...at.pair];
    assert.equal((await type(["synth", ...options, "--out", plain])).code, 0);

    const files = ["conv1", "fc2.gradient", "objective"].flatMap((name) => ["--replace", `${name}=${dumped(name)}`]);
    const again = await type(["synth", ...options, "--out", own, ...files, "--json"]);
    assert.equal(again.code, 0, again.err);
    assert.match(
      again.err,
      /^conv1: .*conv1\.wgsl in place of .+: [\d.e-]+ ms, ours [\d.e-]+ ms, ratio [\d.]+( is within the noise)? \([\d.]+ to [\d.]+\); off by /m,
    );
    assert.deepEqual((await picture(own)).rgb, (await picture(plain)).rgb);
    const { own: verdicts, pictures: [{ own: record }] } = JSON.parse(again.out);
    assert.deepEqual(verdicts.map(({ kernel }: { kernel: string }) => kernel), ["conv1", "objective", "fc2.gradient"]);
    assert.match(record[0].sha256, /^[0-9a-f]{64}$/);
    const repeated = await type(["synth", "--from", own, ...at.pair, "--out", join(at.path, "c.png")]);
    assert.match(
      repeated.err,
      /warning: .*b\.png was made with .*conv1\.wgsl as conv1, which is not given now; details may differ\n/,
    );

    const mine = join(at.path, "mine.wgsl");
    const text = Deno.readTextFileSync(dumped("fc2"));
    const replaced = async (wgsl: string, kernel = "fc2") => {
      Deno.writeTextFileSync(mine, wgsl);
      return await type(["synth", ...options, "--out", other, "--replace", `${kernel}=${mine}`]);
    };
    const wrong = await replaced(text.replace("var v = value;", "var v = 1.01 * value;"));
    assert.equal(wrong.code, 1);
    assert.match(
      wrong.err,
      /^synth: fc2 by .*mine\.wgsl is wrong: its output of item 0 at \[\d\] is \S+ where float64 has \S+, off by 0\.0\d+ of .*\n$/,
    );
    const broken = await replaced(`// mine\n${text.replace("var v = value;", "var v = valu;")}`);
    assert.match(broken.err, /^synth: fc2 \(.*mine\.wgsl\): WGSL line \d+, column \d+: .*valu.*: var v = valu;\n$/);
    assert.match((await replaced(text, "fc9")).err, /^synth: there is no kernel "fc9"; there are fc, /);
    const ways = join(at.path, "ways.ts");
    for (
      const [source, said] of [
        ["export const ways = 3;", /ways\.ts: expected an export "ways"/],
        ["throw new Error('no');", /ways\.ts cannot be run: no/],
      ] as const
    ) {
      Deno.writeTextFileSync(ways, source);
      const { code, err } = await type(["synth", ...options, "--out", other, "--ways", ways]);
      assert.match(err, said);
      assert.equal(code, 1);
    }
    assert.deepEqual(namesIn(at.path).filter((name) => name.startsWith("d")), []);
  });

  await t.step("bench synth: with a kernel of one's own", async () => {
    const own = ["--replace", `fc2=${dumped("fc2")}`, "--ways", blocks];
    const { out, err } = await type(["bench", "synth", ...at.pair, ...own]);
    assert.match(out, /\nfc2: .*fc2\.wgsl in place of /, err);
  });

  await t.step("bench kernels: writes kernels out, and times one's own beside ours", async () => {
    const short = ["--passes", "1", "--rounds", "1"];
    const mine = join(at.path, "mine");
    const own = ["--replace", `conv1=${dumped("conv1")}`, "--ways", blocks, "--dump", mine];
    const { code, out, err } = await type(["bench", "kernels", "--model", at.classifier, ...short, ...own]);
    assert.equal(code, 0, err);
    assert.match(out, /\nconv1 +conv2d +forward +/);
    assert.match(
      out,
      /\nconv1: .*conv1\.wgsl in place of .* ratio [\d.]+( is within the noise)? \([\d.]+ to [\d.]+\); off by /,
    );
    assert.doesNotMatch(out, /\nfc2 /);
    assert.deepEqual(namesIn(mine).filter((name) => name.startsWith("conv1")), [
      "conv1.gradient.json",
      "conv1.gradient.wgsl",
      "conv1.json",
      "conv1.wgsl",
    ]);
    const shape = ["--op", "fc", "--shape", "6", "--params", "channels=5", "--replace", `fc=${dumped("conv1")}`];
    assert.match(
      (await type(["bench", "kernels", ...shape])).err,
      /^bench kernels: --replace names kernels of the default pair, /,
    );
  });
});

Deno.test("bench profile: a published network's first layer, forward, and what makes no sense", async () => {
  using at = temporaryFolder();
  const [svg, json, dump] = ["conv1.svg", "profile.json", "kernels"].map((name) => join(at.path, name));
  const published = ["--network", "resnet50", "--layer", "conv1", "--forward", "--batch", "2", "--weights", "f16"];
  const files = ["--arithmetic", "f32", "--roofline", svg, "--json", json, "--dump", dump, "--passes", "1"];
  const { code, out, err } = await type(["bench", "profile", ...published, ...files]);
  assert.equal(code, 0, err);
  assert.match(
    out,
    /\nResNet-50 with random weights, forward, batch 2: 1 dispatches, timed by \w+\nkernel .*\nconv1 .*\n(left over|all of these) /,
  );
  assert.match(Deno.readTextFileSync(svg), /^<svg [^]*<title>conv1[^]*<\/svg>\n$/);
  assert.deepEqual(namesIn(dump), ["conv1.json", "conv1.wgsl"]);
  const { profile: { kernels, rowsMs, leftOverMs, wallMs } } = JSON.parse(Deno.readTextFileSync(json));
  const [{ kernel, samples, bytes, bound }] = kernels;
  assert.deepEqual([kernels.length, kernel], [1, "conv1"]);
  assert.ok(samples.length >= 5 && bytes > 0 && ["arithmetic", "memory"].includes(bound.by) && bound.ms > 0);
  assert.ok(Math.abs(rowsMs + leftOverMs - wallMs) < 1e-9);
  // It takes some microseconds on anything: a clock that stands still is no clock.
  assert.ok(wallMs > 1e-3 && rowsMs > 1e-3, `${wallMs} ms, rows ${rowsMs} ms`);
  const same = await type(["bench", "compare", json, json]);
  assert.equal(same.code, 0, same.err);
  assert.match(same.out, /^2 compared, 0 changed by /);
  for (
    const [args, said] of [
      [["--network", "lenet"], /--network expects caffenet/],
      [["nets"], /bench profile measures "synth" or what --model or --network names; got "nets"/],
      [["--by", "guess"], /--by .*timestamps.*repetition.*"guess"/],
    ] as const
  ) {
    const { code, err } = await type(["bench", "profile", ...args]);
    assert.match(err, said);
    assert.equal(code, 1);
  }
  assert.match((await type(["bench", "profile", "--help"])).out, /^deno task bench profile \[options\] \[synth\]\n/);
});

Deno.test("docs/kernels.md: from the dump to a faster kernel, and to a way", async () => {
  using folder = temporaryFolder();
  const dump = join(folder.path, "dump");
  const mine = join(folder.path, "mine.wgsl");
  const out = join(folder.path, "a.png");
  const of = ["--model", join(root, "models/caffenet64"), "--layer", "pool1", "--batch", "1"];
  const dumped = await type(["bench", "profile", ...of, "--dump", dump]);
  assert.equal(dumped.code, 0, dumped.err);
  const doc = Deno.readTextFileSync(join(root, "docs/kernels.md"));
  const [, shown, own] = /```wgsl\n([^]*?)```[^]*```wgsl\n([^]*?)```/.exec(doc)!;
  const text = Deno.readTextFileSync(join(dump, "pool1.gradient.wgsl"));
  assert.ok(
    text.includes(shown.slice(0, shown.indexOf("    for (var ox")).replaceAll(/^ +\n/gm, "")),
    "the page shows another kernel",
  );
  Deno.writeTextFileSync(mine, text.slice(0, text.indexOf("fn kernel")) + own);
  const facts = JSON.parse(Deno.readTextFileSync(join(dump, "pool1.gradient.json")));
  Deno.writeTextFileSync(join(folder.path, "mine.json"), JSON.stringify({ ...facts, grid: [64, 1, 1] }));
  const replaced = ["--replace", `pool1.gradient=${mine}`, "--ways", join(root, "examples/pool_by_blocks.ts")];
  const used = await type(["synth", "--unit", "945", "--iterations", "2", "--out", out, ...replaced]);
  assert.equal(used.code, 0, used.err);
  assert.match(
    used.err,
    /^pool1\.gradient: .*mine\.wgsl in place of blocks: .* ratio [\d.]+( is within the noise)? \([\d.]+ to [\d.]+\); off by /m,
  );
  assert.match(used.err, /^pool2\.gradient goes blocks of .*pool_by_blocks\.ts: off by .* in 4 trials$/m);
});
