/** `bench static` as a user types it: a small model's kernels on a GPU that is not there, and what it cannot do. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { writeTinyModels } from "./tiny_models.ts";
import { namesIn, temporaryFolder, type } from "./user.ts";

const bench = (args: string[]) => type(["bench", "static", ...args]);
const linux = { ignore: Deno.build.os !== "linux" };

Deno.test("bench static: a network of zeros, forward and gradient, as table, record and code", linux, async () => {
  using folder = temporaryFolder();
  const { classifier } = writeTinyModels(folder.path);
  Deno.removeSync(join(classifier, "weights.safetensors"));
  const [json, isa] = ["static.json", "isa"].map((name) => join(folder.path, name));
  const { code, out, err } = await bench(["--chip", "navi21", "--model", classifier, "--json", json, "--isa", isa]);
  assert.equal(code, 0, err);
  assert.match(out, /^navi21, batch 1 \(RX 6900 XT: .*\)\nkernel +mul-adds +groups .*\n(.*\n)*conv1 +0\.\d\d M /);
  assert.match(out, /\n6 dispatches, about 0\.\d+ ms, 0\.018 ms of it gaps between them\n.*\n$/);
  const { plans: [plan] } = JSON.parse(Deno.readTextFileSync(json));
  assert.equal(plan.chip, "navi21");
  const labels = plan.kernels.map(({ label }: { label: string }) => label);
  assert.deepEqual(labels, ["conv1", "fc2", "fc3", "fc3 (transposed)", "fc2 (transposed)", "conv1 (transposed)"]);
  for (const { counted, multiplyAdds, spills, share } of plan.kernels) {
    assert.ok(multiplyAdds > 0 && spills === 0 && share > 0 && share < 0.1);
    assert.ok(counted >= 0.8 * multiplyAdds && counted <= multiplyAdds, `${counted} of ${multiplyAdds}`);
  }
  assert.equal(namesIn(isa).length, 6);
  assert.match(Deno.readTextFileSync(join(isa, "navi21_batch1_conv1.s")), /s_endpgm/);
  const again = await bench(["--chip", "navi21", "--model", classifier, "--json", json, "--isa", isa]);
  assert.equal(again.code, 1);
  assert.match(again.err, /^bench static: .* --force overwrites what is there\n$/);
  const narrow = ["--weights", "f16", "--kernel", "conv", "--json", json, "--isa", isa, "--force"];
  const forced = await bench(["--chip", "gfx1100", "--model", classifier, ...narrow]);
  assert.equal(forced.code, 0, forced.err);
  assert.deepEqual(forced.out.split("\n").slice(2, -3).map((line) => line.split(/ {2,}/)[0]), [
    "conv1",
    "conv1 (transposed)",
  ]);
  assert.equal(namesIn(isa).length, 12);
});

Deno.test("bench static: a search, one table for each batch", linux, async () => {
  using folder = temporaryFolder();
  const { generator, classifier } = writeTinyModels(folder.path);
  const { code, out, err } = await bench([
    ...["--chip", "navi21", "--batch", "1,3"],
    ...["--generator", generator, "--classifier", classifier],
  ]);
  assert.equal(code, 0, err);
  assert.match(out, /^navi21, batch 1 (.*\n)*step .*\n(\* .*\n)*.*\n.*\n\nnavi21, batch 3 (.*\n)*step /);
});

Deno.test("bench static: a file's kernel, with loops and workgroup memory", linux, async () => {
  using folder = temporaryFolder();
  const wgsl = join(folder.path, "sum.wgsl");
  Deno.writeTextFileSync(
    wgsl,
    `@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
const side = 8;
var<workgroup> tile: array<vec4f, side * side>;
@compute @workgroup_size(side, side)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  var sum = vec4f();
  for (var k = 0u; k < 32u; k++) {
    tile[lane] = x[(group.x * 32u + k) * 64u + lane];
    workgroupBarrier();
    sum = fma(tile[lane ^ 1u], tile[lane ^ 2u], sum);
    workgroupBarrier();
  }
  y[group.x * 64u + lane] = sum;
}`,
  );
  const { code, out, err } = await bench([
    "--chip",
    "vega10",
    "--wgsl",
    wgsl,
    "--groups",
    "512",
    "--multiply-adds",
    "4194304",
  ]);
  assert.equal(code, 0, err);
  assert.match(out, /^vega10 \(Vega 64: /);
  assert.match(out, /sum\.wgsl +4\.19 M +512 +2\.00 /);
  Deno.writeTextFileSync(wgsl, "fn main() -> nothing {");
  const broken = await bench(["--chip", "vega10", "--wgsl", wgsl]);
  assert.equal(broken.code, 1);
  assert.match(broken.err, /^plan 0\/1 .*\nbench static: .*sum\.wgsl: .+\n$/);
});

Deno.test("bench static: bad input is one sentence", linux, async () => {
  const wrong: [args: string[], sentence: RegExp][] = [
    [["--chip", "navi21,h100"], /^--chip expects some of vega10, .*, got "h100"$/],
    [["--batch", "0"], /^--batch expects numbers from 1, got "0"$/],
    [["--batch", "many"], /^--batch expects numbers like 7 or 1,5-9, got "many"$/],
    [["--weights", "f64"], /^--weights expects .* got "f64"$/],
    [["--groups", "4"], /^--groups and --multiply-adds go with --wgsl$/],
    [["--model", "models", "--classifier", "models"], /^--model takes the place of --generator and --classifier$/],
    [["--model", "nowhere"], /^nowhere does not exist; a model is a folder with/],
    [["--wgsl", "nowhere.wgsl"], /^nowhere\.wgsl cannot be read: it does not exist$/],
  ];
  const outcomes = await Promise.all(wrong.map(([args]) => bench(args)));
  outcomes.forEach(({ code, out, err }, n) => {
    assert.deepEqual([code, out], [1, ""], err);
    assert.match(err.trimEnd().replace(/^bench static: /, ""), wrong[n][1]);
  });
  const { out } = await bench(["--help"]);
  assert.match(out, /^deno task bench static \[options\]\n/);
});

Deno.test("bench static: what is missing on the machine is said", linux, async () => {
  using folder = temporaryFolder();
  const wgsl = join(folder.path, "empty.wgsl");
  Deno.writeTextFileSync(wgsl, "@compute @workgroup_size(1) fn main() {}");
  Deno.symlinkSync(Deno.execPath(), join(folder.path, "deno"));
  const { code, err } = await type(["bench", "static", "--wgsl", wgsl], { env: { PATH: folder.path } });
  assert.equal(code, 1);
  assert.match(err, /^bench static: gcc is missing; on Debian: apt-get install gcc .*\n$/);
});

Deno.test("bench static: Ctrl-C leaves nothing behind", linux, async () => {
  using folder = temporaryFolder();
  const circumstances = { env: { TMPDIR: folder.path }, interruptAt: "plan 0/1" };
  const { code, out } = await type(["bench", "static", "--chip", "navi21"], circumstances);
  assert.deepEqual([code, out], [130, ""]);
  assert.deepEqual(namesIn(folder.path), []);
});
