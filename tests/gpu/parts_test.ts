/** Tensors larger than one binding and dispatches longer than one dimension: cut up, and nobody notices. */
import assert from "node:assert/strict";
import { openDevice } from "../../src/gpu/device.ts";
import { compile, encode, groupSize, write } from "../../src/gpu/kernel.ts";
import { download, place, ROW, run, TEXEL, upload } from "../../src/gpu/tensor.ts";
import { Net } from "../../src/net/net.ts";
import { elementwiseCall } from "../../src/ops/calls.ts";
import { type Case, outputGradient } from "../cases/case.ts";
import { smallNetworks } from "../cases/small_networks.ts";
import { caseInputs, caseModel } from "../net/case_model.ts";
import { checkCase } from "../ops/check_case.ts";
import { assertClose } from "../reference/close.ts";
import { gradient, runNetwork } from "../reference/network.ts";
import { tensor } from "../reference/tensor.ts";
import { openVariant, spy } from "./variants.ts";

/** The smallest parts that both storages allow. */
const inParts = { maxBinding: ROW * TEXEL, maxTexture: 1 };

// The op's own tolerances, those of tests/cases.
const cases: Case[] = [
  row("relu", [[1, 4, 64, 32]], {}, 1e-6, "two full parts"),
  row("relu", [[1, 4, 683, 3]], {}, 1e-6, "one texel in the third part"),
  row("conv2d", [[1, 16, 24, 24]], { channels: 40, kernel: 3, stride: 2, padding: 1 }, 1e-5),
  row("deconv2d", [[1, 40, 12, 12]], { channels: 16, kernel: 3, stride: 2, padding: 1, outputPadding: 1 }, 1e-5),
  row("fc", [[2, 5, 40, 30]], { channels: 3 }, 1e-5),
  row("maxpool", [[3, 6, 31, 33]], { kernel: 3, stride: 2 }, 1e-6),
  row("avgpool", [[3, 6, 31, 33]], { kernel: 3, stride: 2, padding: 1 }, 1e-5),
  row("lrn", [[1, 13, 25, 23]], { size: 5, alpha: 0.1 }, 1e-5),
  row("concat", [[1, 5, 25, 23], [1, 3, 25, 23], [1, 7, 25, 23]], {}, 1e-6),
  row("softmax", [[2, 5001]], {}, 1e-5),
];

function row(type: string, inputs: number[][], params: Record<string, unknown>, tolerance: number, name = "parts") {
  return { name, type, inputs, params, tolerance };
}

for (const storage of ["buffer", "texture"] as const) {
  const device = await openVariant(inParts, storage);

  for (const testCase of cases) {
    Deno.test(`${storage} in parts: ${testCase.type}, ${testCase.name}`, async () => {
      using watch = spy();
      await checkCase(device, testCase);
      assert.ok(watch.made.some(({ label }) => label?.endsWith("(part 2)")), "no tensor was cut");
    });
  }

  Deno.test(`${storage} in parts: a network`, async () => {
    const { network, weights, inputs, tolerance } = smallNetworks.find(({ network }) => network.name === "branches")!;
    const [[name, { shape, data }]] = inputs;
    const x = tensor([2 * shape[0], ...shape.slice(1)], [...data, ...data]), twice = new Map([[name, x]]);
    const output = network.layers.at(-1)!.name, y = runNetwork(network, weights, twice).get(output)!;
    const dy = outputGradient(network, y), dx = gradient(network, weights, twice, output, dy).get(name)!;
    using watch = spy();
    using net = await Net.create(device, caseModel({ network, weights }), { batch: x.shape[0], gradient: true });
    assert.ok(watch.made.some(({ label }) => label?.endsWith("(part 3)")), "no tensor was cut");
    const result = await net.backward(caseInputs(twice), Float32Array.from(dy.data));
    assertClose("output", { shape: y.shape, data: result.output }, y, tolerance);
    assertClose("gradient", { shape: dx.shape, data: result.gradient }, dx, tolerance);
  });
}

const narrow = await openVariant({ maxGroups: 3 });
for (const testCase of cases) {
  Deno.test(`three workgroups a row: ${testCase.type}, ${testCase.name}`, () => checkCase(narrow, testCase));
}

Deno.test("one workgroup more than a dimension of a dispatch has", async () => {
  using device = await openDevice();
  const texels = groupSize(device) * device.caps.maxGroups + 1,
    numbers = Float32Array.from({ length: 4 * texels }, (_, i) => i);
  const x = place(device, run("x", texels, device.storage)), y = place(device, run("y", texels, device.storage));
  upload(device, x, new Uint8Array(numbers.buffer));
  const step = await compile(device, elementwiseCall("minus", { x }, write(y), "-x"));
  assert.deepEqual(step.grid, [device.caps.maxGroups, 2]);
  const encoder = device.gpu.createCommandEncoder(), pass = encoder.beginComputePass();
  encode(pass, [step]);
  pass.end();
  device.gpu.queue.submit([encoder.finish()]);
  const result = new Float32Array((await download(device, y)).buffer);
  assert.equal(result.findIndex((value, i) => value !== -numbers[i]), -1);
});
