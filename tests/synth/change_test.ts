/** A search whose settings change on its way. */
import assert from "node:assert/strict";
import { type Change, type Device, openDevice, search, type SearchOptions } from "../../src/mod.ts";
import { small } from "./small.ts";

const targets = [{ units: [1], seed: 1 }, { units: [2], seed: 2 }];
const { generator, classifier } = small();
const options = { generator, classifier, iterations: 12, every: 1, targets };

/** Searches, and answers so after so many iterations, each told as "done/in all". */
async function answering(device: Device, answers: Record<number, unknown>, more: Partial<SearchOptions> = {}) {
  const told: string[] = [];
  const result = await search(device, {
    ...options,
    ...more,
    onProgress({ iteration, iterations }) {
      told.push(`${iteration}/${iterations}`);
      assert.ok(told.length < 40, `${told}`);
      return (iteration in answers ? answers[iteration] : answers[0]) as Change;
    },
  });
  return { told: told.join(" "), result };
}

Deno.test("settings that change on the way: the search that somebody begins with them from the codes so far, bit for bit", async () => {
  using device = await openDevice();
  const changes: Change[] = [{ decay: 0.9, lrStart: 3, bounds: false }, { decay: 0.9 }, {
    rule: "adam",
    iterations: 20,
  }];
  for (const change of changes) {
    let next: Float32Array[] = [];
    const told: number[] = [];
    const activations: number[] = [];
    const turned = await search(device, {
      ...options,
      async onProgress({ iteration, activations: [first], codes }) {
        told.push(iteration);
        activations.push(first);
        if (iteration !== 5) return;
        next = (await codes()).map(({ next }) => next);
        if (change.rule) return change;
        device.gpu.destroy(); // what has been read is enough
        return { ...change, codes: next };
      },
    });
    const { iterations = 12 } = change;
    assert.deepEqual(told, Array.from({ length: iterations }, (_, n) => n + 1));
    const rate = 8 + (1e-10 - 8) * 5 / 12; // where the steps have come to
    const fresh = await search(device, {
      ...options,
      ...change.rule ? {} : { lrStart: rate },
      ...change,
      iterations: iterations - 5,
      targets: targets.map((target, n) => ({ ...target, code: next[n] })),
    });
    assert.deepEqual([...turned.items[0].trace], activations);
    const since = turned.items.map((item, n) => ({
      ...item,
      target: fresh.items[n].target,
      trace: item.trace.slice(5),
    }));
    assert.deepEqual(since, fresh.items);
    assert.deepEqual(turned.items.map(({ target }) => target), targets);
    assert.equal(turned.iterations, iterations);
    assert.deepEqual(turned.losses.map(({ iteration }) => iteration), change.rule ? [] : [5]);
    assert.equal(device.memory, 0);
  }
});

Deno.test("a search that changes ends where it was asked to, however often it is answered", async () => {
  using device = await openDevice();
  const cases: [Record<number, unknown>, string][] = [
    [{ 0: { decay: 0.9 } }, "1/3 2/3 3/3"],
    [{ 0: { iterations: 5 } }, "1/3 2/5 3/5 4/5 5/5"],
    [{ 2: { iterations: 1 } }, "1/3 2/3 3/3"],
    [{ 1: { iterations: 2 } }, "1/3 2/2"],
    [{ 3: { iterations: 4, decay: 0.9 } }, "1/3 2/3 3/3 4/4"],
  ];
  for (const [answers, told] of cases) {
    const { told: all, result } = await answering(device, answers, { iterations: 3 });
    assert.equal(all, told);
    const done = told.split(" ").length;
    assert.deepEqual([result.iterations, result.aborted, result.items[1].trace.length], [done, false, done]);
  }
  const octaves = { generator: undefined, prior: "pixels", octaves: 2, iterations: 3 } as const;
  const { told } = await answering(device, { 2: { decay: 0.5, iterations: 4 } }, octaves); // which the next one has too
  assert.equal(told, "1/6 2/6 3/8 4/8 5/8 6/8 7/8 8/8");
  assert.equal(device.memory, 0);
});

Deno.test("what is no change of a search is refused in one sentence", async () => {
  using device = await openDevice();
  const cases: [unknown, string][] = [
    [7, "onProgress answered 7, expected settings that change, or nothing"],
    [null, "onProgress answered null, expected settings that change, or nothing"],
    [[], "onProgress answered an Array, expected settings that change, or nothing"],
    [{ itertions: 4 }, "onProgress answered itertions, which is no setting"],
    [{ size: 32 }, "onProgress answered size, which a search on its way keeps to"],
    [{ decay: 2 }, "decay is 2, expected a number from 0 to 1"],
  ];
  for (const [answer, message] of cases) {
    await assert.rejects(answering(device, { 1: answer }), { name: "UserError", message });
  }
});
