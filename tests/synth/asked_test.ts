/** What cannot be asked of a search or a net is refused in one sentence, before anything is computed. */
import assert from "node:assert/strict";
import { loadModel, Net, openDevice, rank, search, type SearchOptions, tune } from "../../src/mod.ts";
import { small } from "./small.ts";

const device = await openDevice();
const { generator, classifier } = small();

// deno-lint-ignore no-explicit-any -- what scripts may say, which have no types
type Anything = any;

const refuses = (doing: Promise<unknown>, message: string | RegExp) =>
  assert.rejects(doing, { name: "UserError", message });

Deno.test("what cannot be asked of a search", async () => {
  const asked: SearchOptions = { generator, classifier, targets: [{ units: [1], seed: 1 }], iterations: 2 };
  const cases: [Anything, string | RegExp][] = [
    [{ every: 0 }, "every is 0, expected a whole number ≥ 1"],
    [{ every: -1 }, "every is -1, expected a whole number ≥ 1"],
    [{ every: NaN }, "every is NaN, expected a whole number ≥ 1"],
    [{ saveMs: NaN }, "saveMs is NaN, expected milliseconds of at least 0"],
    [{ saveMs: -1 }, "saveMs is -1, expected milliseconds of at least 0"],
    [{ windowSize: 0 }, "windowSize is 0, expected a whole number ≥ 1"],
    [{ shuffles: 0.5 }, "shuffles is 0.5, expected a whole number ≥ 0"],
    [{ itertions: 3 }, /^a search has no option "itertions", expected generator, .*iterations, /],
    [{ targets: undefined }, "targets are undefined, expected a list of them"],
    [{ layer: 7 }, "layer is 7, expected its name"],
    [{ weights: "q4" }, 'weights is "q4", expected stored or f32 or f16 or i8'],
    [{ arithmetic: "bf16" }, 'arithmetic is "bf16", expected f32 or f16'],
    [{ classifier: undefined }, "classifier is undefined, expected a model such as fetchModel and loadModel give"],
    [{ generator: "deepsim64" }, 'generator is "deepsim64", expected a model such as fetchModel and loadModel give'],
  ];
  for (const [more, message] of cases) await refuses(search(device, { ...asked, ...more }), message);
  const targets: [Anything, string][] = [
    ...[-1, 1.5, NaN, 2 ** 32, undefined].map((seed): [Anything, string] => [
      { units: [1], seed },
      `a target's seed is ${seed}, expected a whole number from 0 to 4294967295`,
    ]),
    [{ units: [1], seed: "3" }, 'a target\'s seed is "3", expected a whole number from 0 to 4294967295'],
    [{ units: [1], target: "out:2", seed: 1 }, "a target has units and a sum of terms, expected one"],
    [{ units: 3, seed: 1 }, "a target's units are 3, expected a list of numbers"],
    [{ unit: 3, seed: 1 }, 'a target has no option "unit", expected units, target, seed, xy, code'],
    [945, "a target is 945, expected its units and its seed"],
  ];
  for (const [target, message] of targets) await refuses(search(device, { ...asked, targets: [target] }), message);
  await refuses(search(device, undefined as Anything), "a search is asked for undefined, expected its options");
  assert.equal(device.memory, 0);
});

Deno.test("what cannot be asked of a net", async () => {
  const make = (options: Anything) => Net.create(device, classifier, options);
  const cases: [Anything, string | RegExp][] = [
    [{ weights: "q4" }, 'weights is "q4", expected stored or f32 or f16 or i8'],
    [{ arithmetic: "bf16" }, 'arithmetic is "bf16", expected f32 or f16'],
    [{ batch: 1.5 }, "batch is 1.5, expected a whole number ≥ 1"],
    [{ values: [] }, "values is empty, expected the name of a layer or more"],
    [{ spots: -1, gradient: true }, "spots is -1, expected a whole number ≥ 1"],
    [{ spots: 1 }, "spots: the net is made without gradient, which these are of"],
    [{ bacth: 2 }, /^a net has no option "bacth", expected batch, /],
    [{ weightGradients: true }, "weightGradients: the net is made without gradient, which these are of"],
  ];
  for (const [options, message] of cases) await refuses(make(options), message);
  await refuses(
    Net.create(device, {} as Anything),
    "the model is an Object, expected a model such as fetchModel and loadModel give",
  );
  const net = await make({ gradient: true, weightGradients: true });
  const x = new Float32Array(3 * 7 * 7);
  const inputs: [Anything, string][] = [
    [undefined, "147 values, got none"],
    [[1, 2], "a Float32Array of 147 values, got an Array"],
    [{}, "147 values, got none"],
    [Float64Array.from(x), "a Float32Array of 147 values, got a Float64Array"],
    [x.subarray(1), "147 values, got 146"],
  ];
  for (const [input, expected] of inputs) await refuses(net.forward(input), `input "data": expected ${expected}`);
  await refuses(net.forward({ data: x, mask: x }), 'there is no input "mask"; the inputs are data');
  await refuses(net.gradient(x, "1" as Anything), 'unit "1" is not in "out", which has units 0 to 4');
  await refuses(net.backward(x, [1] as Anything), "dy: expected a Float32Array of 5 values, got an Array");
  await refuses(net.weightGradients(), "there are no weight gradients before the first backward");
  await net.gradient(x, 1);
  assert.equal((await net.weightGradients()).size, 4);
  net[Symbol.dispose]();
  for (const doing of [net.forward(x), net.gradient(x, 1), net.weightGradients()]) {
    await refuses(doing, "the net was freed");
  }
  assert.equal(device.memory, 0);
});

Deno.test("what cannot be asked of a tune and a ranking, and what is no file of a model", async () => {
  const cases: [Anything, Anything, Anything, string | RegExp][] = [
    [{}, new Map(), {}, "model is undefined, expected a model such as fetchModel and loadModel give"],
    [{ generator }, new Map(), {}, "classifier is undefined, expected a model such as fetchModel and loadModel give"],
    [{ model: classifier }, undefined, {}, "ways are undefined, expected those of loadWays, or an empty Map"],
    [{ model: classifier }, new Map(), { weights: "q4" }, 'weights is "q4", expected stored or f32 or f16 or i8'],
    [{ model: classifier }, new Map(), { batch: 0 }, "batch is 0, expected a whole number ≥ 1"],
    [{ model: classifier }, new Map(), { bacth: 1 }, /^tune has no option "bacth", expected batch, /],
  ];
  for (const [what, ways, options, message] of cases) await refuses(tune(device, what, ways, options), message);
  assert.throws(() => rank(classifier, new Float32Array(3), 3), {
    name: "UserError",
    message: "small classifier's output: expected 5 values, got 3",
  });
  const text = loadModel((() => Promise.resolve("{}")) as Anything, "here");
  await refuses(text, 'here/network.json: expected its bytes, a Uint8Array, got "{}"');
});
