/** Convolutions, pooling and batch normalisation. */
import { tensor } from "../../../reference/tensor.ts";
import * as onnx from "./expected.ts";
import { check, numbers, type Operation, w, x } from "./operation.ts";

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
  {
    type: "Conv",
    name: "of three dimensions",
    attributes: { strides: [2, 2, 1], pads: [1, 0, 1, 2, 1, 0], dilations: [2, 1, 2], group: 2 },
    inputs: { x: x(2, 4, 6, 5, 7), known: w(6, 2, 2, 3, 2), knownBias: w(6) },
    expected: ({ x, known, knownBias }) =>
      onnx.conv(x, known, knownBias, {
        kernel: [2, 3, 2],
        strides: [2, 2, 1],
        pads: [1, 0, 1, 2, 1, 0],
        dilations: [2, 1, 2],
        groups: 2,
      }),
  },
  {
    type: "Conv",
    name: "of three dimensions, planes that no window sees",
    attributes: { strides: [3, 2, 2] },
    inputs: { x: x(1, 3, 6, 6, 5), known: w(5, 3, 1, 3, 1) },
    expected: ({ x, known }) => onnx.conv(x, known, undefined, { kernel: [1, 3, 1], strides: [3, 2, 2] }),
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
    name: "of three dimensions",
    attributes: { strides: [2, 1, 3], pads: [1, 1, 0, 0, 0, 1], output_padding: [1, 0, 1], dilations: [1, 2, 1] },
    inputs: { x: x(2, 3, 3, 4, 2), known: w(3, 2, 3, 2, 3), knownBias: w(2) },
    expected: ({ x, known, knownBias }) => {
      const windows = { kernel: [3, 2, 3], strides: [2, 1, 3], pads: [1, 1, 0], dilations: [1, 2, 1] };
      const y = onnx.convTranspose(x, known, windows, [2, 2, 7, 5, 6]);
      return onnx.both(y, tensor([2, 1, 1, 1], knownBias.data), (value, bias) => value + bias);
    },
  },
  {
    type: "ConvTranspose",
    name: "of three dimensions, a tap that the pads take away, in groups",
    attributes: { strides: [1, 2, 1], pads: [2, 0, 1, 2, 1, 0], group: 2 },
    inputs: { x: x(1, 4, 2, 3, 3), known: w(4, 1, 4, 1, 2) },
    expected: ({ x, known }) => {
      const windows = { kernel: [4, 1, 2], strides: [1, 2, 1], pads: [2, 0, 1] };
      const half = (n: number) =>
        onnx.convTranspose(
          tensor([1, 2, 2, 3, 3], x.data.slice(36 * n, 36 * n + 36)),
          tensor([2, 1, 4, 1, 2], known.data.slice(16 * n, 16 * n + 16)),
          windows,
          [1, 1, 1, 4, 3],
        );
      return onnx.concat([half(0), half(1)], 1);
    },
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

for (const operation of [...convolutions, ...pools]) check(operation);
