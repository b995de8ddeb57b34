/** Each type of Caffe layer: what it computes after the conversion, against numbers worked out by hand. */
import assert from "node:assert/strict";
import { assertClose } from "../../reference/close.ts";
import { tensor } from "../../reference/tensor.ts";
import { type Blob, blob } from "./caffe_files.ts";
import { convert, net, refuses, values } from "./converted.ts";

interface LayerCase {
  /** After "type:". The layer is "l", from "data" to "l". */
  layer: string;
  /** Without the batch; 1 × 3 × 3 unless given. */
  shape?: number[];
  input?: number[];
  blobs?: Blob[];
  output: number[];
  outputShape: number[];
}

const nine = [1, 2, 3, 4, 5, 6, 7, 8, 9];

const cases: LayerCase[] = [
  {
    layer: '"Convolution" convolution_param { num_output: 1 kernel_size: 2 weight_filler { type: "xavier" } }',
    blobs: [blob([1, 1, 2, 2], [1, 0, 0, 1]), blob([1], [10])],
    output: [16, 18, 22, 24],
    outputShape: [1, 2, 2],
  },
  {
    layer:
      '"Convolution" convolution_param { num_output: 1 kernel_h: 1 kernel_w: 2 stride_h: 2 pad_w: 1 bias_term: false }',
    blobs: [{ ...blob([1, 1, 1, 2], [1, 10]), legacy: true }],
    output: [10, 21, 32, 3, 70, 87, 98, 9],
    outputShape: [1, 2, 4],
  },
  {
    layer: '"Convolution" convolution_param { num_output: 1 kernel_size: [2, 2] dilation: 2 axis: -3 }',
    blobs: [blob([1, 1, 2, 2], [1, 1, 1, 1]), blob([1], [0])],
    output: [20],
    outputShape: [1, 1, 1],
  },
  {
    layer: '"Convolution" convolution_param { num_output: 2 kernel_size: 1 group: 2 }',
    shape: [2, 1, 1],
    input: [3, 4],
    blobs: [blob([2, 1, 1, 1], [2, 5]), { ...blob([2], [0, 1]), legacy: true }],
    output: [6, 21],
    outputShape: [2, 1, 1],
  },
  {
    layer: '"Deconvolution" convolution_param { num_output: 1 kernel_size: 2 stride: 2 }',
    shape: [1, 1, 2],
    input: [1, 2],
    blobs: [blob([1, 1, 2, 2], [1, 2, 3, 4]), blob([1], [0])],
    output: [1, 2, 2, 4, 3, 4, 6, 8],
    outputShape: [1, 2, 4],
  },
  {
    layer: '"InnerProduct" inner_product_param { num_output: 2 }',
    shape: [3],
    input: [1, 2, 3],
    blobs: [{ ...blob([2, 3], [1, 0, 0, 1, 1, 1]), legacy: true }, { ...blob([2], [0, 1]), legacy: true }],
    output: [1, 7],
    outputShape: [2],
  },
  {
    layer: '"InnerProduct" inner_product_param { num_output: 2 axis: 2 }',
    shape: [2, 3],
    input: [1, 2, 3, 4, 5, 6],
    blobs: [blob([2, 3], [1, 0, 0, 1, 1, 1]), blob([2], [0, 1])],
    output: [1, 7, 4, 16],
    outputShape: [2, 2],
  },
  {
    layer: '"InnerProduct" inner_product_param { num_output: 2 axis: -1 bias_term: false transpose: true }',
    shape: [1, 1, 3],
    input: [1, 2, 3],
    blobs: [blob([3, 2], [1, 1, 0, 1, 0, 1])],
    output: [1, 6],
    outputShape: [1, 1, 2],
  },
  {
    layer: '"InnerProduct" inner_product_param { num_output: 2 bias_term: false transpose: true }',
    shape: [3],
    input: [1, 2, 3],
    blobs: [blob([3, 2], [1, 1, 0, 1, 0, 1])],
    output: [1, 6],
    outputShape: [2],
  },
  { layer: '"ReLU"', shape: [2], input: [-1, 2], output: [0, 2], outputShape: [2] },
  {
    layer: '"ReLU" relu_param { negative_slope: 0.5 }',
    shape: [2],
    input: [-1, 2],
    output: [-0.5, 2],
    outputShape: [2],
  },
  { layer: '"PReLU"', shape: [2], input: [-2, -2], blobs: [blob([2], [3, -4])], output: [-6, 8], outputShape: [2] },
  {
    layer: '"PReLU" prelu_param { channel_shared: true filler { value: 0.25 } }',
    shape: [2],
    input: [-2, 2],
    blobs: [blob([], [0.5])],
    output: [-1, 2],
    outputShape: [2],
  },
  { layer: '"ELU"', shape: [2], input: [-Math.log(2), 2], output: [-0.5, 2], outputShape: [2] },
  { layer: '"ELU" elu_param { alpha: 4 }', shape: [1], input: [-Math.log(2)], output: [-2], outputShape: [1] },
  { layer: '"Sigmoid"', shape: [1], input: [Math.log(3)], output: [0.75], outputShape: [1] },
  { layer: '"TanH"', shape: [1], input: [Math.log(2)], output: [0.6], outputShape: [1] },
  {
    layer: '"Pooling" pooling_param { kernel_size: 2 stride: 2 }',
    output: [5, 6, 8, 9],
    outputShape: [1, 2, 2],
    input: nine,
  },
  {
    layer: '"Pooling" pooling_param { pool: AVE kernel_size: 2 stride: 2 }',
    output: [3, 4.5, 7.5, 9],
    outputShape: [1, 2, 2],
  },
  {
    layer: '"Pooling" pooling_param { pool: AVE kernel_size: 3 stride: 2 pad: 1 }',
    output: [12 / 9, 16 / 9, 24 / 9, 28 / 9],
    outputShape: [1, 2, 2],
  },
  {
    layer: '"Pooling" pooling_param { kernel_size: 2 stride: 2 round_mode: FLOOR }',
    output: [5],
    outputShape: [1, 1, 1],
  },
  { layer: '"Pooling" pooling_param { pool: AVE global_pooling: true }', output: [5], outputShape: [1, 1, 1] },
  {
    layer: '"LRN" lrn_param { local_size: 3 alpha: 3 beta: 1 }',
    shape: [2, 1, 1],
    input: [1, 2],
    output: [1 / 6, 2 / 6],
    outputShape: [2, 1, 1],
  },
  // Within a channel the sum over the square is divided by its nine pixels, also at the border; k is not read.
  {
    layer: '"LRN" lrn_param { norm_region: WITHIN_CHANNEL local_size: 3 alpha: 9 beta: 1 k: 7 }',
    shape: [1, 2, 2],
    input: [1, 2, 0, 1],
    output: [1 / 7, 2 / 7, 0, 1 / 7],
    outputShape: [1, 2, 2],
  },
  // Caffe's default is alpha = 1.
  { layer: '"LRN"', shape: [1, 1, 1], input: [2], output: [2 / 1.8 ** 0.75], outputShape: [1, 1, 1] },
  {
    layer: '"BatchNorm" batch_norm_param { eps: 1 use_global_stats: true }',
    shape: [1, 1, 2],
    input: [1, 5],
    blobs: [blob([1], [4]), blob([1], [12]), blob([1], [4])],
    output: [0, 2],
    outputShape: [1, 1, 2],
  },
  {
    layer: '"BatchNorm" batch_norm_param { eps: 4 }',
    shape: [1, 1, 1],
    input: [1],
    blobs: [blob([1], [4]), blob([1], [12]), blob([1], [0])],
    output: [0.5],
    outputShape: [1, 1, 1],
  },
  {
    layer: '"Scale" scale_param { bias_term: true }',
    shape: [2, 1, 1],
    input: [1, 2],
    blobs: [blob([2], [3, 4]), blob([2], [10, 20])],
    output: [13, 28],
    outputShape: [2, 1, 1],
  },
  { layer: '"Scale"', shape: [2], input: [1, 2], blobs: [blob([2], [3, 4])], output: [3, 8], outputShape: [2] },
  { layer: '"Bias"', shape: [2], input: [1, 2], blobs: [blob([2], [3, 4])], output: [4, 6], outputShape: [2] },
  { layer: '"Power" power_param { scale: 2 shift: 1 }', shape: [2], input: [1, 2], output: [3, 5], outputShape: [2] },
  { layer: '"Flatten"', output: nine, outputShape: [9] },
  { layer: '"Reshape" reshape_param { shape { dim: 0 dim: -1 } }', output: nine, outputShape: [9] },
  { layer: '"Reshape" reshape_param { shape { dim: -1 dim: 9 } }', output: nine, outputShape: [9] },
  { layer: '"Reshape" reshape_param { shape { dim: 3 dim: 3 dim: 1 } axis: 1 }', output: nine, outputShape: [3, 3, 1] },
  {
    layer: '"Reshape" reshape_param { shape { dim: 0 dim: 3 dim: 1 dim: 0 } }',
    output: nine,
    outputShape: [3, 1, 3],
  },
  {
    layer: '"Reshape" reshape_param { shape { dim: 1 dim: 3 dim: 3 } axis: 1 num_axes: 1 }',
    shape: [9],
    output: nine,
    outputShape: [1, 3, 3],
  },
  { layer: '"Dropout" dropout_param { dropout_ratio: 0.9 }', output: nine, outputShape: [1, 3, 3] },
  { layer: '"Reshape" reshape_param { shape { dim: 16 dim: 1 dim: 9 } }', output: nine, outputShape: [1, 9] },
  {
    layer: '"Softmax" softmax_param { axis: 2 }',
    shape: [1, 2],
    input: [0, Math.log(3)],
    output: [0.25, 0.75],
    outputShape: [1, 2],
  },
  {
    layer: '"Softmax" softmax_param { axis: 2 }',
    shape: [2, 3],
    input: [0, Math.log(2), 0, Math.log(3), 0, 0],
    output: [1 / 4, 2 / 4, 1 / 4, 3 / 5, 1 / 5, 1 / 5],
    outputShape: [2, 3],
  },
  {
    layer: '"Softmax" softmax_param { axis: -1 }',
    shape: [2, 2, 2],
    input: [0, Math.log(3), 0, 0, Math.log(4), 0, 0, Math.log(9)],
    output: [0.25, 0.75, 0.5, 0.5, 0.8, 0.2, 0.1, 0.9],
    outputShape: [2, 2, 2],
  },
  {
    layer: '"Permute" permute_param { order: 0 order: 2 order: 3 order: 1 }', // as detectors have it
    shape: [2, 1, 3],
    input: [1, 2, 3, 4, 5, 6],
    output: [1, 4, 2, 5, 3, 6],
    outputShape: [1, 3, 2],
  },
  {
    layer: '"Permute" permute_param { order: 0 order: 3 }',
    shape: [2, 1, 3],
    input: [1, 2, 3, 4, 5, 6],
    output: [1, 4, 2, 5, 3, 6],
    outputShape: [3, 2, 1],
  },
  { layer: '"Softmax"', shape: [2], input: [0, Math.log(3)], output: [0.25, 0.75], outputShape: [2] },
];

Deno.test("caffe: each layer alone", () => {
  for (const { layer, shape = [1, 3, 3], input = nine, blobs = [], output, outputShape } of cases) {
    const text = net(shape, `layer { name: "l" bottom: "data" top: "l" type: ${layer} }`);
    const result = values(convert(text, { l: blobs }), { data: input }).get("l")!;
    assertClose(layer, result, tensor([1, ...outputShape], output), 1e-6);
  }
});

const relu = 'layer { name: "r" type: "ReLU" bottom: "data" top: "r" }';

Deno.test("caffe: layers of several inputs or outputs", () => {
  const several = (layer: string) => {
    const text = net([2], `${relu} layer { name: "l" bottom: "data" bottom: "r" top: "l" type: ${layer} }`);
    const { data } = values(convert(text), { data: [-1, 2] }).get("l")!;
    return [...data].map((value) => value + 0); // no −0
  };
  assert.deepEqual(several('"Eltwise"'), [-1, 4]);
  assert.deepEqual(several('"Eltwise" eltwise_param { coeff: 1 coeff: -2 }'), [-1, -2]);
  assert.deepEqual(several('"Eltwise" eltwise_param { operation: PROD }'), [0, 4]);
  assert.deepEqual(several('"Eltwise" eltwise_param { operation: MAX }'), [0, 2]);
  assert.deepEqual(several('"Bias" bias_param { axis: 0 }'), [-1, 4]);
  assert.deepEqual(several('"Scale" scale_param { axis: 0 }'), [0, 4]);
  assert.deepEqual(several('"Concat"'), [-1, 2, 0, 2]);
  assert.deepEqual(several('"Concat" concat_param { concat_dim: 1 }'), [-1, 2, 0, 2]);
});

Deno.test("caffe: a second bottom of one value a channel scales or shifts whole maps", () => {
  const text = (type: string) =>
    net(
      [2, 1, 2],
      `layer { name: "m" type: "Pooling" bottom: "data" top: "m" pooling_param { pool: AVE global_pooling: true } }
       layer { name: "v" type: "Flatten" bottom: "m" top: "v" }
       layer { name: "l" bottom: "data" bottom: "v" top: "l" type: ${type} }`,
    );
  const run = (type: string) => [...values(convert(text(type)), { data: [1, 3, 4, 0] }).get("l")!.data];
  assert.deepEqual(run('"Scale" scale_param { axis: 0 }'), [2, 6, 8, 0]);
  assert.deepEqual(run('"Bias" bias_param { axis: 0 }'), [3, 5, 6, 2]);
});

Deno.test("caffe: f16 stores the weights of convolutions and fully connected layers", () => {
  const text = net(
    [2],
    'layer { name: "l" type: "InnerProduct" bottom: "data" top: "l" inner_product_param { num_output: 1 } }',
  );
  const stored = (weight: number[]) =>
    convert(text, { l: [blob([1, 2], weight), blob([1], [0.1])] }, { weights: "f16" }).tensors;
  assert.deepEqual([...stored([1, 2])].map(([name, { dtype }]) => [name, dtype]), [["l.weight", "F16"], [
    "l.bias",
    "F32",
  ]]);
  refuses(() => stored([1, 1e6]), /its weight holds values beyond f16; use --weights f32/);
});
