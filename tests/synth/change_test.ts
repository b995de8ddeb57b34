/** A search whose settings change on its way. */
import assert from "node:assert/strict";
import { type Change, openDevice, search } from "../../src/mod.ts";
import { small } from "./small.ts";

Deno.test("settings that change on the way: the search that somebody begins with them from the codes so far, bit for bit", async () => {
  using device = await openDevice();
  const { generator, classifier } = small();
  const targets = [{ units: [1], seed: 1 }, { units: [2], seed: 2 }];
  const options = { generator, classifier, iterations: 12, every: 1, targets };
  const changes: Change[] = [{ decay: 0.9, lrStart: 3, bounds: false }, { rule: "adam", iterations: 20 }];
  for (const change of changes) {
    let next: Float32Array[] = [];
    let changed = false;
    const told: number[] = [];
    const turned = await search(device, {
      ...options,
      async onProgress({ iteration, codes }) {
        told.push(iteration);
        if (changed || iteration < 5) return;
        changed = true;
        next = (await codes()).map(({ next }) => next);
        if (change.rule) return change;
        device.gpu.destroy(); // what has been read is enough
        return { ...change, codes: next };
      },
    });
    const iterations = change.iterations ?? 12;
    assert.deepEqual(told, [1, 2, 3, 4, ...Array.from({ length: iterations + 1 }, (_, n) => n === 0 ? 5 : n)]);
    const fresh = await search(device, {
      ...options,
      ...change,
      targets: targets.map((target, n) => ({ ...target, code: next[n] })),
    });
    assert.deepEqual(turned.items, fresh.items);
    assert.equal(turned.iterations, iterations);
    assert.equal(device.memory, 0);
  }
});
