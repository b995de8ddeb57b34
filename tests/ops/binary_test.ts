/** Operations of whole numbers: quotients exact, though a GPU's division may be off by the last bit, and powers of any base. */
import assert from "node:assert/strict";
import { openDevice } from "../../src/gpu/device.ts";
import { Net } from "../../src/net/net.ts";
import { caseModel } from "../net/case_model.ts";

/** An operation of pairs on a device, and its slopes along the first of each. */
async function computed(operation: string, pairs: number[][]) {
  const [a, b] = [0, 1].map((n) => Float32Array.from(pairs, (pair) => pair[n]));
  const shape = [pairs.length];
  using device = await openDevice();
  const network = {
    name: "whole numbers",
    inputs: [{ name: "a", shape }, { name: "b", shape }],
    layers: [{ name: "y", type: "binary", inputs: ["a", "b"], operation }],
  };
  using net = await Net.create(device, caseModel({ network, weights: new Map() }), { gradient: true });
  return await net.backward({ a, b }, new Float32Array(pairs.length).fill(1));
}

Deno.test("binary: the truncated quotient of integers is exact", async () => {
  const divisors = [...Array(60).keys()].map((n) => n + 1).concat(641, 4097, 65537, 999983);
  const pairs = divisors.flatMap((b) =>
    [0, 1, 2, 3, 7, 10, 60, Math.floor(2 ** 23 / b)].flatMap((q) =>
      [q * b, q * b - 1, q * b + b - 1].flatMap((a) => [[a, b], [-a, b], [a, -b], [-a, -b]])
    )
  ).filter(([a]) => Math.abs(a) < 2 ** 24);
  const { output } = await computed("truncatedQuotient", pairs);
  assert.deepEqual([...output].map((value) => value + 0), pairs.map(([a, b]) => Math.trunc(a / b) + 0));
});

Deno.test("binary: powers by whole exponents, of bases of either sign, and of zero", async () => {
  const bases = [-9.5, -2, -1, -0.25, 0, 0.25, 1, 3];
  const pairs = bases.flatMap((a) => [-3, -2, -1, 0, 1, 2, 3, 7].map((b) => [a, b])).filter(([a, b]) =>
    a !== 0 || b >= 0
  );
  const { output, gradient } = await computed("power", pairs);
  const close = (value: number, right: number, what: string) =>
    assert.ok(Math.abs(value - right) <= 1e-5 * Math.abs(right), `${what} is ${value}, expected ${right}`);
  pairs.forEach(([a, b], n) => {
    close(output[n], a ** b, `${a}^${b}`);
    close(gradient[n], b === 0 ? 0 : b * a ** (b - 1), `the slope of ${a}^${b}`);
  });
});
