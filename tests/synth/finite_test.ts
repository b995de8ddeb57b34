/** Searches that would come to NaN or infinity end in a sentence that says what led there, and leave no memory taken. */
import assert from "node:assert/strict";
import { UserError } from "../../src/formats/user_error.ts";
import { openDevice } from "../../src/gpu/device.ts";
import { Net } from "../../src/net/net.ts";
import { search, type SearchOptions } from "../../src/mod.ts";
import { randomWeights } from "../cases/case.ts";
import { caseModel } from "../net/case_model.ts";
import type { Network } from "../reference/network.ts";
import { tensor } from "../reference/tensor.ts";

const device = await openDevice();
const image = { order: "RGB", mean: [0, 0, 0], scale: 1 };
const layer = (name: string, type: string, input: string, more: object) => ({ name, type, input, ...more });
const generator = {
  name: "painter",
  inputs: [{ name: "code", shape: [4] }],
  image,
  layers: [layer("fc", "fc", "code", { channels: 12 }), layer("picture", "reshape", "fc", { shape: [3, 2, 2] })],
} as unknown as Network;
const classifier = {
  name: "critic",
  inputs: [{ name: "data", shape: [3, 2, 2] }],
  image,
  layers: [layer("out", "fc", "data", { channels: 2 })],
} as unknown as Network;

/** A model whose weights of this name are all `value`. */
function model(network: Network, name?: string, value = 0) {
  const weights = randomWeights(network);
  const found = name === undefined ? undefined : weights.get(name);
  if (found) weights.set(name!, tensor(found.shape, found.data.map(() => value)));
  return caseModel({ network, weights });
}

/** Searches; what is said takes the place of models with plain weights. */
const run = (options: Partial<SearchOptions>) =>
  search(device, {
    generator: model(generator),
    classifier: model(classifier),
    targets: [{ units: [1], seed: 0 }],
    iterations: 3,
    ...options,
  });

const cases: [name: string, options: Partial<SearchOptions>, message: RegExp][] = [
  ["an infinite step", { lrStart: Infinity }, /^lrStart is Infinity, expected a number from 0 to 1000000$/],
  ["no step", { lrEnd: NaN }, /^lrEnd is NaN, expected/],
  ["codes that grow", { decay: 99 }, /^decay is 99, expected a number from 0 to 1$/],
  ["an endless search", { iterations: 1e9 }, /^iterations is 1000000000, expected a whole number from 1 to 1000000$/],
  ["an infinite balance", { gamma: 1e300 }, /^gamma is 1e\+300, expected/],
  [
    "weights of a classifier",
    { classifier: model(classifier, "out.weight", 3e38) },
    /^critic's out is -?(NaN|Infinity) at the start: values on the way leave float32's range/,
  ],
  [
    "weights of a generator",
    { generator: model(generator, "fc.weight", 3e38) },
    /^critic's out is -?(NaN|Infinity) at the start: .* are weights of painter or critic, or the code, too large\?$/,
  ],
  [
    "a code",
    {
      targets: [{ units: [1], seed: 0, code: new Float32Array(4).fill(3e38) }],
      generator: model(generator, "fc.weight", 9),
    },
    /^critic's out is -?(NaN|Infinity) at the start/,
  ],
  [
    "a factor of the target",
    { targets: [{ target: "3e38*out:1 + 3e38*out:0", seed: 0, code: new Float32Array(4).fill(99) }] },
    /^the target, a sum over critic's out is -?(NaN|Infinity) at the start: .* are factors of the target \(up to 3e\+38\) or weights/,
  ],
  [
    "the gradient of a factor",
    { targets: [{ target: "3e38*norm(out)", seed: 0, code: new Float32Array(4) }] },
    /are factors of the target \(up to 3e\+38\) or weights (of painter|too large\?)/,
  ],
  [
    "steps",
    { generator: model(generator, "fc.weight", 1e32), lrStart: 1e6, lrEnd: 1e6 },
    /^critic's out is -?(NaN|Infinity) after [12] of 3 iterations: .* from --lr-start 1000000 to --lr-end 1000000 may be/,
  ],
  [
    "a gradient",
    { generator: model(generator, "fc.weight", 3e38), targets: [{ units: [1], seed: 0, code: new Float32Array(4) }] },
    /^the gradient of critic's out to the code of painter is beyond float32 \(.*\), so no step can be made/,
  ],
];

for (const [name, options, message] of cases) {
  Deno.test(`not finite: ${name}`, async () => {
    const before = device.memory;
    await assert.rejects(run(options), (error) => {
      assert.ok(error instanceof UserError, (error as Error).stack);
      assert.match(error.message, message);
      return true;
    });
    assert.equal(device.memory, before);
  });
}

Deno.test("disposing twice changes nothing", async () => {
  const before = device.memory;
  const kept = await Net.create(device, model(classifier));
  const withOne = device.memory;
  const net = await Net.create(device, model(generator), { batch: 3 });
  for (let time = 0; time < 3; time++) {
    net[Symbol.dispose]();
    assert.equal(device.memory, withOne);
  }
  assert.equal((await kept.forward(new Float32Array(12))).length, 2);
  kept[Symbol.dispose]();
  assert.equal(device.memory, before);
  const closed = await openDevice();
  for (let time = 0; time < 2; time++) closed[Symbol.dispose]();
});
