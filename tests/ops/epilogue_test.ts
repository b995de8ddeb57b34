/**
 * Every op with a ReLU after it, which plans apply while storing where they may: the gradient through both, against float64.
 * An op whose gradient reads its own output would see the ReLU's.
 */
import { openDevice } from "../../src/gpu/device.ts";
import { type NetworkCase, randomWeights } from "../cases/case.ts";
import type { Layer, Network } from "../reference/network.ts";
import { normal, randomTensor } from "../reference/random.ts";
import { count } from "../reference/tensor.ts";
import { checkNetwork } from "./check_case.ts";
import { readingTypes, smallCases } from "./probe.ts";

const device = await openDevice();

/** Values that an input has at least: of fewer, none may be below zero. */
const ENOUGH = 12;

// A convolution, the op and a sum, each of its own rounding.
const layers = 3e-5;

/** What an op reads: a convolution of an input, or a scale where that is no map; of log and sqrt, the exponential of it. */
function stem(type: string, name: string, input: string, [channels, ...rest]: number[]): Layer[] {
  const positive = type === "log" || type === "sqrt";
  const linear = rest.length === 2 ? { type: "conv2d", channels, kernel: 1 } : { type: "scale" };
  const first = { name: positive ? `${name} before` : name, input, ...linear };
  return positive ? [first, { name, type: "exp", input: first.name }] : [first];
}

/** The smallest case of a type with a leaky ReLU after it, and again with a plain one, added up. */
function rectified(type: string): NetworkCase {
  const cases = smallCases(type);
  // Over a single channel a softmax is constant.
  const { inputs, params, tolerance } = cases.find(({ inputs: [shape] }) => shape[1] > 1 && count(shape) >= ENOUGH)!;
  const names = inputs.map((_, n) => `x${n}`);
  const branch = (name: string, relu: Record<string, unknown>): Layer[] => [
    ...names.flatMap((input, n) => stem(type, `${name} ${input}`, input, inputs[n].slice(1))),
    { name: `${name} op`, type, inputs: names.map((input) => `${name} ${input}`), ...params },
    { name, type: "relu", input: `${name} op`, ...relu },
  ];
  const network: Network = {
    name: `rectified ${type}`,
    inputs: inputs.map(([, ...shape], n) => ({ name: names[n], shape })),
    layers: [
      ...branch("leaky", { slope: 0.3 }),
      ...branch("plain", {}),
      { name: "sum", type: "eltwise", inputs: ["leaky", "plain"], operation: "sum" },
    ],
  };
  const next = normal(network.name);
  return {
    network,
    weights: randomWeights(network),
    inputs: new Map(inputs.map((shape, n) => [names[n], randomTensor(shape, next)])),
    tolerance: Math.max(tolerance, layers),
  };
}

for (const type of readingTypes) {
  Deno.test(`${type} and a ReLU: output and gradient`, () => checkNetwork(device, rectified(type)));
}
