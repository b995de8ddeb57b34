import assert from "node:assert/strict";
import { join } from "node:path";
import { UserError } from "../../src/formats/user_error.ts";
import { filesBelow, modelFolder, readBytes } from "../../src/cli/files.ts";
import { temporaryFolder } from "./user.ts";

const one = Uint8Array.of(1);
const refused = (run: () => unknown, message: RegExp) =>
  assert.throws(run, (error) => error instanceof UserError && message.test(error.message));

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

Deno.test("links to folders are followed once, in circles too, and those that lead nowhere are files", () => {
  using folder = temporaryFolder();
  const at = (name: string) => join(folder.path, name);
  Deno.mkdirSync(at("set/cats"), { recursive: true });
  Deno.mkdirSync(at("dogs"));
  for (const file of ["set/cats/1.png", "dogs/2.png"]) Deno.writeFileSync(at(file), one);
  Deno.symlinkSync(at("dogs"), at("set/dogs"));
  Deno.symlinkSync(at("dogs"), at("set/hounds"));
  Deno.symlinkSync(at("set"), at("dogs/all"));
  Deno.symlinkSync(at("none"), at("set/nowhere"));
  Deno.symlinkSync(at("dogs/2.png"), at("set/two.png"));
  const found = ["cats/1.png", "dogs/2.png", "nowhere", "two.png"].map((file) => join(at("set"), file));
  assert.deepEqual(filesBelow(at("set")), found);
});
