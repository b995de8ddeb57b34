/** More pictures than go together: batch after batch, with one progress, and a sentence where memory cannot hold them. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type BatchProgress, checkRoom, searchInBatches } from "../../src/cli/batches.ts";
import { modelFolder } from "../../src/cli/files.ts";
import { GpuError, loadModel, openDevice, search } from "../../src/mod.ts";
import { pretend } from "../gpu/pretend.ts";
import { writeTinyModels } from "./tiny_models.ts";
import { namesIn, temporaryFolder, type } from "./user.ts";

/** The options of a search of the tiny pair for so many seeds. */
async function tiny(folder: string, count: number) {
  const { classifier, generator } = writeTinyModels(folder);
  return {
    classifier: await loadModel(modelFolder(classifier), classifier),
    generator: await loadModel(modelFolder(generator), generator),
    targets: Array.from({ length: count }, (_, seed) => ({ units: [1], seed })),
    iterations: 3,
  };
}

Deno.test("batches: the pictures of one batch, progress over all of them", async () => {
  using folder = temporaryFolder();
  using device = await openDevice();
  const options = await tiny(folder.path, 7);
  const steps: BatchProgress[] = [];
  const { items, iterations, planned, aborted } = await searchInBatches(device, {
    ...options,
    onProgress: (state) => void steps.push(state),
  }, 3);
  assert.deepEqual([items.length, iterations, planned, aborted], [7, 9, 9, false]);
  const alone = await search(device, options);
  items.forEach(({ target, code }, n) => {
    assert.equal(target.seed, n);
    code.forEach((value, j) => assert.ok(Math.abs(value - alone.items[n].code[j]) < 1e-3));
  });
  assert.deepEqual(steps.at(-1)!.iteration, 9);
  assert.ok(steps.every((step, n) => step.iterations === 9 && (n === 0 || step.iteration > steps[n - 1].iteration)));
  assert.deepEqual([...new Set(steps.map(({ first }) => first))], [0, 3, 6]);
});

Deno.test("batches: as many at a time as memory holds; one that does not fit is the device's sentence", async () => {
  using folder = temporaryFolder();
  using device = await openDevice();
  const options = { ...await tiny(folder.path, 64), onProgress() {} };
  const plans: number[] = [];
  const onPlan = (pieces: readonly { bytes: number }[]) => {
    plans.push(pieces.reduce((sum, { bytes }) => sum + bytes, 0));
  };
  await search(pretend(device, {}, "buffer"), { ...options, onPlan });
  // What goes in and out takes more memory beside the plan.
  const small = pretend(device, { maxMemory: plans[0] }, "buffer");
  const { items, planned } = await searchInBatches(small, { ...options, onPlan });
  assert.equal(items.length, 64);
  assert.ok(planned > options.iterations && planned <= 8 * options.iterations, `${planned}`);
  assert.equal(plans[1], plans[0]);
  assert.ok(plans[2] < plans[1]);
  assert.equal(small.memory, 0);
  const none = pretend(device, { maxMemory: 1000 });
  await assert.rejects(searchInBatches(none, options), (error) => error instanceof GpuError);
});

Deno.test("batches: stopped in the second, the first is kept, and the second as far as it is", async () => {
  using folder = temporaryFolder();
  using device = await openDevice();
  const options = await tiny(folder.path, 6);
  const stop = new AbortController();
  const { items, iterations, planned, aborted } = await searchInBatches(device, {
    ...options,
    iterations: 50,
    signal: stop.signal,
    onProgress({ first }) {
      if (first > 0) stop.abort();
    },
  }, 2);
  assert.equal(aborted, true);
  assert.equal(planned, 150);
  assert.deepEqual([items.length, items[0].trace.length], [4, 50]);
  assert.equal(iterations, 50 + items[3].trace.length);
});

Deno.test("batches: where the second fails for good, the first is kept, and what went wrong is told", async () => {
  using folder = temporaryFolder();
  using real = await openDevice();
  const device = pretend(real, {}); // which nobody can open again
  const { items, batches, aborted, failure } = await searchInBatches(device, {
    ...await tiny(folder.path, 4),
    onProgress({ first }) {
      if (first > 0) device.gpu.destroy();
    },
  }, 2);
  assert.deepEqual([items.length, batches, aborted], [2, [{ size: 2, losses: [] }], true]);
  assert.ok(failure instanceof GpuError && failure.kind === "lost");
});

Deno.test("batches: more than memory holds is a sentence before anything is made", () => {
  checkRoom(100, 2 ** 20, 2 ** 28);
  assert.throws(
    () => checkRoom(100_000, 2 ** 15, 2 ** 30),
    /^UserError: 100,000 pictures take 3,125 MiB of memory .* 1,024 MiB are free, .*; make at most 16384 at a time$/,
  );
});

Deno.test("batches: 257 pictures at the command line", async () => {
  using folder = temporaryFolder();
  const { classifier, generator } = writeTinyModels(folder.path);
  const out = join(folder.path, "out");
  const { code, err } = await type([
    ...["synth", "--classifier", classifier, "--generator", generator, "--out", out],
    ...["--unit", "1", "--seeds", "0-256", "--iterations", "2", "--animate", "gif"],
  ]);
  assert.equal(code, 0, err);
  assert.match(err, /^iteration 4\/4 {2}/m);
  assert.equal(namesIn(out).length, 2 * 257 + 1);
});
