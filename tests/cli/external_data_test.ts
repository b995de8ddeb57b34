/** External data of ONNX models: out of the model's folder and from nowhere else, whatever symbolic links say. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { UserError } from "../../src/formats/user_error.ts";
import { externalFiles } from "../../tools/convert/onnx/command.ts";
import { temporaryFolder } from "./user.ts";

Deno.test("symbolic links do not lead out of the model's folder", () => {
  using folder = temporaryFolder();
  const at = (name: string) => join(folder.path, name);
  const bytes = Uint8Array.of(1, 2, 3, 4);
  for (const name of ["model/data", "secret", "beyond", "blobs"]) Deno.mkdirSync(at(name), { recursive: true });
  for (const name of ["model/data/w.bin", "secret/key", "model2", "blobs/model", "blobs/w"]) {
    Deno.writeFileSync(at(name), bytes);
  }
  Deno.writeFileSync(at("model/net.onnx"), bytes);
  const links: Record<string, string> = {
    "model/inside": "data/w.bin",
    "model/outside": "../secret/key",
    "model/absolute": at("secret/key"),
    "model/folder": "../secret",
    "model/twice": "outside",
    "model/sibling": "../model2",
    "model/dangling": "nowhere",
    "model/circle": "circle",
    "elsewhere": "model",
    "model/hub.onnx": "../blobs/model",
    "model/hub.data": "../blobs/w",
  };
  for (const [name, target] of Object.entries(links)) Deno.symlinkSync(target, at(name));
  const read = (location: string, model = "model/net.onnx") => externalFiles(at(model))(location, 0, undefined);
  const refused = (location: string, reason: RegExp) =>
    assert.throws(() => read(location), (error) => error instanceof UserError && reason.test(error.message));

  for (const location of ["data/w.bin", "inside"]) assert.deepEqual(read(location), bytes);
  assert.deepEqual(read("inside", "elsewhere/net.onnx"), bytes, "the folder itself may be a link");
  assert.deepEqual(read("hub.data", "model/hub.onnx"), bytes, "a hub's cache links model and data to one folder");
  for (const location of ["outside", "absolute", "folder/key", "twice", "sibling", "hub.data"]) {
    refused(location, /^its values lie in ".*", outside the model's folder$/);
  }
  refused("dangling", /dangling cannot be read: it does not exist$/);
  refused("circle", /circle cannot be read: its symbolic links go in circles$/);
  Deno.writeTextFileSync(at("model/w.data"), "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n");
  refused("w.data", /w\.data: this is a Git LFS pointer, not the values of the model's tensors; `git lfs pull`/);
  // Numbers may look like anything.
  const lookalike = Uint8Array.of(0x1f, 0x8b, 0, 0, 0, 0, 0, 0, 0x20, 0, 0, 0);
  Deno.writeFileSync(at("model/w.data"), lookalike);
  assert.deepEqual(read("w.data"), lookalike);
});
