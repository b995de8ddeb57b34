/**
 * Compensated sums: every value of a convolution or fully connected layer is the exact one rounded, in the tiles that plans
 * choose and in tiles that share columns, with weights in every format, and where products cancel.
 */
import assert from "node:assert/strict";
import { openDevice } from "../../src/gpu/device.ts";
import { convCall } from "../../src/ops/convolution.ts";
import { allCases } from "../cases/all.ts";
import { caseNetwork } from "../cases/case.ts";
import { normal, randomTensor } from "../reference/random.ts";
import { map, tensor } from "../reference/tensor.ts";
import { checkNetwork } from "./check_case.ts";
import { checkCompensated, compensatedCases, compensatedTypes, layerValues } from "./check_compensated.ts";
import { checkConvolution, convolutions } from "./check_convolution.ts";

const device = await openDevice();

for (const testCase of compensatedCases) {
  Deno.test(`compensated: ${testCase.type}: ${testCase.name}`, () => checkCompensated(device, testCase));
}

for (
  const testCase of compensatedCases.filter(({ type, name }) =>
    convolutions.includes(type) && /odd everything|groups of 3|stride 2/.test(name)
  )
) {
  Deno.test(`compensated in shared columns: ${testCase.type}: ${testCase.name}`, () => {
    const tile = { blocks: 1, strips: 2, columns: 3, unroll: 1 };
    return checkConvolution(device, { ...testCase, tolerance: 1.5e-7 }, {
      pack: ({ op, inputs, params }, host) => op.pack!(host, inputs.map(({ shape }) => shape), params, "f32"),
      calls: ({ device, name, weights: { weight } }, ...call) => [
        convCall({ device, name, weights: { weight }, compensated: true }, ...call, true, tile),
      ],
    });
  });
}

for (const type of compensatedTypes) {
  Deno.test(`compensated: ${type}: what remains where products cancel`, async () => {
    const next = normal(`cancelling ${type}`), half = randomTensor([32], next).data;
    const params = type === "fc" ? {} : { kernel: 1 }, x = Float64Array.from([...half, ...half]);
    const network = {
      name: "cancelling",
      inputs: [{ name: "x0", shape: type === "fc" ? [64] : [64, 1, 1] }],
      layers: [{ name: "layer", type, input: "x0", channels: 8, bias: false, ...params }],
    };
    // Two halves of each sum are opposite but for a few parts in 10,000.
    const w = map(randomTensor([8, 64], next), Math.fround);
    for (let o = 0; o < 8; o++) {
      for (let n = 0; n < 32; n++) w.data[o * 64 + n + 32] = Math.fround(-w.data[o * 64 + n] * (1 + 1e-4 * next()));
    }
    // A deconvolution's weights have their inputs first.
    const rows = type === "deconv2d"
      ? tensor([64, 8, 1, 1], Float64Array.from({ length: 512 }, (_, n) => w.data[n % 8 * 64 + (n >> 3)]))
      : tensor(type === "fc" ? [8, 64] : [8, 64, 1, 1], w.data);
    const input = map(tensor([1, ...network.inputs[0].shape], x), Math.fround);
    const one = {
      network,
      weights: new Map([["layer.weight", rows]]),
      inputs: new Map([["x0", input]]),
      tolerance: 1e-5,
    };
    const { actual, expected } = await layerValues(device, one, { compensated: true });
    // 34 bits of the products, 24 of the sum.
    const bound = Array.from(expected, (value, o) => {
      const products = input.data.reduce((sum, factor, n) => sum + Math.abs(factor * w.data[o * 64 + n]), 0);
      return 2 ** -24 * Math.abs(value) + 2 ** -34 * products;
    });
    const off = (values: Float32Array) =>
      bound.filter((most, o) => !(Math.abs(values[o] - expected[o]) <= most)).length;
    assert.equal(off(actual), 0, `${actual}, expected ${expected}`);
    assert.ok(off((await layerValues(device, one, {})).actual) > 0, "nothing cancels: plain sums do as well");
  });
}

for (const weights of ["f16", "i8"] as const) {
  Deno.test(`compensated: weights stored as ${weights}, and the gradient`, async () => {
    const testCase = allCases.find(({ type, name }) => type === "conv2d" && name === "odd everything")!;
    const { network, inputs, weights: plain } = caseNetwork(testCase);
    // Numbers that the format holds: eighths, the largest of each row 127/8.
    const narrow = new Map([...plain].map(([name, w]) => [
      name,
      name.endsWith("weight")
        ? map(w, (value, n) => n % (w.data.length / w.shape[0]) ? Math.round(value * 64) / 8 : 127 / 8)
        : w,
    ]));
    await checkNetwork(device, { network, inputs, weights: narrow, tolerance: 1e-6 }, { weights, compensated: true });
  });
}
