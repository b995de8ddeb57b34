/** Whole small networks against float64; fusion and shared memory change nothing but the memory. */
import assert from "node:assert/strict";
import { openDevice } from "../../src/gpu/device.ts";
import { Net } from "../../src/net/net.ts";
import { outputGradient } from "../cases/case.ts";
import { smallNetworks } from "../cases/small_networks.ts";
import { assertClose } from "../reference/close.ts";
import { runNetwork, valueAndGradients } from "../reference/network.ts";
import { normal, randomTensor } from "../reference/random.ts";
import { map, type Tensor, tensor } from "../reference/tensor.ts";
import { caseInputs, caseModel } from "./case_model.ts";

const device = await openDevice();

for (const { network, weights, inputs, tolerance } of smallNetworks) {
  const output = network.layers.at(-1)!.name;
  const model = caseModel({ network, weights });
  const [[, x]] = inputs;
  const slopes = (y: Tensor) => outputGradient(network, y);
  const { y: expected, dy, inputs: gradients } = valueAndGradients(network, weights, inputs, output, slopes);
  const dx = gradients.get(network.inputs[0].name)!;

  for (const optimise of [true, false]) {
    Deno.test(`${network.name}, ${optimise ? "optimised" : "plain"}: output and gradient`, async () => {
      using net = await Net.create(device, model, { batch: x.shape[0], gradient: true, optimise });
      const result = await net.backward(caseInputs(inputs), Float32Array.from(dy.data));
      assertClose("output", { shape: expected.shape, data: result.output }, expected, tolerance);
      assertClose("gradient", { shape: dx.shape, data: result.gradient }, dx, tolerance);
    });
  }

  Deno.test(`${network.name}: the plan is smaller, and its memory is what the device counts`, async () => {
    const before = device.memory;
    using plain = await Net.create(device, model, { batch: x.shape[0], gradient: true, optimise: false });
    const between = device.memory;
    using net = await Net.create(device, model, { batch: x.shape[0], gradient: true });
    assert.equal(between - before, plain.memory.total);
    assert.equal(device.memory - between, net.memory.total);
    assert.ok(net.memory.activations < plain.memory.activations);
    assert.ok(net.dispatches <= plain.dispatches);
  });

  Deno.test(`${network.name}: every layer by name`, async () => {
    const values = runNetwork(network, weights, inputs);
    for (const name of new Set(network.layers.map(({ name, output }) => output ?? name))) {
      using net = await Net.create(device, model, { batch: x.shape[0], layer: name });
      const value = values.get(name)!;
      assertClose(name, { shape: value.shape, data: await net.forward(caseInputs(inputs)) }, value, tolerance);
    }
  });
}

Deno.test("a chain of thousands of layers: memory that they share is not named after them all", async () => {
  const layers = Array.from({ length: 3000 }, (_, n) => ({
    name: `layer ${n} ${"x".repeat(40)}`,
    type: n % 2 ? "tanh" : "sigmoid",
    input: n ? `layer ${n - 1} ${"x".repeat(40)}` : "data",
  }));
  const network = { name: "chain", inputs: [{ name: "data", shape: [4] }], layers };
  using net = await Net.create(device, caseModel({ network: network as never, weights: new Map() }));
  assert.ok(net.dispatches === 3000 && net.pieces.every(({ label }) => label.length < 300));
  assert.ok((await net.forward(new Float32Array(4))).every((value) => value > 0 && value < 1));
});

Deno.test("batch norm and scale in a row: folded into the weights, which are rounded once", async () => {
  const channels = 16;
  const network = {
    name: "thirds",
    inputs: [{ name: "data", shape: [1, 1, 1] }],
    layers: [
      { name: "conv", type: "conv2d", input: "data", channels, kernel: 1, bias: false },
      { name: "norm", type: "batchnorm", input: "conv", epsilon: 0 },
      { name: "scale", type: "scale", input: "norm", bias: false },
    ],
  };
  const filled = (value: number) => tensor([channels], new Float64Array(channels).fill(value));
  const weight = map(randomTensor([channels, 1, 1, 1], normal("thirds")), Math.fround);
  const weights = new Map([
    ["conv.weight", weight],
    ["norm.mean", filled(0)],
    ["norm.variance", filled(9)],
    ["scale.weight", filled(3)],
  ]);
  using net = await Net.create(device, caseModel({ network, weights }));
  assert.equal(net.dispatches, 1);
  assert.deepEqual([...await net.forward(Float32Array.of(1))], [...weight.data]);
});

Deno.test("several values of one run, by what targets call them, are those of runs of their own", async () => {
  const { network, weights, inputs, tolerance } = smallNetworks.find(({ network: { name } }) =>
    name === "odd classifier"
  )!;
  const model = caseModel({ network, weights });
  const [[, x]] = inputs;
  const names = ["conv1", "conv1+last", "pool3", "fc4+relu"];
  using net = await Net.create(device, model, { batch: x.shape[0], values: names });
  const [before, ...others] = await net.forwardAll(caseInputs(inputs));
  const expected = runNetwork(network, weights, inputs);
  for (const [n, blob] of ["conv1", "pool3", "fc4"].entries()) {
    const { shape } = expected.get(blob)!;
    assertClose(blob, { shape, data: others[n] }, expected.get(blob)!, tolerance);
  }
  assert.ok(before.some((value) => value < 0), "conv1 is before its ReLU");
  assert.deepEqual(before.map((value) => Math.max(0, value)), others[0]);
});

Deno.test("one array is the values of an only input; several are told apart by name, and no others are taken", async () => {
  const shape = [2];
  const network = {
    name: "sum",
    inputs: [{ name: "a", shape }, { name: "b", shape }],
    layers: [{ name: "y", type: "eltwise", inputs: ["a", "b"], operation: "sum" }],
  };
  using net = await Net.create(device, caseModel({ network, weights: new Map() }));
  const [a, b] = [Float32Array.of(1, 2), Float32Array.of(3, 5)];
  assert.deepEqual([...await net.forward({ a, b })], [4, 7]);
  await assert.rejects(net.forward(a), /^UserError: expected values for each of the inputs a, b by name$/);
  await assert.rejects(net.forward({ a, b, c: b }), /^UserError: there is no input "c"; the inputs are a, b$/);
  await assert.rejects(net.forward({ a }), /^UserError: input "b": expected 2 values, got none$/);
});
