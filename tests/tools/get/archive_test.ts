/** Files out of archives, whole ones and damaged ones. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { zipSync } from "fflate";
import { UserError } from "../../../src/formats/user_error.ts";
import { extract } from "../../../tools/get/archive.ts";
import { namesIn, temporaryFolder } from "../../cli/user.ts";
import { tar } from "./tar.ts";

const large = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 2654435761) >>> 13);
const files = {
  "release/readme.txt": new TextEncoder().encode("hello"),
  "release/fc6/generator.prototxt": new TextEncoder().encode("layer {}"),
  "release/fc6/generator.caffemodel": large,
  "release/notfc7/generator.caffemodel": new Uint8Array(512),
  "release/empty": new Uint8Array(0),
};
const archives: Record<string, Uint8Array> = {
  "a.zip": zipSync(files),
  "stored.zip": zipSync(files, { level: 0 }),
  "a.tar.gz": gzipSync(tar(files)),
};

/** Unpacks entries from an archive of these bytes. */
async function unpack(name: string, bytes: Uint8Array, entries: string[]) {
  using folder = temporaryFolder();
  const archive = join(folder.path, name);
  const at = (entry: string) => join(folder.path, entry.replaceAll("/", "-"));
  Deno.writeFileSync(archive, bytes);
  const failure = await extract(archive, new Map(entries.map((entry) => [entry, at(entry)])))
    .then(() => undefined, (error) => error as Error);
  const got = entries.map((entry) => failure ? undefined : Deno.readFileSync(at(entry)));
  return { failure, got, names: namesIn(folder.path) };
}

for (const [name, bytes] of Object.entries(archives)) {
  Deno.test(`extract ${name}: the files, by the end of their path`, async () => {
    const run = await unpack(name, bytes, ["fc6/generator.caffemodel", "generator.prototxt", "empty"]);
    assert.equal(run.failure, undefined);
    assert.deepEqual(run.got, [large, files["release/fc6/generator.prototxt"], files["release/empty"]]);
    assert.equal(run.names.length, 4);
  });

  Deno.test(`extract ${name}: a file that is not there`, async () => {
    const { failure, names } = await unpack(name, bytes, ["fc7/generator.caffemodel"]);
    assert.match(failure!.message, /has no fc7\/generator.caffemodel; it has release\/readme.txt, /);
    assert.deepEqual(names, [name]);
  });

  Deno.test(`extract ${name}: damaged archives leave no file that is half there`, async () => {
    for (let run = 0; run < 60; run++) {
      const damaged = bytes.slice(0, run % 2 ? bytes.length : Math.floor(bytes.length * run / 60));
      for (let n = 0; n < run % 5; n++) damaged[(run * 7919 + n * 104729) % bytes.length] ^= 1 << (n + run) % 8;
      const { failure, got, names } = await unpack(name, damaged, ["fc6/generator.caffemodel"]);
      if (failure) assert.ok(failure instanceof UserError, failure.stack);
      else assert.deepEqual(got, [large]);
      assert.deepEqual(names.filter((other) => other.endsWith(".tmp")), []);
    }
  });
}
