/** The file that `deno task tune` keeps what it found in, and what the command is told wrongly. */
import assert from "node:assert/strict";
import { writeNpy } from "../../src/formats/npy.ts";
import { tinyToTune } from "./tuning.ts";
import { namesIn, type } from "./user.ts";

Deno.test("tune: the file lies in the user's folder for caches, and what is broken is ignored and replaced", async () => {
  using run = tinyToTune();
  // Deno's own packages are not to move there.
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  const { denoDir } = JSON.parse(new TextDecoder().decode(stdout)) as { denoDir: string };
  const { classifier, at } = run;
  const env = { PHOSPHENE_TUNED: "", XDG_CACHE_HOME: at("home"), DENO_DIR: denoDir };
  const file = at("home/phosphene/tuned.json");
  const args = ["tune", "--model", classifier, "--quiet"];
  const infer = async (more: string[], env?: Record<string, string>) => {
    const { code, err } = await type(
      ["infer", "--model", classifier, "--input", at("x.npy"), "--output", at("y.npy"), "--fast", "--force", ...more],
      { env },
    );
    assert.equal(code, 0, err);
    return err;
  };
  Deno.writeFileSync(at("x.npy"), writeNpy({ shape: [3, 8, 8], data: new Float32Array(192) }));
  const first = await type(args, { env });
  assert.deepEqual([first.code, first.out.endsWith(`\n${file}\n`)], [0, true], first.err);
  const good = Deno.readTextFileSync(file);
  Deno.writeTextFileSync(file, good.slice(0, -9));
  assert.equal(await infer([], env), "");
  assert.equal((await type(args, { env })).code, 0);
  assert.equal(JSON.parse(Deno.readTextFileSync(file)).phosphene, "tuned ways 1");
  assert.match(await infer(["--verbose"], env), /\(tuned\)\n/);

  // A folder or nothing in the file's place is ignored too, but told where the user names it.
  assert.equal(await infer([], { PHOSPHENE_TUNED: at("home") }), "");
  assert.equal(await infer([], { PHOSPHENE_TUNED: at("none.json") }), "");
  assert.match(
    await infer(["--tuned", at("home")]),
    /^warning: .*home holds no tuned ways; all are chosen as predicted\n/,
  );
  // Paths that are not absolute are no folders for caches.
  const relative = await type(args, { env: { ...env, XDG_CACHE_HOME: "x", HOME: "y" } });
  assert.match(relative.err, /^tune: there is no place for the ways; --tuned FILE names one\n$/);
});

Deno.test("tune: a file that holds something else is refused and stays, a broken one is replaced", async () => {
  using run = tinyToTune();
  const { classifier, at } = run;
  const tune = (file: string) => type(["tune", "--model", classifier, "--quiet", "--tuned", file]);
  Deno.writeTextFileSync(at("mine.json"), '{"mine": 1}');
  Deno.writeTextFileSync(at("mine.txt"), "tench\n");
  for (const file of [at("mine.json"), at("mine.txt")]) {
    const { code, err } = await tune(file);
    assert.equal(code, 1);
    assert.match(err, /^tune: .* is there and holds something else than tuned ways; --tuned names another file\n$/);
  }
  assert.equal(Deno.readTextFileSync(at("mine.txt")), "tench\n");
  Deno.writeTextFileSync(at("broken.json"), '{"mine": ');
  assert.equal((await tune(at("broken.json"))).code, 0);
  assert.equal(JSON.parse(Deno.readTextFileSync(at("broken.json"))).phosphene, "tuned ways 1");
});

Deno.test("tune: what makes no sense is one sentence", async () => {
  using run = tinyToTune();
  const { classifier, at } = run;
  const place = ["--tuned", run.file];
  const cases: [string[], RegExp][] = [
    [["--tuned", "none"], /there is no place for the ways; --tuned FILE names one/],
    [["--tuned", at(".")], /is a folder; a file's name is expected/],
    [[...place, "--batch", "0"], /--batch expects a whole number 1 to 100000, got "0"/],
    [[...place, "--weights", "f8"], /--weights/],
    [[...place, "--gradient"], /--gradient and --double-float go with --model/],
    [[...place, "--model", classifier, "--classifier", classifier], /--model is one network/],
    [[...place, "--model", classifier, "--layer", "conv9"], /no layer "conv9"/],
    [[...place, "--model", at("nothing")], /nothing does not exist/],
  ];
  for (const [args, message] of cases) {
    const { code, out, err } = await type(["tune", ...args]);
    assert.deepEqual([code, out, err.match(/\n/g)?.length], [1, "", 1], err);
    assert.match(err, message);
    assert.ok(err.startsWith("tune: "));
  }
  assert.deepEqual(namesIn(at("cache")), []);
  assert.match(
    (await type(["tune", "--help"])).out,
    /^deno task tune \[options\]\n[^]* --tuned FILE +the file that keeps the ways; also the variable /,
  );
});
