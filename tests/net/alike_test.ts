/** One item goes the ways of many, and comes to the same, bit for bit. */
import assert from "node:assert/strict";
import { openDevice } from "../../src/gpu/device.ts";
import { asAmong, Unlike } from "../../src/net/alike.ts";
import { type Choose, chooseCheapest } from "../../src/net/choose.ts";
import { search } from "../../src/mod.ts";
import type { Candidate } from "../../src/ops/way.ts";
import { small } from "../synth/small.ts";

const device = await openDevice();
const { generator, classifier } = small();

/** Searches for these seeds; what is chosen, in the order of the layers. */
async function run(seeds: number[], choose: Choose) {
  const chosen: string[] = [];
  const told: Choose = (question) => {
    const own = choose(question);
    chosen.push(`${question.layer} ${question.pass} ${own.way.name} ${JSON.stringify(own.sizes)}`);
    return own;
  };
  const targets = seeds.map((seed) => ({ units: [2], seed }));
  const { items, flops } = await search(device, { generator, classifier, targets, iterations: 20, choose: told });
  return { items, flops, chosen };
}

Deno.test("one picture of many, alone, as it was among them", async () => {
  const many = await run([0, 1, 2, 3, 4, 5], chooseCheapest);
  const alone = await run([3], asAmong(6, chooseCheapest));
  assert.deepEqual(alone.chosen, many.chosen);
  assert.notDeepEqual((await run([3], chooseCheapest)).chosen, many.chosen);
  assert.deepEqual(alone.items[0].trace, many.items[3].trace);
  assert.deepEqual(alone.items[0].code, many.items[3].code);
  assert.equal(alone.flops, many.flops / 6);
});

Deno.test("a way that one item cannot go is told", async () => {
  const other: Choose = (question) => {
    const own: Candidate = chooseCheapest(question);
    return question.about.task.output.shape[0] > 1 ? { ...own, way: { ...own.way } } : own;
  };
  await assert.rejects(() => run([0], asAmong(2, other)), Unlike);
});
