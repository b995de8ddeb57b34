/** Double-float arithmetic against float64, far below float32's rounding: layer by layer, and through a whole network. */
import assert from "node:assert/strict";
import { openDevice } from "../../src/gpu/device.ts";
import { chooseCheapest, type Question } from "../../src/net/choose.ts";
import { Net } from "../../src/net/net.ts";
import { allCases } from "../cases/all.ts";
import { caseNetwork } from "../cases/case.ts";
import { pretend } from "../gpu/pretend.ts";
import { caseModel } from "../net/case_model.ts";
import { normal, randomTensor } from "../reference/random.ts";
import { map, tensor } from "../reference/tensor.ts";
import { checkNetwork } from "./check_case.ts";
import {
  behindScales,
  checkDoubleFloat,
  checkDoubleValues,
  doubleCases,
  doubleNetwork,
  doubleNetworks,
  doubleValues,
} from "./check_double_float.ts";

const convolutions = ["conv2d", "deconv2d"];
const device = await openDevice();
const gpu = pretend(device, { software: false }, "buffer");

// Inputs with and without rests take turns; `deno task doctor` runs every case with both.
doubleCases.forEach((testCase, n) => {
  const networks = doubleNetworks(testCase);
  Deno.test(
    `double-float: ${testCase.type}: ${testCase.name}`,
    () => checkDoubleValues(device, networks[n % networks.length]),
  );
});

for (
  const testCase of doubleCases.filter(({ type, name }) =>
    convolutions.includes(type) && /odd everything|groups of 3|stride 2/.test(name)
  )
) {
  Deno.test(`double-float in shared columns: ${testCase.type}: ${testCase.name}`, async () => {
    const sizes = { blocks: 1, strips: 2, columns: 3, unroll: 1 };
    const choose = (question: Question) => {
      const { way } = chooseCheapest(question);
      return { way, sizes: way.sizes ? sizes : {}, cost: 0 };
    };
    await checkNetwork(device, { ...caseNetwork(testCase), tolerance: 1e-6 }, { doubleFloat: true, choose });
    await checkDoubleFloat(device, testCase, choose);
  });
}

for (const type of [...convolutions, "fc"]) {
  Deno.test(`double-float: ${type}: what remains where products cancel`, async () => {
    const next = normal(`cancelling ${type}`);
    const half = randomTensor([32], next).data;
    const params = type === "fc" ? {} : { kernel: 1 };
    const network = {
      name: "cancelling",
      inputs: [{ name: "x0", shape: type === "fc" ? [64] : [64, 1, 1] }],
      layers: [{ name: "layer", type, input: "x0", channels: 8, bias: false, ...params }],
    };
    // Two halves of each sum are opposite but for a few parts in 10,000.
    const x = map(tensor([1, ...network.inputs[0].shape], [...half, ...half]), Math.fround);
    const w = map(randomTensor([8, 64], next), Math.fround);
    for (let o = 0; o < 8; o++) {
      for (let n = 0; n < 32; n++) w.data[o * 64 + n + 32] = Math.fround(-w.data[o * 64 + n] * (1 + 1e-4 * next()));
    }
    // A deconvolution's weights have their inputs first.
    const rows = type === "deconv2d"
      ? tensor([64, 8, 1, 1], Float64Array.from({ length: 512 }, (_, n) => w.data[n % 8 * 64 + (n >> 3)]))
      : tensor(type === "fc" ? [8, 64] : [8, 64, 1, 1], w.data);
    const { main, rest, expected } = await doubleValues(device, {
      network,
      weights: new Map([["layer.weight", rows]]),
      inputs: new Map([["x0", x]]),
      tolerance: 0,
    });
    expected.forEach((value, o) => {
      const products = x.data.reduce((sum, factor, n) => sum + Math.abs(factor * w.data[o * 64 + n]), 0);
      const off = Math.abs(main[o] + rest[o] - value);
      assert.ok(off <= 2 ** -34 * products, `${main[o]} + ${rest[o]}, expected ${value}`);
      assert.ok(Math.abs(value) < 1e-3 * products, "nothing cancels");
    });
  });
}

for (const weights of ["f16", "i8"] as const) {
  Deno.test(`double-float: weights stored as ${weights}, and the gradient`, async () => {
    const testCase = allCases.find(({ type, name }) => type === "conv2d" && name === "odd everything")!;
    const { network, inputs, weights: plain } = caseNetwork(testCase);
    // Numbers that the format holds: eighths, the largest of each row 127/8.
    const narrow = new Map([...plain].map(([name, w]) => [
      name,
      name.endsWith("weight")
        ? map(w, (value, n) => n % (w.data.length / w.shape[0]) ? Math.round(value * 64) / 8 : 127 / 8)
        : w,
    ]));
    await checkNetwork(device, { network, inputs, weights: narrow, tolerance: 1e-6 }, { weights, doubleFloat: true });
  });
}

const others = new Set(
  allCases.map(({ type }) => type).filter((type) => !doubleCases.some((one) => one.type === type)),
);
for (const type of others) {
  const testCase = allCases.find((one) => one.type === type)!;
  Deno.test(`double-float: ${type} rounds what it reads: ${testCase.name}`, async () => {
    const network = caseNetwork(testCase);
    const tolerance = Math.max(testCase.tolerance, 1e-6);
    await checkNetwork(device, { ...behindScales(network), tolerance }, { doubleFloat: true });
  });
}

Deno.test("double-float: a whole network, with what is fused into its kernels, in textures and in buffers", async () => {
  await checkDoubleValues(device, doubleNetwork);
  await checkNetwork(device, doubleNetwork, { doubleFloat: true });
  await checkDoubleValues(gpu, doubleNetwork);
});

Deno.test("double-float: what is infinite stays so", async () => {
  const network = {
    name: "infinite",
    inputs: [{ name: "x0", shape: [4] }],
    layers: [
      { name: "scale", type: "scale", input: "x0", bias: false },
      { name: "sum", type: "eltwise", inputs: ["scale", "x0"], operation: "sum" },
      { name: "leaky", type: "relu", input: "sum", slope: 0.5 },
    ],
  };
  const weights = new Map([["scale.weight", tensor([4], [2, 2, 3e38, 1])]]);
  const model = caseModel({ network, weights });
  using net = await Net.create(device, model, { doubleFloat: true });
  assert.deepEqual([...await net.forward(Float32Array.of(Infinity, -Infinity, -3e38, 1))], [
    Infinity,
    -Infinity,
    -Infinity,
    2,
  ]);
});
