/** Gradients that are told as spots: where plans make use of it, and where they cannot. */
import assert from "node:assert/strict";
import { openDevice } from "../../src/gpu/device.ts";
import { chooseCheapest, type Question } from "../../src/net/choose.ts";
import { Net } from "../../src/net/net.ts";
import { listTexels } from "../../src/ops/spots.ts";
import { randomWeights } from "../cases/case.ts";
import { pretend } from "../gpu/pretend.ts";
import { caseModel } from "../net/case_model.ts";
import { assertClose } from "../reference/close.ts";
import { normal, randomTensor } from "../reference/random.ts";
import { tensor } from "../reference/tensor.ts";

const gpu = pretend(await openDevice(), { software: false }, "buffer");

const network = {
  name: "spots",
  inputs: [{ name: "x0", shape: [12, 9, 9] }],
  layers: [
    { name: "maps", type: "conv2d", input: "x0", channels: 20, kernel: 3, stride: 2, padding: 1 },
    { name: "relu", type: "relu", input: "maps", slope: 0.3 },
    { name: "out", type: "fc", input: "relu", channels: 300 },
    { name: "column", type: "reshape", input: "out", shape: [300, 1, 1] },
  ],
};
const model = caseModel({ network, weights: randomWeights(network) });
const x = Float32Array.from(randomTensor([1, 12, 9, 9], normal("spots")).data);

/** The gradient of a unit of a layer in a net that knows that it is the only one, the way to it, and that of one which does not. */
async function both(layer: string) {
  const ways = new Map<string, string>();
  const choose = (question: Question) => {
    const chosen = chooseCheapest(question);
    if (question.pass === "backward") ways.set(question.layer, chosen.way.name);
    return chosen;
  };
  using plain = await Net.create(gpu, model, { layer, gradient: true });
  using told = await Net.create(gpu, model, { layer, gradient: true, spots: 1, choose });
  const [expected, own] = [await plain.gradient(x, 7), await told.gradient(x, 7)];
  const shape = [1, 12, 9, 9];
  assertClose(layer, { shape, data: own.gradient }, tensor(shape, expected.gradient), 1e-6);
  assert.ok(own.gradient.some((value) => value !== 0));
  return ways;
}

Deno.test("spots: a layer's own gradient reads their weights, also under another name; the layers before it do not", async () => {
  for (const layer of ["out", "column"]) {
    const ways = await both(layer);
    assert.equal(ways.get("out"), "spots");
    assert.notEqual(ways.get("maps"), "spots");
  }
  assert.equal((await both("maps")).get("maps"), "spots");
});

Deno.test("spots: where a ReLU comes between, dy is made whole", async () => {
  assert.notEqual((await both("relu")).get("maps"), "spots");
});

Deno.test("spots: many of them are no gain, and more than were told are refused", async () => {
  const chosen: string[] = [];
  const choose = (question: Question) => {
    if (question.layer === "out" && question.pass === "backward") chosen.push(chooseCheapest(question).way.name);
    return chooseCheapest(question);
  };
  using _ = await Net.create(gpu, model, { layer: "out", gradient: true, spots: 300, choose });
  assert.notEqual(chosen[0], "spots");
  using two = await Net.create(gpu, model, { layer: "out", gradient: true, spots: 2 });
  const dy = new Float32Array(300).fill(1, 5, 8);
  await assert.rejects(two.backward(x, dy), /UserError: dy: an item has more values that are not zero than 2/);
});

Deno.test("spots: the list has the texel and the lane of each value", () => {
  const list = listTexels(new Float32Array([0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 5, 0, 0, 7]), 2, 2)!;
  assert.deepEqual([...list], [1, 1, 3, 0, 0, 0, 0, 0, 1, 0, 5, 0, 1, 3, 7, 0]);
});
