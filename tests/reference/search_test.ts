/**
 * The float64 search against steps worked out by hand.
 */
import assert from "node:assert/strict";
import { assertClose } from "./close.ts";
import type { Network } from "./network.ts";
import { paperSearch } from "./search.ts";
import { tensor } from "./tensor.ts";

/** G copies four numbers into a picture of 2×2; Φ reads `size` of it through one fully connected layer. */
function copyAndLook(size: number[], lookAt: number[]) {
  const identity = Array.from({ length: 16 }, (_, i) => i % 5 === 0 ? 1 : 0);
  const generator: Network = {
    name: "copy",
    inputs: [{ name: "code", shape: [4] }],
    layers: [
      { name: "copy", type: "fc", input: "code", channels: 4, bias: false },
      { name: "picture", type: "reshape", input: "copy", shape: [1, 2, 2] },
    ],
  };
  const classifier: Network = {
    name: "look",
    inputs: [{ name: "data", shape: [1, ...size] }],
    layers: [{ name: "look", type: "fc", input: "data", channels: 2, bias: false }],
  };
  return {
    generator: { network: generator, weights: new Map([["copy.weight", tensor([4, 4], identity)]]) },
    classifier: { network: classifier, weights: new Map([["look.weight", tensor([2, lookAt.length / 2], lookAt)]]) },
    layer: "look",
    iterations: 1,
    learningRate: { start: 8, end: 1e-10 },
    decay: 0.99,
  };
}

Deno.test("reference: one step of the search by hand", () => {
  // Φ sees the top left number alone, the centre of 2×2 rounded down: g = [2, 0, 0, 0], mean |g| = 0.5, so the step
  // is 8 · 2 / 0.5 = 32.
  const bounds = [10, 10, 10, 10];
  const code = tensor([1, 4], [1, 2, -3, 20]);
  const options = { ...copyAndLook([1, 1], [2, 0]), code, bounds };
  const result = paperSearch({ ...options, units: [0] });
  assertClose("code", result.code, tensor([1, 4], [9.9, 1.98, 0, 9.9]));
  assert.deepEqual([result.trace, [...result.image.data]], [[[2]], [1]]);
  // Unit 1 has no gradient: the search stops with the code as it was.
  const still = paperSearch({ ...options, units: [1], iterations: 5 });
  assert.deepEqual([still.code, still.trace], [code, [[0]]]);
});

Deno.test("reference: the schedule of the learning rate, and no clipping without bounds", () => {
  const options = { ...copyAndLook([1, 1], [2, 0]), code: tensor([1, 4]), units: [0], iterations: 4, decay: 1 };
  const result = paperSearch({ ...options, learningRate: { start: 8, end: 0 } });
  // Each step moves the first number by lr · 4, with lr = 8, 6, 4, 2.
  assert.deepEqual([[...result.code.data], result.trace], [[80, 0, 0, 0], [[0], [64], [112], [144]]]);
});

Deno.test("reference: several units hold each other back", () => {
  // a = (2 · 3, 3), γ = 0.1: the slopes are 1 − 0.2 · 3 and 1 + 0.2 · 3, so g = [0.8, 1.6, 0, 0] and mean |g| = 0.6.
  const options = copyAndLook([2, 2], [2, 0, 0, 0, 0, 1, 0, 0]);
  const learningRate = { start: 0.6, end: 0.6 };
  const code = tensor([1, 4], [3, 3, 0, 0]);
  const result = paperSearch({ ...options, code, units: [0, 1], gamma: 0.1, learningRate, decay: 1 });
  assertClose("code", result.code, tensor([1, 4], [3.8, 4.6, 0, 0]));
});
