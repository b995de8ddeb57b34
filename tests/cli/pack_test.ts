/** `deno task pack` as a user types it: the embedded pair's numbers, as train.py leaves them, become the embedded pair. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { zipSync } from "fflate";
import { writeNpy } from "../../src/formats/npy.ts";
import { readSafetensors } from "../../src/formats/safetensors.ts";
import { readWeights } from "../reference/weights.ts";
import { namesIn, root, temporaryFolder, type } from "./user.ts";

const models = ["caffenet64", "deepsim64"];
/** Fully connected layers kept in F16: only fc8 is quantised, which takes long. */
const halves = ["fc6", "fc7", "defc7", "defc6", "defc5"];

const weightsOf = (folder: string, name: string) => Deno.readFileSync(join(folder, name, "weights.safetensors"));

Deno.test("pack: what training left becomes the two folders", async () => {
  using folder = temporaryFolder();
  const at = (name: string) => join(folder.path, name);
  const embedded = join(root, "models");
  Deno.mkdirSync(at("train"));
  const save = (name: string, arrays: [name: string, shape: readonly number[], data: Float64Array][]) => {
    const files = arrays.map(([array, shape, data]) =>
      [`${array}.npy`, writeNpy({ shape: [...shape], data: new Float32Array(data) })] as const
    );
    Deno.writeFileSync(at(`train/${name}.npz`), zipSync(Object.fromEntries(files), { level: 0 }));
  };
  for (const name of models) {
    const tensors = [...readWeights(weightsOf(embedded, name), name)].filter(([key]) => !key.endsWith(".scale"));
    const [code, own] = [true, false].map((wanted) => tensors.filter(([key]) => key.startsWith("code.") === wanted));
    save(name, own.map(([key, { shape, data }]) => [key, shape, data]));
    if (code.length > 0) save("code_stats", code.map(([key, { shape, data }]) => [key.slice(5), shape, data]));
  }
  const accuracy = { pictures: 100, top1: 0.25, top5: 0.5 };
  Deno.writeTextFileSync(at("accuracy.json"), JSON.stringify(accuracy));
  Deno.copyFileSync(join(embedded, "caffenet64/labels.txt"), at("labels.txt"));

  const { code, out, err } = await type([
    ...["pack", "--in", at("train"), "--out", at("models"), "--labels", at("labels.txt"), "--f16", halves.join(",")],
    ...["--accuracy", at("accuracy.json"), "--note", "For a minute."],
  ]);
  assert.equal(code, 0, err);
  assert.match(out, /models\/caffenet64\/weights\.safetensors {2}[\d,]+ bytes\n/);
  for (const name of models) {
    const here = join(folder.path, "models", name);
    const there = join(embedded, name);
    assert.deepEqual(namesIn(here), namesIn(there));
    for (const file of namesIn(there).filter((file) => /network\.json|labels\.txt/.test(file))) {
      assert.equal(Deno.readTextFileSync(join(here, file)), Deno.readTextFileSync(join(there, file)));
    }
    const made = readSafetensors(weightsOf(at("models"), name), name);
    const given = readSafetensors(weightsOf(embedded, name), name);
    for (const [key, { dtype, shape, bytes }] of given) {
      const [, half, scale] = /^(\w+)\.weight(\.scale)?$/.exec(key) ?? [];
      const narrow = halves.includes(half);
      const expected = narrow ? (scale ? undefined : "F16") : dtype;
      assert.deepEqual([made.get(key)?.dtype, made.get(key)?.shape], [expected, expected && shape], key);
      if (dtype === "I8" && !narrow) assert.deepEqual(made.get(key)!.bytes, bytes, key);
    }
    assert.match(Deno.readTextFileSync(join(here, "README.md")), /For a minute\./);
  }
});

Deno.test("pack: what training did not leave is one sentence", async () => {
  using folder = temporaryFolder();
  const { code, err } = await type(["pack", "--in", folder.path, "--out", join(folder.path, "models")]);
  assert.equal(code, 1);
  assert.match(err, /^pack: .* holds neither caffenet64\.npz nor caffenet64\.f16\.0\.npz\n$/);
  assert.match((await type(["pack"])).err, /^pack: --in is missing; --help has examples\n$/);
  assert.deepEqual(namesIn(folder.path), []);
});
