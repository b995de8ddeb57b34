/** The search against the float64 reference of the same arithmetic, small and with the embedded pair. */
import assert from "node:assert/strict";
import { openClassifier, openGenerator } from "../../src/cli/defaults.ts";
import { openDevice } from "../../src/gpu/device.ts";
import { Net } from "../../src/net/net.ts";
import { inputToPicture } from "../../src/net/picture.ts";
import { normals } from "../../src/synth/random.ts";
import { type SearchOptions, suitable } from "../../src/synth/options.ts";
import { objectives } from "../../src/synth/objectives/table.ts";
import { search } from "../../src/synth/search.ts";
import { pretend } from "../gpu/pretend.ts";
import { randomWeights } from "../cases/case.ts";
import { caseModel } from "../net/case_model.ts";
import { objectiveGradient } from "../../shaders/search/objective.ts";
import { assertClose } from "../reference/close.ts";
import type { Network } from "../reference/network.ts";
import { paperSearch } from "../reference/search.ts";
import { tensor } from "../reference/tensor.ts";
import { boundOf, classifierNetwork, generatorNetwork, small } from "./small.ts";
import { readWeights } from "../reference/weights.ts";

const device = await openDevice();
const gpu = pretend(device, { software: false }, "buffer");

/** Float32 rounding grows over steps that divide by a mean: the agreement that users are promised. */
const TOLERANCE = 1e-3;

/** Takes a batch for a sequence. */
const lstm = { name: "memory", type: "lstm", input: "out", hidden: 3 };

for (const [kind, own] of [["", device], [" on a GPU", gpu]] as const) {
  Deno.test(`search${kind}: a batch of different targets is each target's float64 search`, async () => {
    const { generator, classifier, weights } = small();
    const iterations = 12;
    const targets = [
      { units: [0], seed: 0 },
      { units: [3], seed: 1 },
      { units: [1, 4], seed: 2 },
    ];
    for (
      const [layer, gamma, xy] of [["out", 0, undefined], ["out", 0.4, undefined], ["conv+last", 0, [2, 5]]] as const
    ) {
      const { items } = await search(own, {
        generator,
        classifier,
        layer,
        gamma,
        iterations,
        redirect: 0,
        targets: targets.map((target) => ({ ...target, xy })),
      });
      items.forEach(({ next, trace }, n) => {
        const expected = paperSearch({
          generator: { network: generatorNetwork, weights: weights[0] },
          classifier: { network: classifierNetwork, weights: weights[1] },
          layer: layer.replace("+last", ""),
          units: targets[n].units,
          yx: xy && [xy[1], xy[0]],
          gamma,
          code: tensor([1, 20], normals(targets[n].seed, 20)),
          iterations,
          learningRate: { start: 8, end: 1e-10 },
          bounds: boundOf(weights[0]),
          decay: 0.99,
        });
        assertClose(`${layer} ${n} code`, { shape: [1, 20], data: next }, expected.code, TOLERANCE);
        const sums = expected.trace.map((activations) => activations.reduce((a, b) => a + b, 0));
        // Where its gradient became zero, the reference stopped; the batch went on without moving that item.
        while (sums.length < iterations) sums.push(sums[sums.length - 1]);
        assertClose(`${layer} ${n} trace`, { shape: [iterations], data: trace }, tensor([iterations], sums), TOLERANCE);
      });
    }
  });
}

Deno.test("search: adam's codes are the same whether an item has a workgroup or not", async () => {
  const { generator, classifier } = small();
  const targets = [0, 1, 2].map((seed) => ({ units: [seed], seed }));
  const options = { generator, classifier, targets, iterations: 12, rule: "adam" } as const;
  const [alone, grouped] = [await search(device, options), await search(gpu, options)];
  assert.ok(grouped.dispatches < alone.dispatches);
  alone.items.forEach(({ next }, n) => {
    const shape = [20];
    assertClose(`code ${n}`, { shape, data: grouped.items[n].next }, tensor(shape, next), TOLERANCE);
  });
});

const read = (name: string) => (file: string) =>
  Deno.readFile(new URL(`../../models/${name}/${file}`, import.meta.url));
const embedded = async (): Promise<Pick<SearchOptions, "generator" | "classifier">> => ({
  generator: await openGenerator(),
  classifier: await openClassifier(),
});

Deno.test("search: the embedded pair follows the float64 search", async () => {
  const models = await embedded();
  const iterations = 3;
  const { items: [{ next }] } = await search(device, { ...models, iterations, targets: [{ units: [945], seed: 0 }] });
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
    bounds: boundOf(parts[0].weights),
    decay: 0.99,
  });
  assertClose("code", { shape: [1, 1024], data: next }, expected.code, TOLERANCE);
});

Deno.test("search: the same seed gives the same picture, another one another", async () => {
  const models = await embedded();
  const options = { ...models, iterations: 4, targets: [{ units: [945], seed: 3 }] };
  const [first, second] = [await search(device, options), await search(device, options)];
  assert.deepEqual(first.items[0].picture, second.items[0].picture);
  assert.deepEqual(first.items[0].code, second.items[0].code);
  const other = await search(device, { ...options, targets: [{ units: [945], seed: 4 }] });
  assert.notDeepEqual(other.items[0].picture, first.items[0].picture);
});

Deno.test("search: a unit that nothing leads to leaves its code alone and its neighbours unharmed", async () => {
  const { generator } = small();
  const weights = randomWeights(classifierNetwork);
  const { data, shape: [units] } = weights.get("out.weight")!;
  data.fill(0, 3 * data.length / units, 4 * data.length / units);
  const models = { generator, classifier: caseModel({ network: classifierNetwork, weights }), iterations: 3 };
  const targets = [{ units: [3], seed: 0 }, { units: [1], seed: 0 }];
  const { items } = await search(device, { ...models, redirect: 0, targets });
  const { items: [alone] } = await search(device, { ...models, targets: [targets[1]] });
  assert.equal(items[0].zeroGradient, true);
  assert.deepEqual(items[0].code, normals(0, 20));
  assert.equal(items[1].zeroGradient, false);
  assertClose("code", { shape: [20], data: items[1].code }, tensor([20], alone.code), TOLERANCE);
});

Deno.test("search: a classifier of sequences takes one target at a time", async () => {
  const { generator } = small();
  const layers = [...classifierNetwork.layers, lstm];
  const network = { ...classifierNetwork, layers };
  const classifier = caseModel({ network, weights: randomWeights(network) });
  const target = { units: [1], seed: 0 };
  const options = { generator, classifier, iterations: 2 };
  assert.equal((await search(device, { ...options, targets: [target] })).items.length, 1);
  await assert.rejects(
    search(device, { ...options, targets: [target, target] }),
    /layer "memory" takes what runs together/,
  );
});

Deno.test("search: an aborted search keeps what there is; adam climbs", async () => {
  const { generator, classifier } = small();
  const controller = new AbortController();
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
  const { generator, classifier } = small();
  const controller = new AbortController();
  const before = device.memory;
  controller.abort("enough");
  const targets = [{ units: [1], seed: 0 }];
  await assert.rejects(
    search(device, { generator, classifier, targets, signal: controller.signal }),
    (reason) => reason === "enough",
  );
  assert.equal(device.memory, before);
});

Deno.test("search: a thousand units of one picture take no longer program than two, and each has its part", async () => {
  const lengths = [2, 1000].map((slots) => {
    const terms = [{ name: "unit", first: 0, end: slots, ...objectives.unit.wgsl }];
    const others = { pairs: true, silent: false, direct: true, parts: 1, firstDirection: 0, helpers: "" };
    return objectiveGradient({ items: 1, map: [1000, 1, 1], slots, terms, ...others }).length;
  });
  assert.ok(lengths[1] < lengths[0] + 40, `${lengths}`);
  const { generator, classifier } = small();
  const units = Array.from({ length: 8 }, (_, unit) => unit);
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

Deno.test("search: the code is that of the picture", async () => {
  const { generator, classifier } = small();
  for (const own of [device, gpu]) {
    const { items } = await search(own, {
      generator,
      classifier,
      targets: [{ units: [1], seed: 0 }, { units: [2], seed: 1 }],
      iterations: 5,
    });
    using net = await Net.create(own, generator, { layer: "picture" });
    for (const { code, next, picture } of items) {
      assert.notDeepEqual(code, next);
      const drawn = inputToPicture(generator.network, await net.forward(code), [3, 10, 10]);
      const off = Array.from(picture.rgb, (level, n) => {
        const x = Math.floor(n / 3) % 7 + 1;
        const y = Math.floor(n / 21) + 1;
        return Math.abs(level - drawn.rgb[(y * 10 + x) * 3 + n % 3]);
      });
      assert.ok(Math.max(...off) <= 1, `${Math.max(...off)}`);
    }
  }
});

Deno.test("search: a unit that is off behind its ReLU climbs once steps have gone through ReLUs that are off", async () => {
  const { generator, classifier } = small();
  const target = "relu:1@1,1";
  const targets = [{ target, seed: 4 }, { target: "out:1", seed: 4 }];
  const options = { generator, classifier, targets };
  for (const own of [device, gpu]) {
    const { items: [off] } = await search(own, { ...options, iterations: 20, redirect: 0 });
    assert.deepEqual([off.zeroGradient, off.redirected, off.activation], [true, 0, 0]);
    assert.deepEqual(off.code, normals(4, 20));
    const { items: [on, other] } = await search(own, { ...options, iterations: 20 });
    assert.deepEqual([on.zeroGradient, on.redirected, other.redirected], [false, 16, 0]);
    assert.ok(on.activation > 0.5 && on.activation > on.trace[0], `${on.trace}`);
    const { items: [alone] } = await search(own, { ...options, targets: [targets[1]], iterations: 20 });
    assertClose("its neighbour", { shape: [20], data: other.code }, tensor([20], alone.code), TOLERANCE);
  }
});

Deno.test("search: a ReLU that runs by itself lets the gradient through too", async () => {
  const { generator, classifier } = small();
  const target = "relu:1@1,1 + 0*norm(conv)"; // conv is wanted, so no kernel applies its ReLU
  const options = { generator, classifier, targets: [{ target, seed: 4 }], iterations: 20 };
  const { items: [off] } = await search(device, { ...options, redirect: 0 });
  const { items: [on] } = await search(device, options);
  assert.deepEqual([off.activation, on.redirected], [0, 16]);
  assert.ok(on.activation > 0.5, `${on.activation}`);
});

Deno.test("search: hidden units of the embedded pair climb, read before their activation", async () => {
  const models = await embedded();
  for (const [layer, unit] of [["conv5", 5], ["conv5", 42], ["fc6", 7], ["fc7", 3]] as const) {
    const targets = [{ units: [unit], seed: 0 }]; // one at a time: its kernels are those of other tests
    const { items: [item] } = await search(device, { ...models, layer, targets, iterations: 20, redirect: 0 });
    assert.ok(!item.zeroGradient && item.activation > item.trace[0], `${layer} ${unit}: ${item.trace}`);
  }
});

Deno.test("search: settings that suit the classifier are used where nobody says any", async () => {
  const { generator, classifier } = small();
  const network = { ...classifier.network, search: { lrStart: 2, iterations: 3, layer: "conv" } };
  const own = { ...classifier, network };
  const targets = [{ units: [7], seed: 0 }];
  const said = { lrStart: 2, iterations: 3, layer: "conv", generator, classifier, targets };
  const [suits, explicit] = [await search(device, { generator, classifier: own, targets }), await search(device, said)];
  assert.deepEqual(suits.items[0].code, explicit.items[0].code);
  const other = await search(device, { generator, classifier: own, targets, iterations: 4 });
  assert.equal(other.iterations, 4);
  const { lrStart, iterations } = suitable({ rule: "adam" }, own); // the rates are another rule's
  assert.deepEqual([lrStart, iterations], [0.5, 3]);
});
