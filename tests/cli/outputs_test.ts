/** Files in their places: whole, never in place of anything else, and what a dead run left is gone. */
import assert from "node:assert/strict";
import { basename, dirname, join } from "node:path";
import { UserError } from "../../src/formats/user_error.ts";
import { Outputs } from "../../src/cli/outputs/outputs.ts";
import { writeFiles } from "../../src/cli/outputs/place.ts";
import { Temporary } from "../../src/cli/outputs/temporary.ts";
import { namesIn, temporaryFolder } from "./user.ts";

const one = Uint8Array.of(1);
const two = Uint8Array.of(2);
const mine = Uint8Array.of(7);
const free = { force: false, bytes: 100 };
const refused = (run: () => unknown, message: RegExp) =>
  assert.throws(run, (error) => error instanceof UserError && message.test(error.message));

/** A folder, and paths in it. */
function given() {
  const folder = temporaryFolder();
  return { ...folder, at: (name: string) => join(folder.path, name) };
}

/** Opens outputs and closes them unused. */
function check(paths: string[], how = free) {
  using _ = Outputs.open(paths, how);
}

Deno.test("opened outputs that stay unused leave nothing behind", () => {
  using folder = given();
  check([folder.at("a"), folder.at("new/deep/b")]);
  assert.deepEqual(namesIn(folder.path), []);
});

Deno.test("outputs are refused before anything runs", () => {
  using folder = given();
  const file = folder.at("file");
  Deno.writeFileSync(file, mine);
  refused(() => check([file]), /file exists; --force overwrites it/);
  check([file], { ...free, force: true });
  refused(() => check([folder.path], { ...free, force: true }), /is a folder/);
  refused(() => check([join(file, "below")]), /nothing can be written in .*file: a part of its path is not a folder/);
  refused(() => check([folder.at("x"), folder.at("y/../x")]), /written twice/);
  refused(() => check(["/dev/null"], { ...free, force: true }), /nothing can be written in \/dev: /);
  for (const name of ["n".repeat(256), "ä".repeat(128), `new/${"n".repeat(256)}/x`, `new/${"n".repeat(256)}`]) {
    refused(() => check([folder.at(name)]), /too long/);
  }
  refused(() => check([folder.at(`${"n".repeat(250)}/`.repeat(17))]), /^nothing can be written in /);
  assert.deepEqual(namesIn(folder.path), ["file"]);
  assert.deepEqual(Deno.readFileSync(file), mine);
});

Deno.test("thousands of outputs are opened at once", () => {
  using folder = given();
  const paths = Array.from({ length: 20_000 }, (_, n) => folder.at(`${n}`));
  check(paths);
  refused(() => check([...paths, paths[7]]), /written twice/);
});

Deno.test("names of up to 255 bytes are as good as others", () => {
  using folder = given();
  const names = [240, 246, 250, 251, 254, 255].map((length) => `${"n".repeat(length - 4)}.png`);
  names.push(`${"é".repeat(125)}x.png`);
  using outputs = Outputs.open(names.map(folder.at), free);
  for (const name of names) outputs.save([[folder.at(name), one]]);
  outputs.finish();
  assert.deepEqual(names.map((name) => Deno.readFileSync(folder.at(name))), names.map(() => one));
});

Deno.test("what has come into the place meanwhile stays, whatever it is, and nothing is lost", () => {
  const strangers: Record<string, (place: string) => void> = {
    file: (place) => Deno.writeFileSync(place, mine),
    "dangling link": (place) => Deno.symlinkSync("nowhere", place),
    "link to a file": (place) => Deno.symlinkSync(basename(import.meta.filename!), place),
    folder: (place) => Deno.mkdirSync(place),
  };
  for (const [kind, appear] of Object.entries(strangers)) {
    for (const force of kind === "file" ? [false] : [false, true]) {
      for (const name of ["x.png", `${"é".repeat(125)}x.png`]) {
        using folder = given();
        using outputs = Outputs.open([folder.at(name)], { ...free, force });
        appear(folder.at(name));
        const before = Deno.lstatSync(folder.at(name)).ino;
        outputs.save([[folder.at(name), one]]);
        refused(() => outputs.finish(), /.*x\.png appeared meanwhile; this run's .*x\.png is .*-2\.png$/);
        const saved = outputs.where(folder.at(name));
        assert.deepEqual([Deno.readFileSync(saved), dirname(saved)], [one, folder.path], kind);
        assert.equal(Deno.lstatSync(folder.at(name)).ino, before);
        assert.ok(basename(saved).startsWith(name.slice(0, 1)) && saved.endsWith("-2.png"));
        outputs[Symbol.dispose]();
        assert.equal(namesIn(folder.path).length, 2);
      }
    }
  }
});

Deno.test("the next free name is taken, and a batch is saved file by file", () => {
  using folder = given();
  const names = ["a.png", "b.png", "c.png"].map(folder.at);
  using outputs = Outputs.open(names, free);
  for (const taken of ["b.png", "b-2.png", "b-3.png"]) Deno.writeFileSync(folder.at(taken), mine);
  for (const name of names) outputs.save([[name, one]]);
  refused(() => outputs.finish(), /b\.png appeared meanwhile; this run's b\.png is .*b-4\.png$/);
  assert.deepEqual(names.map((name) => outputs.where(name)), [names[0], folder.at("b-4.png"), names[2]]);
  assert.deepEqual(["a", "b", "b-2", "b-3", "b-4", "c"].map((name) => Deno.readFileSync(folder.at(`${name}.png`))), [
    ...[one, mine, mine, mine, one, one],
  ]);
});

Deno.test("a folder that is gone is made again; where there is a file now, the temporary folder takes it", () => {
  using folder = given();
  const path = folder.at("deep/out/x.png");
  for (const blocked of [false, true]) {
    using outputs = Outputs.open([path], free);
    Deno.removeSync(folder.at("deep"), { recursive: true });
    if (blocked) Deno.writeFileSync(folder.at("deep"), mine);
    outputs.save([[path, one]]);
    if (!blocked) {
      outputs.finish();
      assert.deepEqual(namesIn(dirname(path)), ["x.png"]);
      Deno.removeSync(path);
    } else {
      refused(() => outputs.finish(), /x\.png cannot be written: .*; this run's x\.png is .*phosphene-\w+\/x\.png$/);
      const saved = outputs.where(path);
      assert.deepEqual(Deno.readFileSync(saved), one);
      Deno.removeSync(dirname(saved), { recursive: true });
    }
  }
});

Deno.test("places are those of the start, wherever links lead by then", () => {
  using folder = given();
  for (const name of ["real", "other"]) Deno.mkdirSync(folder.at(name));
  Deno.symlinkSync("real", folder.at("link"));
  const path = folder.at("link/x");
  using outputs = Outputs.open([path], free);
  Deno.removeSync(folder.at("link"));
  Deno.symlinkSync("other", folder.at("link"));
  outputs.save([[path, one]]);
  outputs.finish();
  outputs[Symbol.dispose]();
  assert.deepEqual([namesIn(folder.at("real")), namesIn(folder.at("other"))], [["x"], []]);
});

Deno.test("symbolic links are neither followed nor replaced", () => {
  using folder = given();
  Deno.writeFileSync(folder.at("file"), mine);
  for (const [name, target] of [["dangling", "nowhere"], ["linked", "file"]]) {
    Deno.symlinkSync(target, folder.at(name));
    for (const force of [false, true]) {
      refused(() => check([folder.at(name)], { ...free, force }), /is a symbolic link, which is neither followed nor/);
      refused(() => writeFiles(new Map([[folder.at(name), one]]), { force }), /is a symbolic link/);
    }
    assert.equal(Deno.readLinkSync(folder.at(name)), target);
  }
  Deno.symlinkSync("gone", folder.at("out"));
  refused(() => check([folder.at("out/x")]), /out is a symbolic link that leads nowhere$/);
  assert.deepEqual(Deno.readFileSync(folder.at("file")), mine);
  assert.deepEqual(namesIn(folder.path), ["dangling", "file", "linked", "out"]);
});

Deno.test("files that belong together are written all or none, by force too", () => {
  using folder = given();
  const [a, b, c] = ["a", "b", "c"].map(folder.at);
  writeFiles(new Map([[a, one], [folder.at("new/d"), two]]), { force: false });
  assert.deepEqual(namesIn(folder.path), ["a", "new"]);
  refused(() => writeFiles(new Map([[folder.at("o/d"), one], [join(a, "x"), one]]), { force: false }), /cannot be/);
  assert.deepEqual(namesIn(folder.path), ["a", "new"]);

  // The last place is a folder: what was replaced before it is as it was, what was new is gone.
  Deno.mkdirSync(c);
  Deno.writeFileSync(b, mine);
  const rename = Deno.renameSync;
  for (const failing of [1, 2]) {
    let renamed = 0;
    Deno.renameSync = (from, to) => {
      if (++renamed === failing) throw new Deno.errors.PermissionDenied("no");
      rename(from, to);
    };
    try {
      refused(() => writeFiles(new Map([[folder.at("e"), two], [a, two], [b, two]]), { force: true }), /cannot be wri/);
    } finally {
      Deno.renameSync = rename;
    }
    assert.deepEqual([Deno.readFileSync(a), Deno.readFileSync(b), namesIn(folder.path)], [one, mine, [
      ...["a", "b", "c", "new"],
    ]]);
  }
  writeFiles(new Map([[a, two], [b, two]]), { force: true });
  assert.deepEqual([Deno.readFileSync(a), Deno.readFileSync(b), namesIn(folder.path)], [two, two, [
    ...["a", "b", "c", "new"],
  ]]);
});

Deno.test("a file system without hard links does as well", () => {
  using folder = given();
  const link = Deno.linkSync;
  Deno.linkSync = () => {
    throw new Deno.errors.PermissionDenied("no");
  };
  try {
    writeFiles(new Map([[folder.at("a"), one]]), { force: false });
    refused(() => writeFiles(new Map([[folder.at("a"), two]]), { force: false }), /exists/);
    writeFiles(new Map([[folder.at("a"), two], [folder.at("b"), two]]), { force: true });
  } finally {
    Deno.linkSync = link;
  }
  assert.deepEqual([namesIn(folder.path), Deno.readFileSync(folder.at("a"))], [["a", "b"], two]);
});

Deno.test("who comes second to a name is told so at once; another name is free", () => {
  using folder = given();
  const first = Outputs.open([folder.at("out/x")], free);
  refused(() => check([folder.at("out/y"), folder.at("out/x")]), /^another run is at work on .*out\/x$/);
  check([folder.at("out/y")]);
  check([folder.at("out/x")], { ...free, shared: true } as typeof free);
  first.save([[folder.at("out/x"), one]]);
  first[Symbol.dispose]();
  refused(() => check([folder.at("out/x")]), /exists/);
  assert.deepEqual(namesIn(folder.at("out")), ["x"]);
});

Deno.test("what dead runs left is removed; what lives, or is no such thing, stays", () => {
  using folder = given();
  const left = (name: string) => folder.at(`.phosphene-0123456789abcde${name}`);
  Deno.writeFileSync(left("0.tmp"), one);
  Deno.writeFileSync(left("0.old"), one);
  Deno.mkdirSync(left("1.dir"));
  Deno.writeFileSync(join(left("1.dir"), "network.json"), one);
  Deno.writeTextFileSync(left("2.tmp"), "phosphene is going to write\0x");
  Deno.symlinkSync("nowhere", left("3.tmp"));
  Deno.mkdirSync(left("4.tmp"));
  Deno.writeFileSync(folder.at(".phosphene-mine.tmp"), one);
  {
    using living = Temporary.in(folder.path);
    check([folder.at("x")]);
    const stay = [".phosphene-0123456789abcde3.tmp", ".phosphene-0123456789abcde4.tmp", ".phosphene-mine.tmp"];
    assert.deepEqual(namesIn(folder.path), [...stay, basename(living.path)].sort());
  }
});
