/** A sweep's files: nothing of anybody else's is overwritten, no picture that was made is lost, and no text acts in a report. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { hashOf, type Plan } from "../../src/cli/sweep/plan.ts";
import { page } from "../../src/cli/sweep/page.ts";
import { type Line, pictureName, readResults, Results } from "../../src/cli/sweep/results.ts";
import type { Settings } from "../../src/mod.ts";
import { namesIn, temporaryFolder } from "./user.ts";

const plan: Plan = { hash: "abc", asked: {}, pieces: [], pictures: 3 };
const open = (folder: string) => new Results(folder, "results.jsonl", plan);

/** A piece of three pictures, and what is told of them. */
async function piece(): Promise<[Map<string, Uint8Array>, Line[]]> {
  const pictures = new Map([0, 1, 2].map((number) => [pictureName(number), Uint8Array.of(number)]));
  const lines = [...pictures].map(async ([file, bytes], picture): Promise<Line> => ({
    ...{ picture, file, title: "", target: "0", seed: 0, settings: {} as Settings, activation: 1, top: [], topOf: "" },
    ...{ trace: [], zeroGradient: false, adapter: "", command: "", named: "" },
    sha256: await hashOf(bytes as Uint8Array<ArrayBuffer>),
  }));
  return [pictures, await Promise.all(lines)];
}

Deno.test("sweep: what is somebody else's in its folder is refused at the start, and stays", () => {
  const faults: [make: (folder: string) => void, message: RegExp, left: string[]][] = [
    [
      (folder) => Deno.writeTextFileSync(join(folder, "report.html"), "mine"),
      /report\.html exists; --out names another folder$/,
      ["report.html"],
    ],
    [(folder) => Deno.symlinkSync("mine", join(folder, "report.html")), /report\.html is no ordinary/, ["report.html"]],
    [
      (folder) => Deno.symlinkSync("mine", join(folder, "results.jsonl")),
      /results\.jsonl is a symbolic link, which is neither followed nor replaced/,
      ["results.jsonl"],
    ],
    [
      (folder) => Deno.mkdirSync(join(folder, "results-1-of-2.jsonl")),
      /results-1-of-2\.jsonl cannot be read: it is a folder$/,
      ["results-1-of-2.jsonl"],
    ],
    [(folder) => Deno.writeTextFileSync(join(folder, "pictures"), "mine"), /pictures is no folder/, ["pictures"]],
    [
      (folder) => (Deno.removeSync(folder), Deno.symlinkSync("nowhere", folder)),
      /out is a symbolic link that leads nowhere$/,
      [],
    ],
  ];
  for (const [make, message, left] of faults) {
    using run = temporaryFolder();
    const folder = join(run.path, "out");
    Deno.mkdirSync(folder);
    make(folder);
    assert.throws(() => open(folder), message);
    assert.deepEqual(namesIn(folder), left);
  }
});

Deno.test("sweep: a link in a picture's place is refused before the search, also where it goes on", async () => {
  using run = temporaryFolder();
  {
    using results = open(run.path);
    results.add(...await piece());
  }
  const path = join(run.path, pictureName(1));
  Deno.removeSync(path);
  Deno.symlinkSync("mine", path);
  using results = open(run.path);
  assert.throws(() => results.checkPictures([0, 1]), /00001\.png is no ordinary file; --out names another folder$/);
});

Deno.test("sweep: of a piece whose places are taken meanwhile every picture is kept, and told where", async () => {
  using run = temporaryFolder();
  using results = open(run.path);
  results.checkPictures([0, 1, 2]);
  Deno.writeTextFileSync(join(run.path, pictureName(1)), "mine");
  const [pictures, lines] = await piece();
  const beside = join(run.path, "pictures/00001-2.png");
  assert.throws(
    () => results.add(pictures, lines),
    new RegExp(`00001\\.png appeared meanwhile; this run's 00001\\.png is ${beside}$`),
  );
  assert.deepEqual([results.added, readResults([run.path], plan).lines.map(({ picture }) => picture)], [2, [0, 2]]);
  assert.deepEqual(Deno.readFileSync(beside), Uint8Array.of(1));
  assert.equal(Deno.readTextFileSync(join(run.path, pictureName(1))), "mine");

  Deno.removeSync(join(run.path, "results.jsonl"));
  assert.throws(() => results.add(pictures, lines), /results\.jsonl cannot be written: it does not exist$/);
});

Deno.test("sweep: a report has no control characters, so that no command that is copied from it ends before its end", () => {
  const evil = "\x1b[2J\u202e\u2028; rm -rf .\n";
  const html = page(evil, { name: evil, lines: [{ command: evil, top: [{ name: evil }] }] });
  const [, data] = /<script type="application\/json" id="data">(.*)<\/script>/.exec(html)!;
  const tamed = " [2J\ufffd ; rm -rf . ";
  assert.deepEqual(JSON.parse(data), { name: tamed, lines: [{ command: tamed, top: [{ name: tamed }] }] });
  assert.ok(html.includes(`<title>${tamed}</title>`));
});
