/**
 * Whole networks in float64: names, in-place blobs, and reverse mode against differences.
 */
import assert from "node:assert/strict";
import { outputGradient } from "../cases/case.ts";
import { smallNetworks } from "../cases/small_networks.ts";
import { gradient, type Network, runNetwork, valueAndGradients } from "./network.ts";
import { normal, randomTensor } from "./random.ts";
import { dot, type Tensor, tensor } from "./tensor.ts";

Deno.test("reference: gradients of whole networks agree with differences along random directions", () => {
  for (const { network, weights, inputs } of smallNetworks) {
    const last = network.layers.at(-1)!.name;
    const slopes = (y: Tensor) => outputGradient(network, y);
    const { dy, ...result } = valueAndGradients(network, weights, inputs, last, slopes);
    const next = normal(7);
    for (const [values, slopes] of [[inputs, result.inputs], [weights, result.weights()]]) {
      for (const [name, slope] of slopes) {
        const direction = randomTensor(slope.shape, next);
        const loss = (step: number) => {
          const moved = { ...slope, data: values.get(name)!.data.map((value, i) => value + step * direction.data[i]) };
          const change = new Map([[name, moved]]);
          const y = runNetwork(network, new Map([...weights, ...change]), new Map([...inputs, ...change])).get(last)!;
          return dot(y, dy);
        };
        // A step so small that no ReLU and no maximum changes its mind on the way.
        const difference = (loss(1e-7) - loss(-1e-7)) / 2e-7;
        const expected = dot(slope, direction);
        assert.ok(
          Math.abs(difference - expected) < 1e-6 * Math.max(1, Math.abs(expected)),
          `${network.name} ${name}: the differences say ${difference}, the gradient ${expected}`,
        );
      }
    }
  }
});

Deno.test("reference: names mean the blob's last value, or else the layer's own", () => {
  const network: Network = {
    name: "names",
    inputs: [{ name: "data", shape: [2] }],
    layers: [
      { name: "first", type: "scale", input: "data", output: "blob" },
      { name: "second", type: "relu", input: "blob", output: "blob", slope: 0.5 },
      { name: "third", type: "relu", input: "data", output: "data", slope: 2 },
    ],
  };
  const weights = new Map([["first.weight", tensor([2], [10, 10])], ["first.bias", tensor([2], [0, 1])]]);
  const data = tensor([1, 2], [1, -1]);
  const values = runNetwork(network, weights, new Map([["data", data]]));
  const plain = Object.fromEntries([...values].map(([name, { data }]) => [name, [...data]]));
  assert.deepEqual(plain, { blob: [10, -4.5], data: [1, -2], first: [10, -9], second: [10, -4.5], third: [1, -2] });
  const slope = gradient(network, weights, new Map([["data", data]]), "data", tensor([1, 2], [1, 1]));
  assert.deepEqual([...slope.get("data")!.data], [1, 2]);
});
