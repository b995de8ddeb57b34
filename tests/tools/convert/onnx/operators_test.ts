/**
 * Models of a single operator, as ONNX's own conformance tests have them: everything is an input of the model, what must be
 * known is given. Each is converted, run through the float64 references of the layers, and compared with the operator.
 */
import assert from "node:assert/strict";
import { tensorOf } from "../../../../tools/convert/onnx/tensor.ts";
import { assertClose } from "../../../reference/close.ts";
import { normal, randomTensor } from "../../../reference/random.ts";
import { type Tensor, tensor } from "../../../reference/tensor.ts";
import { convert, networkOf, run } from "./converted.ts";
import * as onnx from "./expected.ts";
import { type AttributeFile, onnxModel } from "./writer.ts";

/** One operator. The inputs named "known…" are given with --constant, "whole…" are that and int64. */
interface Operation {
  type: string;
  name?: string;
  opset?: number;
  attributes?: Record<string, AttributeFile>;
  inputs: Record<string, Tensor>;
  expected: (inputs: Record<string, Tensor>) => Tensor;
  outputs?: string[];
}

// Weights are stored as float32.
const tolerance = 1e-6;

const x = (...shape: number[]): Tensor => randomTensor(shape, normal(`x ${shape}`));
const w = (...shape: number[]): Tensor => randomTensor(shape, normal(`w ${shape}`));
const numbers = (...values: number[]): Tensor => tensor([values.length], values);
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

const convolutions: Operation[] = [
  {
    type: "Conv",
    attributes: { strides: [2, 1], pads: [1, 0, 0, 2], group: 2 },
    inputs: { x: x(2, 4, 7, 5), known: w(6, 2, 3, 2), knownBias: w(6) },
    expected: ({ x, known, knownBias }) =>
      onnx.conv(x, known, knownBias, { kernel: [3, 2], strides: [2, 1], pads: [1, 0, 0, 2], groups: 2 }),
  },
  {
    type: "Conv",
    name: "of one dimension, dilated",
    attributes: { dilations: [2], pads: [1, 2] },
    inputs: { x: x(2, 3, 9), known: w(4, 3, 3) },
    expected: ({ x, known }) => onnx.conv(x, known, undefined, { kernel: [3], dilations: [2], pads: [1, 2] }),
  },
  ...(["SAME_UPPER", "SAME_LOWER"] as const).map((mode): Operation => ({
    type: "Conv",
    name: mode,
    attributes: { auto_pad: mode, strides: [2, 2], kernel_shape: [3, 2] },
    inputs: { x: x(1, 2, 6, 5), known: w(3, 2, 3, 2) },
    expected: ({ x, known }) =>
      onnx.conv(x, known, undefined, {
        kernel: [3, 2],
        strides: [2, 2],
        // 3 windows of reach 3 over 6 rows lack one row; 3 of reach 2 over 5 columns one column.
        pads: mode === "SAME_UPPER" ? [0, 0, 1, 1] : [1, 1, 0, 0],
      }),
  })),
  {
    type: "ConvTranspose",
    attributes: { strides: [3, 2], output_padding: [1, 1], pads: [1, 0, 0, 1] },
    inputs: { x: x(2, 3, 3, 4), known: w(3, 2, 3, 3) },
    expected: ({ x, known }) =>
      onnx.convTranspose(x, known, { kernel: [3, 3], strides: [3, 2], pads: [1, 0] }, [2, 2, 9, 9]),
  },
  {
    type: "ConvTranspose",
    name: "output_shape larger than what the windows reach",
    attributes: { strides: [3, 2], output_shape: [10, 8] },
    inputs: { x: x(1, 1, 3, 3), known: w(1, 2, 3, 3) },
    expected: ({ x, known }) => onnx.convTranspose(x, known, { kernel: [3, 3], strides: [3, 2] }, [1, 2, 10, 8]),
  },
  {
    type: "ConvTranspose",
    name: "of one dimension, SAME_UPPER",
    attributes: { strides: [2], auto_pad: "SAME_UPPER" },
    inputs: { x: x(1, 2, 5), known: w(2, 3, 3) },
    // 2 · 4 + 3 − 10 = 1 position too many, and the odd one goes at the end.
    expected: ({ x, known }) => onnx.convTranspose(x, known, { kernel: [3], strides: [2], pads: [0] }, [1, 3, 10]),
  },
];

const pools: Operation[] = [
  {
    type: "MaxPool",
    attributes: { kernel_shape: [3, 2], strides: [2, 2], pads: [1, 0, 1, 1] },
    inputs: { x: x(2, 3, 7, 6) },
    expected: ({ x }) => onnx.pool(x, { kernel: [3, 2], strides: [2, 2], pads: [1, 0, 1, 1] }),
  },
  {
    type: "MaxPool",
    name: "dilated, of three dimensions",
    attributes: { kernel_shape: [2, 2, 3], dilations: [2, 1, 1], pads: [1, 0, 1, 0, 1, 1] },
    inputs: { x: x(2, 2, 5, 4, 6) },
    expected: ({ x }) => onnx.pool(x, { kernel: [2, 2, 3], dilations: [2, 1, 1], pads: [1, 0, 1, 0, 1, 1] }),
  },
  {
    type: "MaxPool",
    name: "of one dimension, ceil_mode",
    attributes: { kernel_shape: [2], strides: [2], ceil_mode: 1 },
    inputs: { x: x(1, 2, 5) },
    expected: ({ x }) => onnx.pool(x, { kernel: [2], strides: [2], pads: [0, 1] }),
  },
  ...[0, 1].map((counted): Operation => ({
    type: "AveragePool",
    name: `count_include_pad ${counted}`,
    attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1], count_include_pad: counted },
    inputs: { x: x(2, 3, 5, 4) },
    expected: ({ x }) => onnx.pool(x, { kernel: [3, 3], pads: [1, 1, 1, 1] }, { counted: counted === 1 }),
  })),
  {
    type: "GlobalAveragePool",
    inputs: { x: x(2, 3, 4, 5) },
    expected: ({ x }) => onnx.mean(x, [2, 3]),
  },
  {
    type: "GlobalMaxPool",
    inputs: { x: x(2, 3, 4) },
    expected: ({ x }) => onnx.pool(x, { kernel: [4] }),
  },
  {
    type: "BatchNormalization",
    attributes: { epsilon: { float: 0.01 } },
    inputs: { x: x(2, 3, 4), knownScale: w(3), knownBias: w(3), knownMean: w(3), knownVariance: numbers(1, 2, 0.5) },
    expected: ({ x, knownScale, knownBias, knownMean, knownVariance }) =>
      onnx.each(x.shape, (index) => {
        const [s, b, m, v] = [knownScale, knownBias, knownMean, knownVariance].map(({ data }) => data[index[1]]);
        return (onnx.at(x, index)! - m) / Math.sqrt(v + Math.fround(0.01)) * s + b;
      }),
  },
];

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
      const own = axes.map((axis) => axis < 0 ? axis + 3 : axis), y = onnx.mean(x, own);
      return keepdims ? y : tensor(y.shape.filter((_, d) => !own.includes(d)), y.data);
    },
  })),
];

const moved: Operation[] = [
  ...([[0, 2, 1], [1, 0, 2], [2, 1, 0]].map((perm): Operation => ({
    type: "Transpose",
    name: `${perm}`,
    attributes: { perm },
    inputs: { x: x(3, 4, 5) },
    expected: ({ x }) => onnx.transpose(x, perm),
  }))),
  ...[0, 1, -1].map((axis): Operation => ({
    type: "Concat",
    name: `axis ${axis}`,
    attributes: { axis },
    inputs: { a: x(2, 3, 4), b: w(2, 3, 4) },
    expected: ({ a, b }) => onnx.concat([a, b], axis < 0 ? 2 : axis),
  })),
  ...([["reflect", [-1, -2], 1], ["edge", [-1, 3], -1]] as const).map(([mode, , axis]): Operation => ({
    type: "Pad",
    name: mode,
    attributes: { mode },
    inputs: { x: x(2, 3, 4), wholePads: numbers(0, 0, 2, 0, 0, 1) },
    expected: ({ x }) =>
      onnx.each([2, 3, 7], ([n, c, at]) => {
        const place = at - 2,
          from = place < 0 ? (axis > 0 ? -place : 0) : place > 3 ? (axis > 0 ? 6 - place : 3) : place;
        return onnx.at(x, [n, c, from])!;
      }),
  })),
  {
    type: "Pad",
    name: "a value, and fewer",
    inputs: { x: x(2, 3, 4), wholePads: numbers(0, 1, -1, 0, 0, 2), knownValue: tensor([], [1.5]) },
    expected: ({ x }) => onnx.each([2, 4, 5], ([n, c, at]) => onnx.at(x, [n, c - 1, at + 1]) ?? 1.5),
  },
  {
    type: "Reshape",
    inputs: { x: x(2, 3, 4), wholeShape: numbers(4, -1) },
    expected: ({ x }) => tensor([4, 6], x.data),
  },
  {
    type: "Reshape",
    name: "0",
    inputs: { x: x(2, 3, 4), wholeShape: numbers(0, -1) },
    expected: ({ x }) => tensor([2, 12], x.data),
  },
  {
    type: "Flatten",
    name: "2",
    attributes: { axis: 2 },
    inputs: { x: x(2, 3, 4) },
    expected: ({ x }) => tensor([6, 4], x.data),
  },
  { type: "Squeeze", inputs: { x: x(2, 1, 4), wholeAxes: numbers(1) }, expected: ({ x }) => tensor([2, 4], x.data) },
  {
    type: "Unsqueeze",
    inputs: { x: x(2, 4), wholeAxes: numbers(0, 3) },
    expected: ({ x }) => tensor([1, 2, 4, 1], x.data),
  },
  {
    type: "Slice",
    inputs: { x: x(4, 6), wholeStarts: numbers(1, -4), wholeEnds: numbers(3, 1000) },
    expected: ({ x }) => onnx.each([2, 4], ([a, b]) => onnx.at(x, [a + 1, b + 2])!),
  },
  {
    type: "Gather",
    attributes: { axis: 1 },
    inputs: { x: x(2, 4), wholeIndices: numbers(3, 0, -2) },
    expected: ({ x }) => onnx.each([2, 3], ([a, b]) => onnx.at(x, [a, [3, 0, 2][b]])!),
  },
  {
    type: "Split",
    attributes: { axis: 1, num_outputs: 2 },
    inputs: { x: x(2, 5) },
    outputs: ["y", "z"],
    expected: ({ x }) => onnx.each([2, 3], (index) => onnx.at(x, index)!),
  },
  ...["forward", "reverse"].map((direction): Operation => ({
    type: "LSTM",
    name: direction,
    attributes: { hidden_size: 3, direction },
    inputs: { x: x(4, 2, 5), knownW: w(1, 12, 5), knownR: w(1, 12, 3), knownB: w(1, 24) },
    expected: ({ x, knownW, knownR, knownB }) => onnx.lstm(x, knownW, knownR, knownB, direction === "reverse"),
  })),
];

function check({ type, name, opset, attributes, inputs, outputs = ["y"], expected }: Operation): void {
  Deno.test(`onnx: ${type}${name ? `, ${name}` : ""}`, () => {
    const names = Object.keys(inputs), isWhole = (input: string) => input.startsWith("whole");
    const bytes = onnxModel({
      opset,
      nodes: [{ type, inputs: names, outputs, attributes }],
      inputs: names.map((input) => ({ name: input, shape: inputs[input].shape, type: isWhole(input) ? 7 : 1 })),
      outputs,
    });
    const known = names.filter((input) => input.startsWith("known") || isWhole(input)).map((input) => {
      const { shape, data } = inputs[input];
      return [input, tensorOf(isWhole(input) ? "int64" : "float32", shape, data, input)] as const;
    });
    const model = convert(bytes, { constants: new Map(known) });
    assertClose(type, run(model, inputs), expected(inputs), tolerance);
    assert.deepEqual(
      networkOf(model).inputs.map(({ name }) => name),
      names.filter((input) => !/^(known|whole)/.test(input)),
    );
  });
}

for (const operation of [...convolutions, ...pools, ...matrices, ...values, ...moved]) check(operation);
