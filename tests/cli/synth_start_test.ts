/** Where synth's pictures start, and the bounds of their codes, as files and options have them. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { readCodeBounds, readStart } from "../../src/cli/synth/start.ts";
import { type Request, type Row, settleRequest } from "../../src/record/request.ts";
import { fromFloat32, writeSafetensors } from "../../src/formats/safetensors.ts";
import { loadModel, type Model } from "../../src/mod.ts";
import { writeTinyModels } from "./tiny_models.ts";
import { temporaryFolder } from "./user.ts";

using folder = temporaryFolder();
const paths = writeTinyModels(folder.path);
const read = (path: string) => loadModel((name) => Deno.readFile(join(path, name)).catch(() => undefined), path);
const classifier = await read(paths.classifier);
const generator = await read(paths.generator);

const plain: Request = { rows: [{ items: [{ units: [1], seed: 0 }] }], said: {}, directions: {}, set: {} };
const [row]: Row[] = settleRequest(plain, { classifier, generator }).rows;
const file = (file: string, bytes: Uint8Array) => ({ file, bytes: new Uint8Array(bytes) });

const stored = (...values: number[]) => fromFloat32(Float32Array.from(values), "F32", [6]);
const statistics = new Map([["code.mean", stored(1, 2, 3, 4, 5, 6)], ["code.std", stored(1, 1, 1, 2, 2, 2)]]);
const withStatistics: Model = { ...generator, weights: new Map([...generator.weights, ...statistics]) };

Deno.test("deviations above the mean: the generator's own code, and that of a file", () => {
  assert.deepEqual(readCodeBounds({ ...plain, sigmas: 2 }, withStatistics), {
    file: "mean + 2 deviations",
    values: Float32Array.of(3, 4, 5, 8, 9, 10),
  });
  assert.equal(readCodeBounds(plain, withStatistics), undefined, "the generator's own number of them");
  const ranges = file("fc2.safetensors", writeSafetensors(statistics));
  const bounds = (sigmas?: number) => readCodeBounds({ ...plain, bounds: ranges, sigmas }, generator)?.values;
  assert.deepEqual([bounds(0.5), bounds()], [
    Float32Array.of(1.5, 2.5, 3.5, 5, 6, 7),
    Float32Array.of(4, 5, 6, 10, 11, 12),
  ]);
  const text = file("fc6.txt", new TextEncoder().encode("1 2 3 4 5 6"));
  assert.throws(
    () => readCodeBounds({ ...plain, sigmas: 2 }, generator),
    /tiny generator has none, --bounds gives some/,
  );
  assert.throws(
    () => readCodeBounds({ ...plain, bounds: text, sigmas: 2 }, generator),
    /^UserError: fc6\.txt is no file of means and deviations, which --sigmas is about/,
  );
});

Deno.test("a start that is no picture and no code: what it is", async () => {
  const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 152\n";
  const init = file("code.npy", new TextEncoder().encode(pointer));
  await assert.rejects(
    readStart({ ...plain, init }, row, generator),
    /code\.npy: this is a Git LFS pointer, not a picture \(PNG, JPEG\) or codes \(\.npy\); `git lfs pull`/,
  );
});
