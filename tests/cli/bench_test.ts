/** `deno task bench` as a user types it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { share as shareOf, shareText } from "../../src/gpu/probe.ts";
import { encodePng } from "../../src/formats/png.ts";
import { jpegFiles } from "../formats/jpeg_files.ts";
import { writeTinyModels } from "./tiny_models.ts";
import { temporaryFolder, type } from "./user.ts";

Deno.test("bench synth: an iteration beside the peak, as text and as a file that stays unless forced", async () => {
  using folder = temporaryFolder();
  const { generator, classifier } = writeTinyModels(folder.path);
  const file = join(folder.path, "synth.json");
  const args = ["bench", "synth", "--generator", generator, "--classifier", classifier, "--batch", "2", "--json", file];
  Deno.writeTextFileSync(file, "mine");
  assert.match((await type(args)).err, /^bench synth: .*synth\.json exists; --force overwrites it\n$/);
  const { code, out, err } = await type([
    ...args,
    "--force",
    "--adapter",
    "low-power",
    "--tuned",
    "none",
    "--passes",
    "1",
  ]);
  assert.equal(code, 0, err);
  assert.match(
    out,
    /: peak [\d.]+ GFLOP\/s, [\d.]+ GB\/s\ntiny generator and tiny classifier, batch 2: [\d.]+ ms an iteration \([\d.]+ ms a picture\), /,
  );
  assert.match(out, /\n[\d.]+ GFLOP\/s; [\d.]+ executed, share of the peak: /);
  const { adapter, peak, synth, share, probeFailed, samples } = JSON.parse(Deno.readTextFileSync(file));
  assert.ok(out.startsWith(adapter));
  assert.deepEqual(samples.map(({ key }: { key: string }) => key), [
    "an iteration of tiny generator and tiny classifier, batch 2",
  ]);
  // A machine that is busy with other tests may be measured slower than the search runs: that is told, not a share.
  assert.deepEqual(JSON.parse(JSON.stringify({ share, probeFailed })), {
    ...shareOf(synth.executedGflops, peak.gflops),
  });
  assert.ok(out.includes(`share of the peak: ${shareText(synth.executedGflops, peak.gflops)}\n`));
  assert.ok(Math.abs(synth.flops / synth.iterationMs / 1e6 / synth.gflops - 1) < 1e-9);
});

Deno.test("bench decode: what each picture takes, and what is no picture", async () => {
  using folder = temporaryFolder();
  const at = (name: string) => join(folder.path, name);
  const json = at("decode.json");
  Deno.writeFileSync(at("a.jpg"), jpegFiles[0].bytes);
  Deno.writeFileSync(at("b.png"), encodePng({ width: 5, height: 4, rgb: new Uint8Array(60) }));
  Deno.writeTextFileSync(at("c.jpg"), "no picture");
  Deno.writeTextFileSync(json, "mine");
  const { code, out, err } = await type(["bench", "decode", "--images", folder.path, "--json", json, "--force"]);
  assert.equal(code, 1, err);
  assert.match(err, /\nwarning: left out: .*c\.jpg: neither a PNG nor a JPEG picture\n/);
  assert.match(out, /^ +pictures .*\nJPEG +1 +0\.000513 .*\nPNG +1 +0\.0000200 .*\n$/);
  const { kind, pictures } = JSON.parse(Deno.readTextFileSync(json));
  assert.deepEqual([kind, ...pictures.map(({ width }: { width: number }) => width)], ["decode", 27, 5]);
  for (const { ms, own, bytes } of pictures) assert.ok(ms > 0 && own >= 0 && bytes > 0);
});

Deno.test("bench: what makes no sense is one sentence; what can be measured is told", async () => {
  assert.match(
    (await type(["bench", "nets"])).err,
    /^bench: expected what to measure, synth, kernels, profile, compare, decode, static, got "nets"; --help says more\n$/,
  );
  assert.match(
    (await type(["bench", "kernels", "--classifier", "models/caffenet64"])).err,
    /^bench kernels: there is no option --classifier; --help lists the options\n$/,
  );
  assert.match(
    (await type(["bench", "--batch", "0"])).err,
    /^bench synth: --batch expects a whole number 1 to 100000, got "0"\n$/,
  );
  assert.match(
    (await type(["bench", "--help"])).out,
    /^deno task bench \[WHAT\], one of synth, kernels, profile, compare, decode, static; synth where none is named\n\ndeno task bench synth --help\n\n.*\n\ndeno task bench kernels /,
  );
  assert.match((await type(["bench", "synth", "--help"])).out, /^deno task bench synth \[options\]\n/);
  assert.match((await type(["bench", "kernels", "--help"])).out, /^deno task bench kernels \[options\]\n/);
  assert.match((await type(["bench", "decode", "--help"])).out, /^deno task bench decode \[options\]\n/);
  assert.match(
    (await type(["bench", "compare", "--help"])).out,
    /^deno task bench compare \[options\] BEFORE\.json AFTER\.json\n/,
  );
});
