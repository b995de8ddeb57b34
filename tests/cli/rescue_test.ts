/** What ends a search early or takes its places away: the pictures are saved, and the user is told where. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { decodeImage } from "../../src/formats/png.ts";
import { writeTinyModels } from "./tiny_models.ts";
import { namesIn, startProgram, stopCodes, temporaryFolder, type } from "./user.ts";

/** A folder with tiny models, the options that choose them, and a place for pictures. */
function tiny() {
  const folder = temporaryFolder();
  const models = writeTinyModels(folder.path);
  const out = join(folder.path, "out");
  return { ...folder, out, chosen: ["--classifier", models.classifier, "--generator", models.generator] };
}

const read = (file: string) => decodeImage(Deno.readFileSync(file), file);
const endless = ["--iterations", "1000000"];

Deno.test("every signal saves the pictures so far", async (t) => {
  const long = `${"n".repeat(251)}.png`;
  /** What happens meanwhile: another run comes to the same name, or the folder goes. */
  const second = async (run: ReturnType<typeof tiny>) => {
    const { code, err } = await type(["synth", ...run.chosen, "--out", run.out, "--unit", "1"]);
    assert.equal(code, 1);
    assert.match(err, /^synth: another run is at work on .*fc3_0001_0\.png\n$/);
  };
  const gone = ({ out }: ReturnType<typeof tiny>) => Deno.removeSync(out, { recursive: true });
  const cases: [
    name: string,
    signal: Deno.Signal,
    code: number,
    options: string[],
    files: string[],
    meanwhile?: (run: ReturnType<typeof tiny>) => void | Promise<void>,
  ][] = [
    ["Ctrl-C, one picture of 255 letters", "SIGINT", 130, ["--unit", "0", "--out", long], [long], gone],
    ["kill, a batch", "SIGTERM", 143, ["--units", "0-1", "--out", ""], [
      ...["fc3_0000-0001_0_sheet.png", "fc3_0000_0.png", "fc3_0001_0.png"],
    ], second],
    ["a closed terminal, an animation", "SIGHUP", 129, ["--unit", "0", "--animate", "gif", "--out", ""], [
      ...["fc3_0000_0.gif", "fc3_0000_0.png"],
    ]],
  ];
  for (const [name, signal, expected, [...options], files, meanwhile] of cases) {
    await t.step(name, async () => {
      using run = tiny();
      const out = join(run.out, options.pop()!);
      const args = ["synth", ...run.chosen, ...options, out, ...endless];
      const { code, out: told, err } = await type(args, {
        when: ["iteration", async (child) => {
          await meanwhile?.(run);
          child.kill(signal);
        }],
      });
      assert.equal(code, expected, err);
      assert.match(err, /stopped after \d+ of 1000000 iterations/);
      for (const file of files) assert.ok(told.includes(join(run.out, file)), told);
      assert.deepEqual(namesIn(run.out), files);
      const { text } = await read(join(run.out, files.at(-1)!));
      assert.ok(JSON.parse(text.phosphene).result.iterations < 1_000_000);
    });
  }
});

Deno.test("a place that is taken meanwhile stays; its picture goes beside it, the others where they belong", async () => {
  using run = tiny();
  const place = join(run.out, "fc3_0001_0.png");
  const beside = join(run.out, "fc3_0001_0-2.png");
  const { code, out, err } = await type(["synth", ...run.chosen, "--out", run.out, "--units", "1-2", ...endless], {
    when: ["iteration", (child) => {
      Deno.symlinkSync("nowhere", place);
      child.kill("SIGINT");
    }],
  });
  assert.equal(code, 1, err);
  assert.ok(err.endsWith(`\nsynth: ${place} appeared meanwhile; this run's fc3_0001_0.png is ${beside}\n`), err);
  assert.ok(out.startsWith(`${beside}  activation`), out);
  assert.equal((await read(beside)).width, 8);
  assert.deepEqual(namesIn(run.out), [
    ...["fc3_0001-0002_0_sheet.png", "fc3_0001_0-2.png", "fc3_0001_0.png", "fc3_0002_0.png"],
  ]);
  assert.equal(Deno.readLinkSync(place), "nowhere");
});

Deno.test("signals at any moment of saving: every file is whole, and nothing else is left", async () => {
  const moments = Array.from({ length: 6 }, (_, n) => n * 23);
  await Promise.all(moments.map(async (milliseconds, n) => {
    using folder = temporaryFolder();
    const signal = Object.keys(stopCodes)[n % 3] as keyof typeof stopCodes;
    const child = startProgram("saving.ts", folder.path);
    for await (const _ of child.stdout) break; // it has begun
    child.kill("SIGXFSZ"); // a file is too long for `ulimit -f`, which is no end
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    child.kill(signal);
    assert.equal((await child.status).code, stopCodes[signal]);
    const names = namesIn(folder.path);
    for (const name of names) {
      assert.match(name, /^\d+$/);
      assert.equal(Deno.statSync(join(folder.path, name)).size, 1000);
    }
    assert.equal(names.length % 2, 0, "two at a time");
  }));
});

Deno.test("a search that loses its devices ends with the same picture, and says so", async () => {
  using run = tiny();
  const command = ["synth", ...run.chosen, "--unit", "1", "--iterations", "60", "--out"];
  const pictures = ["undisturbed.png", "disturbed.png"].map((name) => join(run.out, name));
  const calm = await type([...command, pictures[0]]);
  const { code, err } = await type([...command, pictures[1]], { preload: "lose_devices.ts" });
  assert.deepEqual([calm.code, code], [0, 0], err);
  assert.equal(
    err.match(/^(?:synth: )?warning: .+ was lost; the search (begins anew|goes on from iteration \d+)$/gm)?.length,
    2,
    err,
  );
  const [undisturbed, disturbed] = await Promise.all(pictures.map(read));
  const [expected, { losses, ...result }] = [undisturbed, disturbed].map(({ text }) =>
    JSON.parse(text.phosphene).result
  );
  assert.deepEqual([disturbed.rgb, result], [undisturbed.rgb, expected]);
  assert.deepEqual(losses.map(({ iteration }: { iteration: number }) => iteration >= 0), [true, true]);
});
