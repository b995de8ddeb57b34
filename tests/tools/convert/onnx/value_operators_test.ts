/** Operators value by value, products, and reductions. */
import { map, tensor } from "../../../reference/tensor.ts";
import * as onnx from "./expected.ts";
import { check, numbers, type Operation, w, x } from "./operation.ts";
import type { AttributeFile } from "./writer.ts";

const unary = (type: string, f: (x: number) => number, attributes?: Record<string, AttributeFile>): Operation => ({
  type,
  attributes,
  inputs: { x: x(3, 4, 5) },
  expected: ({ x }) => onnx.each(x.shape, (index) => f(onnx.at(x, index)!)),
});
const spread = (type: string, f: (a: number, b: number) => number, ...shapes: number[][]): Operation => ({
  type,
  name: shapes.map((shape) => `[${shape}]`).join(" and "),
  inputs: { a: x(...shapes[0]), b: w(...shapes[1]) },
  expected: ({ a, b }) => onnx.both(a, b, f),
});

const matrices: Operation[] = [
  { type: "MatMul", inputs: { a: x(3, 5), known: w(5, 4) }, expected: ({ a, known }) => onnx.product(a, known) },
  { type: "MatMul", name: "of inputs", inputs: { a: x(3, 5), b: w(5, 4) }, expected: ({ a, b }) => onnx.product(a, b) },
  {
    type: "Gemm",
    name: "everything",
    attributes: { alpha: { float: 0.25 }, beta: { float: 0.5 }, transA: 1, transB: 1 },
    inputs: { a: x(4, 3), known: w(5, 4), knownC: w(1, 5) },
    expected: ({ a, known, knownC }) =>
      onnx.both(
        onnx.product(onnx.transpose(a, [1, 0]), onnx.transpose(known, [1, 0])),
        knownC,
        (y, c) => 0.25 * y + 0.5 * c,
      ),
  },
  {
    type: "Gemm",
    name: "a matrix added",
    inputs: { a: x(3, 4), b: w(4, 5), c: w(3, 5) },
    expected: ({ a, b, c }) => onnx.both(onnx.product(a, b), c, (y, c) => y + c),
  },
];

const values: Operation[] = [
  unary("Relu", (x) => Math.max(x, 0)),
  unary("LeakyRelu", (x) => x > 0 ? x : Math.fround(0.1) * x, { alpha: { float: 0.1 } }),
  unary("Elu", (x) => x > 0 ? x : 2 * (Math.exp(x) - 1), { alpha: { float: 2 } }),
  unary("Sigmoid", (x) => 1 / (1 + Math.exp(-x))),
  unary("HardSigmoid", (x) => Math.min(1, Math.max(0, Math.fround(0.2) * x + 0.5))),
  unary("HardSwish", (x) => x * Math.min(1, Math.max(0, x / 6 + 0.5))),
  unary("Tanh", Math.tanh),
  unary("Exp", Math.exp),
  unary("Neg", (x) => -x),
  unary("Abs", Math.abs),
  unary("Identity", (x) => x),
  unary("Dropout", (x) => x),
  {
    type: "Clip",
    inputs: { x: x(3, 4), knownMin: tensor([], [-0.5]), knownMax: tensor([], [0.75]) },
    expected: ({ x }) => onnx.each(x.shape, (index) => Math.min(0.75, Math.max(-0.5, onnx.at(x, index)!))),
  },
  {
    type: "PRelu",
    name: "a slope for each value",
    inputs: { x: x(3, 4, 5), knownSlope: w(4, 5) },
    expected: ({ x, knownSlope }) => onnx.both(x, knownSlope, (x, s) => x > 0 ? x : s * x),
  },
  {
    type: "PRelu",
    name: "a slope for each channel",
    inputs: { x: x(3, 4, 5), knownSlope: w(4, 1) },
    expected: ({ x, knownSlope }) => onnx.both(x, knownSlope, (x, s) => x > 0 ? x : s * x),
  },
  {
    type: "Pow",
    inputs: { x: x(3, 4), knownExponent: tensor([], [2]) },
    expected: ({ x }) => onnx.each(x.shape, (index) => onnx.at(x, index)! ** 2),
  },
  ...[2.2, 1 / 3, -1.75, 0.1, 2.5, 100, -3].map((exponent): Operation => ({
    type: "Pow",
    name: `${exponent}`,
    inputs: { x: map(x(3, 4), Math.abs), knownExponent: tensor([1], [exponent]) },
    expected: ({ x }) => onnx.each(x.shape, (index) => onnx.at(x, index)! ** exponent),
  })),
  ...[[3, 4], [4], [3, 1], [2, 1, 1]].map((shape): Operation => ({
    type: "Pow",
    name: `an exponent for each place of [${shape}]`,
    inputs: { x: map(x(3, 4), Math.abs), knownExponents: w(...shape) },
    expected: ({ x, knownExponents }) => onnx.both(x, knownExponents, Math.pow),
  })),
  {
    type: "Pow",
    name: "whole exponents of any base",
    inputs: { x: x(3, 4), knownExponents: tensor([4], [2, 3, 0, -1]) },
    expected: ({ x, knownExponents }) => onnx.both(x, knownExponents, Math.pow),
  },
  {
    type: "Pow",
    name: "of a known base",
    inputs: { knownBase: tensor([], [2]), x: x(3, 4) },
    expected: ({ x }) => map(x, (value) => 2 ** value),
  },
  spread("Pow", (a, b) => a > 0 ? a ** b : 0, [3, 4], [4]),
  ...(["Max", "Min"] as const).flatMap((type): Operation[] => {
    const f = type === "Max" ? Math.max : Math.min;
    return [
      spread(type, f, [3, 4], [3, 4]),
      {
        type,
        name: "with a number",
        inputs: { x: x(3, 4), known: tensor([], [0.25]) },
        expected: ({ x, known }) => onnx.both(x, known, f),
      },
    ];
  }),
  spread("Less", (a, b) => Number(a < b), [3, 4, 5], [5]),
  spread("GreaterOrEqual", (a, b) => Number(a >= b), [3, 4, 5], [3, 4, 5]),
  {
    type: "Where",
    inputs: { c: tensor([2, 3], [0, 1, 1, 0, 0, 1]), a: x(2, 3), knownB: w(3) },
    expected: ({ c, a, knownB }) =>
      onnx.both(onnx.both(c, a, (c, a) => c * a), onnx.both(c, knownB, (c, b) => (1 - c) * b), (a, b) => a + b),
  },
  {
    type: "ReduceMax",
    inputs: { x: x(3, 4, 5), wholeAxes: numbers(0, 2) },
    expected: ({ x }) =>
      onnx.each(
        [1, 4, 1],
        ([, c]) => Math.max(...Array.from({ length: 15 }, (_, n) => onnx.at(x, [n % 3, c, Math.floor(n / 3)])!)),
      ),
  },
  {
    type: "ReduceLogSumExp",
    attributes: { keepdims: 0 },
    inputs: { x: map(x(2, 3), (value) => 200 * value), wholeAxes: numbers(1) },
    expected: ({ x }) =>
      onnx.each([2], ([a]) => {
        const row = [0, 1, 2].map((b) => onnx.at(x, [a, b])!);
        const most = Math.max(...row);
        return most + Math.log(row.reduce((sum, value) => sum + Math.exp(value - most), 0));
      }),
  },
  spread("Add", (a, b) => a + b, [3, 4, 5], [3, 4, 5]),
  spread("Add", (a, b) => a + b, [3, 4, 5], [5]),
  spread("Sub", (a, b) => a - b, [1, 4, 5], [3, 4, 1]),
  spread("Mul", (a, b) => a * b, [5], [3, 4, 5]),
  spread("Div", (a, b) => a / b, [3, 4, 5], [4, 1]),
  ...(["Add", "Sub", "Mul", "Div"] as const).flatMap((type) => {
    const f = {
      Add: (a: number, b: number) => a + b,
      Sub: (a: number, b: number) => a - b,
      Mul: (a: number, b: number) => a * b,
      Div: (a: number, b: number) => a / b,
    }[type];
    return [[4, 1], [5], []].flatMap((shape): Operation[] => [
      {
        type,
        name: `known [${shape}] right`,
        inputs: { x: x(3, 4, 5), known: w(...shape) },
        expected: ({ x, known }) => onnx.both(x, known, f),
      },
      {
        type,
        name: `known [${shape}] left`,
        inputs: { known: w(...shape), x: x(3, 4, 5) },
        expected: ({ x, known }) => onnx.both(known, x, f),
      },
    ]);
  }),
  {
    type: "Sum",
    inputs: { a: x(3, 4), b: w(3, 4), c: x(3, 4) },
    expected: ({ a, b, c }) => onnx.both(onnx.both(a, b, (a, b) => a + b), c, (a, b) => a + b),
  },
  ...[0, 1, 2, -1].flatMap((axis): Operation[] => [
    {
      type: "Softmax",
      name: `axis ${axis}`,
      attributes: { axis },
      inputs: { x: x(3, 4, 5) },
      expected: ({ x }) => onnx.softmax(x, axis < 0 ? 2 : axis),
    },
    {
      type: "LogSoftmax",
      name: `axis ${axis}`,
      attributes: { axis },
      inputs: { x: x(3, 4, 5) },
      expected: ({ x }) => {
        const y = onnx.softmax(x, axis < 0 ? 2 : axis);
        return onnx.each(y.shape, (index) => Math.log(onnx.at(y, index)!));
      },
    },
  ]),
  {
    type: "Softmax",
    name: "over all from an axis on, until version 13",
    opset: 11,
    attributes: { axis: 1 },
    inputs: { x: x(3, 2, 5) },
    expected: ({ x }) => tensor(x.shape, onnx.softmax(tensor([3, 10], x.data), 1).data),
  },
  ...([[[1, 2], 1], [[0], 0], [[-1], 1], [[0, 1, 2], 0]] as const).map(([axes, keepdims]): Operation => ({
    type: "ReduceMean",
    name: `axes ${axes}, keepdims ${keepdims}`,
    attributes: { keepdims },
    inputs: { x: x(3, 4, 5), wholeAxes: numbers(...axes) },
    expected: ({ x }) => {
      const own = axes.map((axis) => axis < 0 ? axis + 3 : axis);
      const y = onnx.mean(x, own);
      return keepdims ? y : tensor(y.shape.filter((_, d) => !own.includes(d)), y.data);
    },
  })),
];

for (const operation of [...matrices, ...values]) check(operation);
