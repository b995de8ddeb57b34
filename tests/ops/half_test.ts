/**
 * Sums in f16: on a GPU's tiles and in its buffers, what becomes of values beyond the range, and that gradients stay as they
 * are. ways_test.ts compares every way with float64.
 */
import assert from "node:assert/strict";
import { openDevice } from "../../src/gpu/device.ts";
import { Net, type NetOptions } from "../../src/net/net.ts";
import { allCases } from "../cases/all.ts";
import { type Case, caseNetwork } from "../cases/case.ts";
import { narrowed } from "../cases/narrow.ts";
import { pretend } from "../gpu/pretend.ts";
import { caseInputs, caseModel } from "../net/case_model.ts";
import { map } from "../reference/tensor.ts";
import { comparison } from "./check_case.ts";
import { HALF_TOLERANCE } from "./check_ways.ts";

const device = await openDevice();
const gpu = pretend(device, { software: false }, "buffer");
const ignore = !device.caps.features.includes("shader-f16");
const half: NetOptions = { arithmetic: "f16" };

const caseOf = (type: string, name: string): Case =>
  allCases.find((testCase) => testCase.type === type && testCase.name === name)!;

for (
  const testCase of [
    caseOf("conv2d", "odd everything"),
    caseOf("conv2d", "caffenet64 conv2"),
    caseOf("conv2d", "groups, dilation and stride"),
    caseOf("deconv2d", "odd everything"),
    caseOf("fc", "batch 20"),
  ]
) {
  for (const weights of ["f32", "f16", "i8"] as const) {
    const name = `f16 as on a GPU, weights in ${weights}: ${testCase.type}: ${testCase.name}`;
    Deno.test({
      name,
      ignore,
      async fn() {
        const compare = comparison(weights === "f32" ? caseNetwork(testCase) : narrowed(testCase, weights));
        await compare(gpu, { ...half, weights }, { tolerance: HALF_TOLERANCE });
      },
    });
  }
}

Deno.test({
  name: "f16: weights in f16 that several bindings hold",
  ignore,
  async fn() {
    // 1000 weights are 125 texels; a binding shows 64.
    const testCase = { ...caseOf("fc", "batch 20"), inputs: [[2, 40]], params: { channels: 25 } };
    const small = pretend(device, { maxBinding: 64 * 16 }, "buffer");
    await comparison(narrowed(testCase, "f16"))(small, { ...half, weights: "f16" }, { tolerance: HALF_TOLERANCE });
  },
});

/** A net of the case whose input and weights are multiplied by factors. */
async function scaled(testCase: Case, [ofInput, ofWeights]: number[], options: NetOptions) {
  const { network, weights, inputs } = caseNetwork(testCase);
  const times = (factor: number) => (value: number) => factor * value;
  const own = new Map([...weights].map(([name, w]) => [name, map(w, times(ofWeights))]));
  using net = await Net.create(device, caseModel({ network, weights: own }), {
    ...options,
    batch: testCase.inputs[0][0],
    gradient: true,
  });
  const input = caseInputs(new Map([...inputs].map(([name, x]) => [name, map(x, times(ofInput))])));
  return await net.gradient(input, 0);
}

const finite = (values: Float32Array) => values.every(Number.isFinite);
const largest = (values: Float32Array) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

Deno.test({
  name: "f16: what leaves the range is no number, and never a wrong one",
  ignore,
  async fn() {
    const testCase = caseOf("fc", "batch 3");
    const near = async (factors: number[], options: NetOptions = {}) => {
      const exact = (await scaled(testCase, factors, options)).output;
      const { output } = await scaled(testCase, factors, { ...half, ...options });
      if (!finite(output)) return false;
      const off = largest(output.map((value, n) => value - exact[n]));
      assert.ok(off <= HALF_TOLERANCE * largest(exact), `${factors}: off by ${off} of ${largest(exact)}`);
      return true;
    };
    assert.equal(await near([1e3, 1]), true);
    assert.equal(await near([1e5, 1]), false); // the input
    assert.equal(await near([1, 1e6]), false); // the weights
    assert.equal(await near([1e3, 1e3]), false); // their products
    assert.equal(await near([1e3, 1e3], { weights: "i8" }), true); // integers and a scale
  },
});

Deno.test({
  name: "f16: gradients are the very numbers that they are without, however small",
  ignore,
  async fn() {
    for (const type of ["deconv2d", "fc"]) {
      // The network is linear: its gradient is of the weights alone.
      const testCase = allCases.find((one) => one.type === type && /batch 3/.test(one.name))!;
      const plain = await scaled(testCase, [1, 1e-12], { weights: "f32", optimise: false });
      const { gradient } = await scaled(testCase, [1, 1e-12], { ...half, weights: "f32", optimise: false });
      assert.ok(largest(gradient) > 1e-14 && largest(gradient) < 1e-10);
      assert.deepEqual(gradient, plain.gradient);
    }
  },
});

Deno.test("f16 where there is none, or beside double-float arithmetic, is one sentence", async () => {
  const { network, weights } = caseNetwork(caseOf("fc", "batch 3"));
  const model = caseModel({ network, weights });
  await assert.rejects(Net.create(pretend(device, { features: [] }), model, half), {
    name: "UserError",
    message: `${device.name} cannot compute in f16: it does not have WebGPU's shader-f16`,
  });
  await assert.rejects(Net.create(device, model, { ...half, doubleFloat: true }), {
    name: "UserError",
    message: "arithmetic in f16 and in two floats a value exclude each other",
  });
});
