/** Activations, rounding, powers, and normalisation by statistics of the item. */
import { erfOf } from "../../../reference/erf.ts";
import { map, type Tensor, tensor } from "../../../reference/tensor.ts";
import * as onnx from "./expected.ts";
import { check, numbers, type Operation, w, x } from "./operation.ts";
import type { AttributeFile } from "./writer.ts";

const unary = (type: string, f: (x: number) => number, attributes?: Record<string, AttributeFile>): Operation => ({
  type,
  name: attributes && JSON.stringify(attributes),
  attributes,
  inputs: { x: map(x(3, 4, 5), (value) => 3 * value) },
  expected: ({ x }) => map(x, f),
});

const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const [alpha, gamma] = [1.6732632423543772, 1.0507009873554805];

const activations: Operation[] = [
  unary("Erf", erfOf),
  unary("Gelu", (x) => x * (1 + erfOf(x / Math.SQRT2)) / 2),
  unary("Gelu", (x) => x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))) / 2, {
    approximate: "tanh",
  }),
  unary("Softplus", softplus),
  unary("Mish", (x) => x * Math.tanh(softplus(x))),
  unary("Softsign", (x) => x / (1 + Math.abs(x))),
  unary("Selu", (x) => gamma * (x > 0 ? x : alpha * Math.expm1(x))),
  unary("Celu", (x) => x > 0 ? x : 2 * Math.expm1(x / 2), { alpha: { float: 2 } }),
  unary("ThresholdedRelu", (x) => x > 0.5 ? x : 0, { alpha: { float: 0.5 } }),
  unary("Swish", (x) => x / (1 + Math.exp(-0.5 * x)), { alpha: { float: 0.5 } }),
  unary("Sign", Math.sign),
  unary("Floor", Math.floor),
  unary("Ceil", Math.ceil),
  unary("Round", Math.round),
  unary("Reciprocal", (x) => 1 / x),
  ...[3, 1, 0, -2, 1.5, -0.5].map((exponent): Operation => ({
    type: "Pow",
    name: `${exponent}`,
    inputs: { x: map(x(3, 4), Math.abs), knownExponent: tensor([], [exponent]) },
    expected: ({ x }) => map(x, (value) => value ** exponent),
  })),
  ...(["Max", "Min"] as const).map((type): Operation => ({
    type,
    name: "stretched",
    inputs: { a: x(3, 4, 5), b: w(1, 4, 1), known: w(5) },
    expected: ({ a, b, known }) => {
      const f = type === "Max" ? Math.max : Math.min;
      return onnx.both(onnx.both(a, b, f), known, f);
    },
  })),
  {
    type: "Mean",
    inputs: { a: x(3, 4), b: w(4) },
    expected: ({ a, b }) => onnx.both(a, b, (a, b) => (a + b) / 2),
  },
  {
    type: "Expand",
    inputs: { x: x(3, 1, 5), wholeShape: numbers(2, 1, 4, 1) },
    expected: ({ x }) => onnx.each([2, 3, 4, 5], ([, a, , c]) => onnx.at(x, [a, 0, c])!),
  },
  {
    type: "Expand",
    name: "of the batch's own",
    inputs: { x: x(3, 1, 5), wholeShape: numbers(3, 4, 5) },
    expected: ({ x }) => onnx.each([3, 4, 5], ([a, , c]) => onnx.at(x, [a, 0, c])!),
  },
  {
    type: "Dropout",
    name: "its mask",
    inputs: { x: x(3, 4) },
    outputs: ["", "mask"],
    expected: ({ x }) => map(x, () => 1),
  },
];

/** x without its mean, over its deviation, in rows of `length`. */
function normalised(x: Tensor, length: number, epsilon: number): Tensor {
  const rows = tensor([x.data.length / length, length], x.data);
  const m = onnx.mean(rows, [1]);
  const centred = onnx.both(rows, m, (value, mean) => value - mean);
  const variance = onnx.mean(map(centred, (value) => value ** 2), [1]);
  return tensor(x.shape, onnx.both(centred, variance, (value, v) => value / Math.sqrt(v + epsilon)).data);
}

const affine = (y: Tensor, scale: Tensor, bias: Tensor) =>
  onnx.both(onnx.both(y, scale, (y, s) => y * s), bias, (y, b) => y + b);

type Function = (x: number) => number;
const sums: [string, Function, Function][] = [
  ["ReduceL1", Math.abs, (sum) => sum],
  ["ReduceL2", (x) => x * x, Math.sqrt],
  ["ReduceSumSquare", (x) => x * x, (sum) => sum],
];

const normalisations: Operation[] = [
  {
    type: "BatchNormalization",
    name: "in training",
    attributes: { training_mode: 1, epsilon: { float: 0.25 } },
    inputs: { x: x(4, 3, 5), knownScale: w(3), knownBias: x(3), knownMean: w(3), knownVariance: numbers(1, 2, 3) },
    outputs: ["y", "mean", "variance"],
    expected: ({ x, knownScale, knownBias }) => {
      const y = onnx.transpose(normalised(onnx.transpose(x, [1, 0, 2]), 20, 0.25), [1, 0, 2]);
      return affine(y, tensor([3, 1], knownScale.data), tensor([3, 1], knownBias.data));
    },
  },
  {
    type: "LayerNormalization",
    attributes: { axis: -2, epsilon: { float: 0.25 } },
    inputs: { x: x(3, 4, 5), knownScale: w(4, 5), knownBias: x(4, 5) },
    expected: ({ x, knownScale, knownBias }) => affine(normalised(x, 20, 0.25), knownScale, knownBias),
  },
  {
    type: "InstanceNormalization",
    attributes: { epsilon: { float: 0.25 } },
    inputs: { x: x(2, 3, 4, 5), knownScale: w(3), knownBias: x(3) },
    expected: ({ x, knownScale, knownBias }) =>
      affine(normalised(x, 20, 0.25), tensor([3, 1, 1], knownScale.data), tensor([3, 1, 1], knownBias.data)),
  },
  {
    type: "GroupNormalization",
    opset: 21,
    attributes: { num_groups: 2, epsilon: { float: 0.25 } },
    inputs: { x: x(2, 6, 5), knownScale: w(6), knownBias: x(6) },
    expected: ({ x, knownScale, knownBias }) =>
      affine(normalised(x, 15, 0.25), tensor([6, 1], knownScale.data), tensor([6, 1], knownBias.data)),
  },
  ...sums.map(([type, before, after]): Operation => ({
    type,
    attributes: { keepdims: 0 },
    inputs: { x: x(3, 4, 5), wholeAxes: numbers(2) },
    expected: ({ x }) => tensor([3, 4], map(onnx.mean(map(x, before), [2]), (mean) => after(5 * mean)).data),
  })),
  {
    type: "ReduceMin",
    inputs: { x: x(3, 4, 5), wholeAxes: numbers(1) },
    expected: ({ x }) =>
      onnx.each([3, 1, 5], ([a, , c]) => Math.min(...[0, 1, 2, 3].map((b) => onnx.at(x, [a, b, c])!))),
  },
];

/** Channel and place of (channel, block row, block column) in DepthToSpace's two orders. */
const blocks: Operation[] = (["DCR", "CRD"] as const).flatMap((mode): Operation[] => {
  const channel = (c: number, i: number, j: number) => mode === "CRD" ? 4 * c + 2 * i + j : 3 * (2 * i + j) + c;
  return [
    {
      type: "DepthToSpace",
      name: mode,
      attributes: { blocksize: 2, mode },
      inputs: { x: x(2, 12, 2, 3) },
      expected: ({ x }) =>
        onnx.each([2, 3, 4, 6], ([n, c, h, w]) => onnx.at(x, [n, channel(c, h % 2, w % 2), h >> 1, w >> 1])!),
    },
    {
      type: "SpaceToDepth",
      name: mode,
      attributes: { blocksize: 2, mode },
      inputs: { x: x(2, 3, 4, 6) },
      expected: ({ x }) => {
        const y = tensor([2, 12, 2, 3]);
        onnx.each(
          x.shape,
          ([n, c, h, w]) =>
            y.data[((n * 12 + channel(c, h % 2, w % 2)) * 2 + (h >> 1)) * 3 + (w >> 1)] = onnx.at(x, [n, c, h, w])!,
        );
        return y;
      },
    },
  ];
});

for (const operation of [...activations, ...normalisations, ...blocks]) check(operation);
