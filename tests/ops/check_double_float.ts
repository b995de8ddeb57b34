/**
 * Double-float arithmetic in the layers that have it: what the tests and `deno task doctor` both do, for an adapter's
 * compiler could undo it.
 */
import assert from "node:assert/strict";
import type { Device } from "../../src/gpu/device.ts";
import { fromTexels, toTexels } from "../../src/gpu/map.ts";
import { download, type Tensor, upload } from "../../src/gpu/tensor.ts";
import type { Choose } from "../../src/net/choose.ts";
import { buildGraph } from "../../src/net/graph.ts";
import { buildPlan } from "../../src/net/plan.ts";
import { Fields } from "../../src/ops/fields.ts";
import { ops } from "../../src/ops/table.ts";
import { allCases } from "../cases/all.ts";
import { type Case, caseNetwork, type NetworkCase, randomWeights } from "../cases/case.ts";
import { caseModel } from "../net/case_model.ts";
import { runNetwork } from "../reference/network.ts";
import { normal, randomTensor } from "../reference/random.ts";
import { count, map, type Tensor as Reference } from "../reference/tensor.ts";

/** Whether a case's layer computes in double-float arithmetic, its inputs having rests or not. */
function keepsRest({ type, inputs, params }: Case, rests: boolean): boolean {
  const op = ops[type];
  const shapes = inputs.map(([, ...shape]) => shape);
  const rest = rests ? {} as Tensor : undefined;
  const tensors = inputs.map(() => ({ rest }) as Tensor);
  return op.keepsRest?.({ inputs: tensors, shapes, params: op.parse(new Fields(params)) }) ?? false;
}

/** The small cases of the layers that compute in double-float arithmetic. */
export const doubleCases = allCases.filter((testCase) =>
  count(testCase.inputs[0]) < 6000 && !/products|4096|70,0/.test(testCase.name) && keepsRest(testCase, true)
);

/** Layers of every kind that computes in double-float arithmetic, one after the other, with ReLUs that are fused into them. */
const layers = [
  { name: "conv1", type: "conv2d", input: "x0", channels: 12, kernel: 5, stride: 2 },
  { name: "relu1", type: "relu", input: "conv1" },
  { name: "norm1", type: "lrn", input: "relu1", alpha: 2 },
  { name: "left", type: "conv2d", input: "norm1", channels: 6, kernel: 1 },
  { name: "leftRelu", type: "relu", input: "left", slope: 0.3 },
  { name: "right", type: "conv2d", input: "norm1", channels: 7, kernel: 3, padding: 1 },
  { name: "both", type: "concat", inputs: ["leftRelu", "right"] },
  { name: "bothRelu", type: "relu", input: "both", slope: 0.1 },
  { name: "pool", type: "maxpool", input: "bothRelu", kernel: 3, stride: 2 },
  { name: "poolRelu", type: "relu", input: "pool", slope: 0.2 },
  { name: "branch", type: "conv2d", input: "poolRelu", channels: 13, kernel: 1, bias: false },
  { name: "branchNorm", type: "batchnorm", input: "branch" },
  { name: "branchScale", type: "scale", input: "branchNorm" },
  {
    name: "sum",
    type: "eltwise",
    inputs: ["poolRelu", "branchScale"],
    operation: "sum",
    coefficients: [0.7, -1.3],
  },
  { name: "sumRelu", type: "relu", input: "sum" },
  { name: "up", type: "deconv2d", input: "sumRelu", channels: 5, kernel: 4, stride: 2, padding: 1 },
  { name: "upRelu", type: "relu", input: "up", slope: 0.3 },
  { name: "flat", type: "flatten", input: "upRelu" },
  { name: "out", type: "fc", input: "flat", channels: 10 },
];

/** The network of these layers. */
export const doubleNetwork: NetworkCase = (() => {
  const network = { name: "doubles", inputs: [{ name: "x0", shape: [3, 17, 17] }], layers };
  const inputs = new Map([["x0", randomTensor([2, 3, 17, 17], normal("doubles"))]]);
  return { network, weights: randomWeights(network), inputs, tolerance: 1e-5 };
})();

/** A case behind a scale for each input, so that what the layer reads has rests. */
export function behindScales(testCase: NetworkCase): NetworkCase {
  const { network, weights } = testCase;
  const more = new Map(weights);
  const next = normal(`${network.name} behind scales`);
  const scales = network.inputs.map(({ name, shape: [channels] }) => {
    for (const part of ["weight", "bias"]) more.set(`scaled ${name}.${part}`, randomTensor([channels], next));
    return { name: `scaled ${name}`, type: "scale", input: name };
  });
  const layers = network.layers.map((layer) => ({
    ...layer,
    ...(layer.input ? { input: `scaled ${layer.input}` } : {}),
    ...(layer.inputs ? { inputs: layer.inputs.map((name) => `scaled ${name}`) } : {}),
  }));
  return { ...testCase, network: { ...network, layers: [...scales, ...layers] }, weights: more };
}

/** Rounds to the numbers that a model and its inputs are given in. */
const single = (tensors: Map<string, Reference>) =>
  new Map([...tensors].map(([name, tensor]) => [name, map(tensor, Math.fround)]));

/** The last layer's values, what rounding them lost, and what float64 gives. */
export async function doubleValues(device: Device, { network, ...given }: NetworkCase, choose?: Choose) {
  const weights = single(given.weights);
  const inputs = single(given.inputs);
  const [[, { shape: [batch] }]] = inputs;
  const expected = runNetwork(network, weights, inputs).get(network.layers.at(-1)!.name)!;
  const graph = buildGraph(caseModel({ network, weights }));
  using plan = await buildPlan(device, { graph, batch, wanted: [graph.output], doubleFloat: true, choose });
  for (const value of graph.inputs) {
    const tensor = plan.tensors.of(value);
    upload(device, tensor, new Uint8Array(toTexels(inputs.get(value.name)!.data, tensor.shape).buffer));
  }
  plan.submit();
  const read = async (tensor: Tensor) =>
    fromTexels(new Float32Array((await download(device, tensor)).buffer), tensor.shape);
  const output = plan.tensors.of(graph.output);
  assert.ok(output.rest, "no rest");
  return { main: await read(output), rest: await read(output.rest), expected: expected.data };
}

/** Bits that a value and its rest have of the largest value. */
const BITS = 29;

/** @throws AssertionError when values with their rests are not far nearer to float64 than float32 can be. */
export async function checkDoubleValues(device: Device, networkCase: NetworkCase, choose?: Choose): Promise<void> {
  const { main, rest, expected } = await doubleValues(device, networkCase, choose);
  const tiny = 2 ** -BITS * expected.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-30);
  assert.equal(main.length, expected.length);
  expected.forEach((value, n) => {
    const off = main[n] + rest[n] - value;
    assert.ok(Math.abs(off) <= tiny, `value ${n} is ${main[n]} + ${rest[n]}, expected ${value}: off by ${off}`);
    assert.ok(
      Math.abs(rest[n]) <= 2 ** -24 * Math.abs(main[n]) * 1.01 + tiny,
      `value ${n} is not rounded: ${rest[n]} is left`,
    );
  });
}

/** A case with inputs that have rests, and before it with inputs that have none where the layer itself makes one. */
export function doubleNetworks(testCase: Case): NetworkCase[] {
  const plain = caseNetwork(testCase);
  const behind = behindScales(plain);
  return keepsRest(testCase, false) ? [plain, behind] : [behind];
}

/** Checks a case with every kind of inputs. */
export async function checkDoubleFloat(device: Device, testCase: Case, choose?: Choose): Promise<void> {
  for (const networkCase of doubleNetworks(testCase)) await checkDoubleValues(device, networkCase, choose);
}
