/**
 * Searches without a trained generator, and what pictures cost and how they are seen, against float64: gradients, searches of five
 * steps, and one step of each published method beside its rule.
 */
import assert from "node:assert/strict";
import { openDevice } from "../../src/gpu/device.ts";
import { Climb } from "../../src/synth/climb.ts";
import { type MethodName, methodNames, methods } from "../../src/synth/methods/table.ts";
import { type SearchOptions, settle } from "../../src/synth/options.ts";
import { normals } from "../../src/synth/random.ts";
import { search } from "../../src/synth/search.ts";
import type { Settings } from "../../src/synth/settings.ts";
import { prepare } from "../../src/synth/stages.ts";
import { viewsOf } from "../../src/synth/views.ts";
import { pretend } from "../gpu/pretend.ts";
import { assertClose } from "../reference/close.ts";
import * as steps from "../reference/image_steps.ts";
import * as makers from "../reference/makers.ts";
import { record, tapeGradients } from "../reference/network.ts";
import { tensor } from "../reference/tensor.ts";
import { warp } from "../reference/warp.ts";
import { boundOf, classifierNetwork, generatorNetwork, small } from "./small.ts";

const device = await openDevice();
const gpu = pretend(device, { software: false }, "buffer");
const { generator, classifier, weights } = small();

/** The classifier's pictures, and its numbers. */
const SHAPE = [3, 7, 7];
const format = { mean: [127.5, 127.5, 127.5], scale: 1 / 127.5 };

/** A unit of the last layer and one of a map: a sum over two layers. */
const TARGET = "out:3 - 0.5*conv:2@5,1";

const makerOf = {
  learned: makers.learned(generatorNetwork, weights[0], [7, 7]),
  pixels: makers.pixels(format, SHAPE),
  fourier: makers.fourier(format, SHAPE),
};

/** What a target and its costs come to at a code, and the gradient to it. */
function climbed(code: ArrayLike<number>, settings: Partial<Settings>, view: ArrayLike<number> = [1, 0, 0, 0]) {
  const maker = makerOf[settings.prior ?? "learned"];
  const picture = maker.picture(code);
  const edges = settings.edges ?? "mean";
  const look = { edges: edges === "wrap" ? "wrap" as const : "zero" as const };
  const from = [picture, tensor([1, 4], view)];
  const tape = record(classifierNetwork, weights[1], new Map([["data", warp.forward(from, look, {})]]));
  const [, conv, , , out] = tape.values;
  const dSeen = tensor(picture.shape);
  const at = (2 * 7 + 1) * 7 + 5;
  for (const [layer, features, index, weight] of [["out", out, 3, 1], ["conv", conv, at, -0.5]] as const) {
    const dy = tensor(features.shape);
    dy.data[index] = weight;
    // The name of a blob is its last value; before its ReLU it is the layer's own.
    const own = layer === "conv" ? { ...tape, names: new Map([...tape.names, ["conv", 1]]) } : tape;
    tapeGradients(own, layer, dy).inputs.get("data")!.data.forEach((slope, n) => dSeen.data[n] += slope);
  }
  const [dPicture] = warp.backward(from, dSeen, dSeen, look, {}).inputs;
  const { variation = 0, alphaNorm = 0, alpha = 6, centre = 0 } = settings;
  let whole = out.data[3] - 0.5 * conv.data[at];
  const costs = [[variation, steps.variation], [alphaNorm, steps.alphaNorm(alpha)], [centre, steps.centre]] as const;
  for (const [weight, cost] of costs) {
    const { value, slopes } = cost(picture.data, SHAPE); // the classifier's units are 127.5 levels
    whole -= weight * value;
    slopes.forEach((slope, n) => dPicture.data[n] -= weight * slope);
  }
  return { activation: out.data[3] - 0.5 * conv.data[at], whole, g: maker.back(code, dPicture) };
}

const codeOf = (prior: Settings["prior"], seed: number, noise: number): Float64Array => {
  const size = { learned: 20, pixels: 147, fourier: 2 * 7 * 3 * 4 }[prior];
  return Float64Array.from(normals(seed, size), (value) => Math.fround(noise * value));
};

/** Settings with each prior of a picture and each view, alone and all together. */
const everything = { variation: 3, alphaNorm: 2, centre: 4, jitter: 2, zoom: 0.2, rotation: 30 };
const cases: Partial<Settings>[] = [
  {},
  { variation: 3 },
  { alphaNorm: 2 },
  { alphaNorm: 2, alpha: 2 },
  { centre: 4 },
  { jitter: 3 },
  { jitter: 3, edges: "wrap" },
  { zoom: 0.3 },
  { rotation: 40 },
  everything,
  { ...everything, edges: "wrap" },
];
const titled = (settings: Partial<Settings>) =>
  Object.entries(settings).map(([name, value]) => `${name} ${value}`).join(", ");

for (const prior of ["learned", "pixels", "fourier"] as const) {
  Deno.test(`priors: ${prior}: values and gradients are float64's, and those the slopes of the values`, async () => {
    const noise = { learned: 1, pixels: 40, fourier: 0.3 }[prior];
    // Pixels are the cheapest to make; all that is linear between a picture and its code is in one case of the others.
    for (const [n, own] of (prior === "pixels" ? cases : cases.slice(-2)).entries()) {
      const settings = { prior, noise, iterations: 2, ...own };
      const targets = [3, 4].map((seed) => ({ target: TARGET, seed }));
      const stage = prepare({ generator, classifier, ...settings, targets });
      using climb = await Climb.create(device, stage.joined, settle(device, stage.joined, stage.options));
      climb.submit(1);
      const [trace, gradient] = [await climb.trace(1), await climb.gradient()];
      const size = gradient.length / 2;
      const views = viewsOf({ ...stage.options as Settings }, [3, 4]);
      targets.forEach(({ seed }, item) => {
        const code = codeOf(prior, seed, noise);
        const view = views.subarray(4 * item, 4 * item + 4);
        const { activation, g } = climbed(code, settings, view);
        const what = `${titled(settings)} ${item}`;
        assert.ok(Math.abs(trace[item] - activation) <= 1e-4 * Math.max(1, Math.abs(activation)), what);
        const own = { shape: [size], data: gradient.subarray(item * size, (item + 1) * size) };
        assertClose(what, own, tensor([size], g), 1e-4);
        // Of the reference's own gradient, a few values by finite differences.
        for (let k = n; k < size; k += Math.ceil(size / 3)) {
          const h = 1e-4 * noise;
          const moved = (by: number) => climbed(code.map((x, j) => j === k ? x + by : x), settings, view).whole;
          const slope = (moved(h) - moved(-h)) / (2 * h);
          const largest = Math.max(...g.map(Math.abs));
          assert.ok(Math.abs(slope - g[k]) <= 1e-4 * largest, `${what}: ${slope}, expected ${g[k]}`);
        }
      });
    }
  });
}

/** A picture's bounds: its levels less the mean. */
const within = (x: ArrayLike<number>) => Float64Array.from(x, (value) => Math.min(Math.max(value, -127.5), 127.5));

/** A search of five steps in float64, by the rule of the paper's program. */
function fiveSteps(seed: number, settings: Settings, views: Float32Array | undefined, items: number, item: number) {
  const { prior, lrStart, lrEnd, decay, blur, blurEvery, smallNorm, smallContribution, clip } = settings;
  let code = codeOf(prior, seed, settings.noise);
  let shown = code;
  for (let i = 0; i < 5; i++) {
    shown = code;
    const at = 4 * (i * items + item);
    const { g } = climbed(code, settings, views?.subarray(at, at + 4));
    code = steps.plus(code, steps.normalised(g), lrStart + (lrEnd - lrStart) * i / 5);
    if (prior === "learned") {
      const bound = boundOf(weights[0]);
      code = code.map((x, j) => decay * Math.min(Math.max(x, 0), bound[j]));
      continue;
    }
    code = code.map((x) => decay * x);
    if (blur > 0 && i % blurEvery === 0) code = steps.blurred(code, SHAPE, blur);
    if (smallNorm > 0) code = steps.withoutSmallNorms(code, SHAPE, smallNorm);
    if (smallContribution > 0) code = steps.withoutSmallContributions(code, g, SHAPE, smallContribution);
    if (prior === "pixels" && clip === "bounds") code = within(code);
  }
  return { code, shown };
}

/** Those of pixels alone: what is done to them after a step. */
const onPixels: Partial<Settings>[] = [
  { blur: 0.8 },
  { blur: 3, blurEvery: 2 },
  { smallNorm: 30, blur: 1e-200 }, // which blurs nothing
  { smallNorm: 50 }, // a rank itself, 24 of 48
  { smallContribution: 60 },
  { decay: 0.9, blur: 1, smallNorm: 20, smallContribution: 10 },
];

for (const [kind, own] of [["", device], [" on a GPU", gpu]] as const) {
  Deno.test(`priors${kind}: searches of five steps follow float64`, async () => {
    const all = [
      ...cases.map((one) => ({ prior: "pixels" as const, lrStart: 20, lrEnd: 5, noise: 40, ...one })),
      ...onPixels.map((one) => ({ prior: "pixels" as const, lrStart: 20, lrEnd: 5, noise: 40, ...one })),
      { prior: "learned" as const, ...everything },
      { prior: "fourier" as const, rule: "paper" as const, noise: 0.1, ...everything },
    ];
    for (
      const settings of kind === "" ? all : [{ prior: "pixels" as const, ...everything, ...onPixels[5] }]
    ) {
      const targets = [3, 4].map((seed) => ({ target: TARGET, seed }));
      const options = { generator, classifier, redirect: 0, iterations: 5, ...settings, targets };
      const decided = prepare(options).options as unknown as Settings;
      const { items } = await search(own, options);
      const views = viewsOf(decided, [3, 4]);
      items.forEach(({ code, next }, item) => {
        const expected = fiveSteps([3, 4][item], decided, views, 2, item);
        const shape = [code.length];
        const what = titled(settings);
        assertClose(`${what}: the picture's code`, { shape, data: code }, tensor(shape, expected.shown), 1e-3);
        assertClose(`${what}: the next code`, { shape, data: next }, tensor(shape, expected.code), 1e-3);
      });
    }
  });
}

/** One step of each published rule, from its code: as it is written, with the numbers that the methods' files give. */
const published: Record<Exclude<MethodName, "dgn-am">, (code: Float64Array, view: ArrayLike<number>) => Float64Array> =
  {
    // arg max S − λ |I|², from zero
    simonyan2013: (x) =>
      steps.plus(x, steps.normalised(climbed(x, { prior: "pixels", alphaNorm: 10, alpha: 2 }).g), 1.5),
    // x ← r(x + η g): decay, blur, and the range of the pixels
    yosinski2015(x) {
      const moved = steps.plus(x, steps.normalised(climbed(x, { prior: "pixels" }).g), 3).map((value) =>
        value * (1 - 0.0001)
      );
      return within(steps.blurred(moved, SHAPE, 1));
    },
    // μ ← 0.9 μ − η ∇E, x ← x + μ
    mahendran2015(x) {
      const { g } = climbed(x, { prior: "pixels", alphaNorm: 10, alpha: 6, variation: 100 });
      return steps.plus(x, steps.normalised(g), 0.5);
    },
    // rolled, stepped, rolled back, kept within the range
    deepdream2015: (x, view) =>
      within(steps.plus(x, steps.normalised(climbed(x, { prior: "pixels", edges: "wrap" }, view).g), 1.5)),
    nguyen2016: (x) =>
      within(steps.plus(x, steps.normalised(climbed(x, { prior: "pixels", variation: 100, centre: 10 }).g), 11)),
    // Adam's first step: its moments are the gradient's own
    fft(x, view) {
      const { g } = climbed(x, { prior: "fourier" }, view);
      return x.map((value, n) => value + 0.05 * g[n] / (Math.abs(g[n]) + 1e-8));
    },
  };

Deno.test("priors: one step of each method is the published rule's", async () => {
  assert.deepEqual(methodNames.filter((name) => name !== "dgn-am"), Object.keys(published)); // that one has tests of its own
  for (const [name, rule] of Object.entries(published)) {
    const preset: Partial<Settings> = methods[name as MethodName].settings(7);
    const options: SearchOptions = {
      ...{ classifier, ...preset, octaves: 1, redirect: 0, targets: [{ target: TARGET, seed: 3 }] },
    };
    const decided = prepare(options).options as unknown as Settings;
    const { items: [{ code, next }] } = await search(device, { ...options, iterations: 1 });
    const start = codeOf(decided.prior, 3, decided.noise);
    const shape = [code.length];
    assertClose(`${name}: start`, { shape, data: code }, tensor(shape, start), 1e-6);
    const moved = steps.plus(rule(start, viewsOf(decided, [3]).subarray(0, 4)), start, -1);
    // What the step itself comes to, beside what a float32 keeps of the code.
    assertClose(`${name}: step`, { shape, data: steps.plus(next, code, -1) }, tensor(shape, moved), 1e-4);
  }
});

Deno.test("priors: momentum keeps nine tenths of the step before, plain ascent goes along the gradient", async () => {
  const start = codeOf("pixels", 3, 40);
  const targets = [{ target: TARGET, seed: 3 }];
  const shape = [147];
  const options = { classifier, prior: "pixels", clip: "none", noise: 40, redirect: 0, targets } as const;
  const { items: [{ next }] } = await search(device, {
    ...options,
    rule: "momentum",
    iterations: 2,
    lrStart: 4,
    lrEnd: 4,
  });
  const first = steps.normalised(climbed(start, options).g).map((value) => 4 * value);
  const second = steps.plus(start, first);
  const m = steps.plus(first.map((value) => 0.9 * value), steps.normalised(climbed(second, options).g), 4);
  assertClose("momentum", { shape, data: next }, tensor(shape, steps.plus(second, m)), 1e-4);
  const { items: [plain] } = await search(device, { ...options, rule: "ascent", iterations: 1, lrStart: 5 });
  assertClose(
    "ascent",
    { shape, data: plain.next },
    tensor(shape, steps.plus(start, climbed(start, options).g, 5)),
    1e-4,
  );
});

Deno.test("priors: what does not fit is refused", async () => {
  const targets = [{ target: "out:1", seed: 0 }];
  const refused: [Partial<SearchOptions>, RegExp][] = [
    [{}, /a learned prior needs a generator; the priors pixels and fourier need none/],
    [{ generator, octaves: 2 }, /octaves are of pictures without a generator/],
    [{ generator, size: 9 }, /size is of pictures without a generator/],
    [{ generator, blur: 1 }, /blur is of codes that are maps, such as pixels; the code of small generator is \[20\]/],
    [
      { prior: "fourier", smallNorm: 10 },
      /--small-norm and --small-contribution are of pixels; the code of fourier 7×7 has none/,
    ],
    [{ prior: "pixels", size: 4000 }, /a picture of 4000×4000 has more than the 4194304 values/],
    [{ prior: "pixels", zoom: 1 }, /zoom is 1, expected a number from 0 to 0.9/],
  ];
  for (const [options, message] of refused) {
    await assert.rejects(search(device, { classifier, targets, ...options }), message);
  }
});
