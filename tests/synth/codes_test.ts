/**
 * Codes of every kind, in searches of five steps beside float64: maps like pool5 and conv3, values that may be negative with bounds
 * below, one lowest value for all, and no bounds.
 */
import assert from "node:assert/strict";
import { openDevice } from "../../src/gpu/device.ts";
import { normals } from "../../src/synth/random.ts";
import { search, type SearchItem } from "../../src/synth/search.ts";
import type { Settings } from "../../src/synth/settings.ts";
import { pretend } from "../gpu/pretend.ts";
import { randomWeights } from "../cases/case.ts";
import { caseModel } from "../net/case_model.ts";
import { assertClose } from "../reference/close.ts";
import type { Network } from "../reference/network.ts";
import { paperSearch } from "../reference/search.ts";
import { tensor } from "../reference/tensor.ts";
import { classifierNetwork, generatorNetwork, small } from "./small.ts";

const device = await openDevice();
const gpu = pretend(device, { software: false }, "buffer");
const { classifier, weights: [, classifierWeights] } = small();

/** Generators of 10 × 10 pictures from maps, as those of convolutional layers are, and the one from a vector. */
const networks: Record<string, Network> = {
  pool5: {
    ...generatorNetwork,
    inputs: [{ name: "code", shape: [6, 5, 5] }],
    layers: [
      { name: "conv", type: "conv2d", input: "code", channels: 5, kernel: 3, padding: 1 },
      { name: "conv_relu", type: "relu", input: "conv", output: "conv", slope: 0.3 },
      { name: "picture", type: "deconv2d", input: "conv", channels: 3, kernel: 4, stride: 2, padding: 1 },
    ],
  } as Network,
  conv3: {
    ...generatorNetwork,
    inputs: [{ name: "code", shape: [9, 10, 10] }],
    layers: [{ name: "picture", type: "conv2d", input: "code", channels: 3, kernel: 3, padding: 1 }],
  } as Network,
  fc6: generatorNetwork,
};

/** Each code, what its model says of it, and the settings. */
const cases: [code: string, signed: boolean, settings: Partial<Pick<Settings, "lowest" | "clip" | "sigmas">>][] = [
  ["pool5", false, {}],
  ["pool5", true, {}],
  ["conv3", true, {}],
  ["conv3", false, { lowest: -0.25 }],
  ["fc6", true, {}],
  ["fc6", false, { lowest: -1 }],
  ["fc6", true, { sigmas: 0.25 }],
  ["fc6", true, { clip: "none" }],
];

for (const [code, signed, settings] of cases) {
  const title = `${signed ? "with a sign" : "without"} ${Object.entries(settings).flat().join(" ")}`.trim();
  Deno.test(`codes: ${code} ${title}: five steps are float64's`, async () => {
    const network = { ...networks[code], code: { layer: "features", sigmas: 1.5, signed } } as Network;
    const { shape } = network.inputs[0];
    const size = shape.reduce((a, b) => a * b, 1);
    const weights = randomWeights(network);
    weights.set("code.mean", tensor([size], normals(1, size).map((value) => 0.2 + 0.1 * value)));
    weights.set("code.std", tensor([size], normals(2, size).map((value) => 0.3 + Math.abs(value))));
    const generator = caseModel({ network, weights });
    const bound = (sigmas: number) =>
      Array.from(
        { length: size },
        (_, n) => weights.get("code.mean")!.data[n] + sigmas * weights.get("code.std")!.data[n],
      );
    const [seed, iterations] = [5, 5];
    const { sigmas = 1.5 } = settings;
    const expected = paperSearch({
      generator: { network, weights },
      classifier: { network: classifierNetwork, weights: classifierWeights },
      ...{ layer: "out", units: [2], iterations, decay: 0.99, learningRate: { start: 2, end: 1e-10 } },
      code: tensor([1, ...shape], normals(seed, size)),
      bounds: settings.clip === "none" ? undefined : bound(sigmas),
      lowest: signed ? bound(-sigmas) : Array(size).fill(settings.lowest ?? 0),
    });
    for (const own of code === "conv3" ? [device] : [device, gpu]) {
      const options = { generator, classifier, iterations, lrStart: 2, redirect: 0, ...settings };
      const { items: [{ next }] } = await search(own, { ...options, layer: "out", targets: [{ units: [2], seed }] });
      assertClose("code", { shape: [1, ...shape], data: next }, expected.code, 1e-3);
      assertBounded(next, signed, settings);
    }
  });
}

/** Makes sure that a case is about what it says: some values are below zero, or at their lowest. */
function assertBounded(
  next: SearchItem["next"],
  signed: boolean,
  { lowest = 0, clip }: { lowest?: number; clip?: string },
): void {
  const least = Math.min(...next);
  if (signed || clip === "none") assert.ok(least < 0, `${least}`);
  else assert.ok(Math.abs(least - 0.99 * lowest) < 1e-6, `${least}`);
}
