/** Model folders take their places whole, and never those of anything else; what was there before is never lost. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { UserError } from "../../src/formats/user_error.ts";
import { type ConvertedFolder, openPlace, writeModel } from "../../tools/convert/folder.ts";
import { namesIn, startProgram, stopCodes, temporaryFolder } from "./user.ts";

const converted = (text: string): ConvertedFolder => ({ text, tensors: new Map(), layers: 1, parameters: 2 });
const refused = (run: () => unknown, message: RegExp) =>
  assert.throws(run, (error) => error instanceof UserError && message.test(error.message));

/** A folder with a model "old" whose network.json says "before". */
function given() {
  const folder = temporaryFolder();
  const at = (name: string) => join(folder.path, name);
  Deno.mkdirSync(at("old"));
  Deno.writeTextFileSync(at("old/network.json"), "before");
  Deno.writeTextFileSync(at("old/labels.txt"), "cat\n");
  const text = (name: string) => Deno.readTextFileSync(at(`${name}/network.json`));
  return { ...folder, at, text };
}

/** Makes a model there; something may happen meanwhile. */
function make(folder: string, force: boolean, meanwhile = () => {}): void {
  using place = openPlace(folder, force);
  meanwhile();
  writeModel(place, converted("after"), { start: performance.now() });
}

Deno.test("a model is new, or replaces one by force and keeps its labels", () => {
  using folder = given();
  make(folder.at("deep/new"), false);
  assert.equal(folder.text("deep/new"), "after");
  refused(() => make(folder.at("old"), false), /old exists; --force replaces it/);
  make(folder.at("old"), true);
  assert.equal(folder.text("old"), "after");
  assert.deepEqual(namesIn(folder.at("old")), ["labels.txt", "network.json", "weights.safetensors"]);
  assert.deepEqual(namesIn(folder.path), ["deep", "old"]);
});

Deno.test("a place that is opened and not used leaves nothing", () => {
  using folder = given();
  openPlace(folder.at("deep/new"), false)[Symbol.dispose]();
  assert.deepEqual(namesIn(folder.path), ["old"]);
});

Deno.test("links, files and what appears meanwhile are never replaced", () => {
  using folder = given();
  Deno.symlinkSync("old", folder.at("linked"));
  Deno.symlinkSync("nowhere", folder.at("dangling"));
  Deno.writeTextFileSync(folder.at("file"), "mine");
  for (const force of [false, true]) {
    for (const name of ["linked", "dangling"]) refused(() => make(folder.at(name), force), /is a symbolic link, which/);
    refused(() => make(folder.at("file"), force), /file cannot take a model/);
    for (
      const appear of [() => Deno.symlinkSync("old", folder.at("x")), () => Deno.writeTextFileSync(folder.at("x"), "")]
    ) {
      refused(() => make(folder.at("x"), force, appear), /x (is a symbolic link|cannot be written)/);
      Deno.removeSync(folder.at("x"));
    }
  }
  const appear = () => {
    Deno.mkdirSync(folder.at("y"));
    Deno.writeTextFileSync(folder.at("y/notes.txt"), "mine");
  };
  refused(() => make(folder.at("y"), true, appear), /y holds notes.txt, which is no part of a model/);
  assert.deepEqual(namesIn(folder.path), ["dangling", "file", "linked", "old", "y"]);
  assert.equal(folder.text("linked"), "before");
  Deno.symlinkSync("nowhere", folder.at("old/weights.safetensors"));
  refused(() => make(folder.at("old"), true), /old holds weights.safetensors, a symbolic link/);
  Deno.removeSync(folder.at("old/weights.safetensors"));
  Deno.mkdirSync(folder.at("old/README.md"));
  refused(() => make(folder.at("old"), true), /old holds README.md, which is no part of a model/);
  assert.deepEqual(namesIn(folder.at("old")), ["README.md", "labels.txt", "network.json"]);
});

Deno.test("of two runs the second is told so at once", () => {
  using folder = given();
  for (const [name, force] of [["new", false], ["old", true]] as const) {
    using _ = openPlace(folder.at(name), force);
    refused(() => make(folder.at(name), force), /^another run is at work on .*(new|old)$/);
    make(folder.at("other"), false);
    Deno.removeSync(folder.at("other"), { recursive: true });
  }
});

Deno.test("where the new folder cannot take its place, the old one is back", () => {
  using folder = given();
  const rename = Deno.renameSync;
  let renamed = 0;
  Deno.renameSync = (from, to) => {
    if (++renamed === 2) throw new Deno.errors.PermissionDenied("no");
    rename(from, to);
  };
  try {
    refused(() => make(folder.at("old"), true), /old cannot be written/);
  } finally {
    Deno.renameSync = rename;
  }
  assert.equal(renamed, 3);
  assert.deepEqual([folder.text("old"), namesIn(folder.path)], ["before", ["old"]]);

  // Not even where somebody is faster.
  Deno.renameSync = (from, to) => {
    rename(from, to);
    if (String(from) !== folder.at("old")) return;
    Deno.mkdirSync(folder.at("old"));
    Deno.writeTextFileSync(folder.at("old/network.json"), "another");
  };
  try {
    refused(() => make(folder.at("old"), true), /old cannot be written: a folder is there that holds something/);
  } finally {
    Deno.renameSync = rename;
  }
  assert.deepEqual([folder.text("old"), folder.text("old-old1")], ["another", "before"]);
  assert.deepEqual(namesIn(folder.path), ["old", "old-old1"]);
});

Deno.test("what a killed run left is gone, and a model that it had moved aside is back", () => {
  using folder = given();
  const start = folder.at(".phosphene-0123456789abcdef");
  Deno.writeTextFileSync(`${start}.tmp`, "phosphene is going to write\0old");
  Deno.mkdirSync(`${start}.dir`);
  Deno.renameSync(folder.at("old"), `${start}.old`);
  openPlace(folder.at("new"), false)[Symbol.dispose]();
  assert.deepEqual([folder.text("old"), namesIn(folder.path)], ["before", ["old"]]);

  // Nothing goes to another folder.
  for (const name of ["../x", "..", ".", "", "old/../x", "sub/x"]) {
    Deno.mkdirSync(folder.at("sub"));
    for (const kind of ["dir", "old"]) Deno.mkdirSync(folder.at(`sub/.phosphene-0123456789abcdef.${kind}`));
    Deno.writeTextFileSync(folder.at("sub/.phosphene-0123456789abcdef.tmp"), `phosphene is going to write\0${name}`);
    openPlace(folder.at("sub/new"), false)[Symbol.dispose]();
    assert.deepEqual([namesIn(folder.path), namesIn(folder.at("sub"))], [["old", "sub"], []], name);
    Deno.removeSync(folder.at("sub"));
  }
});

Deno.test("convert: signals at any moment leave a whole model or none", async () => {
  await Promise.all(
    Object.entries(stopCodes).map(async ([signal, expected]) => {
      using folder = given();
      const child = startProgram("modelling.ts", folder.at("new"));
      const told = child.stdout.getReader();
      await told.read(); // it makes one model after the other
      await new Promise((resolve) => setTimeout(resolve, 60));
      child.kill(signal as Deno.Signal);
      assert.equal((await child.status).code, expected);
      await told.cancel();
      for (const name of namesIn(folder.path)) {
        assert.match(name, /^(old|new\d+)$/);
        assert.ok(namesIn(folder.at(name)).includes("network.json"));
      }
    }),
  );
});
