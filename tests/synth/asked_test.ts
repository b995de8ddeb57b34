/** What cannot be asked of a search or a net is refused in one sentence, before anything is computed. */
import assert from "node:assert/strict";
import { openDevice, search, type SearchOptions } from "../../src/mod.ts";
import { small } from "./small.ts";

const device = await openDevice();
const { generator, classifier } = small();

Deno.test("what cannot be asked of a search", async () => {
  const asked: SearchOptions = { generator, classifier, targets: [{ units: [1], seed: 1 }], iterations: 2 };
  const cases: [unknown, string][] = [
    [{ every: 0 }, "every is 0, expected a whole number ≥ 1"],
    [{ every: -1 }, "every is -1, expected a whole number ≥ 1"],
    [{ every: NaN }, "every is NaN, expected a whole number ≥ 1"],
    [{ saveMs: NaN }, "saveMs is NaN, expected milliseconds of at least 0"],
    [{ saveMs: -1 }, "saveMs is -1, expected milliseconds of at least 0"],
    [{ windowSize: 0 }, "windowSize is 0, expected a whole number ≥ 1"],
    [{ shuffles: 0.5 }, "shuffles is 0.5, expected a whole number ≥ 0"],
  ];
  for (const [more, message] of cases) {
    await assert.rejects(search(device, { ...asked, ...more as SearchOptions }), { name: "UserError", message });
  }
});
