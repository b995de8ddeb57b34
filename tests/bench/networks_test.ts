/** The networks whose shapes are built in, and their random weights. */
import assert from "node:assert/strict";
import { networkNames, openNetwork } from "../../bench/networks/open.ts";
import { randomWeight } from "../../bench/networks/random_weights.ts";
import { buildGraph } from "../../src/net/graph.ts";
import { count } from "../../src/ops/op.ts";

/** Inputs, outputs, and numbers of weights as published; ResNet-50's with the means and variances of its batch norms. */
const published: Record<string, [input: number[], output: number[], weights: number]> = {
  caffenet: [[3, 227, 227], [1000], 60_965_224],
  "deepsim-fc6": [[4096], [3, 256, 256], 56_097_891],
  "deepsim-pool5": [[256, 6, 6], [3, 256, 256], 12_702_307],
  googlenet: [[3, 224, 224], [1000, 1, 1], 6_998_552],
  resnet50: [[3, 224, 224], [1000], 25_557_032 + 53_120],
};

Deno.test("networks: shapes and numbers of weights are the published ones", async () => {
  assert.deepEqual(networkNames, Object.keys(published));
  for (const name of networkNames) {
    const model = await openNetwork(name);
    const { inputs, output } = buildGraph(model);
    const [from, to, weights] = published[name];
    assert.deepEqual([inputs[0].shape, count(output.shape)], [from, count(to)], name);
    assert.equal([...model.weights.values()].reduce((sum, { shape }) => sum + count(shape), 0), weights, name);
  }
  await assert.rejects(openNetwork("lenet"), /^UserError: --network expects caffenet or .* or resnet50, got "lenet"$/);
});

Deno.test("networks: their layers read random weights, the same each time and others for each layer", async () => {
  const { layers } = buildGraph(await openNetwork("resnet50"));
  const named = (name: string) => layers.find((layer) => layer.name === name)!;
  const [first, second] = ["layer1.1.conv1", "layer1.2.conv1"].map(named);
  const { values } = first.weight("weight");
  assert.deepEqual(first.weight("weight").values, values);
  assert.notDeepEqual(second.weight("weight").values, values);
  const spread = Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / values.length);
  assert.ok(Math.abs(spread / Math.sqrt(2 / 256) - 1) < 0.02, `${spread}`);
  assert.ok(named("bn1").weight("variance").values.every((variance) => variance >= 0.5));
  assert.ok(randomWeight("x", "slope", [7]).values.every((slope) => slope > 0));
});
