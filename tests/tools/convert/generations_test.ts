/** One network in each of Caffe's generations, phases, inputs and preprocessing. */
import assert from "node:assert/strict";
import { type Blob, blob, type Generation } from "./caffe_files.ts";
import { convert, networkOf, refuses } from "./converted.ts";

const blobs = (legacy: boolean): Record<string, Blob[]> => ({
  conv1: [{ ...blob([2, 3, 3, 3], Array(54).fill(0.5)), legacy }, { ...blob([2], [1, 2]), legacy }],
  ip: [{ ...blob([4, 8], Array(32).fill(0.25)), legacy }, { ...blob([4], [0, 0, 0, 1]), legacy }],
});

const header = 'name: "tiny" input: "data" input_dim: 10 input_dim: 3 input_dim: 8 input_dim: 8\n';

const texts: Record<Generation, string> = {
  v2: `${header}
    layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1" param { lr_mult: 1 } param { lr_mult: 2 }
      convolution_param { num_output: 2 kernel_size: 3 stride: 2 weight_filler { type: "gaussian" std: 0.01 } } }
    layer { name: "relu1" type: "ReLU" bottom: "conv1" top: "conv1" }
    layer { name: "pool1" type: "Pooling" bottom: "conv1" top: "pool1" pooling_param { pool: AVE kernel_size: 2 stride: 2 pad: 1 } }
    layer { name: "norm1" type: "LRN" bottom: "pool1" top: "norm1" lrn_param { local_size: 3 alpha: 0.0001 beta: 0.75 } }
    layer { name: "ip" type: "InnerProduct" bottom: "norm1" top: "ip" inner_product_param { num_output: 4 } }
    layer { name: "drop" type: "Dropout" bottom: "ip" top: "ip" dropout_param { dropout_ratio: 0.5 } }
    layer { name: "prob" type: "Softmax" bottom: "ip" top: "prob" }`,
  v1: `${header}
    layers { name: "conv1" type: CONVOLUTION bottom: "data" top: "conv1" blobs_lr: 1 blobs_lr: 2 weight_decay: 1 weight_decay: 0
      convolution_param { num_output: 2 kernel_size: 3 stride: 2 } }
    layers { name: "relu1" type: RELU bottom: "conv1" top: "conv1" }
    layers { name: "pool1" type: POOLING bottom: "conv1" top: "pool1" pooling_param { pool: AVE kernel_size: 2 stride: 2 pad: 1 } }
    layers { name: "norm1" type: LRN bottom: "pool1" top: "norm1" lrn_param { local_size: 3 alpha: 0.0001 beta: 0.75 } }
    layers { name: "ip" type: INNER_PRODUCT bottom: "norm1" top: "ip" inner_product_param { num_output: 4 } }
    layers { name: "drop" type: DROPOUT bottom: "ip" top: "ip" dropout_param { dropout_ratio: 0.5 } }
    layers { name: "prob" type: SOFTMAX bottom: "ip" top: "prob" }`,
  v0: `${header}
    layers { layer { name: "conv1" type: "conv" num_output: 2 kernelsize: 3 stride: 2 biasterm: true blobs_lr: 1. blobs_lr: 2.
      weight_decay: 1. weight_filler { type: "gaussian" std: 0.01 } } bottom: "data" top: "conv1" }
    layers { layer { name: "relu1" type: "relu" } bottom: "conv1" top: "conv1" }
    layers { layer { name: "pad1" type: "padding" pad: 1 } bottom: "conv1" top: "pad1" }
    layers { layer { name: "pool1" type: "pool" pool: AVE kernelsize: 2 stride: 2 } bottom: "pad1" top: "pool1" }
    layers { layer { name: "norm1" type: "lrn" local_size: 3 alpha: 0.0001 beta: 0.75 } bottom: "pool1" top: "norm1" }
    layers { layer { name: "ip" type: "innerproduct" num_output: 4 blobs_lr: 1. } bottom: "norm1" top: "ip" }
    layers { layer { name: "drop" type: "dropout" dropout_ratio: 0.5 } bottom: "ip" top: "ip" }
    layers { layer { name: "prob" type: "softmax" } bottom: "ip" top: "prob" }`,
};

Deno.test("caffe: the three generations are one network", () => {
  const expected = {
    name: "tiny",
    inputs: [{ name: "data", shape: [3, 8, 8] }],
    image: { order: "BGR", mean: [1, 2, 3], scale: 1 },
    layers: [
      { name: "conv1", type: "conv2d", input: "data", channels: 2, kernel: 3, stride: 2 },
      { name: "relu1", type: "relu", input: "conv1", output: "conv1" },
      { name: "pool1", type: "avgpool", input: "conv1", kernel: 2, stride: 2, padding: 1 },
      { name: "norm1", type: "lrn", input: "pool1", size: 3, alpha: 0.0001, beta: 0.75 },
      { name: "ip", type: "fc", input: "norm1", channels: 4 },
      { name: "drop", type: "dropout", input: "ip", output: "ip" },
      { name: "prob", type: "softmax", input: "ip" },
    ],
  };
  for (const generation of ["v2", "v1", "v0"] as const) {
    const model = convert(texts[generation], blobs(generation !== "v2"), { generation, mean: [1, 2, 3] });
    assert.deepEqual(networkOf(model), expected, generation);
    assert.deepEqual([...model.tensors].map(([name, { shape, dtype }]) => [name, dtype, ...shape]), [
      ["conv1.weight", "F32", 2, 3, 3, 3],
      ["conv1.bias", "F32", 2],
      ["ip.weight", "F32", 4, 8],
      ["ip.bias", "F32", 4],
    ]);
    assert.deepEqual([model.layers, model.parameters], [7, 54 + 2 + 32 + 4]);
  }
  refuses(() => convert(`${texts.v2} layers { }`), /"layers" after "layer"/);
});

Deno.test("caffe: the older names of the types that work value by value, or along an axis", () => {
  const input = 'input: "data" input_dim: 1 input_dim: 2 input_dim: 2 input_dim: 3';
  const types = (text: string) => networkOf(convert(`${input} ${text}`)).layers.map(({ type }) => type).join(" ");
  const v1 = (type: string, rest = "") =>
    types(`layers { name: "l" type: ${type} bottom: "data" bottom: "data" top: "l" ${rest} }`.replace(
      type === "CONCAT" ? "" : 'bottom: "data" ',
      "",
    ));
  assert.equal(v1("ABSVAL"), types('layer { name: "l" type: "AbsVal" bottom: "data" top: "l" }'));
  assert.equal(v1("BNLL"), types('layers { layer { name: "l" type: "bnll" } bottom: "data" top: "l" }'));
  assert.equal(v1("EXP", "exp_param { base: 2 }"), "scale exp");
  assert.equal(v1("POWER", "power_param { power: 3 }"), "eltwise eltwise");
  assert.equal(v1("THRESHOLD", "threshold_param { threshold: 1 }"), "constant binary");
  assert.equal(v1("MVN", "mvn_param { normalize_variance: false }"), "avgpool binary");
  assert.equal(v1("CONCAT", "concat_param { concat_dim: 2 }"), "transpose transpose concat transpose");
  assert.equal(
    types('layers { layer { name: "l" type: "concat" concat_dim: 0 } bottom: "data" bottom: "data" top: "l" }'),
    "reshape reshape concat",
  );
});

const relu = 'layer { name: "r" type: "ReLU" bottom: "data" top: "r" }';

Deno.test("caffe: the layers of the TEST phase are kept, losses and accuracies dropped", () => {
  const text = `
    layer { name: "data" type: "Data" top: "data" top: "label" include { phase: TRAIN } transform_param { crop_size: 9 } }
    layer { name: "data" type: "Data" top: "data" top: "label" include { phase: TEST } data_param { source: "db" batch_size: 5 }
      transform_param { mirror: false crop_size: 6 mean_value: 1 mean_value: 2 mean_value: 3 scale: 0.5 } }
    ${relu}
    layer { name: "train" type: "ReLU" bottom: "r" top: "r" exclude { phase: TEST } }
    layer { name: "stage" type: "ReLU" bottom: "r" top: "r" include { phase: TEST stage: "other" } include { min_level: 1 } }
    layer { name: "kept" type: "TanH" bottom: "r" top: "kept" include { stage: "other" } include { not_stage: "other" } }
    layer { name: "accuracy" type: "Accuracy" bottom: "kept" bottom: "label" top: "accuracy" accuracy_param { top_k: 5 } }
    layer { name: "loss" type: "SoftmaxWithLoss" bottom: "kept" bottom: "label" top: "loss" loss_weight: 0.3 }
    layer { name: "silence" type: "Silence" bottom: "label" }`;
  const { layers, inputs, image, name } = networkOf(convert(text));
  assert.equal(name, "folder");
  assert.deepEqual(layers.map((layer) => layer.name), ["r", "kept"]);
  assert.deepEqual(inputs, [{ name: "data", shape: [3, 6, 6] }]);
  assert.deepEqual(image, { order: "BGR", mean: [1, 2, 3], scale: 0.5 });
});

Deno.test("caffe: every way to say what the input is", () => {
  const inputs = (text: string) => networkOf(convert(`${text} ${relu}`)).inputs.map(({ shape }) => shape);
  const layer = (type: string, rest: string) => `layer { name: "data" type: "${type}" top: "data" ${rest} }`;
  assert.deepEqual(inputs('input: "data" input_shape { dim: 1 dim: 3 dim: 4 dim: 5 }'), [[3, 4, 5]]);
  assert.deepEqual(inputs('input: "data" input_dim: 64 input_dim: 5 input_dim: 1 input_dim: 1'), [[5, 1, 1]]);
  assert.deepEqual(inputs('input: "data" input: "label" input_shape { dim: [1, 2] } input_shape { dim: [1, 1] }'), [[
    2,
  ]]);
  assert.deepEqual(inputs(layer("Input", "input_param { shape { dim: 1 dim: 7 } }")), [[7]]);
  assert.deepEqual(inputs('input: "data" input_shape { dim: [16, 2, 30] }'), [[2, 30]]);
  assert.deepEqual(inputs(layer("DummyData", "dummy_data_param { num: 1 channels: 3 height: 4 width: 5 }")), [[
    3,
    4,
    5,
  ]]);
  assert.deepEqual(inputs(layer("MemoryData", "memory_data_param { batch_size: 1 channels: 1 height: 4 width: 5 }")), [[
    1,
    4,
    5,
  ]]);
  assert.deepEqual(inputs(layer("ImageData", "image_data_param { new_height: 4 new_width: 5 }")), [[3, 4, 5]]);
  refuses(
    () => inputs(layer("Data", 'data_param { source: "db" }')),
    /the size of "data" is not written; use the deploy/,
  );
  refuses(() => inputs(layer("HDF5Data", 'hdf5_data_param { source: "x" }')), /the size of "data" is not written/);
  refuses(() => inputs('input: "data" input_dim: 1'), /1 "input" with 0 "input_shape" and 1 "input_dim"/);
  refuses(
    () => inputs('input: "data" input_shape { dim: 5 }'),
    /its shape is \[5\], expected \[batch, channels/,
  );
  refuses(() => inputs(""), /it has no input; declare "input"/);
  refuses(() => convert('input: "data" input_shape { dim: [1, 2] }'), /there is no layer in it that computes/);
  refuses(() => convert('net: "train.prototxt" base_lr: 0.01'), /a network has no parameter "net"/);
});

Deno.test("caffe: the data layer of the oldest generation, and its mean", () => {
  const text =
    `layers { layer { name: "d" type: "data" cropsize: 6 source: "x" meanfile: "m.binaryproto" batchsize: 5 scale: 2 }
    top: "data" top: "label" } layers { layer { name: "r" type: "relu" } bottom: "data" top: "r" }`;
  const model = convert(text);
  assert.deepEqual(networkOf(model).image, { order: "BGR", mean: [0, 0, 0], scale: 2 });
  assert.deepEqual([model.pixels!.sure, model.pixels!.origin], [false, "unknown: give --mean m.binaryproto"]);
});

Deno.test("caffe: pixels' mean, scale and order: options first, then the network's name; none without pictures", () => {
  const image = (name: string, options = {}, shape = "[1, 3, 4, 4]") => {
    const text = `name: "${name}" input: "data" input_shape { dim: ${shape} } ${relu}`;
    return networkOf(convert(text, {}, options)).image;
  };
  assert.deepEqual(image("CaffeNet"), { order: "BGR", mean: [104, 117, 123], scale: 1, resize: 256, warp: true });
  assert.deepEqual(image("ResNet-50"), { order: "BGR", mean: [103.939, 116.779, 123.68], scale: 1, resize: 256 });
  assert.deepEqual(image("GoogleNet", { mean: [5], resize: 4 }), {
    order: "BGR",
    mean: [5, 5, 5],
    scale: 1,
    warp: true,
  });
  assert.deepEqual(image("x", { mean: [5], resize: 6 }), { order: "BGR", mean: [5, 5, 5], scale: 1, resize: 6 });
  assert.deepEqual(image("x", { mean: [5], warp: true }), { order: "BGR", mean: [5, 5, 5], scale: 1, warp: true });
  assert.deepEqual(image("x", { order: "RGB", scale: 0.1 }), { order: "RGB", mean: [0, 0, 0], scale: 0.1 });
  assert.deepEqual(image("LeNet", { scale: 0.1 }, "[1, 1, 4, 4]"), { order: "BGR", mean: [0], scale: 0.1 });
  assert.equal(image("AlexNet", {}, "[1, 5]"), undefined);
  refuses(() => image("AlexNet", { scale: 2 }, "[1, 5]"), /pixels are described, but neither an input nor the output/);
  refuses(() => image("x", { resize: 3 }), /pictures resized to 3 are smaller than the input, 4×4/);
  refuses(() => image("x", { mean: [1, 2] }), /2 means are given, the picture has 3 channels/);
});

Deno.test("caffe: of a generator the pictures are the output", () => {
  const text = `name: "g" input: "feat" input_shape { dim: 64 dim: 12 }
    layer { name: "reshape" type: "Reshape" bottom: "feat" top: "map" reshape_param { shape { dim: 0 dim: 3 dim: 2 dim: 2 } } }`;
  assert.deepEqual(networkOf(convert(text, {}, { mean: [1, 2, 3] })).image, {
    order: "BGR",
    mean: [1, 2, 3],
    scale: 1,
  });
});
