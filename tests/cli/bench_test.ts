/** `deno task bench` as a user types it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { MOST_SHARE } from "../../src/gpu/probe.ts";
import { temporaryFolder, type } from "./user.ts";

Deno.test("bench synth: an iteration beside the peak, as text and as a file that stays unless forced", async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "synth.json"), args = ["bench", "synth", "--batch", "2", "--json", file];
  Deno.writeTextFileSync(file, "mine");
  assert.match((await type(args)).err, /^bench: .*synth\.json exists; --force overwrites it\n$/);
  const { code, out, err } = await type([...args, "--force", "--adapter", "low-power"]);
  assert.equal(code, 0, err);
  assert.match(out, /: peak [\d.]+ GFLOP\/s, [\d.]+ GB\/s\nbatch 2: [\d.]+ ms an iteration \([\d.]+ ms a picture\), /);
  assert.match(out, /\n[\d.]+ GFLOP\/s, share of the peak: [\d.]+ %\n/);
  const { adapter, peak, synth, share, probeFailed } = JSON.parse(Deno.readTextFileSync(file));
  assert.ok(out.startsWith(adapter));
  assert.equal(share, synth.gflops / peak.gflops);
  assert.ok(share > 0 && share <= MOST_SHARE && probeFailed === undefined);
  assert.ok(Math.abs(synth.flops / synth.iterationMs / 1e6 / synth.gflops - 1) < 1e-9);
});

Deno.test("bench: what makes no sense is one sentence", async () => {
  assert.match((await type(["bench", "nets"])).err, /^bench: bench measures "synth" or "kernels", got "nets"\n$/);
  assert.match((await type(["bench", "--batch", "0"])).err, /^bench: --batch is 0, expected a whole number ≥ 1\n$/);
});

Deno.test("bench kernels: every tile of a type's layers beside the peak", async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "kernels.json");
  const { code, out, err } = await type(["bench", "kernels", "--op", "fc", "--batch", "1", "--json", file]);
  assert.equal(code, 0, err);
  assert.match(out, /: peak [\d.]+ GFLOP\/s, [\d.]+ GB\/s\n/);
  assert.match(out, /^fc8 /m);
  const { adapter, kernels } = JSON.parse(Deno.readTextFileSync(file));
  assert.ok(out.startsWith(adapter));
  assert.ok(kernels.length > 0);
  for (const { layer, ms, gflops } of kernels) assert.ok(ms > 0 && gflops > 0, layer);
  assert.match((await type(["bench", "kernels", "--op", "pool9"])).err, /^bench: --op is "pool9", expected conv2d, /);
});
