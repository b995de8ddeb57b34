/** `deno task bench kernels` and `deno task bench compare` as a user types them. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { writeTinyModels } from "./tiny_models.ts";
import { namesIn, root, temporaryFolder, type } from "./user.ts";

/** A single short pass. */
const quick = ["--passes", "1", "--rounds", "1"];

Deno.test("bench kernels: every way of a type's layers beside the peak, one's own way too", async () => {
  const own = ["--ways", join(root, "examples/pool_by_blocks.ts"), "--adapter", "low-power"];
  const args = ["bench", "kernels", "--op", "maxpool", "--layer", "pool1", "--sizes"];
  const { out, err } = await type([...args, ...own, ...quick]);
  assert.match(out, /: peak [\d.]+ GFLOP\/s, [\d.]+ GB\/s\n(.*\n)*pool1 +maxpool +forward +\* elements /, err);
  assert.match(out, /\npool1 +maxpool +backward +\* blocks .*\n(.*\n)*pool1\.gradient goes blocks of .* in 4 trials\n/);
});

Deno.test("bench kernels: a model's layers with all samples; compare finds what was made slower in the file, and no more", async () => {
  using folder = temporaryFolder();
  const { classifier } = writeTinyModels(folder.path);
  const file = join(folder.path, "kernels.json");
  const args = ["bench", "kernels", "--model", classifier, "--batch", "2", "--layer", "fc3", "--json", file, "--force"];
  const { code, out, err } = await type([...args, "--passes", "2", "--rounds", "1"]);
  assert.equal(code, 0, err);
  assert.match(err, /^layer 0\/2 {2}fc3\n[^]*\npass 0\/2\n/);
  const written = JSON.parse(Deno.readTextFileSync(file));
  const { adapter, kind, batch, kernels, samples } = written;
  assert.ok(out.startsWith(adapter));
  assert.deepEqual([kind, batch], ["kernels", 2]);
  for (const { layer, ms, gflops } of kernels) assert.ok(ms > 0 && gflops > 0, layer);
  const ways = new Set(kernels.map(({ way }: { way: string }) => way.split(" ")[0]));
  for (const way of ["direct", "transposed", "workgroups", "staged"]) assert.ok(ways.has(way), way);
  for (const pass of ["forward", "backward"]) {
    const ofFc3 = kernels.filter((one: { layer: string; pass: string }) => one.layer === "fc3" && one.pass === pass);
    assert.equal(ofFc3.filter(({ chosen }: { chosen: boolean }) => chosen).length, 1, pass);
  }
  assert.equal(samples.length, kernels.length);
  for (const { key, ms, reference } of samples) {
    for (const passes of [ms, reference]) {
      assert.deepEqual(passes.map((own: number[]) => own.length), [4, 4], key); // on four memories each
    }
  }

  // As if every pass had found the same: how noisy this machine is must not count.
  for (const one of samples) for (const list of [one.ms, one.reference]) for (const pass of list) pass.fill(1);
  Deno.writeTextFileSync(file, JSON.stringify(written));
  const other = join(folder.path, "other.json");
  const [{ key }] = samples;
  const write = (change: (copy: typeof written) => void) => {
    const copy = structuredClone(written);
    change(copy);
    Deno.writeTextFileSync(other, JSON.stringify(copy));
  };
  const compared = (...more: string[]) => type(["bench", "compare", file, other, ...more]);
  write(() => {});
  const same = await compared("--least", "1");
  assert.deepEqual([same.code, same.err], [0, ""]);
  assert.equal(same.out, `${samples.length} compared, 0 changed by 1 % or more\n`);
  write((copy) => copy.samples[0].ms.forEach((pass: number[]) => pass.fill(1.2)));
  const slower = await compared();
  assert.deepEqual([slower.code, slower.err], [1, ""]);
  assert.equal(
    slower.out,
    `${key}: slower, takes 1.200 times as long, ± 0 %\n${samples.length} compared, 1 changed by 10 % or more\n`,
  );
  write((copy) => copy.batch = 3);
  const refused = await compared();
  assert.deepEqual([refused.code, refused.out], [1, ""]);
  assert.match(refused.err, /^bench compare: the files cannot be compared: batch 2 and 3\n$/);
  Deno.writeTextFileSync(other, Deno.readTextFileSync(file).slice(0, 1000));
  assert.match((await compared()).err, /^bench compare: .*other\.json: not JSON /);
  assert.match((await type(["bench", "compare", file])).err, /^bench compare: expected two files, .*, got 1\n$/);
});

Deno.test("bench kernels: a layer of a known network; where Ctrl-C leaves no samples, no file is written", async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "kernels.json");
  const args = ["bench", "kernels", "--network", "googlenet", "--op", "lrn", "--layer", "pool1", "--json", file];
  const { code, out, err } = await type([...args, ...quick], { interruptAt: "pass 0/1" });
  assert.match(out, /\npool1\/norm1 +lrn +backward +\* elements/, err);
  assert.equal(code, 130);
  assert.match(err, /\nstopped before a pass was measured to its end; nothing is written to .*kernels\.json\n$/);
  assert.deepEqual(namesIn(folder.path), []);
});

Deno.test("bench kernels: a shape given on the command line; Ctrl-C ends it, what was measured is kept, more can be added", async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "kernels.json");
  const shape = ["--shape", "5x9x8", "--batch", "2"];
  const params = ["--params", "channels=6,kernel=3x1,stride=[1,2],bias=false"];
  const args = ["bench", "kernels", "--op", "conv2d", ...shape, ...params, "--json", file];
  const { code, out } = await type([...args, "--passes", "10", "--rounds", "1"], { interruptAt: "pass  1/10" });
  assert.equal(code, 130);
  assert.match(out, /\nconv2d 5×9×8 channels=6,kernel=3x1,\S+ +conv2d +backward +/);
  assert.equal(JSON.parse(Deno.readTextFileSync(file)).samples[0].ms.length, 1);
  const added = await type([...args, ...quick, "--add"]);
  assert.equal(added.code, 0, added.err);
  const before = Deno.readTextFileSync(file);
  assert.equal(JSON.parse(before).samples[0].ms.length, 2);
  const other = ["bench", "kernels", "--op", "concat", "--shape", "5x3x3", "--shape", "7x3x3", "--batch", "2"];
  assert.match(
    (await type([...other, ...quick, "--json", file, "--add"])).err,
    /^bench kernels: .*kernels\.json has samples of other layers: conv2d 5×9×8 .* \(conv2d of 2 × .*\), where no conv2d /,
  );
  assert.equal(Deno.readTextFileSync(file), before);
});

Deno.test("bench kernels: what makes no sense is one sentence", async () => {
  const refused = async (args: string[], message: RegExp) => {
    const { code, out, err } = await type(["bench", "kernels", ...args]);
    assert.deepEqual([code, out], [1, ""], err);
    assert.match(err, message);
  };
  await refused(
    ["--op", "fc", "--shape", "3", "--params", "pad=1"],
    /^bench kernels: fc 3 pad=1: "channels" is missing, .*\n$/,
  );
  await refused(
    ["--case", "lstm", "--network", "googlenet"],
    /^bench kernels: --network and --case are two .*; give one\n$/,
  );
});
