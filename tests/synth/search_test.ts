/** The search against the float64 reference of the same arithmetic, small and with the embedded pair. */
import assert from "node:assert/strict";
import { openClassifier, openGenerator } from "../../src/cli/defaults.ts";
import { openDevice } from "../../src/gpu/device.ts";
import type { Model } from "../../src/net/model.ts";
import { normals } from "../../src/synth/random.ts";
import type { SearchOptions } from "../../src/synth/options.ts";
import { search } from "../../src/synth/search.ts";
import { pretend } from "../gpu/pretend.ts";
import { randomWeights } from "../cases/case.ts";
import { caseModel } from "../net/case_model.ts";
import { objective } from "../../shaders/search.ts";
import { assertClose } from "../reference/close.ts";
import type { Network } from "../reference/network.ts";
import { paperSearch } from "../reference/search.ts";
import { type Tensor, tensor } from "../reference/tensor.ts";
import { readWeights } from "../reference/weights.ts";

const device = await openDevice();
const gpu = pretend(device, { software: false }, "buffer");

/** Float32 rounding grows over steps that divide by a mean: the agreement that users are promised. */
const TOLERANCE = 1e-3;

const image = { order: "RGB", mean: [127.5, 127.5, 127.5], scale: 1 / 127.5 };

/** A generator of 10×10 pictures from 20 numbers and a classifier of their centre, 7×7. */
const generatorNetwork = {
  name: "small generator",
  inputs: [{ name: "code", shape: [20] }],
  image,
  code: { layer: "features", sigmas: 3 },
  layers: [
    { name: "fc", type: "fc", input: "code", channels: 6 * 25 },
    { name: "fc_relu", type: "relu", input: "fc", output: "fc", slope: 0.3 },
    { name: "maps", type: "reshape", input: "fc", shape: [6, 5, 5] },
    { name: "picture", type: "deconv2d", input: "maps", channels: 3, kernel: 4, stride: 2, padding: 1 },
  ],
} as Network;
const classifierNetwork = {
  name: "small classifier",
  inputs: [{ name: "data", shape: [3, 7, 7] }],
  image,
  layers: [
    { name: "conv", type: "conv2d", input: "data", channels: 8, kernel: 3, padding: 1 },
    { name: "relu", type: "relu", input: "conv", output: "conv" },
    { name: "pool", type: "maxpool", input: "conv", kernel: 3, stride: 2 },
    { name: "out", type: "fc", input: "pool", channels: 5 },
  ],
} as Network;

/** Takes a batch for a sequence. */
const lstm = { name: "memory", type: "lstm", input: "out", hidden: 3 };

function small(): { generator: Model; classifier: Model; weights: Map<string, Tensor>[] } {
  const weights = [generatorNetwork, classifierNetwork].map(randomWeights);
  weights[0].set("code.mean", tensor([20], normals(1, 20).map(Math.abs)));
  weights[0].set("code.std", tensor([20], normals(2, 20).map(Math.abs)));
  const [generator, classifier] = [generatorNetwork, classifierNetwork].map((network, n) =>
    caseModel({ network, weights: weights[n] })
  );
  return { generator, classifier, weights };
}

const bound = (weights: Map<string, Tensor>) =>
  weights.get("code.mean")!.data.map((mean, j) =>
    Math.fround(Math.fround(mean) + 3 * Math.fround(weights.get("code.std")!.data[j]))
  );

for (const [kind, own] of [["", device], [" on a GPU", gpu]] as const) {
  Deno.test(`search${kind}: a batch of different targets is each target's float64 search`, async () => {
    const { generator, classifier, weights } = small(), iterations = 12;
    const targets = [
      { units: [0], seed: 0 },
      { units: [3], seed: 1 },
      { units: [1, 4], seed: 2 },
    ];
    for (const [layer, gamma, xy] of [["out", 0, undefined], ["out", 0.4, undefined], ["conv", 0, [2, 5]]] as const) {
      const { items } = await search(own, {
        generator,
        classifier,
        layer,
        gamma,
        iterations,
        targets: targets.map((target) => ({ ...target, xy })),
      });
      items.forEach(({ code, trace }, n) => {
        const expected = paperSearch({
          generator: { network: generatorNetwork, weights: weights[0] },
          classifier: { network: classifierNetwork, weights: weights[1] },
          layer,
          units: targets[n].units,
          yx: xy && [xy[1], xy[0]],
          gamma,
          code: tensor([1, 20], normals(targets[n].seed, 20)),
          iterations,
          learningRate: { start: 8, end: 1e-10 },
          bounds: bound(weights[0]),
          decay: 0.99,
        });
        assertClose(`${layer} ${n} code`, { shape: [1, 20], data: code }, expected.code, TOLERANCE);
        const sums = expected.trace.map((activations) => activations.reduce((a, b) => a + b, 0));
        // Where its gradient became zero, the reference stopped; the batch went on without moving that item.
        while (sums.length < iterations) sums.push(sums[sums.length - 1]);
        assertClose(`${layer} ${n} trace`, { shape: [iterations], data: trace }, tensor([iterations], sums), TOLERANCE);
      });
    }
  });
}

Deno.test("search: adam's codes are the same whether an item has a workgroup or not", async () => {
  const { generator, classifier } = small(), targets = [0, 1, 2].map((seed) => ({ units: [seed], seed }));
  const options = { generator, classifier, targets, iterations: 12, rule: "adam" } as const;
  const [alone, grouped] = [await search(device, options), await search(gpu, options)];
  assert.ok(grouped.dispatches < alone.dispatches);
  alone.items.forEach(({ code }, n) => {
    const shape = [20];
    assertClose(`code ${n}`, { shape, data: grouped.items[n].code }, tensor(shape, code), TOLERANCE);
  });
});

const read = (name: string) => (file: string) =>
  Deno.readFile(new URL(`../../models/${name}/${file}`, import.meta.url));
const embedded = async (): Promise<Pick<SearchOptions, "generator" | "classifier">> => ({
  generator: await openGenerator(),
  classifier: await openClassifier(),
});

Deno.test("search: the embedded pair follows the float64 search", async () => {
  const models = await embedded(), iterations = 3;
  const { items: [{ code }] } = await search(device, { ...models, iterations, targets: [{ units: [945], seed: 0 }] });
  const parts = await Promise.all(["deepsim64", "caffenet64"].map(async (name) => ({
    network: JSON.parse(new TextDecoder().decode(await read(name)("network.json"))) as Network,
    weights: readWeights(await read(name)("weights.safetensors"), name),
  })));
  const expected = paperSearch({
    generator: parts[0],
    classifier: parts[1],
    layer: "fc8",
    units: [945],
    code: tensor([1, 1024], normals(0, 1024)),
    iterations,
    learningRate: { start: 8, end: 1e-10 },
    bounds: bound(parts[0].weights),
    decay: 0.99,
  });
  assertClose("code", { shape: [1, 1024], data: code }, expected.code, TOLERANCE);
});

Deno.test("search: the same seed gives the same picture, another one another", async () => {
  const models = await embedded(), options = { ...models, iterations: 4, targets: [{ units: [945], seed: 3 }] };
  const [first, second] = [await search(device, options), await search(device, options)];
  assert.deepEqual(first.items[0].picture, second.items[0].picture);
  assert.deepEqual(first.items[0].code, second.items[0].code);
  const other = await search(device, { ...options, targets: [{ units: [945], seed: 4 }] });
  assert.notDeepEqual(other.items[0].picture, first.items[0].picture);
});

Deno.test("search: a unit that nothing leads to leaves its code alone and its neighbours unharmed", async () => {
  const models = await embedded();
  const targets = [{ units: [292], seed: 0 }, { units: [945], seed: 0 }];
  const { items } = await search(device, { ...models, iterations: 3, targets });
  const { items: [alone] } = await search(device, { ...models, iterations: 3, targets: [targets[1]] });
  assert.equal(items[0].zeroGradient, true);
  assert.deepEqual(items[0].code, normals(0, 1024));
  assert.equal(items[1].zeroGradient, false);
  assertClose("code", { shape: [1024], data: items[1].code }, tensor([1024], alone.code), TOLERANCE);
});

Deno.test("search: a classifier of sequences takes one target at a time", async () => {
  const { generator } = small(),
    layers = [...classifierNetwork.layers, lstm],
    network = { ...classifierNetwork, layers };
  const classifier = caseModel({ network, weights: randomWeights(network) }), target = { units: [1], seed: 0 };
  const options = { generator, classifier, iterations: 2 };
  assert.equal((await search(device, { ...options, targets: [target] })).items.length, 1);
  await assert.rejects(
    search(device, { ...options, targets: [target, target] }),
    /layer "memory" takes what runs together/,
  );
});

Deno.test("search: an aborted search keeps what there is; adam climbs", async () => {
  const { generator, classifier } = small(), controller = new AbortController();
  const { aborted, iterations, items } = await search(device, {
    generator,
    classifier,
    targets: [{ units: [2], seed: 0 }],
    iterations: 100_000,
    signal: controller.signal,
    onProgress({ iteration }) {
      if (iteration > 5) controller.abort();
    },
  });
  assert.equal(aborted, true);
  assert.equal(items[0].trace.length, iterations);
  assert.ok(iterations < 100_000);
  const adam = await search(device, {
    generator,
    classifier,
    targets: [{ units: [2], seed: 0 }],
    iterations: 60,
    rule: "adam",
  });
  assert.ok(adam.items[0].activation > adam.items[0].trace[0] + 1);
});

Deno.test("search: bounds that do not fit the code are refused", async () => {
  const { generator, classifier } = small();
  for (const bounds of [new Float32Array(19), new Float32Array(20).fill(-1), new Float32Array(20).fill(NaN)]) {
    const failing = search(device, { generator, classifier, bounds, targets: [{ units: [0], seed: 0 }] });
    await assert.rejects(failing, /UserError: expected 20 bounds of at least 0 for the code of small generator/);
  }
});

Deno.test("search: aborted before its first iteration it ends with the signal's reason and leaves no memory taken", async () => {
  const { generator, classifier } = small(), controller = new AbortController(), before = device.memory;
  controller.abort("enough");
  const targets = [{ units: [1], seed: 0 }];
  await assert.rejects(
    search(device, { generator, classifier, targets, signal: controller.signal }),
    (reason) => reason === "enough",
  );
  assert.equal(device.memory, before);
});

Deno.test("search: a thousand units of one picture take no longer program than two, and each has its part", async () => {
  const map = [1000, 1, 1] as const;
  const lengths = [2, 1000].map((units) => objective({ items: 1, units, map }).length);
  assert.ok(lengths[1] < lengths[0] + 20, `${lengths}`);
  const { generator, classifier } = small(), units = Array.from({ length: 8 }, (_, unit) => unit);
  const targets = [{ units, seed: 0, xy: [1, 1] as const }];
  const { items: [{ trace }] } = await search(device, {
    generator,
    classifier,
    layer: "conv",
    targets,
    iterations: 40,
    lrEnd: 8,
  });
  assert.ok(trace[39] > trace[0]);
});
