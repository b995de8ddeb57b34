/** Targets, rows of layers, images between and further inputs as a user types them, with models so small that it takes no time. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { readNpy, writeNpy } from "../../src/formats/npy.ts";
import { decodeImage, encodePng } from "../../src/formats/png.ts";
import { writeTinyModels } from "./tiny_models.ts";
import { namesIn, temporaryFolder, type } from "./user.ts";

/** A folder with tiny models, the options that choose them, and a place for pictures. */
function tiny() {
  const folder = temporaryFolder();
  const models = writeTinyModels(folder.path);
  const out = join(folder.path, "out");
  const chosen = ["--classifier", models.classifier, "--generator", models.generator];
  return { ...folder, models, chosen, out, short: [...chosen, "--iterations", "4", "--quiet"] };
}

const read = (file: string) => decodeImage(Deno.readFileSync(file), file);
const recordIn = async (file: string) => JSON.parse((await read(file)).text.phosphene);

/** Changes the network.json of a model. */
// deno-lint-ignore no-explicit-any
function edit(folder: string, change: (network: any) => void): void {
  const path = join(folder, "network.json");
  const network = JSON.parse(Deno.readTextFileSync(path));
  change(network);
  Deno.writeTextFileSync(path, JSON.stringify(network));
}

/** Writes numbers as a .npy file and gives its name. */
function npy(folder: string, name: string, ...values: number[]): string {
  const path = join(folder, name);
  Deno.writeFileSync(path, writeNpy({ shape: [values.length], data: Float32Array.from(values) }));
  return path;
}

Deno.test("a target: its picture, its record, and the same picture from that, byte for byte", async () => {
  using run = tiny();
  const direction = npy(run.path, "v.npy", 1, -0.5, 0, 2);
  const [first, again] = ["a", "b"].map((name) => join(run.path, name));
  const target =
    `fc3:1 + 0.5*mean(conv1:2) - cosine(conv1@all, ${direction}) - 0.01*variation(data) - 0.1*pair(fc3:1, fc3:2)`;
  const made = await type(["synth", ...run.short, "--target", target, "--out", `${first}.png`, "--redirect", "0"]);
  assert.equal(made.code, 0, made.err);
  const record = await recordIn(`${first}.png`);
  assert.deepEqual([record.target, record.units, record.redirect], [target, undefined, 0]);
  const { text } = await read(`${first}.png`);
  assert.ok(text.Description.startsWith(`What maximises ${target} of tiny classifier`));
  Deno.removeSync(direction);
  const repeated = await type(["synth", ...run.chosen, "--from", `${first}.png`, "--out", `${again}.png`]);
  assert.equal(repeated.code, 0, repeated.err);
  assert.deepEqual(Deno.readFileSync(`${again}.png`), Deno.readFileSync(`${first}.png`));
});

Deno.test("a direction of two dimensions is no direction", async () => {
  using run = tiny();
  const file = join(run.path, "two.npy");
  Deno.writeFileSync(file, writeNpy({ shape: [2, 2], data: new Float32Array(4) }));
  const { code, err } = await type(["synth", ...run.short, "--target", `dot(conv1, ${file})`, "--out", run.out]);
  assert.deepEqual([code, err], [1, `synth: direction ${file} has shape [2, 2], expected a number for each channel\n`]);
});

Deno.test("pictures of a batch, and of one whose pictures meet, are made again byte for byte", async () => {
  using run = tiny();
  const again = join(run.path, "again.png");
  const code = npy(run.path, "code.npy", 1, 2, -1, 0.5, 3, 0.25);
  for (
    const what of [
      ["--units", "0-2", "--seeds", "3-4"],
      ["--target", "fc3:1 + diversity(conv1)", "--seeds", "0-2"],
      ["--layer", "conv1", "--units", "1,3", "--init", code],
    ]
  ) {
    const { code, out, err } = await type(["synth", ...run.short, "--out", run.out, ...what, "--json", "--force"]);
    assert.equal(code, 0, err);
    const { pictures: { 1: { file }, length }, flops } = JSON.parse(out);
    const from = ["--from", file, "--out", again];
    const repeated = await type(["synth", ...run.chosen, ...from, "--json", "--force"]);
    assert.equal(repeated.code, 0, repeated.err);
    // Alone where the others do not matter.
    assert.equal(JSON.parse(repeated.out).flops, what[0] === "--target" ? flops : flops / length);
    assert.deepEqual(Deno.readFileSync(again), Deno.readFileSync(file), what.join(" "));
  }
});

Deno.test("a picture from before there were targets: its layer is a blob's last value", async () => {
  using run = tiny();
  const [after, old, again] = ["after", "old", "again"].map((name) => join(run.path, `${name}.png`));
  const options = ["--unit", "3", "--xy", "2,5", "--iterations", "6", "--redirect", "0"];
  const made = await type(["synth", ...run.chosen, ...options, "--layer", "conv1+last", "--out", after]);
  assert.equal(made.code, 0, made.err);
  const { text, ...picture } = await read(after);
  const { layer: _, target: __, redirect: ___, ...rest } = JSON.parse(text.phosphene);
  Deno.writeFileSync(old, encodePng(picture, { phosphene: JSON.stringify({ ...rest, layer: "conv1" }) }));
  const repeated = await type(["synth", ...run.chosen, "--from", old, "--out", again]);
  assert.equal(repeated.code, 0, repeated.err);
  assert.deepEqual((await read(again)).rgb, picture.rgb);
  assert.equal((await recordIn(again)).layer, "conv1+last");

  const before = join(run.path, "before.png");
  const now = ["--layer", "conv1", "--out", before];
  assert.equal((await type(["synth", ...run.chosen, ...options, ...now])).code, 0);
  const [{ result: pre }, { result: post }] = [await recordIn(before), await recordIn(after)];
  assert.notEqual(pre.activation, post.activation);
});

Deno.test("several layers: a row of the sheet for each, and targets: a picture each", async () => {
  using run = tiny();
  const codes = join(run.path, "codes.npy");
  const rows = ["--layer", "conv1", "--layer", "fc2", "--units", "0-2", "--save-code", codes];
  const { code, out, err } = await type(["synth", ...run.short, "--out", run.out, ...rows]);
  assert.equal(code, 0, err);
  const names = ["conv1", "fc2"].flatMap((layer) => [0, 1, 2].map((unit) => `${layer}_000${unit}_0.png`));
  assert.deepEqual(namesIn(run.out), [...names, "conv1,fc2_0000-0002_0_sheet.png"].sort());
  assert.deepEqual(
    out.split("\n").slice(0, 6).map((line) => line.split(" ")[0]),
    names.map((name) => join(run.out, name)),
  );
  assert.deepEqual(readNpy(Deno.readFileSync(codes), codes).shape, [6, 6]);
  const { width } = await read(join(run.out, "conv1,fc2_0000-0002_0_sheet.png"));
  assert.equal(width, 8 + 3 * (128 + 8));
  const targets = ["--target", "fc3:1 + fc3:2", "--target", "fc3:1 - fc3:2"];
  const two = await type(["synth", ...run.short, "--out", run.out, ...targets]);
  assert.equal(two.code, 0, two.err);
  const made = namesIn(run.out).filter((name) => name.startsWith("fc3") || name.startsWith("targets"));
  assert.deepEqual(made, ["fc3-1---fc3-2_0.png", "fc3-1-fc3-2_0.png", "targets_0_sheet.png"]);
});

Deno.test("the code that is saved is the picture's", async () => {
  using run = tiny();
  const codes = join(run.path, "code.npy");
  const y = join(run.path, "y.npy");
  const picture = join(run.path, "a.png");
  const made = await type(["synth", ...run.short, "--unit", "2", "--out", picture, "--save-code", codes]);
  assert.equal(made.code, 0, made.err);
  const drawn = await type(["infer", "--model", run.models.generator, "--input", codes, "--output", y]);
  assert.equal(drawn.code, 0, drawn.err);
  const { data } = readNpy(Deno.readFileSync(y), y);
  const { rgb } = await read(picture);
  rgb.forEach((level, n) => {
    const value = Math.round(Number(data[n % 3 * 64 + Math.floor(n / 3)]) * 127.5 + 127.5);
    assert.ok(Math.abs(level - Math.min(255, Math.max(0, value))) <= 1);
  });
});

Deno.test("a generator of other pictures: resized or cropped, and told which", async () => {
  using run = tiny();
  const unit = [...run.short, "--unit", "1"];
  edit(run.models.generator, ({ layers }) => layers[1].shape = [3, 4, 16]);
  const files = ["a", "b"].map((name) => join(run.path, `${name}.png`));
  const linear = await type(["synth", ...unit, "--out", files[0], "--fit", "resize"]);
  const cubic = await type(["synth", ...unit, "--out", files[1], "--interpolation", "bicubic"]);
  for (const { code, err } of [linear, cubic]) assert.equal(code, 0, err);
  const [a, b] = await Promise.all(files.map(read));
  assert.deepEqual([a.width, a.height, b.width], [8, 8, 8]);
  assert.notDeepEqual(a.rgb, b.rgb);
  assert.deepEqual([(await recordIn(files[0])).fit, (await recordIn(files[1])).interpolation], ["resize", "bicubic"]);
  const cropped = await type(["synth", ...unit, "--out", run.out, "--fit", "crop"]);
  assert.deepEqual([cropped.code, cropped.out], [1, ""]);
  assert.match(cropped.err, /makes images of 3×4×16, tiny classifier takes 3×8×8, which no crop makes of them/);
});

Deno.test("grey pictures: a generator of one channel with a classifier of three", async () => {
  using run = tiny();
  edit(run.models.generator, (network) => {
    network.image = { order: "RGB", mean: [0], scale: 1 / 255 };
    network.layers[1].shape = [1, 12, 16];
  });
  const { code, err } = await type(["synth", ...run.short, "--out", run.out, "--unit", "1"]);
  assert.equal(code, 0, err);
  const { rgb } = await read(join(run.out, "fc3_0001_0.png"));
  for (let n = 0; n < rgb.length; n += 3) assert.ok(Math.abs(rgb[n] - rgb[n + 1]) + Math.abs(rgb[n] - rgb[n + 2]) <= 2);
});

Deno.test("networks of several inputs: refused by name, and given by --set", async () => {
  using run = tiny();
  edit(run.models.generator, (network) => {
    network.inputs = [{ name: "noise", shape: [6] }, { name: "code", shape: [6] }];
    network.layers.unshift({ name: "sum", type: "eltwise", inputs: ["code", "noise"], operation: "sum" });
    network.layers[1].input = "sum";
  });
  const refused = await type(["synth", ...run.short, "--out", run.out, "--unit", "1"]);
  assert.deepEqual([refused.code, refused.out], [1, ""]);
  assert.match(
    refused.err,
    /^synth: tiny generator takes 2 inputs, noise, code; --set NAME=FILE\.npy gives all but the code, and of noise, code there is nothing\n$/,
  );
  const noise = npy(run.path, "noise.npy", 1, -1, 2, -2, 0.5, 0);
  const codes = join(run.path, "codes.npy");
  const picture = join(run.path, "a.png");
  const again = join(run.path, "b.png");
  const set = ["--set", `noise=${noise}`, "--weights", "i8"];
  const made = await type(["synth", ...run.short, "--unit", "1", ...set, "--out", picture, "--save-code", codes]);
  assert.equal(made.code, 0, made.err);
  Deno.removeSync(noise);
  const repeated = await type(["synth", ...run.chosen, "--from", picture, "--out", again]);
  assert.equal(repeated.code, 0, repeated.err);
  for (const { err } of [made, repeated]) assert.doesNotMatch(err, /^weights in i8/m);
  assert.deepEqual(Deno.readFileSync(again), Deno.readFileSync(picture));
  const five = npy(run.path, "five.npy", 1, 2, 3, 4, 5);
  const wrong: [string[], RegExp][] = [
    [[`noise=${five}`], /--set noise: 5 values, tiny generator takes \[6\]/],
    [[`nose=${five}`], /--set nose: there is no input of that name; tiny generator has noise, code, tiny/],
    [[`noise=${codes}`, `generator:noise=${codes}`], /--set generator:noise and --set noise are the same input/],
    [["noise"], /--set expects NAME=VALUE/],
    [[`code=${codes}`, `noise=${codes}`], /--set gives all inputs of tiny generator; one must be left for the code/],
  ];
  for (const [values, message] of wrong) {
    const given = values.flatMap((value) => ["--set", value]);
    const { code, err } = await type(["synth", ...run.short, "--out", run.out, "--unit", "1", ...given]);
    assert.equal(code, 1);
    assert.match(err, message);
  }
});

Deno.test("settings that suit a network are its own", async () => {
  using run = tiny();
  edit(run.models.classifier, (network) => network.search = { layer: "fc2", lrStart: 2, iterations: 3 });
  const { code, err } = await type(["synth", ...run.chosen, "--out", run.out, "--unit", "5", "--quiet"]);
  assert.equal(code, 0, err);
  const { layer, lrStart, iterations } = await recordIn(join(run.out, "fc2_0005_0.png"));
  assert.deepEqual([layer, lrStart, iterations], ["fc2", 2, 3]);
  edit(run.models.classifier, (network) => network.search = { lr: 2 });
  const wrong = await type(["synth", ...run.short, "--out", run.out, "--unit", "1"]);
  assert.match(wrong.err, /"search" has "lr", expected layer, rule, iterations, lrStart, lrEnd, decay/);
});

Deno.test("layers: names, shapes, what units see, and what synth calls them", async () => {
  using run = tiny();
  const { code, out, err } = await type(["layers", "--model", run.models.classifier]);
  assert.equal(code, 0, err);
  const lines = out.trimEnd().split("\n").map((line) => line.split(/ {2,}/));
  assert.deepEqual(lines[1], ["layer", "type", "shape", "units", "sees", "step", "from", "a unit there"]);
  assert.deepEqual(lines[3], ["conv1", "conv2d", "4×8×8", "4", "3", "1", "-1", "conv1:UNIT@X,Y"]);
  assert.deepEqual(lines[4], ["relu1", "relu", "4×8×8", "4", "3", "1", "-1", "relu1:UNIT@X,Y"]);
  assert.deepEqual(lines.at(-1), ["fc3", "fc", "5", "5", "8", "0", "0", "fc3:UNIT"]);
  const { layers } = JSON.parse((await type(["layers", "--model", "models/caffenet64", "--json"])).out);
  const conv5 = layers.find(({ name }: { name: string }) => name === "conv5");
  assert.deepEqual([conv5.field.size, conv5.field.stride, conv5.unit], [[73, 73], [8, 8], "conv5:UNIT@X,Y"]);
});

Deno.test("a picture cut to what its unit sees, and made again so", async () => {
  using run = tiny();
  const unit = ["--layer", "conv1", "--unit", "2", "--xy", "5,0"];
  const [whole, cut, again] = ["whole", "cut", "again"].map((name) => join(run.path, `${name}.png`));
  const made = [
    await type(["synth", ...run.short, ...unit, "--out", whole]),
    await type(["synth", ...run.short, ...unit, "--out", cut, "--crop", "field", "--animate", "gif"]),
    await type(["synth", ...run.chosen, "--from", cut, "--out", again]),
  ];
  for (const { code, err } of made) assert.equal(code, 0, err);
  assert.equal(made[1].err.includes("cuts nothing"), false);
  const [all, part] = await Promise.all([read(whole), read(cut)]);
  assert.deepEqual([part.width, part.height], [3, 2]); // a row lies in the padding
  part.rgb.forEach((level, n) => {
    assert.equal(level, all.rgb[(Math.floor(n / 9) * 8 + 4 + Math.floor(n / 3) % 3) * 3 + n % 3]);
  });
  assert.deepEqual(Deno.readFileSync(again), Deno.readFileSync(cut));
  const both = ["--target", "conv1:2@5,0 + 0.1*mean(conv1:1)", "--crop", "field", "--out", join(run.path, "both.png")];
  assert.match(
    (await type(["synth", ...run.short, ...both])).err,
    /^warning: --crop field cuts nothing where a target sees the whole picture: conv1:2@5,0 \+ 0\.1\*mean\(conv1:1\)\n/m,
  );
});

Deno.test("bad targets: one sentence, exit code 1, nothing written", async (t) => {
  using run = tiny();
  const three = npy(run.path, "three.npy", 1, 2, 3);
  const cases: [options: Record<string, string>, message: RegExp][] = [
    [{ target: "fc3:1 +" }, /target "fc3:1 \+" makes no sense at " \+": expected " \+ ", " - " or the end/],
    [{ target: "best(fc3:1)" }, /there is no best\(…\), expected one of mean, /],
    [
      { target: "conv1+elu:1" },
      /no layer of type "elu" writes "conv1"; what there is of it: conv1\+conv2d, conv1\+relu/,
    ],
    [{ target: `dot(conv1, ${three})` }, /direction .*three\.npy has 3 values, "conv1" has 4 channels/],
    [{ target: "dot(conv1, none.npy)" }, /none\.npy cannot be read: it does not exist/],
    [{ target: "fc3:1", gamma: "1" }, /--target says all that is climbed; --gamma cannot be given with it/],
    [{ unit: "1", fit: "squeeze" }, /--fit expects auto or crop or resize/],
  ];
  for (const [options, message] of cases) {
    await t.step(Object.values(options).join(" "), async () => {
      const args = Object.entries(options).map(([option, value]) => `--${option}=${value}`);
      const { code, out, err } = await type(["synth", ...run.short, "--out", run.out, ...args]);
      assert.deepEqual([code, out], [1, ""], err);
      assert.match(err, message);
      assert.match(err, /^synth: .+\n$/);
      assert.deepEqual(namesIn(run.out), []);
    });
  }
});
