/** `deno task ranges` and `synth --bounds` as a user types them. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { zipSync } from "fflate";
import { readNpy, writeNpy } from "../../src/formats/npy.ts";
import { encodePng } from "../../src/formats/png.ts";
import { fromFloat32, readSafetensors, toFloat32, writeSafetensors } from "../../src/formats/safetensors.ts";
import { runNetwork } from "../reference/network.ts";
import { tensor } from "../reference/tensor.ts";
import { uniform } from "../reference/random.ts";
import { readWeights } from "../reference/weights.ts";
import { writeTinyModels } from "./tiny_models.ts";
import { namesIn, temporaryFolder, type } from "./user.ts";

/** Tiny models, and five pictures of their size in a folder and one below it. */
function tiny() {
  const folder = temporaryFolder();
  const models = writeTinyModels(folder.path);
  const at = (name: string) => join(folder.path, name);
  Deno.mkdirSync(at("photos/more"), { recursive: true });
  const next = uniform(5);
  const pictures = ["0.png", "1.png", "2.PNG", "more/3.png", "more/4.png"].map((name) => {
    const rgb = Uint8Array.from({ length: 192 }, () => Math.floor(256 * next()));
    Deno.writeFileSync(at(`photos/${name}`), encodePng({ width: 8, height: 8, rgb }));
    return rgb;
  });
  return { ...folder, models, at, pictures };
}

/** Mean and deviation of a layer over the pictures, in float64. */
function reference(folder: string, pictures: Uint8Array[], layer: string): number[][] {
  const network = JSON.parse(Deno.readTextFileSync(join(folder, "network.json")));
  const file = join(folder, "weights.safetensors");
  const weights = readWeights(Deno.readFileSync(file), file);
  const rows = pictures.map((rgb) => {
    const x = Float64Array.from({ length: 192 }, (_, i) => (rgb[(i % 64) * 3 + Math.floor(i / 64)] - 127.5) / 127.5);
    return [...runNetwork(network, weights, new Map([["data", tensor([1, 3, 8, 8], x)]])).get(layer)!.data];
  });
  const mean = rows[0].map((_, j) => rows.reduce((sum, row) => sum + row[j], 0) / rows.length);
  return [mean, mean.map((m, j) => Math.sqrt(rows.reduce((sum, row) => sum + (row[j] - m) ** 2, 0) / rows.length))];
}

Deno.test("ranges: mean and deviation against float64; what is damaged is left out", async () => {
  using run = tiny();
  for (const name of ["broken.jpg", "more/a.webp", "more/b.webp", "b.gif", "notes.txt"]) {
    Deno.writeTextFileSync(run.at(`photos/${name}`), "no picture");
  }
  for (const layer of ["fc2", "conv1"]) {
    const out = run.at(`${layer}.safetensors`);
    const args = ["--images", run.at("photos"), "--layer", layer, "--out", out];
    const { code, out: told, err } = await type(["ranges", "--model", run.models.classifier, ...args, "--json"]);
    assert.equal(code, 1, err);
    assert.match(
      err,
      /^.*photos: 4 files are no pictures \(\.png, \.jpg\): b\.gif, more\/a\.webp, more\/b\.webp and 1 more\nwarning: left out: .*broken\.jpg: neither a PNG nor a JPEG picture\nwarning: left out: 1 of 6 pictures\n$/,
    );
    const { pictures, layer: measured, leftOut } = JSON.parse(told);
    assert.deepEqual([pictures, measured, leftOut.length], [5, layer, 1]);
    const tensors = readSafetensors(Deno.readFileSync(out), out);
    const expected = reference(run.models.classifier, run.pictures, layer);
    ["code.mean", "code.std"].forEach((name, k) => {
      const values = toFloat32(tensors.get(name)!);
      const largest = Math.max(...expected[k].map(Math.abs));
      assert.equal(values.length, expected[k].length);
      values.forEach((value, j) => assert.ok(Math.abs(value - expected[k][j]) < 1e-5 * largest, `${name} ${j}`));
    });
  }
});

Deno.test("ranges in a file, in a generator and as text bound the code alike; a picture remembers them", async () => {
  using run = tiny();
  const { classifier, generator } = run.models;
  const out = run.at("r.safetensors");
  const ranges = ["ranges", "--model", classifier, "--images", run.at("photos"), "--layer", "fc2"];
  const synth = async (name: string, options: string[]) => {
    const args = ["--classifier", classifier, "--generator", generator, "--out", run.at(`${name}.png`), "--quiet"];
    const { code, err } = await type(["synth", ...args, "--save-code", run.at(`${name}.npy`), ...options]);
    assert.equal(code, 0, err);
    return Array.from(readNpy(Deno.readFileSync(run.at(`${name}.npy`)), name).data, Number);
  };
  assert.equal((await type([...ranges, "--out", out])).code, 0);
  const rough = run.at("rough.safetensors");
  const array = new Uint8Array(run.pictures.flatMap((rgb) => [...rgb]));
  const set = zipSync({ "images.npy": writeNpy({ shape: [run.pictures.length, 8, 8, 3], data: array }) });
  Deno.writeFileSync(run.at("set.npz"), set);
  const more = ["--weights", "i8", "--adapter", "low-power", "--verbose", "--tuned", "none"];
  const packed = ["ranges", "--model", classifier, "--images", run.at("set.npz"), "--layer", "fc2"];
  const narrow = await type([...packed, "--out", rough, ...more]);
  assert.equal(narrow.code, 0, narrow.err);
  assert.match(narrow.err, /^plan: [\d,]+ bytes of GPU memory /);
  const [exact, near] = [out, rough].map((file) =>
    toFloat32(readSafetensors(Deno.readFileSync(file), file).get("code.std")!)
  );
  exact.forEach((value, j) => assert.ok(value !== near[j] && Math.abs(near[j] / value - 1) < 0.05)); // 1/254 a weight
  // fc2 has no ReLU: bounds below 0 would leave a code nothing.
  const tensors = readSafetensors(Deno.readFileSync(out), out);
  tensors.set("code.mean", fromFloat32(toFloat32(tensors.get("code.mean")!).map(Math.abs), "F32", [6]));
  Deno.writeFileSync(out, writeSafetensors(tensors));
  const [mean, std] = ["code.mean", "code.std"].map((name) => toFloat32(tensors.get(name)!));
  const bounds = mean.map((m, j) => m + 3 * std[j]);
  Deno.writeTextFileSync(run.at("r.txt"), [...bounds].join(" ") + "\n");

  const options = ["--unit", "1", "--iterations", "15"];
  const free = await synth("free", options);
  const file = await synth("file", [...options, "--bounds", out]);
  const text = await synth("text", [
    ...options,
    "--bounds",
    run.at("r.txt"),
  ]);
  assert.ok(free.some((value, j) => value < 0 || value > bounds[j]), "the bounds never bite");
  assert.ok(file.every((value, j) => value >= 0 && value <= 0.991 * bounds[j]), file.join());
  assert.deepEqual(text, file);
  assert.deepEqual(await synth("again", ["--from", run.at("text.png")]), file);

  const refused = await type([...ranges, "--generator", generator]);
  assert.match(refused.err, /^ranges: .*network\.json exists; --force overwrites it\n$/);
  const description = join(generator, "network.json");
  const network = JSON.parse(Deno.readTextFileSync(description));
  Deno.writeTextFileSync(description, JSON.stringify({ ...network, code: { layer: "fc1", signed: false } }));
  assert.equal((await type([...ranges, "--generator", generator, "--force"])).code, 0);
  const own = readSafetensors(Deno.readFileSync(join(generator, "weights.safetensors")), generator);
  own.set("code.mean", tensors.get("code.mean")!);
  Deno.writeFileSync(join(generator, "weights.safetensors"), writeSafetensors(own));
  assert.deepEqual(JSON.parse(Deno.readTextFileSync(description)).code, { layer: "fc2", sigmas: 3, signed: false });
  assert.deepEqual(await synth("own", options), file);
});

Deno.test("synth --weights tells what it changes, and a picture remembers it", async () => {
  using run = tiny();
  const args = ["--classifier", run.models.classifier, "--generator", run.models.generator, "--iterations", "5"];
  const first = await type(["synth", ...args, "--unit", "1", "--weights", "i8", "--verbose", "--out", run.at("a.png")]);
  assert.equal(first.code, 0, first.err);
  assert.match(first.err, /^plan: [\d,]+ bytes of GPU memory \(weights /);
  const changes = /weights in i8: the picture changes by ([\d.]+) %.*, fc3 changes by ([\d.]+) %/.exec(first.err)!;
  for (const percent of changes.slice(1)) assert.ok(Number(percent) > 0 && Number(percent) < 5, changes[0]);
  const again = await type([
    "synth",
    "--from",
    run.at("a.png"),
    ...args.slice(0, 4),
    "--out",
    run.at("b.png"),
    "--quiet",
  ]);
  assert.equal(again.code, 0, again.err);
  assert.deepEqual(Deno.readFileSync(run.at("b.png")), Deno.readFileSync(run.at("a.png")));
});

Deno.test("ranges and bounds: bad input is one sentence, and nothing is written", async (t) => {
  using run = tiny();
  const { classifier, generator } = run.models;
  const file = (name: string, content: string | Uint8Array) => {
    Deno.writeFileSync(run.at(name), typeof content === "string" ? new TextEncoder().encode(content) : content);
    return run.at(name);
  };
  Deno.mkdirSync(run.at("none"));
  Deno.mkdirSync(run.at("one"));
  Deno.copyFileSync(run.at("photos/0.png"), run.at("one/0.png"));
  const ranges = (options: Record<string, string>) =>
    ["ranges", {
      model: classifier,
      images: run.at("photos"),
      layer: "fc2",
      out: run.at("o.safetensors"),
      ...options,
    }] as const;
  const synth = (bounds: string) => ["synth", { classifier, generator, unit: "1", bounds }] as const;
  const cases: [name: string, command: readonly [string, Record<string, string>], message: RegExp][] = [
    ["no such folder", ranges({ images: run.at("no") }), /no cannot be read: it does not exist/],
    ["no pictures", ranges({ images: run.at("none") }), /none holds no pictures \(\.png, \.jpg\)/],
    ["one picture", ranges({ images: run.at("one") }), /1 of 1 pictures could be used; a spread needs at least two/],
    ["unknown layer", ranges({ layer: "fc9" }), /no layer "fc9"/],
    ["another ending", ranges({ out: run.at("o.npz") }), /ranges are saved as \.safetensors/],
    ["another code", ranges({ layer: "fc3", generator }), /fc3 has 5 values, the code of tiny generator 6/],
    ["no leave to change it", ranges({ generator }), /exists; --force overwrites it/],
    [
      "too few bounds",
      synth(file("few.txt", "1 2 3\n4")),
      /few\.txt has 4 bounds, the code of tiny generator 6 values/,
    ],
    ["a word", synth(file("word.txt", "1 2 three 4 5 6")), /word\.txt holds "three", expected numbers only/],
    ["below 0", synth(file("below.txt", "1 2 -3 4 5 6")), /bound 3 is -3, expected a finite number of at least 0/],
    ["not finite", synth(file("huge.txt", "1 2 3 4 5 1e999")), /bound 6 is Infinity/],
    ["no text", synth(file("junk", Uint8Array.of(255, 254, 1, 0))), /junk is neither text nor \.safetensors/],
    ["other tensors", synth(join(generator, "weights.safetensors")), /has no "code\.mean"/],
  ];
  for (const [name, [command, options], message] of cases) {
    await t.step(name, async () => {
      const before = namesIn(run.path);
      const { code, out, err } = await type([
        command,
        ...Object.entries(options).map(([key, value]) => `--${key}=${value}`),
      ]);
      assert.deepEqual([code, out], [1, ""], err);
      assert.match(err, message);
      assert.match(err, new RegExp(`^${command}: .+\n$`));
      assert.deepEqual(namesIn(run.path), before);
    });
  }
});
