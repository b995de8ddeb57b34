/** Ways of the user's own: what is none is refused in a sentence, and nothing of it is added. */
import assert from "node:assert/strict";
import { write } from "../../src/gpu/call.ts";
import type { Tensor } from "../../src/gpu/tensor.ts";
import type { Node } from "../../src/ops/op.ts";
import { addWays, type OwnWays } from "../../src/ops/own_ways.ts";
import { ops } from "../../src/ops/table.ts";

const calls = () => [];

const cases: [ways: unknown, message: RegExp][] = [
  [undefined, /^mine\.ts: expected an export "ways" of ways by layer type$/],
  [3, /^mine\.ts: expected an export "ways"/],
  [{}, /^mine\.ts: it holds no ways$/],
  [{ lens: {} }, /^mine\.ts: there is no layer type "lens"$/],
  [{ constructor: { forward: [{ name: "x", calls }] } }, /^mine\.ts: there is no layer type "constructor"$/],
  [{ fc: { sideways: [] } }, /^mine\.ts: ways of fc have "sideways", expected forward or backward$/],
  [{ fc: { forward: { name: "x", calls } } }, /^mine\.ts: fc\.forward is no list of ways$/],
  [{ fc: { forward: [{ calls }] } }, /^mine\.ts: a way of fc\.forward has no name$/],
  [{ fc: { forward: [{ name: "x" }] } }, /^mine\.ts: the way "x" of fc\.forward has no function "calls"$/],
  [{ fc: { backward: [{ name: "x", calls }, { name: "x", calls }] } }, /^mine\.ts: fc has a way "x" already$/],
  [{ fc: { forward: [{ name: "direct", calls }] } }, /^mine\.ts: fc has a way "direct" already$/],
  [
    { maxpool: { backward: [{ name: "x", calls }] }, fc: { forward: [3] } },
    /^mine\.ts: a way of fc\.forward has no name$/,
  ],
];

Deno.test("what is no way is refused, and nothing is added", () => {
  const before = [ops.fc.forward, ops.fc.backward, ops.maxpool.backward].map((registry) => [...registry]);
  for (const [ways, message] of cases) {
    assert.throws(() => addWays(ways as OwnWays, "mine.ts"), { name: "UserError", message });
  }
  assert.deepEqual([ops.fc.forward, ops.fc.backward, ops.maxpool.backward], before);
});

Deno.test("ways that are some stand before ours in their order, and say where they come from", () => {
  addWays({ round: { forward: [{ name: "mine", calls }, { name: "other", calls }] } }, "mine.ts");
  assert.deepEqual(ops.round.forward.map(({ name, file }) => [name, file]), [
    ["mine", "mine.ts"],
    ["other", "mine.ts"],
    ["elements", undefined],
  ]);
});

Deno.test("a way that fails, or writes nothing, is told by file, way and layer", () => {
  const [output, dx] = ["y", "dx"].map((label) => ({ label } as unknown as Tensor));
  const node = { name: "round1", output } as Node;
  const y = write(output);
  const refused = (type: string, calls: unknown, message: RegExp) => {
    addWays({ [type]: { forward: [{ name: "bad", calls }], backward: [{ name: "bad", calls }] } } as OwnWays, "bad.ts");
    const [{ calls: forward }] = ops[type].forward;
    const [{ calls: backward }] = ops[type].backward;
    assert.throws(() => forward(node, y, {}), { name: "UserError", message });
    if (!/fails/.test(message.source)) assert.deepEqual(backward(node, output, [undefined], {}), []);
    assert.throws(() => backward(node, output, [write(dx)], {}), { name: "UserError" });
  };
  refused("elu", () => [], /^bad\.ts: the way "bad" of elu\.forward makes no call for round1 that writes y$/);
  const boo = () => {
    throw new Error("boo");
  };
  refused("clip", boo, /^bad\.ts: the way "bad" of clip\.forward fails in calls: boo$/);
});
