/** Gradients to weights and biases, over every case of the ops that have them and over whole networks. */
import assert from "node:assert/strict";
import { openDevice } from "../../src/gpu/device.ts";
import { Net } from "../../src/net/net.ts";
import { ops } from "../../src/ops/table.ts";
import { allCases } from "../cases/all.ts";
import { caseNetwork, type NetworkCase, outputGradient } from "../cases/case.ts";
import { smallNetworks } from "../cases/small_networks.ts";
import { caseInputs, caseModel } from "../net/case_model.ts";
import { assertClose } from "../reference/close.ts";
import { valueAndGradients } from "../reference/network.ts";

const device = await openDevice();

/** Checks the gradients to all weights, with the data gradient compiled to the input or to the blob `to`. */
async function check({ network, weights, inputs, tolerance }: NetworkCase, to: true | string = true): Promise<void> {
  const output = network.layers.at(-1)!.name;
  const [[, x]] = inputs;
  const { dy, weights: made } = valueAndGradients(network, weights, inputs, output, (y) => outputGradient(network, y));
  const expected = made();
  using net = await Net.create(device, caseModel({ network, weights }), {
    batch: x.shape[0],
    gradient: to,
    weightGradients: true,
  });
  await net.backward(caseInputs(inputs), new Float32Array(dy.data));
  const found = await net.weightGradients();
  assert.deepEqual([...found.keys()].sort(), [...expected.keys()].sort());
  for (const [name, data] of found) {
    assertClose(name, { shape: expected.get(name)!.shape, data }, expected.get(name)!, tolerance);
  }
}

// Two layers of the embedded pair have four million weights; of as many inputs or outputs there are others.
const large = ["caffenet64 fc6", "deepsim64 defc5"];
for (const testCase of allCases.filter(({ type, name }) => ops[type].weightGradients && !large.includes(name))) {
  Deno.test(`weight gradient of ${testCase.type}: ${testCase.name}`, () => check(caseNetwork(testCase)));
}
for (const network of smallNetworks) {
  Deno.test(`weight gradients of ${network.network.name}`, () => check(network));
  const { output } = network.network.layers.find(({ type }) => type === "relu")!;
  Deno.test(`weight gradients of ${network.network.name}, before and after "${output}"`, () => check(network, output));
}
