/**
 * Weights narrowed to f16 and i8 on the GPU, against float64 over the same narrowed numbers: unpacking costs no accuracy,
 * so the cases' own tolerances hold. And what a file stores narrow stays so.
 */
import assert from "node:assert/strict";
import { fromFloat32, type StoredTensor } from "../../src/formats/safetensors.ts";
import { type Device, openDevice } from "../../src/gpu/device.ts";
import { Net } from "../../src/net/net.ts";
import { quantise } from "../../src/ops/conv/weights.ts";
import { allCases } from "../cases/all.ts";
import { type Case, caseNetwork } from "../cases/case.ts";
import { caseInputs, caseModel } from "../net/case_model.ts";
import { map } from "../reference/tensor.ts";
import { type Narrow, narrowed } from "../cases/narrow.ts";
import { pretend } from "../gpu/pretend.ts";
import { checkNetwork } from "./check_case.ts";

// As a GPU would, whose small tiles compile fast; a few cases of each kind as this adapter would.
const own = await openDevice();
const gpu = pretend(own, { software: false }, "buffer");

const layers = allCases.filter(({ type }) => ["conv2d", "deconv2d", "fc", "lstm"].includes(type));
/** Groups, odd sizes, strides, batches and long sums; real layers have many weights and nothing else new. */
const awkward = (name: string) => /group|depthwise|odd|stride|batch|dilation|products|one |70,0/.test(name);
const few = (name: string) => /groups, dilation|batch 3|odd/.test(name);

function check(device: Device, testCase: Case, format: Narrow) {
  Deno.test(`${device.storage}, weights in ${format}, ${testCase.type}: ${testCase.name}`, async () => {
    await checkNetwork(device, narrowed(testCase, format), { weights: format });
  });
}

for (const format of ["f16", "i8"] as const) {
  const most = format === "i8" ? awkward : few; // only i8 has scales that must find their rows
  for (const testCase of layers.filter(({ name }) => most(name))) check(gpu, testCase, format);
  for (const testCase of layers.filter(({ name }) => few(name))) check(own, testCase, format);
}

Deno.test("an integer is the nearest to its weight, and a row of zeros stays zeros", () => {
  const values = Float32Array.from({ length: 3 * 50 }, (_, i) => i < 50 ? Math.sin(i) : i < 100 ? 0 : 1e-3 * (i - 120));
  const { integers, scales } = quantise(values, 3);
  assert.deepEqual([...integers.subarray(50, 100)], Array(50).fill(0));
  values.forEach((value, i) => {
    const scale = scales[Math.floor(i / 50)];
    assert.ok(Math.abs(value - integers[i] * scale) <= scale * 0.5001, `value ${i}: ${value}`);
  });
});

Deno.test("a weight that f16 cannot hold is refused by the layer's name", async () => {
  const { network, weights } = caseNetwork(layers.find(({ type, name }) => type === "fc" && /batch 3/.test(name))!);
  const huge = map(weights.get("layer.weight")!, (value, i) => i === 5 ? 65520 : value);
  const model = caseModel({ network, weights: new Map(weights).set("layer.weight", huge) });
  const before = own.memory;
  await assert.rejects(
    Net.create(own, model, { weights: "f16" }),
    /^UserError: layer "layer": a weight is larger than f16/,
  );
  assert.equal(own.memory, before);
  using _ = await Net.create(own, model, { weights: "f32" });
});

for (const type of ["conv2d", "deconv2d", "fc"]) {
  Deno.test(`${type}: weights narrow in the file are as narrow on the GPU, and the same`, async () => {
    const testCase = layers.find((other) => other.type === type && /batch 3/.test(other.name))!;
    for (const format of ["f16", "i8"] as const) {
      const { network, weights, inputs } = narrowed(testCase, format);
      const model = caseModel({ network, weights });
      const options = { batch: 3, weights: format };
      const weight = weights.get("layer.weight")!;
      const { integers, scales } = quantise(Float32Array.from(weight.data), weight.shape[0]);
      const stored: [string, StoredTensor][] = format === "f16"
        ? [["layer.weight", fromFloat32(weight.data, "F16", weight.shape)]]
        : [
          ["layer.weight", { dtype: "I8", shape: weight.shape, bytes: new Uint8Array(integers.buffer) }],
          ["layer.weight.scale", fromFloat32(scales, "F32", [scales.length])],
        ];
      const file = { ...model, weights: new Map([...model.weights, ...stored]) };
      using asked = await Net.create(own, model, options);
      using found = await Net.create(own, file, { batch: 3 });
      assert.equal(found.memory.weights, asked.memory.weights);
      assert.deepEqual(await found.forward(caseInputs(inputs)), await asked.forward(caseInputs(inputs)));
    }
  });
}
