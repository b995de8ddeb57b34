/** The shapes of the networks that people have on disk, their channels reduced; and of damaged copies of one. */
import assert from "node:assert/strict";
import { buildGraph } from "../../../src/net/graph.ts";
import { parseNetwork } from "../../../src/net/network.ts";
import { convertCaffe } from "../../../tools/convert/caffe/network.ts";
import { damageProtobuf, damageText } from "../../formats/damage.ts";
import { fuzz } from "../../formats/fuzz.ts";
import { type Blob, blob, caffemodel } from "./caffe_files.ts";
import { convert, shapes } from "./converted.ts";

/** Zeros of these shapes. */
const zeros = (...shapes: number[][]): Blob[] =>
  shapes.map((shape) => blob(shape, new Float32Array(shape.reduce((a, b) => a * b, 1))));

/** What must be in `all`. */
function has(all: Record<string, string>, expected: Record<string, string>): void {
  assert.deepEqual(Object.fromEntries(Object.keys(expected).map((name) => [name, all[name]])), expected);
}

/** CaffeNet's trained layers with an eighth of its channels and fewer units. */
const caffenetBlobs = {
  conv1: zeros([12, 3, 11, 11], [12]),
  conv2: zeros([32, 6, 5, 5], [32]),
  conv3: zeros([48, 32, 3, 3], [48]),
  conv4: zeros([48, 24, 3, 3], [48]),
  conv5: zeros([32, 24, 3, 3], [32]),
  fc6: zeros([16, 32 * 36], [16]),
  fc7: zeros([16, 16], [16]),
  fc8: zeros([10, 16], [10]),
};

const caffenetShapes = {
  conv1: "12×55×55",
  pool1: "12×27×27",
  conv2: "32×27×27",
  pool2: "32×13×13",
  conv3: "48×13×13",
  conv4: "48×13×13",
  conv5: "32×13×13",
  pool5: "32×6×6",
  fc6: "16",
  fc7: "16",
  fc8: "10",
  prob: "10",
};

Deno.test("caffe: CaffeNet", () => {
  const conv = (name: string, bottom: string, parameters: string) => `
    layer { name: "${name}" type: "Convolution" bottom: "${bottom}" top: "${name}" convolution_param { ${parameters} } }
    layer { name: "relu_${name}" type: "ReLU" bottom: "${name}" top: "${name}" }`;
  const pool = (n: number) => `
    layer { name: "pool${n}" type: "Pooling" bottom: "conv${n}" top: "pool${n}" pooling_param { pool: MAX kernel_size: 3 stride: 2 } }`;
  const norm = (n: number) => `
    layer { name: "norm${n}" type: "LRN" bottom: "pool${n}" top: "norm${n}" lrn_param { local_size: 5 alpha: 0.0001 beta: 0.75 } }`;
  const fc = (name: string, bottom: string, units: number) => `
    layer { name: "${name}" type: "InnerProduct" bottom: "${bottom}" top: "${name}" inner_product_param { num_output: ${units} } }`;
  const text = `name: "CaffeNet"
    layer { name: "data" type: "Input" top: "data" input_param { shape: { dim: 10 dim: 3 dim: 227 dim: 227 } } }
    ${conv("conv1", "data", "num_output: 12 kernel_size: 11 stride: 4")} ${pool(1)} ${norm(1)}
    ${conv("conv2", "norm1", "num_output: 32 pad: 2 kernel_size: 5 group: 2")} ${pool(2)} ${norm(2)}
    ${conv("conv3", "norm2", "num_output: 48 pad: 1 kernel_size: 3")}
    ${conv("conv4", "conv3", "num_output: 48 pad: 1 kernel_size: 3 group: 2")}
    ${conv("conv5", "conv4", "num_output: 32 pad: 1 kernel_size: 3 group: 2")} ${pool(5)}
    ${fc("fc6", "pool5", 16)}
    layer { name: "drop6" type: "Dropout" bottom: "fc6" top: "fc6" dropout_param { dropout_ratio: 0.5 } }
    ${fc("fc7", "fc6", 16)} ${fc("fc8", "fc7", 10)}
    layer { name: "prob" type: "Softmax" bottom: "fc8" top: "prob" }`;
  const model = convert(text, caffenetBlobs);
  has(shapes(model), caffenetShapes);
  assert.deepEqual([model.pixels!.image.mean, model.pixels!.sure], [[104, 117, 123], true]);
  // The paper's program searches CaffeNet by the defaults, GoogLeNet by others.
  assert.equal(JSON.parse(model.text).search, undefined);
  const google = convert(text.replace("CaffeNet", "GoogleNet"), caffenetBlobs);
  assert.deepEqual(JSON.parse(google.text).search, { lrStart: 2 });
});

Deno.test("caffe: Places205-AlexNet's oldest form", () => {
  const conv = (n: number, bottom: string, parameters: string) => `
    layers { layer { name: "conv${n}" type: "conv" ${parameters} weight_filler { type: "gaussian" std: 0.01 }
      bias_filler { type: "constant" value: 0. } blobs_lr: 1. blobs_lr: 2. weight_decay: 1. weight_decay: 0. } bottom: "${bottom}" top: "conv${n}" }
    layers { layer { name: "relu${n}" type: "relu" } bottom: "conv${n}" top: "conv${n}" }`;
  const pool = (n: number) => `
    layers { layer { name: "pool${n}" type: "pool" pool: MAX kernelsize: 3 stride: 2 } bottom: "conv${n}" top: "pool${n}" }`;
  const norm = (n: number) => `
    layers { layer { name: "norm${n}" type: "lrn" local_size: 5 alpha: 0.0001 beta: 0.75 } bottom: "pool${n}" top: "norm${n}" }`;
  const fc = (name: string, bottom: string, units: number) => `
    layers { layer { name: "${name}" type: "innerproduct" num_output: ${units} } bottom: "${bottom}" top: "${name}" }`;
  const text = `name: "places" input: "data" input_dim: 10 input_dim: 3 input_dim: 227 input_dim: 227
    ${conv(1, "data", "num_output: 12 kernelsize: 11 stride: 4")} ${pool(1)} ${norm(1)}
    ${conv(2, "norm1", "num_output: 32 group: 2 kernelsize: 5 pad: 2")} ${pool(2)} ${norm(2)}
    ${conv(3, "norm2", "num_output: 48 kernelsize: 3 pad: 1")} ${
    conv(4, "conv3", "num_output: 48 group: 2 kernelsize: 3 pad: 1")
  }
    ${conv(5, "conv4", "num_output: 32 group: 2 kernelsize: 3 pad: 1")} ${pool(5)}
    ${
    fc("fc6", "pool5", 16)
  } layers { layer { name: "drop6" type: "dropout" dropout_ratio: 0.5 } bottom: "fc6" top: "fc6" }
    ${fc("fc7", "fc6", 16)} ${fc("fc8", "fc7", 10)}
    layers { layer { name: "prob" type: "softmax" } bottom: "fc8" top: "prob" }`;
  const legacy = Object.entries(caffenetBlobs).map((
    [name, blobs],
  ) => [name, blobs.map((b) => ({ ...b, legacy: true }))]);
  for (const generation of ["v0", "v1"] as const) {
    has(shapes(convert(text, Object.fromEntries(legacy), { generation })), caffenetShapes);
  }
});

const inception = `name: "GoogleNet" input: "data" input_shape { dim: 1 dim: 8 dim: 28 dim: 28 }
  ${
  [["1x1", "data", 4, 1, 0], ["3x3_reduce", "data", 3, 1, 0], ["3x3", "3x3_reduce", 4, 3, 1], [
    "5x5_reduce",
    "data",
    2,
    1,
    0,
  ], [
    "5x5",
    "5x5_reduce",
    3,
    5,
    2,
  ]].map(([name, bottom, channels, kernel, pad]) => `
  layer { name: "i/${name}" type: "Convolution" bottom: "${bottom === "data" ? "" : "i/"}${bottom}" top: "i/${name}"
    convolution_param { num_output: ${channels} kernel_size: ${kernel} pad: ${pad} } }
  layer { name: "i/relu_${name}" type: "ReLU" bottom: "i/${name}" top: "i/${name}" }`).join("")
}
  layer { name: "i/pool" type: "Pooling" bottom: "data" top: "i/pool" pooling_param { pool: MAX kernel_size: 3 stride: 1 pad: 1 } }
  layer { name: "i/output" type: "Concat" bottom: "i/1x1" bottom: "i/3x3" bottom: "i/5x5" bottom: "i/pool" top: "i/output" }
  layer { name: "pool5" type: "Pooling" bottom: "i/output" top: "pool5" pooling_param { pool: AVE kernel_size: 28 stride: 1 } }
  layer { name: "loss3/classifier" type: "InnerProduct" bottom: "pool5" top: "loss3/classifier" inner_product_param { num_output: 5 } }
  layer { name: "prob" type: "Softmax" bottom: "loss3/classifier" top: "prob" }`;

const inceptionBlobs = {
  "i/1x1": zeros([4, 8, 1, 1], [4]),
  "i/3x3_reduce": zeros([3, 8, 1, 1], [3]),
  "i/3x3": zeros([4, 3, 3, 3], [4]),
  "i/5x5_reduce": zeros([2, 8, 1, 1], [2]),
  "i/5x5": zeros([3, 2, 5, 5], [3]),
  "loss3/classifier": zeros([5, 19], [5]),
};

Deno.test("caffe: GoogLeNet's inception", () => {
  has(shapes(convert(inception, inceptionBlobs)), {
    "i/3x3": "4×28×28",
    "i/pool": "8×28×28",
    "i/output": "19×28×28",
    pool5: "19×1×1",
    prob: "5",
  });
});

Deno.test("caffe: ResNet-50's bottleneck", () => {
  const conv = (name: string, bottom: string, channels: number, kernel: number, stride: number, active = true) => `
    layer { name: "res${name}" type: "Convolution" bottom: "${bottom}" top: "res${name}"
      convolution_param { num_output: ${channels} kernel_size: ${kernel} pad: ${
    kernel >> 1
  } stride: ${stride} bias_term: false } }
    layer { name: "bn${name}" type: "BatchNorm" bottom: "res${name}" top: "res${name}" batch_norm_param { use_global_stats: true } }
    layer { name: "scale${name}" type: "Scale" bottom: "res${name}" top: "res${name}" scale_param { bias_term: true } }
    ${active ? `layer { name: "res${name}_relu" type: "ReLU" bottom: "res${name}" top: "res${name}" }` : ""}`;
  const blobs = (name: string, [channels, ...rest]: number[]) => ({
    [`res${name}`]: zeros([channels, ...rest]),
    [`bn${name}`]: [...zeros([channels], [channels]), blob([1], [999])],
    [`scale${name}`]: zeros([channels], [channels]),
  });
  const text = `name: "ResNet-50" input: "data" input_dim: 1 input_dim: 8 input_dim: 14 input_dim: 14
    ${conv("_branch1", "data", 16, 1, 2, false)} ${conv("_branch2a", "data", 4, 1, 2)} ${
    conv("_branch2b", "res_branch2a", 4, 3, 1)
  }
    ${conv("_branch2c", "res_branch2b", 16, 1, 1, false)}
    layer { bottom: "res_branch1" bottom: "res_branch2c" top: "res" name: "res" type: "Eltwise" }
    layer { bottom: "res" top: "res" name: "res_relu" type: "ReLU" }`;
  const model = convert(text, {
    ...blobs("_branch1", [16, 8, 1, 1]),
    ...blobs("_branch2a", [4, 8, 1, 1]),
    ...blobs("_branch2b", [4, 4, 3, 3]),
    ...blobs("_branch2c", [16, 4, 1, 1]),
  });
  has(shapes(model), { res_branch2a: "4×7×7", res_branch2b: "4×7×7", res_branch1: "16×7×7", res: "16×7×7" });
});

/** Converts, and loads what came out as the runtime would. */
function convertAndLoad(text: string, bytes: Uint8Array): void {
  const { text: json, tensors } = convertCaffe(
    { prototxt: { text, file: "net.prototxt" }, caffemodel: { bytes, file: "net.caffemodel" } },
    { name: "net" },
  );
  const graph = buildGraph({ network: parseNetwork(json, "json"), weights: tensors, where: "folder" });
  for (const layer of graph.layers) for (const key of Object.keys(layer.weightShapes)) layer.weight(key);
}

Deno.test("caffe: damaged prototxt and caffemodel give a valid model or one sentence", () => {
  const bytes = caffemodel(inceptionBlobs);
  const legacy = caffemodel(inceptionBlobs, "v1");
  fuzz(
    new TextEncoder().encode(inception),
    2000,
    (damaged) => convertAndLoad(new TextDecoder().decode(damaged), bytes),
  );
  fuzz(bytes, 1000, (damaged) => convertAndLoad(inception, damaged));
  fuzz(legacy, 1000, (damaged) => convertAndLoad(inception, damaged));
});

/** A network of every kind of parameter: numbers, words, shapes, several tops and bottoms. */
const mixed =
  `name: "mixed" input: "data" input_shape { dim: 1 dim: 3 dim: 12 dim: 12 } input: "marker" input_shape { dim: 1 dim: 1 }
  layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param { num_output: 6 kernel_size: 3 pad: 1 group: 3 dilation: 1 } }
  layer { name: "bn" type: "BatchNorm" bottom: "conv" top: "conv" batch_norm_param { use_global_stats: true eps: 1e-5 } }
  layer { name: "scale" type: "Scale" bottom: "conv" top: "conv" scale_param { bias_term: true } }
  layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" relu_param { negative_slope: 0.3 } }
  layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool" pooling_param { pool: MAX kernel_size: 3 stride: 2 pad: 1 } }
  layer { name: "norm" type: "LRN" bottom: "pool" top: "norm" lrn_param { local_size: 5 alpha: 0.0001 beta: 0.75 } }
  layer { name: "up" type: "Deconvolution" bottom: "norm" top: "up" convolution_param { num_output: 4 kernel_size: 4 stride: 2 pad: 1 } }
  layer { name: "crop" type: "Crop" bottom: "up" bottom: "data" top: "crop" crop_param { axis: 2 offset: 1 } }
  layer { name: "power" type: "Power" bottom: "up" top: "power" power_param { scale: 0.5 shift: 1 } }
  layer { name: "sum" type: "Eltwise" bottom: "up" bottom: "power" top: "sum" eltwise_param { operation: SUM coeff: 1 coeff: -1 } }
  layer { name: "bias" type: "Bias" bottom: "sum" top: "bias" }
  layer { name: "concat" type: "Concat" bottom: "bias" bottom: "sum" top: "concat" }
  layer { name: "maps" type: "Reshape" bottom: "concat" top: "maps" reshape_param { shape { dim: 0 dim: -1 dim: 2 dim: 4 } } }
  layer { name: "flat" type: "Flatten" bottom: "maps" top: "flat" }
  layer { name: "ip" type: "InnerProduct" bottom: "flat" top: "ip" inner_product_param { num_output: 5 } }
  layer { name: "prelu" type: "PReLU" bottom: "ip" top: "ip" prelu_param { channel_shared: true } }
  layer { name: "slice" type: "Slice" bottom: "ip" top: "left" top: "right" slice_param { axis: 1 slice_point: 2 } }
  layer { name: "steps" type: "Reshape" bottom: "left" top: "steps" reshape_param { shape { dim: 0 dim: 1 dim: 2 } } }
  layer { name: "lstm" type: "LSTM" bottom: "steps" bottom: "marker" top: "lstm" recurrent_param { num_output: 3 } }
  layer { name: "split" type: "Split" bottom: "ip" top: "a" top: "b" }
  layer { name: "accuracy" type: "Accuracy" bottom: "a" top: "accuracy" include { phase: TEST } }
  layer { name: "prob" type: "Softmax" bottom: "b" top: "prob" exclude { phase: TRAIN } }`;

const mixedBlobs = {
  conv: zeros([6, 1, 3, 3], [6]),
  bn: [...zeros([6], [6]), blob([1], [2])],
  scale: zeros([6], [6]),
  up: zeros([6, 4, 4, 4], [4]),
  bias: zeros([4]),
  ip: zeros([5, 8 * 14 * 14], [5]),
  prelu: zeros([1]),
  lstm: zeros([12, 2], [12], [12, 3]),
};

/** The fields of a caffemodel that are messages, in all generations. */
const isMessage = (path: string) => /^(100(\.7(\.7)?)?|2(\.6(\.7)?|\.1(\.50(\.7)?)?)?)$/.test(path);

Deno.test("caffe: harsh numbers, missing and doubled parts give a valid model or one sentence", () => {
  const bytes = caffemodel(mixedBlobs);
  const read = (damaged: Uint8Array) => new TextDecoder().decode(damaged);
  convertAndLoad(mixed, bytes);
  fuzz(new TextEncoder().encode(mixed), 700, (damaged) => convertAndLoad(read(damaged), bytes), { damage: damageText });
  for (const generation of ["v2", "v1", "v0"] as const) {
    const file = caffemodel(inceptionBlobs, generation);
    fuzz(file, 150, (damaged) => convertAndLoad(inception, damaged), { damage: damageProtobuf(isMessage) });
  }
});

/** A network of the types that become several layers, or have parameters of their own. */
const composed = `name: "composed" input: "data" input_shape { dim: 1 dim: 4 dim: 8 dim: 6 }
  layer { name: "abs" type: "AbsVal" bottom: "data" top: "abs" }
  layer { name: "exp" type: "Exp" bottom: "abs" top: "exp" exp_param { base: 2 scale: 0.5 shift: -1 } }
  layer { name: "log" type: "Log" bottom: "exp" top: "log" log_param { base: 10 scale: 1.5 shift: 1 } }
  layer { name: "power" type: "Power" bottom: "log" top: "power" power_param { power: 2.5 scale: 0.5 shift: 1 } }
  layer { name: "bnll" type: "BNLL" bottom: "power" top: "power" }
  layer { name: "mvn" type: "MVN" bottom: "power" top: "mvn" mvn_param { across_channels: true eps: 1e-6 } }
  layer { name: "clip" type: "Clip" bottom: "mvn" top: "mvn" clip_param { min: -2 max: 2 } }
  layer { name: "swish" type: "Swish" bottom: "mvn" top: "swish" swish_param { beta: 2 } }
  layer { name: "norm" type: "Normalize" bottom: "swish" top: "norm" norm_param { across_spatial: false channel_shared: false } }
  layer { name: "bn" type: "BN" bottom: "norm" top: "norm" bn_param { eps: 1e-5 } }
  layer { name: "shuffle" type: "ShuffleChannel" bottom: "norm" top: "shuffle" shuffle_channel_param { group: 2 } }
  layer { name: "depthwise" type: "DepthwiseConvolution" bottom: "shuffle" bottom: "norm" top: "one" top: "two" convolution_param { num_output: 4 kernel_size: 3 pad: 1 group: 4 } }
  layer { name: "relu6" type: "ReLU6" bottom: "one" top: "one" }
  layer { name: "pool" type: "Pooling" bottom: "two" top: "pool" top: "mask" pooling_param { pool: MAX kernel_size: 2 stride: 2 } }
  layer { name: "upsample" type: "Upsample" bottom: "pool" top: "upsample" upsample_param { scale: 2 } }
  layer { name: "squeeze" type: "Pooling" bottom: "one" top: "squeeze" pooling_param { pool: AVE global_pooling: true } }
  layer { name: "axpy" type: "Axpy" bottom: "squeeze" bottom: "one" bottom: "upsample" top: "axpy" }
  layer { name: "interp" type: "Interp" bottom: "axpy" top: "interp" interp_param { zoom_factor: 2 pad_beg: -1 pad_end: 0 } }
  layer { name: "join" type: "Concat" bottom: "interp" bottom: "interp" top: "join" concat_param { axis: 2 } }
  layer { name: "spp" type: "SPP" bottom: "join" top: "spp" spp_param { pyramid_height: 2 pool: AVE } }
  layer { name: "tile" type: "Tile" bottom: "spp" top: "tile" tile_param { axis: 1 tiles: 3 } }
  layer { name: "embed" type: "Embed" bottom: "tile" top: "embed" embed_param { input_dim: 5 num_output: 2 } }
  layer { name: "flat" type: "Flatten" bottom: "embed" top: "flat" flatten_param { axis: 1 end_axis: -1 } }
  layer { name: "above" type: "Threshold" bottom: "flat" top: "above" threshold_param { threshold: 0.5 } }
  layer { name: "sum" type: "Reduction" bottom: "above" top: "sum" reduction_param { operation: SUMSQ axis: 0 coeff: 0.5 } }`;

const composedBlobs = {
  norm: zeros([4]),
  bn: zeros([1, 4, 1, 1], [1, 4, 1, 1], [1, 4, 1, 1], [1, 4, 1, 1]),
  depthwise: zeros([4, 1, 3, 3], [4]),
  embed: zeros([5, 2], [2]),
};

Deno.test("caffe: harsh numbers, missing and doubled parts of layers that become several", () => {
  const bytes = caffemodel(composedBlobs);
  const read = (damaged: Uint8Array) => new TextDecoder().decode(damaged);
  convertAndLoad(composed, bytes);
  const text = new TextEncoder().encode(composed);
  fuzz(text, 200, (damaged) => convertAndLoad(read(damaged), bytes), { damage: damageText });
  fuzz(text, 150, (damaged) => convertAndLoad(read(damaged), bytes));
  fuzz(bytes, 60, (damaged) => convertAndLoad(composed, damaged), { damage: damageProtobuf(isMessage) });
});
