/**
 * Every way of every registry, against float64: on the small cases, of which each has half of the ways, and in sizes that no
 * plan would choose there. The cases themselves run in the ways that plans choose; `deno task doctor --all` runs every case in
 * every way.
 */
import assert from "node:assert/strict";
import type { Feature } from "../../src/gpu/adapter.ts";
import { openDevice } from "../../src/gpu/device.ts";
import { chooseCheapest, type Question } from "../../src/net/choose.ts";
import { Net, type NetOptions } from "../../src/net/net.ts";
import { ops } from "../../src/ops/table.ts";
import { elementwiseCall } from "../../src/ops/calls.ts";
import { describe, type Forward, type Way } from "../../src/ops/way.ts";
import { allCases } from "../cases/all.ts";
import { randomWeights } from "../cases/case.ts";
import { pretend } from "../gpu/pretend.ts";
import { caseModel } from "../net/case_model.ts";
import { normal, randomTensor } from "../reference/random.ts";
import { tensor } from "../reference/tensor.ts";
import { checkCase, checkNetwork } from "./check_case.ts";
import { type CheckedWay, checkWays, type IsDue, smallWayCases } from "./check_ways.ts";

const device = await openDevice();
const checked = new Set<string>();

smallWayCases.forEach((testCase, turn) => {
  const keyOf = ({ pass, way }: CheckedWay) => `${testCase.type} ${pass} ${way}`;
  // Every other way, whatever the format of the weights, and those that did not apply before.
  const isDue: IsDue = (way, n) => !checked.has(keyOf(way)) || (n + turn + Math.floor(turn / 4)) % 2 === 0;
  Deno.test(`every way: ${testCase.type}: ${testCase.name}`, async () => {
    for (const way of await checkWays(device, testCase, turn, undefined, isDue)) checked.add(keyOf(way));
  });
});

Deno.test("no way of any op was left out: each has a small case", () => {
  // double_float_test.ts has one, and the browser's test what Deno has no feature for.
  const has = (feature: Feature) => device.caps.features.includes(feature);
  const elsewhere = ["double-float", ...has("subgroups") ? [] : ["subgroups"]];
  // Those for the gradient of a direction are the other one's.
  const applies = (type: string, pass: string, way: string) =>
    ({
      direct: type === "deconv2d" ? "backward" : "forward",
      transposed: type === "deconv2d" ? "forward" : "backward",
      "direct-f16": type === "deconv2d" ? "never" : "forward",
      "transposed-f16": type === "deconv2d" ? "forward" : "never",
    })[
      way
    ] ?? pass;
  for (const type of new Set(smallWayCases.map(({ type }) => type))) {
    for (const pass of ["forward", "backward"] as const) {
      for (const { name, arithmetic } of ops[type][pass]) {
        if (arithmetic === "f16" && (pass === "backward" || !has("shader-f16"))) continue;
        if (elsewhere.includes(name) || applies(type, pass, name) !== pass) continue;
        if (name === "winograd" && type === "fc") continue; // its kernels are never 3×3
        if (name === "spots" && (type === "deconv2d" || type === "lstm" || pass === "forward")) continue;
        assert.ok(checked.has(`${type} ${pass} ${name}`), `${type}: the way ${pass} "${name}" is in no small case`);
      }
    }
  }
});

Deno.test("ways have names of their own, and any that several compete with says what it costs", () => {
  for (const [type, { forward, backward }] of Object.entries(ops)) {
    for (const ways of [forward, backward]) {
      const names = ways.map(({ name }) => name);
      assert.deepEqual(names, [...new Set(names)], type);
      assert.ok(ways.length === 1 || ways.every(({ cost }) => cost), type);
    }
  }
});

Deno.test("what is added to a registry is chosen where it is the cheapest, and checked by its name", async () => {
  const testCase = allCases.find(({ type, name }) => type === "tanh" && name === "odd sizes, batch 3")!;
  const registry = ops.tanh.forward as Way<unknown, Forward<unknown>>[];
  registry.push({
    name: "nearly",
    cost: () => -1,
    calls: ({ name, inputs: [x] }, y) => [elementwiseCall(name, { x }, y, "tanh(x) * 1.01")],
  });
  try {
    await assert.rejects(checkCase(device, testCase), /output/);
    await assert.rejects(
      checkWays(device, testCase, 0),
      /arithmetic in f32, forward nearly, backward elements: .*output/,
    );
  } finally {
    registry.pop();
  }
  const ways = await checkWays(device, testCase, 0);
  assert.deepEqual(ways, [{ pass: "forward", way: "elements" }, { pass: "backward", way: "elements" }]);
});

const network = {
  name: "convolutions over tiles",
  inputs: [{ name: "x0", shape: [64, 12, 12] }],
  layers: [
    { name: "first", type: "conv2d", input: "x0", channels: 128, kernel: 3, padding: 1 },
    { name: "relu", type: "relu", input: "first" },
    { name: "second", type: "conv2d", input: "relu", channels: 64, kernel: 3, padding: 1, bias: false },
  ],
};

Deno.test("plans take Winograd's filtering on CPUs for many tiles, with what is fused into the kernels", async () => {
  const cpu = pretend(device, { software: true });
  const gpu = pretend(device, { software: false });
  const weights = randomWeights(network);
  const waysOf = async (on: typeof device, options: NetOptions) => {
    const ways: string[] = [];
    const choose = (question: Question) => {
      const chosen = chooseCheapest(question);
      ways.push(describe(chosen).split(" ")[0]);
      return chosen;
    };
    using _ = await Net.create(on, caseModel({ network, weights }), { ...options, choose });
    return [...new Set(ways)].sort();
  };
  assert.deepEqual(await waysOf(cpu, { batch: 8 }), ["winograd"]);
  assert.deepEqual(await waysOf(cpu, { batch: 8, gradient: true }), ["winograd"]);
  const narrow = await waysOf(cpu, { batch: 8, weights: "f16" });
  const training = await waysOf(cpu, { batch: 8, gradient: true, weightGradients: true });
  const onGpu = await waysOf(gpu, { batch: 8, gradient: true });
  for (const ways of [narrow, training, onGpu]) assert.ok(!ways.includes("winograd"), ways.join());

  const inputs = new Map([["x0", randomTensor([8, 64, 12, 12], normal("convolutions over tiles"))]]);
  // Every channel stays on one side of zero: no rounding can take a value across the ReLU's kink.
  weights.set("first.bias", tensor([128], Float64Array.from({ length: 128 }, (_, n) => n % 2 ? 9 : -9)));
  await checkNetwork(cpu, { network, weights, inputs, tolerance: 1e-5 }, { weights: "f32" });
});

Deno.test("CPUs are offered tiles that share columns where it pays, GPUs never", async () => {
  const offered = async (changes: Partial<typeof device.caps>, stride: number) => {
    const columns = new Set<number>();
    const choose = (question: Question) => {
      for (const { way, sizes } of question.candidates) if (way.name === "direct") columns.add(sizes.columns);
      return chooseCheapest(question);
    };
    const layers = [{ name: "layer", type: "conv2d", input: "x0", channels: 32, kernel: 3, padding: 1, stride }];
    const own = { name: "columns", inputs: [{ name: "x0", shape: [32, 13, 13] }], layers };
    using _ = await Net.create(pretend(device, changes), caseModel({ network: own, weights: randomWeights(own) }), {
      choose,
    });
    return [...columns].sort((a, b) => a - b);
  };
  assert.deepEqual(await offered({ software: true, lanes: 8 }, 1), [1, 4, 7, 8, 13]);
  assert.deepEqual(await offered({ software: false }, 1), [1]);
  assert.deepEqual(await offered({ software: true }, 2), [1]);
});

Deno.test("GPUs take vectors for layers that are matrices, at few items and at sizes that fill them; CPUs never", async () => {
  const waysOf = async (on: typeof device, features: number, batch: number) => {
    const ways: string[] = [];
    const choose = (question: Question) => {
      const chosen = chooseCheapest(question);
      ways.push(chosen.way.name);
      return chosen;
    };
    const layers = [{ name: "fc", type: "fc", input: "x0", channels: features }];
    const own = { name: "matrix", inputs: [{ name: "x0", shape: [features] }], layers };
    using _ = await Net.create(on, caseModel({ network: own, weights: randomWeights(own) }), {
      batch,
      gradient: true,
      choose,
    });
    return ways;
  };
  const gpu = pretend(device, { software: false });
  for (const batch of [1, 2, 5, 8]) {
    for (const features of [256, 1000]) {
      assert.deepEqual(await waysOf(gpu, features, batch), ["vectors", "vectors"], `${features} by ${batch}`);
    }
    assert.ok(!(await waysOf(pretend(device, { software: true }), 1000, batch)).includes("vectors"));
  }
  assert.ok(!(await waysOf(gpu, 1000, 9)).includes("vectors"));
  assert.equal((await waysOf(gpu, 4, 8))[0], "workgroups");
});

Deno.test("GPUs give a position of many classes a workgroup; maps and CPUs have invocations for elements", async () => {
  const waysOf = async (on: typeof device, shape: number[]) => {
    const ways: string[] = [];
    const choose = (question: Question) => {
      const chosen = chooseCheapest(question);
      ways.push(chosen.way.name);
      return chosen;
    };
    const own = {
      name: "classes",
      inputs: [{ name: "x0", shape }],
      layers: [{ name: "y", type: "softmax", input: "x0" }],
    };
    using _ = await Net.create(on, caseModel({ network: own, weights: new Map() }), { gradient: true, choose });
    return [...new Set(ways)].join();
  };
  const [cpu, gpu] = [true, false].map((software) => pretend(device, { software }));
  assert.equal(await waysOf(gpu, [1000]), "workgroups");
  assert.equal(await waysOf(gpu, [21, 100, 100]), "elements");
  assert.equal(await waysOf(cpu, [1000]), "elements");
  assert.equal(await waysOf(cpu, [16000]), "elements");
});
