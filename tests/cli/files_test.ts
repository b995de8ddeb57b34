import assert from "node:assert/strict";
import { join } from "node:path";
import { UserError } from "../../src/formats/user_error.ts";
import { modelFolder, readBytes } from "../../src/cli/files.ts";
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
