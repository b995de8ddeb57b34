/**
 * Winograd's filtering, in both directions of every convolution of the case tables that it can make, against float64,
 * where no plan would choose it too; and that plans choose it where many tiles share the weights.
 */
import assert from "node:assert/strict";
import { type Device, openDevice } from "../../src/gpu/device.ts";
import { Net, type NetOptions } from "../../src/net/net.ts";
import { packWinograd, winogradCalls } from "../../src/ops/winograd.ts";
import { winogradFits } from "../../shaders/conv/winograd_filter.ts";
import { allCases } from "../cases/all.ts";
import { randomWeights } from "../cases/case.ts";
import { pretend } from "../gpu/pretend.ts";
import { caseModel } from "../net/case_model.ts";
import { normal, randomTensor } from "../reference/random.ts";
import { tensor } from "../reference/tensor.ts";
import { checkNetwork } from "./check_case.ts";
import { checkConvolution } from "./check_convolution.ts";

const device = await openDevice();

/** The cases that the filters' description says they can make. */
const fitting = allCases.filter(({ type, inputs: [[, c]], params }) => {
  const { channels, groups = 1, kernel, stride = 1, dilation = 1, padding = 0 } = params as unknown as Record<
    string,
    number
  >;
  const plain = kernel === 3 && stride === 1, doubling = kernel === 4 && stride === 2 && padding === 1 && groups === 1;
  return ["conv2d", "deconv2d"].includes(type) && dilation === 1 && (plain || doubling) &&
    [c, channels].every((n) => n / groups % 4 === 0);
});

for (const testCase of fitting) {
  Deno.test(`winograd: ${testCase.type}: ${testCase.name}`, () =>
    checkConvolution(device, testCase, {
      pack(_, host, geometry) {
        assert.ok(winogradFits(geometry));
        return packWinograd(geometry, host);
      },
      calls: (node, geometry, direction, x, y) => winogradCalls(node, geometry, direction, x, y, false),
    }));
}

const layers = [
  { name: "first", type: "conv2d", input: "x0", channels: 128, kernel: 3, padding: 1 },
  { name: "relu", type: "relu", input: "first" },
  { name: "second", type: "conv2d", input: "relu", channels: 64, kernel: 3, padding: 1, bias: false },
];

Deno.test("a plan for many tiles goes through them, forward and backward, with what is fused into the kernels", async () => {
  const cpu = pretend(device, { software: true });
  const network = { name: "convolutions over tiles", inputs: [{ name: "x0", shape: [64, 12, 12] }], layers };
  const weights = randomWeights(network), model = caseModel({ network, weights });
  const dispatches = async (device: Device, options: NetOptions) => {
    using net = await Net.create(device, model, options);
    return net.dispatches;
  };
  assert.equal(await dispatches(cpu, { batch: 8 }), 6);
  assert.equal(await dispatches(cpu, { batch: 8, gradient: true }), 12);
  assert.equal(await dispatches(cpu, { batch: 8, weights: "f16" }), 2);
  assert.equal(await dispatches(pretend(device, { software: false }), { batch: 8 }), 2);
  const changing = await dispatches(cpu, { batch: 8, gradient: true, weightGradients: true });
  assert.equal(
    changing,
    await dispatches(pretend(device, { software: false }), { batch: 8, gradient: true, weightGradients: true }),
  );

  const inputs = new Map([["x0", randomTensor([8, 64, 12, 12], normal("convolutions over tiles"))]]);
  // Every channel stays on one side of zero: no rounding can take a value across the ReLU's kink.
  weights.set("first.bias", tensor([128], Float64Array.from({ length: 128 }, (_, n) => n % 2 ? 9 : -9)));
  await checkNetwork(cpu, { network, weights, inputs, tolerance: 1e-5 }, { weights: "f32" });
});
