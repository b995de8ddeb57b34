/** Tuning on the adapter at hand: what is found is chosen, what is wrong is told, and other questions are left alone. */
import assert from "node:assert/strict";
import { type Device, openDevice } from "../../src/gpu/device.ts";
import { clockOf } from "../../src/gpu/timing.ts";
import { featureMap } from "../../src/gpu/tensor.ts";
import { chooseCheapest, chooseWays, type Subject } from "../../src/net/choose.ts";
import { buildGraph } from "../../src/net/graph.ts";
import { Net, type NetOptions } from "../../src/net/net.ts";
import { subjectsOf } from "../../src/net/outline.ts";
import { elementwiseCall } from "../../src/ops/calls.ts";
import { ops } from "../../src/ops/table.ts";
import type { Forward } from "../../src/ops/way.ts";
import { contest, largestDifference, shortlist } from "../../src/tune/contest.ts";
import { adapterKey, kernelsHash, questionKey } from "../../src/tune/subject.ts";
import { tune } from "../../src/tune/tune.ts";
import { type Chosen, hasChoice, tuned } from "../../src/tune/tuned.ts";
import { entriesOf, type TunedWays } from "../../src/tune/ways_file.ts";
import { randomWeights } from "../cases/case.ts";
import { pretend } from "../gpu/pretend.ts";
import { caseModel } from "../net/case_model.ts";

const network = {
  name: "two questions",
  inputs: [{ name: "x", shape: [3, 8, 8] }],
  layers: [
    { name: "conv", type: "conv2d", input: "x", channels: 8, kernel: 3, padding: 1 },
    { name: "relu", type: "relu", input: "conv" },
    { name: "fc", type: "fc", input: "relu", channels: 5 },
  ],
};
const model = caseModel({ network, weights: randomWeights(network) });

function questions(device: Device, options: { batch?: number; gradient?: boolean; doubleFloat?: boolean } = {}) {
  const { batch = 1, gradient = true, doubleFloat } = options;
  const graph = buildGraph(model);
  const ends = gradient ? { of: [graph.output], to: graph.inputs[0] } : undefined;
  return subjectsOf(device, { graph, batch, wanted: [graph.output], gradient: ends, doubleFloat }).filter(hasChoice);
}

Deno.test("tune: what it finds is what plans then take, for that question alone", async () => {
  using device = await openDevice();
  const ways: TunedWays = new Map();
  const seen: string[] = [];
  const used = device.memory;
  const report = await tune(device, { model, gradient: true }, ways, {
    onProgress: ({ layer, done, total }) => seen.push(`${done}/${total} ${layer}`),
  });
  assert.equal(device.memory, used, "all memory is given back");
  assert.deepEqual([report.failed, report.aborted, report.known], [[], false, 0]);
  const keys = new Set(questions(device).map(questionKey));
  assert.equal(report.layers.length, keys.size);
  assert.equal(seen.length, keys.size + 1);
  for (const key of keys) assert.ok(entriesOf(ways, adapterKey(device), key).length > 0, key);

  const told: Chosen[] = [];
  const tell = (chosen: Chosen) => void told.push(chosen);
  const run = async (options: NetOptions) => {
    told.length = 0;
    using _ = await Net.create(device, model, { choose: tuned(device, ways, tell), ...options });
  };
  await run({ gradient: true });
  assert.ok(told.some(({ by }) => by === "tuned") && told.every(({ by }) => by !== "predicted"));
  const others: NetOptions[] = [
    {},
    { gradient: true, batch: 2 },
    { gradient: true, doubleFloat: true },
    { gradient: true, weightGradients: true },
    { gradient: true, weights: "f16" },
  ];
  for (const other of others) {
    await run(other);
    assert.ok(told.every(({ by }) => by !== "tuned"), JSON.stringify(other));
  }

  const again = await tune(device, { model, gradient: true }, ways);
  assert.deepEqual([again.layers, again.known], [[], keys.size]);
  const stop = new AbortController();
  const stopped = await tune(device, { model, gradient: true }, new Map(), {
    signal: stop.signal,
    onProgress: ({ done }) => done === 1 && stop.abort(),
  });
  assert.deepEqual([stopped.aborted, stopped.layers.length], [true, 1]);
  assert.equal(device.memory, used);
});

Deno.test("questions of other batches, arithmetic and gradients are others, and so are adapters", async () => {
  using device = await openDevice();
  const sets = [{}, { batch: 2 }, { gradient: false }, { doubleFloat: true }].map((options) =>
    questions(device, options).map(questionKey)
  );
  const all = sets.flat();
  assert.equal(new Set(all).size, sets.reduce((sum, keys) => sum + new Set(keys).size, 0));
  assert.notEqual(adapterKey(pretend(device, { maxGroups: 7 })), adapterKey(device));
  assert.equal(adapterKey(pretend(device, { maxMemory: 7 })), adapterKey(device));
});

/** A ReLU with a second way to its output. */
function twoWays(device: Device, second: Forward<unknown>): Subject {
  const params = { slope: 0.5 };
  const shapes = [[5, 7, 7]];
  const { relu } = ops;
  const [x, output] = ["x", "y"].map((label) => featureMap(device, label, [2, 5, 7, 7]));
  return {
    layer: {
      ...{ name: "relu", params, inputs: [], shapes, output: { name: "y", shape: shapes[0] } },
      op: { ...relu, forward: [...relu.forward, { name: "second", calls: second }] },
      weights: () => ({}),
    },
    task: {
      ...{ adapter: device, params, inputs: [x], shapes, output, formats: {} },
      ...{ storage: "stored", anyForm: true, doubleFloat: false, arithmetic: "f32" },
    },
    gradient: true,
  };
}

const noNumbers = "x * bitcast<f32>(0x7fc00000u + u32(abs(x.x)))";

/** A way that makes each value of y from one of x. */
const making =
  (code: string): Forward<unknown> => ({ name, inputs: [x] }, y) => [elementwiseCall(name, { x }, y, code)];

Deno.test("contest: a way that computes something else, or does not compile, is told and does not win", async () => {
  using device = await openDevice();
  const failing = async (second: Forward<unknown>) => {
    const about = twoWays(device, second);
    const { winner, failed } = await contest(
      device,
      about,
      chooseWays(about, chooseCheapest),
      0,
      await clockOf(device),
    );
    assert.ok(failed.length === 0 || winner.forward.way.name === "elements");
    return failed.map(({ layer, way, reason }) => `${layer} ${way}: ${reason}`).join();
  };
  assert.equal(await failing(making("select(0.5 * x, x, x > vec4f())")), "");
  assert.match(await failing(making("0.49 * x")), /^relu second: its values are off by 0\.5\d of the largest$/);
  assert.match(await failing(making(noNumbers)), /off by NaN /);
  assert.match(await failing(() => []), /off by \d\.?\d?e\+\d+ /);
  assert.match(await failing(making("nonsense(x)")), /^relu second: .*nonsense/);

  // What was predicted is not compared with itself, which NaN would not pass, and stays where nothing else comes to the same.
  const about = twoWays(device, making(noNumbers));
  const predicted = chooseWays(about, ({ candidates }) => candidates.at(-1)!);
  const { winner, failed } = await contest(device, about, predicted, 0, await clockOf(device));
  assert.deepEqual([winner, failed.map(({ way }) => way)], [predicted, ["elements"]]);
});

Deno.test("the kernels' number changes with their code and with nothing else", async () => {
  using device = await openDevice();
  const number = (code: string) => {
    const about = twoWays(device, making(code));
    const { backward } = chooseWays(about, chooseCheapest);
    const [, way] = about.layer.op.forward;
    return kernelsHash(about, { forward: { way, sizes: {}, cost: 0 }, backward });
  };
  assert.equal(number("x"), number("x"));
  assert.notEqual(number("x"), number("x + x"));
  assert.match(number("x"), /^[0-9a-f]{16}$/);
});

Deno.test("shortlist: the best size of each way that is not hopeless, and the best others", () => {
  const one = (name: string, size: number, cost: number) => ({ way: { name, calls: null }, sizes: { size }, cost });
  const list = [one("a", 1, 10), one("a", 2, 11), one("a", 3, 30), one("b", 1, 90), one("b", 2, 80), one("c", 1, 81)];
  assert.deepEqual(shortlist(list).map(({ way, sizes }) => way.name + sizes.size), ["a1", "b2", "a2"]);
});

Deno.test("largestDifference: over the largest magnitude, and NaN for NaN", () => {
  const values = (...list: number[]) => [Float32Array.from(list)];
  assert.equal(largestDifference(values(-4, 1), values(-4, 2)), 0.25);
  assert.equal(largestDifference(values(0, 0), values(0, 0)), 0);
  assert.ok(!(largestDifference(values(1, 2), values(1, NaN)) <= 1));
});
