/** `deno task synth` as a user types it: small models where any will do, and once the embedded pair. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { readNpy, writeNpy } from "../../src/formats/npy.ts";
import { decodeImage, encodePng } from "../../src/formats/png.ts";
import { namesIn, root, temporaryFolder, type, withoutTask } from "./user.ts";
import { writeTinyModels, writeWeights } from "./tiny_models.ts";

/** A folder with tiny models, the options that choose them, and a place for pictures. */
function tiny() {
  const folder = temporaryFolder();
  const models = writeTinyModels(folder.path);
  const out = join(folder.path, "out");
  const chosen = ["--classifier", models.classifier, "--generator", models.generator];
  return { ...folder, models, chosen, out, options: [...chosen, "--out", out, "--iterations", "4"] };
}

const read = (file: string) => decodeImage(Deno.readFileSync(file), file);

Deno.test("the default run: the embedded pair shows the bell pepper", async () => {
  using folder = temporaryFolder();
  const out = join(folder.path, "pictures");
  const { code, out: printed, err } = await type([
    "synth",
    "--unit",
    "945",
    "--iterations",
    "8",
    "--out",
    out,
    "--verbose",
  ]);
  assert.equal(code, 0, err);
  assert.match(printed, /fc8_0945_0\.png {2}activation \d+\.\d\d {2}top 5: 945 bell pepper /);
  assert.match(err, /^iteration 8\/8 {2}activation \d+\.\d\d {2}bell pepper$/m);
  const [, used, planned] = /GPU memory in use: (\d+) bytes; planned: (\d+) bytes/.exec(err)!;
  assert.equal(used, planned);
  assert.doesNotMatch(err, /XDG_RUNTIME_DIR|warning/);
  const { width, height, text } = await read(join(out, "fc8_0945_0.png"));
  assert.deepEqual([width, height], [64, 64]);
  assert.match(text.Description, /unit 945 \(bell pepper\) wants to see: fc8 of caffenet64, drawn by deepsim64/);
  const record = JSON.parse(text.phosphene);
  assert.deepEqual([record.units, record.seed, record.iterations, record.rule], [[945], 0, 8, "paper"]);
  assert.equal(record.result.top[0].name, "bell pepper");
  for (const model of [record.classifier, record.generator]) assert.match(model.hash, /^[0-9a-f]{64}$/);
  const seen = await type(["classify", join(out, "fc8_0945_0.png"), "--top", "1"]);
  assert.match(seen.out, /fc8_0945_0\.png\n +\d+\.\d % {3}945 {2}bell pepper\n$/, seen.err);
});

Deno.test("a classifier that ends in a softmax: its logits are climbed, and have the units' names", async () => {
  using run = tiny();
  const { classifier } = run.models;
  const path = join(classifier, "network.json");
  const network = JSON.parse(Deno.readTextFileSync(path));
  network.layers.push({ name: "prob", type: "softmax", input: "fc3" });
  Deno.writeTextFileSync(path, JSON.stringify(network));
  const { code, out, err } = await type(["synth", ...run.options, "--unit", "1", "--json"]);
  assert.equal(code, 0, err);
  assert.match(err, /^iteration 4\/4 {2}activation -?\d+\.\d+ {2}\w+/m);
  const [{ file, layer, title, result }] = JSON.parse(out).pictures;
  assert.deepEqual([file, layer, title], [join(run.out, "fc3_0001_0.png"), "fc3", "bell pepper"]);
  const seen = await type(["classify", "--model", classifier, file, "--json", "--top", "5"]);
  const [{ top }] = JSON.parse(seen.out).pictures;
  const total = (values: number[]) => values.reduce((a, b) => a + b);
  assert.deepEqual(top.map(({ unit }: { unit: number }) => unit), result.top.map(({ unit }: { unit: number }) => unit));
  assert.ok(Math.abs(total(top.map(({ probability }: { probability: number }) => probability)) - 1) < 1e-5);
});

Deno.test("units and seeds make a batch: pictures, animations, a sheet, the codes, one JSON document", async () => {
  using run = tiny();
  const codes = join(run.path, "codes.npy");
  const { code, out, err } = await type([
    ...["synth", ...run.options, "--units", "0,2-3", "--seeds", "1-2", "--scale", "2", "--animate", "apng"],
    ...["--save-code", codes, "--json", "--quiet"],
  ]);
  assert.equal(code, 0, err);
  assert.equal(err, "");
  const pictures = [0, 2, 3].flatMap((unit) => [1, 2].map((seed) => `fc3_000${unit}_${seed}`));
  const expected = [...pictures.flatMap((name) => [`${name}.apng`, `${name}.png`]), "fc3_0000,0002-0003_1-2_sheet.png"];
  assert.deepEqual(namesIn(run.out), expected.sort());
  const report = JSON.parse(out);
  assert.deepEqual(
    report.pictures.map(({ file }: { file: string }) => file),
    pictures.map((name) => join(run.out, `${name}.png`)),
  );
  for (const { trace, result } of report.pictures) {
    assert.equal(trace.length, 4);
    assert.equal(result.activation, trace[3]);
    assert.equal(result.top.length, 5);
  }
  assert.equal(report.memory.device, report.memory.total);
  const { width, height } = await read(join(run.out, "fc3_0000_1.png"));
  assert.deepEqual([width, height], [16, 16]);
  assert.deepEqual(readNpy(Deno.readFileSync(codes), codes).shape, [6, 6]);
});

Deno.test("a picture tells how to make it again, byte for byte", async () => {
  using run = tiny();
  const [first, again] = ["first.png", "again.png"].map((name) => join(run.path, name));
  const init = join(run.path, "code.npy");
  const codes = join(run.path, "end.npy");
  Deno.writeFileSync(init, writeNpy({ shape: [1, 6], data: Float32Array.of(1, 2, -3, 4, 5, 6) }));
  const made = await type([
    ...["synth", ...run.chosen, "--unit", "1", "--init", init, "--iterations", "3", "--lr-start", "0.5"],
    ...["--decay", "0.9", "--out", first, "--save-code", codes],
  ]);
  assert.equal(made.code, 0, made.err);
  assert.deepEqual(readNpy(Deno.readFileSync(codes), codes).shape, [1, 6]);
  const repeated = await type(["synth", ...run.chosen, "--from", first, "--out", again]);
  assert.equal(repeated.code, 0, repeated.err);
  assert.deepEqual(Deno.readFileSync(again), Deno.readFileSync(first));

  const mixed = await type(["synth", ...run.chosen, "--from", first, "--unit", "2"]);
  assert.deepEqual([mixed.code, mixed.out], [1, ""]);
  assert.match(mixed.err, /--unit cannot be given with it/);
  writeWeights(run.models.generator, "generator", (values) => values[0] += 1);
  const other = await type(["synth", ...run.chosen, "--from", first, "--out", join(run.path, "other.png")]);
  assert.equal(other.code, 1);
  assert.match(
    other.err,
    /was made with generator tiny generator \([0-9a-f]{12}…\), .* --generator names another folder/,
  );
});

Deno.test("units in maps, units together, a start from a picture, and the other rule", async () => {
  using run = tiny();
  const photo = join(run.path, "photo.png");
  Deno.writeFileSync(photo, encodePng({ width: 20, height: 10, rgb: new Uint8Array(600).map((_, i) => i * 7) }));
  const inside = await type([
    "synth",
    ...run.options,
    "--layer",
    "conv1",
    "--unit",
    "3",
    "--xy",
    "7,0",
    "--init",
    photo,
    "--animate",
    "gif",
  ]);
  const together = await type([
    ...["synth", ...run.options, "--units", "1,3", "--together", "--gamma", "0.1", "--rule", "adam", "--seed", "7"],
    ...["--lr-end", "0.25", "--adapter", "low-power"],
  ]);
  for (const { code, err } of [inside, together]) assert.equal(code, 0, err);
  assert.deepEqual(namesIn(run.out), ["conv1_0003_0.gif", "conv1_0003_0.png", "fc3_0001,0003_7.png"]);
  const { text } = await read(join(run.out, "fc3_0001,0003_7.png"));
  const { units, seed, gamma, rule, lrStart, lrEnd } = JSON.parse(text.phosphene);
  assert.deepEqual([units, seed, gamma, rule, lrStart, lrEnd], [[1, 3], 7, 0.1, "adam", 0.5, 0.25]);
});

Deno.test("an untrained unit works and warns", async () => {
  using run = tiny();
  const { code, err } = await type(["synth", ...run.options, "--unit", "4"]);
  assert.equal(code, 0, err);
  assert.match(err, /warning: unit 4 \(elephant\) of tiny classifier was not trained/);
  assert.match(err, /warning: .*the gradient was zero/);
  assert.deepEqual(namesIn(run.out), ["fc3_0004_0.png"]);
});

Deno.test("bad input: one sentence, exit code 1, nothing written", async (t) => {
  using run = tiny();
  const { classifier } = writeTinyModels(join(run.path, "bad"));
  const weights = join(classifier, "weights.safetensors");
  const file = (name: string, bytes: Uint8Array) => {
    Deno.writeFileSync(join(run.path, name), bytes);
    return join(run.path, name);
  };
  const codes = (name: string, ...values: number[]) =>
    file(name, writeNpy({ shape: [values.length], data: Float32Array.from(values) }));
  const truncated = Deno.readFileSync(weights).subarray(0, -100);
  const plain = file("plain.png", encodePng({ width: 1, height: 1, rgb: new Uint8Array(3) }));
  const record = encodePng({ width: 1, height: 1, rgb: new Uint8Array(3) }, { phosphene: "{}" });
  const damaged = file("damaged.png", record.with(record.indexOf(0x7b), 0x7d)); // the brace
  const init = (path: string) => ({ unit: "1", init: path });
  const replaced = { unit: "1", classifier };
  const cases: [name: string, options: Record<string, string | undefined>, message: RegExp, prepare?: () => void][] = [
    ["no unit", {}, /which unit\?/],
    ["unit out of range", { unit: "1000" }, /unit 1000 does not exist: fc3 of tiny classifier has units 0 to 4/],
    ["unit no number", { unit: "pepper" }, /--unit expects a whole number/],
    ["units and unit", { unit: "1", units: "1" }, /not both/],
    ["unknown option", { unit: "1", sed: "1" }, /no option --sed/],
    ["unknown layer", { unit: "1", layer: "fc9" }, /no layer "fc9"; the layers are data, conv1, fc2, fc3/],
    ["unknown rule", { unit: "1", rule: "sgd" }, /--rule expects paper or adam/],
    ["position outside", { unit: "1", layer: "conv1", xy: "8,0" }, /position 8,0 does not exist/],
    ["no such picture", init(join(run.path, "no.png")), /no\.png cannot be read: it does not exist/],
    ["no picture", init(file("text.png", new Uint8Array(9))), /neither a PNG nor a JPEG/],
    ["code of the wrong size", init(codes("five.npy", 1, 2, 3, 4, 5)), /expected one code of tiny generator, \[6\]/],
    ["NaN code", init(codes("nan.npy", 1, 2, 3, NaN, 5, 6)), /NaN/],
    ["no record", { iterations: undefined, from: plain }, /does not say how it was made; --from reads/],
    ["a damaged record", { iterations: undefined, from: damaged }, /damaged\.png does not say .*: its text is damaged/],
    ["no such model", { unit: "1", classifier: join(run.path, "no") }, /no does not exist; a model is a folder/],
    ["no adapter", { unit: "1" }, /no adapter found/],
    ["unknown adapter", { unit: "1", adapter: "fast" }, /fast: expected high-performance, low-power or fallback/],
    ["several pictures in one file", { units: "0-1", out: join(run.path, "x.png") }, /one file/],
    ["not a PNG", { unit: "1", out: join(run.path, "x.jpg") }, /saved as \.png/],
    ["truncated weights", replaced, /weights\.safetensors.*truncated/, () => Deno.writeFileSync(weights, truncated)],
    [
      "NaN weights",
      replaced,
      /"fc2\.bias" holds NaN/,
      () => writeWeights(classifier, "classifier", (values, name) => name === "fc2.bias" && (values[3] = NaN)),
    ],
    [
      "missing weights",
      replaced,
      /weights\.safetensors does not exist/,
      () => Deno.removeSync(weights),
    ],
    ["wrong shape", replaced, /"conv1\.weight" has shape \[4,3,3,3\], expected \[5,3,3,3\]/, () => {
      writeWeights(classifier, "classifier");
      const path = join(classifier, "network.json");
      Deno.writeTextFileSync(path, Deno.readTextFileSync(path).replace('"channels":4', '"channels":5'));
    }],
  ];
  for (const [name, options, message, prepare] of cases) {
    await t.step(name, async () => {
      prepare?.();
      const before = namesIn(run.path);
      const all = { ...run.models, out: run.out, iterations: "4", ...options };
      const args = Object.entries(all).filter(([, value]) => value !== undefined);
      const hidden = { DENO_WEBGPU_BACKEND: "vulkan", VK_DRIVER_FILES: "/none", VK_ICD_FILENAMES: "/none" };
      const { code, out, err } = await type(["synth", ...args.map(([option, value]) => `--${option}=${value}`)], {
        env: name === "no adapter" ? hidden : {},
      });
      assert.deepEqual([code, out], [1, ""], err);
      assert.match(err, message);
      assert.match(err, /^synth: .+\n$/);
      assert.deepEqual(namesIn(run.path), before);
    });
  }
});

Deno.test("a reader of the progress who goes away does not cost the picture", async () => {
  using run = tiny();
  const command = withoutTask(["synth", ...run.options, "--unit", "1"]);
  const child = new Deno.Command("sh", {
    args: ["-c", '"$@" 2>&1 | head -c 1', "sh", ...command],
    cwd: root,
    env: { NO_COLOR: "1", PHOSPHENE_TUNED: "none" },
    stdin: "null",
  });
  assert.equal((await child.output()).code, 0);
  for (let tries = 0; namesIn(run.out).length === 0 && tries < 100; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 100)); // head ends first, and the shell does not wait for it
  }
  assert.deepEqual(namesIn(run.out), ["fc3_0001_0.png"]);
});

Deno.test("outputs that cannot be written", async (t) => {
  using run = tiny();
  const args = ["synth", ...run.options, "--unit", "1"];
  await t.step("a file that exists stays, unless forced", async () => {
    const path = join(run.out, "fc3_0001_0.png");
    Deno.mkdirSync(run.out);
    Deno.writeTextFileSync(path, "mine");
    const { code, err } = await type(args);
    assert.equal(code, 1);
    assert.match(err, /fc3_0001_0\.png exists; --force overwrites it/);
    assert.equal(Deno.readTextFileSync(path), "mine");
    assert.equal((await type([...args, "--force"])).code, 0);
    assert.equal((await read(path)).width, 8);
    Deno.removeSync(run.out, { recursive: true });
  });
  await t.step("a full disk, seen before the run", async () => {
    const { code, out, err } = await type(args, { fileBlocks: 1 });
    assert.deepEqual([code, out], [1, ""], err);
    assert.match(err, /^synth: nothing can be written in .+\n$/);
    assert.deepEqual(namesIn(run.out), []);
  });
  await t.step("a disk that is full only after the run", async () => {
    const { code, out, err } = await type([...args, "--scale", "32", "--animate", "apng", "--quiet"], {
      fileBlocks: 20,
    });
    assert.equal(code, 1, err);
    assert.match(out, /^\S+fc3_0001_0\.png {2}activation .*\n\(not saved\)\n$/);
    assert.match(err, /^synth: .+fc3_0001_0\.apng cannot be written: .+; nor can it be kept elsewhere: .+\n$/);
    assert.deepEqual(namesIn(run.out), ["fc3_0001_0.png"]);
    Deno.removeSync(run.out, { recursive: true });
  });
  await t.step("a folder without write permission", async () => {
    const locked = join(run.path, "locked");
    Deno.mkdirSync(locked, { mode: 0o555 });
    const { code, err } = await type(["synth", ...run.chosen, "--unit", "1", "--iterations", "2", "--out", locked]);
    if (Deno.uid() === 0) return; // root may write anywhere
    assert.equal(code, 1);
    assert.match(err, /permission denied/);
  });
});
