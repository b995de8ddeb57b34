/** Integers divide exactly, though a GPU's division may be off by the last bit: multiples, one less, both signs, large ones. */
import assert from "node:assert/strict";
import { openDevice } from "../../src/gpu/device.ts";
import { Net } from "../../src/net/net.ts";
import { caseModel } from "../net/case_model.ts";

Deno.test("binary: the truncated quotient of integers is exact", async () => {
  const divisors = [...Array(60).keys()].map((n) => n + 1).concat(641, 4097, 65537, 999983);
  const pairs = divisors.flatMap((b) =>
    [0, 1, 2, 3, 7, 10, 60, Math.floor(2 ** 23 / b)].flatMap((q) =>
      [q * b, q * b - 1, q * b + b - 1].flatMap((a) => [[a, b], [-a, b], [a, -b], [-a, -b]])
    )
  ).filter(([a]) => Math.abs(a) < 2 ** 24);
  const [a, b] = [0, 1].map((n) => Float32Array.from(pairs, (pair) => pair[n]));
  const shape = [pairs.length];
  using device = await openDevice();
  const network = {
    name: "integers",
    inputs: [{ name: "a", shape }, { name: "b", shape }],
    layers: [{ name: "y", type: "binary", inputs: ["a", "b"], operation: "truncatedQuotient" }],
  };
  using net = await Net.create(device, caseModel({ network, weights: new Map() }));
  const y = await net.forward({ a, b });
  assert.deepEqual([...y].map((value) => value + 0), pairs.map(([a, b]) => Math.trunc(a / b) + 0));
});
