import assert from "node:assert/strict";
import { join } from "node:path";
import { UserError } from "../../src/formats/user_error.ts";
import { checkOutputs, modelFolder, readBytes, writeOutputs } from "../../src/cli/files.ts";
import { namesIn, temporaryFolder } from "./user.ts";

const free = { force: false, bytes: 100 };
const one = Uint8Array.of(1), two = Uint8Array.of(2);
const refused = (run: () => unknown, message: RegExp) =>
  assert.throws(run, (error) => error instanceof UserError && message.test(error.message));

Deno.test("a check leaves nothing behind", () => {
  using folder = temporaryFolder();
  checkOutputs([join(folder.path, "a"), join(folder.path, "new/deep/b")], free);
  assert.deepEqual(namesIn(folder.path), []);
});

Deno.test("outputs are refused before anything runs", () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "file");
  Deno.writeFileSync(file, one);
  refused(() => checkOutputs([file], free), /file exists; --force overwrites it/);
  checkOutputs([file], { ...free, force: true });
  refused(() => checkOutputs([folder.path], { ...free, force: true }), /is a folder/);
  refused(() => checkOutputs([join(file, "below")], free), /file is not a folder/);
  refused(() => checkOutputs([join(folder.path, "x"), join(folder.path, "x")], free), /written twice/);
  refused(() => checkOutputs(["/dev/null"], { ...free, force: true }), /device/);
  refused(() => checkOutputs([join(folder.path, "n".repeat(300))], free), /too long/);
  assert.deepEqual(Deno.readFileSync(file), one);
});

Deno.test("outputs are written whole, over others only by force, and all or none", () => {
  using folder = temporaryFolder();
  const [a, b, blocked] = ["a", "new/b", "a/c"].map((name) => join(folder.path, name));
  writeOutputs(new Map([[a, one], [b, two]]), { force: false });
  assert.deepEqual(Deno.readFileSync(b), two);
  assert.deepEqual(namesIn(folder.path), ["a", "new"]);

  refused(() => writeOutputs(new Map([[a, two]]), { force: false }), /exists/);
  assert.deepEqual(Deno.readFileSync(a), one);
  writeOutputs(new Map([[a, two]]), { force: true });
  assert.deepEqual(Deno.readFileSync(a), two);

  const other = join(folder.path, "other/d");
  refused(() => writeOutputs(new Map([[other, one], [blocked, one]]), { force: false }), /cannot be written/);
  assert.deepEqual(namesIn(folder.path), ["a", "new"]);
});

Deno.test("files that cannot be read are named with the reason", async () => {
  using folder = temporaryFolder();
  const reads = async (path: string, message: RegExp) =>
    await assert.rejects(readBytes(path), (error) => error instanceof UserError && message.test(error.message));
  await reads(join(folder.path, "x.npy"), /x\.npy cannot be read: it does not exist/);
  await reads(folder.path, /cannot be read: it is a folder/);
  await reads("/dev/zero", /^\/dev\/zero cannot be read: it is a device or pipe, not an ordinary file$/);
  const sparse = join(folder.path, "sparse");
  Deno.writeFileSync(sparse, one);
  Deno.truncateSync(sparse, 2 ** 43);
  await reads(
    sparse,
    /sparse cannot be read: it has 8,388,608 MiB, working on it takes twice that, [\d,]+ MiB are free$/,
  );
  refused(() => modelFolder(join(folder.path, "none")), /none does not exist; a model is a folder/);
  refused(() => modelFolder(folder.path), /holds no network.json/);
});
