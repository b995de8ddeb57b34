/** `deno task infer` as a user types it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { readNpy, writeNpy } from "../../src/formats/npy.ts";
import { fromFloat32, writeSafetensors } from "../../src/formats/safetensors.ts";
import { normal } from "../reference/random.ts";
import { writeTinyModels } from "./tiny_models.ts";
import { namesIn, temporaryFolder, type } from "./user.ts";

/** A folder with a tiny model and places for input, output and gradient. */
function tiny() {
  const folder = temporaryFolder();
  const { classifier } = writeTinyModels(folder.path);
  const [x, y, g] = ["x.npy", "y.npy", "g.npy"].map((name) => join(folder.path, name));
  return { ...folder, x, y, g, args: ["infer", "--model", classifier, "--input", x, "--output", y] };
}

/** Writes a seeded tensor. */
function write(path: string, shape: number[], scale = 1): Float32Array {
  const next = normal(path.length);
  const size = shape.reduce((product, n) => product * n, 1);
  const data = Float32Array.from({ length: size }, () => scale * next());
  Deno.writeFileSync(path, writeNpy({ shape, data }));
  return data;
}

const read = (path: string) => readNpy(Deno.readFileSync(path), path);

/** Largest difference over the largest magnitude. */
function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  assert.equal(a.length, b.length);
  const largest = (values: number[]) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return largest(Array.from(a, (value, i) => value - b[i])) / largest(Array.from(b));
}

Deno.test("output and gradient, whatever number of rows runs together", async () => {
  using run = tiny();
  write(run.x, [3, 3, 8, 8]);
  const whole = await type([...run.args, "--gradient", run.g, "--unit", "2", "--json"]);
  assert.equal(whole.code, 0, whole.err);
  const { input, output, files } = JSON.parse(whole.out);
  assert.deepEqual([input, output, files], [[3, 3, 8, 8], [3, 5], [run.y, run.g]]);
  const y = read(run.y);
  const g = read(run.g);
  assert.deepEqual([y.shape, g.shape], [[3, 5], [3, 3, 8, 8]]);
  const parts = await type([...run.args, "--gradient", run.g, "--unit", "2", "--batch", "2", "--force"]);
  assert.equal(parts.code, 0, parts.err);
  assert.ok(distance(read(run.y).data as Float32Array, y.data as Float32Array) < 1e-6); // the same sums, perhaps in another order
  assert.ok(distance(read(run.g).data as Float32Array, g.data as Float32Array) < 1e-6);
});

Deno.test("--fast gives nearly the same", async () => {
  using run = tiny();
  write(run.x, [3, 3, 8, 8]);
  const wanted = [...run.args, "--gradient", run.g, "--unit", "2", "--force"];
  assert.equal((await type(wanted)).code, 0);
  const y = read(run.y).data as Float32Array;
  const g = read(run.g).data as Float32Array;
  const fast = await type([...wanted, "--fast", "--adapter", "low-power", "--verbose"]);
  assert.equal(fast.code, 0, fast.err);
  assert.match(fast.err, /^plan: [\d,]+ bytes of GPU memory /);
  assert.ok(distance(read(run.y).data as Float32Array, y) < 1e-6);
  assert.ok(distance(read(run.g).data as Float32Array, g) < 1e-6);
});

Deno.test("the gradient is what the output changes by", async () => {
  using run = tiny();
  const x = write(run.x, [1, 3, 8, 8]);
  const step = 1e-2;
  const { code, err } = await type([
    ...run.args,
    "--layer",
    "conv1",
    "--gradient",
    run.g,
    "--unit",
    "1",
    "--xy",
    "7,3",
  ]);
  assert.equal(code, 0, err);
  const before = read(run.y);
  const gradient = Array.from(read(run.g).data, Number);
  assert.deepEqual(before.shape, [1, 4, 8, 8]);
  const largest = gradient.reduce((best, value, i) => Math.abs(value) > Math.abs(gradient[best]) ? i : best, 0);
  x[largest] += step;
  Deno.writeFileSync(run.x, writeNpy({ shape: [1, 3, 8, 8], data: x }));
  assert.equal((await type([...run.args, "--layer", "conv1", "--force"])).code, 0);
  const at = (1 * 8 + 3) * 8 + 7;
  const rise = Number(read(run.y).data[at]) - Number(before.data[at]);
  assert.ok(Math.abs(rise / step - gradient[largest]) < 1e-3); // float32 outputs of about 1, divided by the step
});

Deno.test("several inputs by name or in order, and the gradient to one of them", async () => {
  using run = tiny();
  const sum = join(run.path, "sum");
  const at = (name: string) => join(run.path, name);
  Deno.mkdirSync(sum);
  const inputs = [{ name: "a", shape: [2, 3] }, { name: "b=", shape: [3] }];
  const layers = [{ name: "y", type: "binary", inputs: ["a", "b="], operation: "product" }];
  Deno.writeTextFileSync(join(sum, "network.json"), JSON.stringify({ name: "product", inputs, layers }));
  Deno.writeFileSync(join(sum, "weights.safetensors"), writeSafetensors(new Map()));
  const a = write(at("a.npy"), [2, 3]);
  const b = write(at("bb.npy"), [3]);
  const infer = (...more: string[]) => type(["infer", "--model", sum, "--output", run.y, "--force", ...more]);
  const named = await infer("--input", `b==${at("bb.npy")}`, "--input", `a=${at("a.npy")}`);
  assert.equal(named.code, 0, named.err);
  const y = read(run.y);
  assert.deepEqual(y.shape, [2, 3]);
  assert.ok(distance(y.data as Float32Array, a.map((value, n) => value * b[n % 3])) < 1e-6);
  const inOrder = await infer(
    "--input",
    at("a.npy"),
    "--input",
    at("bb.npy"),
    "--gradient",
    `b==${run.g}`,
    "--unit",
    "1",
  );
  assert.equal(inOrder.code, 0, inOrder.err);
  const g = read(run.g);
  assert.deepEqual(g.shape, [3]);
  assert.ok(distance(g.data as Float32Array, [0, a[4], 0]) < 1e-6); // the unit's map is a row, whose middle counts
  assert.match((await infer("--input", at("a.npy"))).err, /--input b==X.npy is missing; .*sum takes 2 inputs: a, b=/);
  const stray = await infer("--input", `c=${at("a.npy")}`);
  assert.match(stray.err, /^infer: --input c=\S+a\.npy: there is no input "c"; \S+sum has a, b=$/m);
  write(at("rows.npy"), [1, 3]);
  const mixed = await infer("--input", at("a.npy"), "--input", at("rows.npy"));
  assert.match(mixed.err, /rows.npy has 1 rows, .*a.npy no batch dimension/);
});

Deno.test("the batch dimension may be left out, and weights kept in fewer bits", async () => {
  using run = tiny();
  const data = write(run.x, [3, 8, 8]);
  assert.equal((await type(run.args)).code, 0);
  const exact = read(run.y);
  assert.deepEqual(exact.shape, [5]);
  Deno.writeFileSync(run.x, writeNpy({ shape: [1, 3, 8, 8], data: Float64Array.from(data) }));
  for (const [kind, tolerance] of [["f32", 1e-6], ["f16", 2e-3], ["i8", 5e-2]] as const) { // 2⁻¹¹ and 1/254 a weight
    const { code, err } = await type([...run.args, "--weights", kind, "--force"]);
    assert.equal(code, 0, err);
    const off = distance(read(run.y).data as Float32Array, exact.data as Float32Array);
    assert.ok(off < tolerance, `${kind}: ${off}`);
  }
});

Deno.test("a sequence in time runs as a whole; what comes before it may be cut", async () => {
  using run = tiny();
  const sequence = join(run.path, "sequence");
  const next = normal(5);
  const weights = Object.entries({ fc: [4, 3], inputWeight: [8, 4], recurrentWeight: [8, 2], bias: [8] }).map(
    ([name, shape]) => {
      const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, next);
      return [name === "fc" ? "fc.weight" : `lstm.${name}`, fromFloat32(values, "F32", shape)] as const;
    },
  );
  const network = {
    name: "sequence",
    inputs: [{ name: "data", shape: [3] }],
    layers: [
      { name: "fc", type: "fc", input: "data", channels: 4, bias: false },
      { name: "lstm", type: "lstm", input: "fc", hidden: 2 },
    ],
  };
  Deno.mkdirSync(sequence);
  Deno.writeTextFileSync(join(sequence, "network.json"), JSON.stringify(network));
  Deno.writeFileSync(join(sequence, "weights.safetensors"), writeSafetensors(new Map(weights)));
  const args = ["infer", "--model", sequence, "--input", run.x, "--output", run.y, "--force"];

  const data = write(run.x, [5, 3]);
  const whole = await type([...args, "--gradient", run.g, "--unit", "1"]);
  assert.equal(whole.code, 0, whole.err);
  const y = read(run.y).data;
  assert.deepEqual([y.length, read(run.g).data.length], [10, 15]);
  // The first three steps do not see the last two.
  Deno.writeFileSync(run.x, writeNpy({ shape: [3, 3], data: data.subarray(0, 9) }));
  assert.equal((await type(args)).code, 0);
  assert.ok(distance(read(run.y).data as Float32Array, y.slice(0, 6) as Float32Array) < 1e-6);

  const cut = await type([...args, "--batch", "2"]);
  assert.deepEqual([cut.code, cut.out], [1, ""]);
  assert.match(cut.err, /^infer: --batch 2 would cut the sequence: .* layer "lstm" in time, .* without it\n$/);
  const before = await type([...args, "--batch", "2", "--layer", "fc"]);
  assert.equal(before.code, 0, before.err);
});

Deno.test("bad input: one sentence, exit code 1, nothing written", async (t) => {
  using run = tiny();
  write(run.x, [2, 3, 8, 8]);
  const file = (name: string, shape: number[], scale = 1) => {
    write(join(run.path, name), shape, scale);
    return join(run.path, name);
  };
  const text = join(run.path, "text.npy");
  Deno.writeTextFileSync(text, "no numbers here");
  const large = join(run.path, "large.npy");
  const integers = new BigInt64Array(192).fill(16777217n);
  Deno.writeFileSync(large, writeNpy({ shape: [3, 8, 8], data: integers }));
  const cases: [name: string, options: Record<string, string | undefined>, message: RegExp][] = [
    ["no model", { model: undefined }, /--model is missing/],
    ["no such model", { model: join(run.path, "no") }, /no does not exist; a model is a folder/],
    ["no such input", { input: join(run.path, "no.npy") }, /no\.npy cannot be read: it does not exist/],
    ["no npy", { input: text }, /text\.npy: this is text that begins with "no numbers here", not a \.npy file/],
    ["wrong shape", { input: file("s.npy", [2, 3, 8, 9]) }, /has shape \[2, 3, 8, 9\], the model takes \[N, 3, 8, 8\]/],
    ["no rows", { input: file("e.npy", [0, 3, 8, 8]) }, /has shape \[0, 3, 8, 8\]/],
    ["NaN", { input: file("n.npy", [1, 3, 8, 8], NaN) }, /holds NaN, infinity or what float32 cannot hold/],
    ["integers past float32", { input: large }, /holds 16777217, which float32, .*, rounds to 16777216/],
    ["unknown layer", { layer: "fc9" }, /no layer "fc9"/],
    ["unit out of range", { gradient: run.g, unit: "5" }, /unit 5 is not in "fc3", which has units 0 to 4/],
    ["gradient without unit", { gradient: run.g }, /belong together/],
    ["position without gradient", { xy: "1,1" }, /--xy says where/],
    ["position outside", { gradient: run.g, unit: "1", xy: "1,0" }, /position 1,0/],
    ["one file twice", { gradient: run.y, unit: "1" }, /written twice/],
    ["output is a folder", { output: run.path }, /is a folder/],
    ["too large a batch", { batch: "3" }, /--batch expects a whole number 1 to 2/],
    ["unknown storage", { weights: "f64" }, /--weights expects f32 or f16 or i8/],
  ];
  for (const [name, options, message] of cases) {
    await t.step(name, async () => {
      const all = { model: join(run.path, "classifier"), input: run.x, output: run.y, ...options };
      const args = Object.entries(all).filter(([, value]) => value !== undefined);
      const before = namesIn(run.path);
      const { code, out, err } = await type(["infer", ...args.map(([option, value]) => `--${option}=${value}`)]);
      assert.deepEqual([code, out], [1, ""], err);
      assert.match(err, message);
      assert.match(err, /^infer: .+\n$/);
      assert.deepEqual(namesIn(run.path), before);
    });
  }
});
