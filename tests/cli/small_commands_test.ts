/** `units`, `classify` and `doctor` as a user types them, and what all commands have in common. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { encodePng } from "../../src/formats/png.ts";
import { writeTinyModels } from "./tiny_models.ts";
import { root, temporaryFolder, type } from "./user.ts";

Deno.test("units: names and numbers, found by a part of the name", async () => {
  const pepper = await type(["units", "--search", "Pepper"]);
  assert.deepEqual([pepper.code, pepper.out, pepper.err], [0, "945  bell pepper\n", ""]);
  const none = await type(["units", "--search", "phosphene"]);
  assert.deepEqual([none.code, none.out], [0, ""]);
  assert.match(none.err, /no unit of caffenet64 has "phosphene" in its name/);
  const all = await type(["units", "--json"]);
  const { model, units } = JSON.parse(all.out);
  assert.equal(model, "caffenet64");
  assert.equal(units.length, 1000);
  assert.deepEqual(units[945], { unit: 945, name: "bell pepper", trained: true });
  assert.equal(units.filter(({ trained }: { trained: boolean }) => trained).length, 200);
});

Deno.test("classify: names for pictures of any size", async () => {
  using folder = temporaryFolder();
  const { classifier } = writeTinyModels(folder.path);
  const [wide, tall] = ["wide.png", "tall.png"].map((name) => join(folder.path, name));
  const rgb = new Uint8Array(30 * 11 * 3).map((_, i) => i * 37);
  Deno.writeFileSync(wide, encodePng({ width: 30, height: 11, rgb }));
  Deno.writeFileSync(tall, encodePng({ width: 11, height: 30, rgb }));
  const { code, out, err } = await type(["classify", "--model", classifier, "--top", "2", "--json", wide, tall]);
  assert.equal(code, 0, err);
  const { pictures } = JSON.parse(out);
  assert.deepEqual(pictures.map(({ file }: { file: string }) => file), [wide, tall]);
  for (const { top: [first, second] } of pictures) assert.ok(first.probability > second.probability);
  const plain = await type(["classify", "--model", classifier, wide]);
  assert.match(plain.out, /^.*wide\.png\n(?: +\d+\.\d % +\d {2}[a-z ]+\n){5}$/);
  const more = ["--weights", "i8", "--adapter", "low-power", "--verbose", "--json", "--tuned", "none"];
  const narrow = await type(["classify", "--model", classifier, wide, ...more]);
  const { weights, narrowing } = JSON.parse(narrow.out);
  assert.match(
    narrow.err,
    /^plan: [\d,]+ bytes of GPU memory .*\nways:\n(?: {2}\w+: .*\n)+weights in i8: fc3 changes by [\d.]+ % of its largest/,
  );
  assert.ok(weights === "i8" && narrowing > 0 && narrowing < 0.05, narrow.out);
  const missing = await type(["classify", "--model", classifier, wide, join(folder.path, "no.png"), tall]);
  assert.equal(missing.code, 1);
  assert.match(missing.out, /^.*wide\.png\n(?: .*\n){5}.*tall\.png\n(?: .*\n){5}$/);
  assert.match(
    missing.err,
    /^warning: left out: .*no\.png cannot be read: it does not exist\nwarning: left out: 1 of 3 pictures\n$/,
  );
  const elsewhere = await type(["classify", "--model", classifier, wide], { env: { PHOSPHENE_ADAPTER: "fast" } });
  assert.match(elsewhere.err, /^classify: fast: expected high-performance, low-power or fallback as adapter\n$/);
  const nothing = await type(["classify"]);
  assert.deepEqual([nothing.code, nothing.err], [
    1,
    "classify: expected pictures, or --val with a labelled set; --help has examples\n",
  ]);
});

Deno.test("doctor: the adapter and what the embedded models take of it", async () => {
  const { code, out, err } = await type(["doctor", "--quick", "--adapter", "low-power", "--json"]);
  assert.equal(code, 0, err);
  const { adapter, limits, peak, models, kernels } = JSON.parse(out);
  assert.ok(peak.gflops > 0 && peak.gigabytes > 0 && kernels === undefined);
  assert.ok(adapter.length > 0);
  assert.ok(limits.maxStorageBufferBindingSize >= 2 ** 27);
  assert.deepEqual(models.map(({ model }: { model: string }) => model), ["caffenet64", "deepsim64"]);
  for (const { memory, inUse } of models) assert.equal(inUse, memory.total);
});

Deno.test("doctor --all: every way of the cases asked for", async () => {
  const { code, out, err } = await type(["doctor", "--all", "--case", "fc: batch 3", "--json"]);
  assert.equal(code, 0, err);
  const { features, kernels: { checked, ways, wrong } } = JSON.parse(out);
  assert.deepEqual(wrong, []);
  assert.ok(checked >= 2);
  const inHalves = features.includes("shader-f16") ? ["direct-f16", "workgroups-f16"] : [];
  for (const way of ["direct", "transposed", "workgroups", ...inHalves]) assert.equal(ways[`fc ${way}`], 1, way);
  assert.match((await type(["doctor", "--case", "no such"])).err, /^doctor: no case has "no such" in its name\n$/);
  assert.match((await type(["doctor", "--quick", "--all"])).err, /^doctor: --quick leaves the kernels unchecked; /);
});

Deno.test("every command explains itself", async () => {
  const explains = async (...words: string[]) => {
    const { code, out, err } = await type([...words, "--help"]);
    const name = words.join(" ");
    assert.deepEqual([code, err], [0, ""]);
    assert.ok(out.startsWith(`deno task ${name} [options]`));
    assert.match(out, new RegExp(`Examples:\\n  deno task ${name}\\b`));
  };
  await Promise.all([
    explains("synth"),
    explains("units"),
    explains("layers"),
    explains("classify"),
    explains("examples"),
    explains("neighbours"),
  ]);
  await Promise.all([
    explains("infer"),
    explains("ranges"),
    explains("doctor"),
    explains("get"),
    explains("bench", "synth"),
  ]);
  await Promise.all([
    explains("convert", "caffe"),
    explains("convert", "onnx"),
    explains("convert", "torch"),
    explains("pack"),
  ]);
});

Deno.test("paths are meant from the folder that the user is in", async () => {
  const { code, err } = await type(["units", "--model", "../models/caffenet64"], { cwd: join(root, "docs") });
  assert.equal(code, 0, err);
});
