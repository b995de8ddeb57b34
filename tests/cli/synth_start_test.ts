/** Where synth's pictures start, and the bounds of their codes, as files and options have them. */
import assert from "node:assert/strict";
import { readCodeBounds, readStart } from "../../src/cli/synth/start.ts";
import { type Request, type Row, settleRequest } from "../../src/record/request.ts";
import { writeSafetensors } from "../../src/formats/safetensors.ts";
import { codeBounds, type Model } from "../../src/mod.ts";
import { loadTiny, tinyStatistics } from "./tiny_models.ts";

const { classifier, generator } = await loadTiny();

const plain: Request = { rows: [{ items: [{ units: [1], seed: 0 }] }], said: {}, directions: {}, set: {} };
const [row]: Row[] = settleRequest(plain, { classifier, generator }).rows;
const file = (file: string, bytes: Uint8Array) => ({ file, bytes: new Uint8Array(bytes) });

Deno.test("deviations above the mean: those of a generator that has some, or of a file", () => {
  const withStatistics: Model = { ...generator, weights: new Map([...generator.weights, ...tinyStatistics]) };
  const upper = (sigmas: number) => [...codeBounds(withStatistics, 6, sigmas)!];
  assert.deepEqual([upper(2), upper(0)], [[3, 4, 5, 8, 9, 10], [4, 5, 6, 10, 11, 12]]);
  const read = (request: Partial<Request>, sigmas = 0) =>
    readCodeBounds({ ...plain, ...request }, { generator, settings: { ...row.settings, sigmas } })?.values;
  const bounds = file("fc2.safetensors", writeSafetensors(tinyStatistics));
  assert.deepEqual([[...read({ bounds }, 0.5)!], [...read({ bounds })!]], [[1.5, 2.5, 3.5, 5, 6, 7], upper(0)]);
  assert.equal(read({}), undefined, "the generator's own");
  assert.throws(() => read({}, 2), /tiny generator has none, --bounds gives some/);
  const text = file("fc6.txt", new TextEncoder().encode("1 2 3 4 5 6"));
  assert.throws(
    () => read({ bounds: text }, 2),
    /^UserError: fc6\.txt is no file of means and deviations, which --sigmas is about/,
  );
});

Deno.test("a start that is no picture and no code: what it is", async () => {
  const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 152\n";
  const init = file("code.npy", new TextEncoder().encode(pointer));
  await assert.rejects(
    readStart({ ...plain, init }, row),
    /code\.npy: this is a Git LFS pointer, not a picture \(PNG, JPEG\) or codes \(\.npy\); `git lfs pull`/,
  );
});
