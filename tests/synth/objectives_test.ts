/**
 * Every term of a target against float64: its value, its gradient to the code by finite differences, and a search of five steps;
 * alone, in sums over two layers and in pairs, on adapters that sum in the objective's kernel and in the gradient's first.
 */
import { readMap } from "../../src/gpu/map.ts";
import assert from "node:assert/strict";
import { openDevice } from "../../src/gpu/device.ts";
import { Climb } from "../../src/synth/climb.ts";
import { join } from "../../src/synth/joined.ts";
import { kinds, objectives } from "../../src/synth/objectives/table.ts";
import { settle } from "../../src/synth/options.ts";
import { normals } from "../../src/synth/random.ts";
import { search } from "../../src/synth/search.ts";
import { parseTarget, showTarget, termsOf } from "../../src/synth/target.ts";
import { pretend } from "../gpu/pretend.ts";
import { assertClose } from "../reference/close.ts";
import { record, runNetwork } from "../reference/network.ts";
import { evaluate } from "../reference/objective.ts";
import { crop } from "../reference/shape_ops.ts";
import { type Tensor, tensor } from "../reference/tensor.ts";
import { boundOf, classifierNetwork, generatorNetwork, small } from "./small.ts";

const device = await openDevice();
const gpu = pretend(device, { software: false }, "buffer");
const { generator, classifier, weights } = small();

/** A direction over conv's eight channels, one over out's five that is as long as floats square, and one over the picture's three. */
const directions = { "v.npy": normals(7, 8), "o.npy": normals(8, 5).map((x) => 4e18 * x), "rgb.npy": normals(9, 3) };

/** Targets, with each kind of term alone first. */
const targets = [
  "out:3",
  "conv:2@5,1",
  "conv+relu:2@2,2",
  "relu:1@1,1",
  "mean(conv:5)",
  "sum(conv:0)",
  "max(conv:6)",
  "norm(conv)",
  "norm(conv:4)",
  "norm(out)",
  "dot(conv, v.npy)",
  "dot(conv@all, v.npy)",
  "cosine(conv@1,6, v.npy)",
  "cosine(conv@all, v.npy)",
  "cosine(out, o.npy)",
  "prob(out:2)",
  "logprob(conv:3@3,4)",
  "diversity(conv)",
  "variation(data)",
  "variation(conv)",
  "power(data, 6)",
  "power(conv, 2.5)",
  "centre(data)",
  "centre(conv)",
  "0.5*out:1 - 2*conv:3@1,2 + mean(conv:1) - 0.01*norm(data)",
  "out:1 + out:4 - 0.4*pair(out:1, out:4)",
  "out:0 - 0.3*pair(out:0, mean(conv:2), prob(out:1)) + 0.2*pair(conv:1, conv:5)",
  "dot(data@all, rgb.npy) + cosine(conv@2,2, v.npy) + logprob(out:0) + diversity(out)",
];

/** Each layer of the classifier on G(code)'s centre, as a target names it. */
function layersOf(code: ArrayLike<number>): Map<string, Tensor> {
  const picture = runNetwork(generatorNetwork, weights[0], new Map([["code", tensor([1, 20], code)]])).get("picture")!;
  const image = crop.forward([picture], { size: [7, 7] }, {});
  const { values: [, before, after, , out] } = record(classifierNetwork, weights[1], new Map([["data", image]]));
  return new Map([["data", image], ["conv", before], ["conv+relu", after], ["relu", after], ["out", out]]);
}

/** What a target comes to at a code, beside the other codes of its batch. */
function value(target: string, code: ArrayLike<number>, others: readonly ArrayLike<number>[]) {
  const layers = layersOf(code);
  const beside = others.map(layersOf);
  const find = (from: Map<string, Tensor>) => (layer = "out") => from.get(layer)!;
  return evaluate(parseTarget(target), {
    valueOf: find(layers),
    directions,
    others: (layer) => beside.map((one) => find(one)(layer)),
  });
}

/** Its gradient, by central differences. */
function slope(target: string, code: ArrayLike<number>, others: readonly ArrayLike<number>[]): Tensor {
  const h = 1e-5;
  const at = (j: number, by: number) => value(target, Float64Array.from(code, (x, n) => n === j ? x + by : x), others);
  return tensor([20], Float64Array.from({ length: 20 }, (_, j) => (at(j, h).whole - at(j, -h).whole) / (2 * h)));
}

Deno.test("objectives: the targets here have every kind of term, and survive being shown", () => {
  const tried = new Set(targets.flatMap((target) => termsOf(parseTarget(target))).map(({ kind }) => kind));
  assert.deepEqual(kinds.filter((kind) => !tried.has(kind)), []);
  for (const target of targets) {
    assert.deepEqual(parseTarget(showTarget(parseTarget(target))), parseTarget(target), target);
  }
  for (const { syntax } of Object.values(objectives)) assert.match(syntax, /^[a-z]*\(?LAYER/);
});

/** Those that a GPU's plan treats in ways of its own, and sums. */
const onGpus = targets.filter((target) => /^out|^conv[:+]|^0\.5/.test(target));

for (const [kind, own, tried] of [["", device, targets], [" on a GPU", gpu, onGpus]] as const) {
  for (const target of tried) {
    Deno.test(`objectives${kind}: ${target}: value and gradient`, async () => {
      const joined = join(generator, classifier);
      const batch = [3, 4, 5].map((seed) => ({ target, seed }));
      const settings = settle(own, joined, { generator, classifier, targets: batch, directions, iterations: 1 });
      using climb = await Climb.create(own, joined, settings);
      climb.submit(1);
      const trace = await climb.trace(1);
      const { dx } = climb.plan.tensors;
      const gradients = await readMap(own, dx!);
      batch.forEach(({ seed }, n) => {
        const others = batch.filter((_, m) => m !== n).map(({ seed }) => normals(seed, 20));
        const code = normals(seed, 20);
        const { sum } = value(target, code, others);
        assert.ok(Math.abs(trace[n] - sum) <= 1e-4 * Math.max(1, Math.abs(sum)), `${trace[n]}, expected ${sum}`);
        const gradient = { shape: [20], data: gradients.subarray(20 * n, 20 * (n + 1)) };
        assertClose(`gradient ${n}`, gradient, slope(target, code, others), 1e-4);
      });
    });
  }
}

Deno.test("objectives: where a unit is nearly all that is probable, its slope is not lost in rounding", async () => {
  const isNearlySure = ({ code, unit }: { code: Float32Array; unit: number }) => {
    const left = 1 - value(`prob(out:${unit})`, code, []).sum;
    return left > 1e-6 && left < 5e-5;
  };
  const codes = Array.from({ length: 200 }, (_, n) => normals(3 + n % 4, 20).map((x) => (1 + n / 8) * x));
  const found = codes.flatMap((code) => [0, 1, 2, 3, 4].map((unit) => ({ code, unit }))).find(isNearlySure);
  assert.ok(found);
  const { code, unit } = found;
  for (const target of [`logprob(out:${unit})`, `prob(out:${unit})`]) {
    const joined = join(generator, classifier);
    const options = { generator, classifier, targets: [{ target, seed: 3, code }], iterations: 1 };
    using climb = await Climb.create(device, joined, settle(device, joined, options));
    climb.submit(1);
    assertClose(target, { shape: [20], data: await climb.gradient() }, slope(target, code, []), 2e-4);
  }
});

Deno.test("objectives: searches of five steps follow float64", async () => {
  const bound = boundOf(weights[0]);
  const iterations = 5;
  for (const target of targets) {
    const seeds = [3, 4];
    const { items } = await search(device, {
      generator,
      classifier,
      directions,
      iterations,
      redirect: 0,
      targets: seeds.map((seed) => ({ target, seed })),
    });
    let codes = seeds.map((seed) => Float64Array.from(normals(seed, 20)));
    let shown = codes;
    for (let i = 0; i < iterations; i++) {
      shown = codes;
      const rate = 8 + (1e-10 - 8) * i / iterations;
      codes = codes.map((code, n) => {
        const { data } = slope(target, code, codes.filter((_, m) => m !== n));
        const mean = data.reduce((sum, g) => sum + Math.abs(g), 0) / 20;
        if (mean === 0) return code;
        return code.map((x, j) => 0.99 * Math.min(Math.max(x + rate * data[j] / mean, 0), bound[j]));
      });
    }
    items.forEach(({ code, next }, n) => {
      assertClose(`${target}: the picture's code`, { shape: [20], data: code }, tensor([20], shown[n]), 1e-3);
      assertClose(`${target}: the next code`, { shape: [20], data: next }, tensor([20], codes[n]), 1e-3);
    });
  }
});
