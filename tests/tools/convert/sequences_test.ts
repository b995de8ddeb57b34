/** Recurrent Caffe networks: what an LSTM layer computes, and LRCN's published form at a fraction of its size. */
import assert from "node:assert/strict";
import { openDevice } from "../../../src/gpu/device.ts";
import { assertClose } from "../../reference/close.ts";
import { normal } from "../../reference/random.ts";
import { tensor } from "../../reference/tensor.ts";
import { type Blob, blob } from "./caffe_files.ts";
import { assertRuns, convert, networkOf, refuses, values } from "./converted.ts";

const device = await openDevice();

/** Random numbers as a blob. */
function random(seed: string, shape: number[], spread: number): Blob {
  const next = normal(seed);
  return blob(shape, Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => spread * next()));
}

const sigmoid = (a: number) => 1 / (1 + Math.exp(-a));

/** Caffe's LSTM unit over `steps` steps of one feature for one hidden unit; gates i, f, o, g. */
function oneUnit(x: number[], markers: number[], [wx, b, wh]: number[][]): number[] {
  let h = 0;
  let c = 0;
  return x.map((value, t) => {
    const [i, f, o, g] = wx.map((weight, gate) => weight * value + b[gate] + markers[t] * h * wh[gate]);
    c = markers[t] * sigmoid(f) * c + sigmoid(i) * Math.tanh(g);
    h = sigmoid(o) * Math.tanh(c);
    return h;
  });
}

const lstm = (bottoms: string, units = 1) =>
  `layer { name: "l" type: "LSTM" ${bottoms} top: "l" recurrent_param { num_output: ${units} weight_filler { type: "uniform" } } }`;

Deno.test("caffe: LSTM has Caffe's gates, blobs and marker, which one bottom alone leaves at 1", () => {
  const weights = [[0.5, -1, 2, 1.5], [0.1, 0.2, -0.3, 0.4], [1, -0.5, 0.7, -2]];
  const x = [1, -2, 0.5, 3];
  const blobs = { l: [blob([4, 1], weights[0]), blob([4], weights[1]), blob([4, 1], weights[2])] };
  const input = 'input: "data" input_shape { dim: [4, 1, 1] }';
  const marked = convert(
    `${input} input: "cont" input_shape { dim: [4, 1] } ${lstm('bottom: "data" bottom: "cont"')}`,
    blobs,
  );
  for (const markers of [[0, 1, 1, 1], [0, 1, 0, 1]]) {
    const y = values(marked, { data: x, cont: markers }, 4).get("l")!;
    assertClose(`${markers}`, y, tensor([4, 1, 1], oneUnit(x, markers, weights)), 1e-6);
  }
  const alone = values(convert(`${input} ${lstm('bottom: "data"')}`, blobs), { data: x }, 4).get("l")!;
  assertClose("without marker", alone, tensor([4, 1, 1], oneUnit(x, [0, 1, 1, 1], weights)), 1e-6);
});

Deno.test("caffe: LSTM over streams of several axes, and of none", () => {
  const shaped = (dims: string, features: number) => {
    const text = `input: "data" input_shape { dim: [${dims}] } ${lstm('bottom: "data"', 2)}`;
    const blobs = { l: [random("x", [8, features], 1), random("b", [8], 1), random("h", [8, 2], 1)] };
    const model = convert(text, blobs);
    const size = networkOf(model).inputs[0].shape.reduce((a, b) => a * b, 1);
    return values(model, { data: Array.from({ length: 5 * size }, (_, n) => Math.sin(n)) }, 5).get("l")!;
  };
  const flat = shaped("5, 3, 4", 4);
  const deep = shaped("5, 3, 2, 2", 4);
  assert.deepEqual([flat.shape, deep.shape, shaped("5, 3", 1).shape], [[5, 3, 2], [5, 3, 2], [5, 3, 2]]);
  assert.deepEqual(deep.data, flat.data);
});

const conv = (name: string, bottom: string, parameters: string) => `
  layer { name: "${name}" type: "Convolution" bottom: "${bottom}" top: "${name}" convolution_param { ${parameters} } }
  layer { name: "relu_${name}" type: "ReLU" bottom: "${name}" top: "${name}" }`;
const pool = (name: string, bottom: string) => `
  layer { name: "${name}" type: "Pooling" bottom: "${bottom}" top: "${name}" pooling_param { pool: MAX kernel_size: 3 stride: 2 } }`;

/** LRCN's activity network as published for deployment, with few channels and 35 × 35 pixels. */
const lrcn = (streams = 1) =>
  `name: "lstm_joints"
  input: "data" input_shape { dim: 6 dim: 3 dim: 35 dim: 35 }
  input: "clip_markers" input_shape { dim: 6 dim: 1 dim: 1 dim: 1 }
  ${conv("conv1", "data", "num_output: 8 kernel_size: 7 stride: 2")} ${pool("pool1", "conv1")}
  layer { name: "norm1" type: "LRN" bottom: "pool1" top: "norm1" lrn_param { local_size: 5 alpha: 0.0001 beta: 0.75 } }
  ${conv("conv2", "norm1", "num_output: 12 kernel_size: 3 stride: 2 group: 2")}
  layer { name: "fc6" type: "InnerProduct" bottom: "conv2" top: "fc6" inner_product_param { num_output: 18 } }
  layer { name: "relu6" type: "ReLU" bottom: "fc6" top: "fc6" }
  layer { name: "drop6" type: "Dropout" bottom: "fc6" top: "fc6" dropout_param { dropout_ratio: 0.9 } }
  layer { name: "reshape-data" type: "Reshape" bottom: "fc6" top: "fc6-reshape" reshape_param { shape { dim: 6 dim: ${streams} dim: 18 } } }
  layer { name: "reshape-cm" type: "Reshape" bottom: "clip_markers" top: "reshape-cm" reshape_param { shape { dim: 6 dim: ${streams} } } }
  layer { name: "lstm1" type: "LSTM" bottom: "fc6-reshape" bottom: "reshape-cm" top: "lstm1"
    recurrent_param { num_output: 10 weight_filler { type: "uniform" min: -0.01 max: 0.01 } bias_filler { type: "constant" value: 0 } } }
  layer { name: "lstm1-drop" type: "Dropout" bottom: "lstm1" top: "lstm1-drop" dropout_param { dropout_ratio: 0.5 } }
  layer { name: "fc8-final" type: "InnerProduct" bottom: "lstm1-drop" top: "fc8-final" inner_product_param { num_output: 7 axis: 2 } }
  layer { name: "probs" type: "Softmax" bottom: "fc8-final" top: "probs" softmax_param { axis: 2 } }`;

const lrcnBlobs = {
  conv1: [random("conv1", [8, 3, 7, 7], 0.1), random("b1", [8], 0.1)],
  conv2: [random("conv2", [12, 4, 3, 3], 0.2), random("b2", [12], 0.1)],
  fc6: [random("fc6", [18, 108], 0.1), random("b6", [18], 0.1)],
  lstm1: [random("lstm_x", [40, 18], 0.4), random("lstm_b", [40], 0.2), random("lstm_h", [40, 10], 0.4)],
  "fc8-final": [random("fc8", [7, 10], 0.5), random("b8", [7], 0.1)],
};

Deno.test("caffe: LRCN through time, every layer and the gradient of a unit", async () => {
  const model = convert(lrcn(), lrcnBlobs);
  const next = normal(3);
  assert.deepEqual(networkOf(model).inputs, [{ name: "data", shape: [3, 35, 35] }, {
    name: "clip_markers",
    shape: [1, 1, 1],
  }]);
  const data = Float32Array.from({ length: 6 * 3 * 35 * 35 }, next);
  // Two clips one after the other, then all as one.
  for (const markers of [[0, 1, 1, 0, 1, 1], [0, 1, 1, 1, 1, 1]]) {
    const inputs = { data, clip_markers: Float32Array.from(markers) };
    await assertRuns(device, model, inputs, 6, { "fc8-final": 4, probs: 2, lstm1: 9, fc6: 3 }, 2e-5);
  }
});

Deno.test("caffe: LRCN's streams take turns in the batch, and are apart", async () => {
  const data = Float32Array.from({ length: 6 * 3 * 35 * 35 }, normal(4));
  const size = data.length / 6;
  const one = convert(lrcn(), lrcnBlobs);
  const three = convert(lrcn(3), lrcnBlobs);
  const markers = [0, 0, 0, 1, 1, 0];
  const inputs = { data, clip_markers: Float32Array.from(markers) };
  await assertRuns(device, three, inputs, 6, { probs: 2, lstm1: 9 }, 2e-5);
  const together = values(three, inputs, 6).get("probs")!;
  for (const stream of [0, 1, 2]) {
    const rows = [stream, stream + 3];
    const pick = (from: Float32Array, length: number) =>
      Float32Array.from(rows.flatMap((row) => [...from.subarray(row * length, (row + 1) * length)]));
    const alone = values(one, { data: pick(data, size), clip_markers: pick(inputs.clip_markers, 1) }, 2).get("probs")!;
    const own = rows.flatMap((row) => [...together.data.subarray(row * 7, (row + 1) * 7)]);
    assertClose(`stream ${stream}`, alone, tensor([2, 1, 7], own));
  }
  await assert.rejects(
    () => assertRuns(device, three, { data: data.subarray(size), clip_markers: new Float32Array(5) }, 5, {}, 1),
    /lstm1: a batch of 5 does not split into steps of 3 streams/,
  );
});

Deno.test("caffe: what streams that take turns may not meet", () => {
  const after = (layer: string) => () =>
    convert(
      `input: "data" input_shape { dim: [6, 4] }
       layer { name: "r" type: "Reshape" bottom: "data" top: "r" reshape_param { shape { dim: [2, 3, 4] } } }
       layer { name: "l" top: "l" bottom: "r" ${layer} }`,
      { l: [random("w", [2, 4], 1), random("b", [2], 1)] },
    );
  const shape = (layer: string) => networkOf(after(layer)()).layers.at(-1)!;
  assert.deepEqual(shape('type: "Reshape" reshape_param { shape { dim: -1 dim: 4 } }').shape, [4]);
  assert.equal(shape('type: "InnerProduct" inner_product_param { num_output: 2 axis: 2 }').axis, 1);
  assert.equal(shape('type: "TanH"').type, "tanh");
  refuses(
    after('type: "InnerProduct" inner_product_param { num_output: 2 }'),
    /the items of time and streams are apart/,
  );
  refuses(after('type: "Softmax"'), /along axis 1, but the items of time and streams are apart/);
  refuses(after('type: "LRN"'), /its bottom has 3 streams that take turns in the batch, which this type does not know/);
  refuses(after('type: "Eltwise" bottom: "data"'), /its bottoms have 3 and 1 streams, expected as many/);
});

Deno.test("caffe: f16 stores both matrices of an LSTM", () => {
  const types = [...convert(lrcn(), lrcnBlobs, { weights: "f16" }).tensors].map(([name, { dtype }]) =>
    `${name} ${dtype}`
  );
  assert.deepEqual(types.filter((name) => name.startsWith("lstm1")), [
    "lstm1.inputWeight F16",
    "lstm1.recurrentWeight F16",
    "lstm1.bias F32",
  ]);
});

Deno.test("caffe: PReLU, ELU, Slice, Bias and LRN within a channel as one network", async () => {
  const text = `input: "data" input_shape { dim: 2 dim: 3 dim: 11 dim: 9 }
    layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1" convolution_param { num_output: 10 kernel_size: 3 bias_term: false } }
    layer { name: "bias1" type: "Bias" bottom: "conv1" top: "conv1" }
    layer { name: "prelu1" type: "PReLU" bottom: "conv1" top: "conv1" }
    layer { name: "norm1" type: "LRN" bottom: "conv1" top: "norm1" lrn_param { norm_region: WITHIN_CHANNEL local_size: 3 alpha: 0.5 beta: 0.75 } }
    layer { name: "slice1" type: "Slice" bottom: "norm1" top: "left" top: "right" slice_param { axis: 1 slice_point: 3 } }
    layer { name: "elu_left" type: "ELU" bottom: "left" top: "left" elu_param { alpha: 0.5 } }
    layer { name: "shared" type: "PReLU" bottom: "right" top: "shared" prelu_param { channel_shared: true } }
    layer { name: "rows" type: "Slice" bottom: "shared" top: "upper" top: "lower" slice_param { axis: 2 slice_point: 4 } }
    layer { name: "one" type: "InnerProduct" bottom: "left" top: "one" inner_product_param { num_output: 6 } }
    layer { name: "two" type: "InnerProduct" bottom: "upper" top: "two" inner_product_param { num_output: 6 } }
    layer { name: "three" type: "InnerProduct" bottom: "lower" top: "three" inner_product_param { num_output: 6 } }
    layer { name: "product" type: "Scale" bottom: "one" bottom: "two" top: "product" scale_param { axis: 0 } }
    layer { name: "sum" type: "Bias" bottom: "product" bottom: "three" top: "sum" bias_param { axis: 0 } }`;
  const fc = (name: string, features: number) => [random(name, [6, features], 0.2), random(`${name} b`, [6], 0.2)];
  const model = convert(text, {
    conv1: [random("conv", [10, 3, 3, 3], 0.3)],
    bias1: [random("bias", [10], 0.5)],
    prelu1: [random("prelu", [10], 0.5)],
    shared: [blob([], [-0.3])],
    one: fc("one", 3 * 9 * 7),
    two: fc("two", 7 * 4 * 7),
    three: fc("three", 7 * 5 * 7),
  });
  const data = Float32Array.from({ length: 2 * 3 * 11 * 9 }, normal(8));
  await assertRuns(device, model, { data }, 2, { sum: 5, three: 0, two: 3 }, 2e-5);
});
