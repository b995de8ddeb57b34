/** Layers with weights. */
import assert from "node:assert/strict";
import { toFloat32 } from "../../../../src/formats/safetensors.ts";
import { map, type Tensor, tensor } from "../../../reference/tensor.ts";
import { blob } from "../caffe_files.ts";
import { convert, net, networkOf, values } from "../converted.ts";
import * as onnx from "../onnx/expected.ts";
import { at, check, randomBlob } from "./layer.ts";

const wide = ({ shape, data }: { shape: number[]; data: ArrayLike<number> }) => tensor(shape, data);

const kernels = randomBlob("kernels", 6, 1, 3, 2);
const shifts = randomBlob("shifts", 6);
const alone = (strides: number[], groups: number) => (x: Tensor) =>
  onnx.conv(x, wide(kernels), wide(shifts), { kernel: [3, 2], strides, groups });
for (const type of ["DepthwiseConvolution", "ConvolutionDepthwise"]) {
  check({
    layer: `"${type}" convolution_param { num_output: 6 kernel_h: 3 kernel_w: 2 stride: 2 }`,
    shapes: [[6, 5, 6]],
    blobs: [kernels, shifts],
    expected: alone([2, 2], 6),
  });
}
check({
  layer: '"DepthwiseConvolution" convolution_param { num_output: 6 kernel_size: [3, 2] group: 3 }',
  blobs: [kernels, shifts],
  expected: alone([1, 1], 3),
});

check({
  layer: '"Im2col" convolution_param { kernel_h: 2 kernel_w: 3 stride: 2 pad_w: 1 dilation: 2 }',
  shapes: [[2, 5, 6]],
  expected: (x) =>
    onnx.each([2, 12, 2, 2], ([n, c, h, w]) => {
      const tap = c % 6;
      const place = [2 * h + 2 * Math.floor(tap / 3), 2 * w + 2 * (tap % 3) - 1];
      return onnx.at(x, [n, Math.floor(c / 6), ...place]) ?? 0;
    }),
});

const four = [randomBlob("slope", 1, 3, 1, 1), randomBlob("shift", 1, 3, 1, 1), randomBlob("mean", 1, 3, 1, 1)];
const variance = { shape: [1, 3, 1, 1], data: [0.5, 2, 0.01] };
check({
  layer: '"BN" bn_param { slope_filler { value: 1 } bias_filler { value: 0 } momentum: 0.9 eps: 0.125 frozen: true }',
  blobs: [...four, variance],
  expected: (x) =>
    onnx.each(x.shape, ([n, c, ...place]) => {
      const [slope, shift, mean] = four.map((blob) => at(blob, c));
      const deviation = Math.sqrt(at(variance, c) + 0.125);
      return slope * (onnx.at(x, [n, c, ...place])! - mean) / deviation + shift;
    }),
});
check({
  layer: '"BN" bn_param { bn_mode: INFERENCE scale_filler { value: 1 } shift_filler { value: 0.001 } }',
  blobs: four.slice(0, 2),
  expected: (x) =>
    onnx.each(x.shape, ([n, c, ...place]) => at(four[0], c) * onnx.at(x, [n, c, ...place])! + at(four[1], c)),
});

const weighted = (a: Tensor, x: Tensor, y: Tensor) =>
  map(x, (value, n) => a.data[Math.floor(n / 20)] * value + y.data[n]);
check({ layer: '"Axpy"', shapes: [[3, 1, 1], [3, 4, 5], [3, 4, 5]], expected: weighted });
check({ layer: '"Axpy"', shapes: [[3], [3, 4, 5], [3, 4, 5]], expected: weighted });

const table = randomBlob("table", 5, 2);
const offset = randomBlob("offset", 2);
const rows = (x: Tensor, shift: (k: number) => number) =>
  onnx.each(
    [...x.shape, 2],
    (index) => at(table, 2 * Math.trunc(onnx.at(x, index.slice(0, -1))!) + index.at(-1)!) + shift(index.at(-1)!),
  );
check({
  layer: '"Embed" embed_param { input_dim: 5 num_output: 2 }',
  shapes: [[6]],
  inputs: (value) => Math.min(4, Math.floor(3 * Math.abs(value))),
  blobs: [table, offset],
  blocked: true,
  expected: (x) => rows(x, (k) => at(offset, k)),
});
check({
  layer: '"Embed" embed_param { input_dim: 5 num_output: 2 bias_term: false }',
  shapes: [[2, 2, 3]],
  inputs: (value) => Math.min(4.9, 3 * Math.abs(value)), // Caffe drops what is behind the point
  blobs: [table],
  blocked: true,
  expected: (x) => rows(x, () => 0),
});

Deno.test("caffe: a Convolution of two bottoms has two tops by the same weights", () => {
  const text = net(
    [1, 3, 3],
    `layer { name: "r" type: "ReLU" bottom: "data" top: "r" }
     layer { name: "c" type: "Convolution" bottom: "data" bottom: "r" top: "a" top: "b" convolution_param { num_output: 2 kernel_size: 2 } }
     layer { name: "d" type: "Deconvolution" bottom: "a" bottom: "b" top: "x" top: "y" convolution_param { num_output: 1 kernel_size: 2 stride: 2 bias_term: false } }`,
  );
  const conv = [randomBlob("conv", 2, 1, 2, 2), randomBlob("bias", 2)];
  const deconv = [randomBlob("deconv", 2, 1, 2, 2)];
  const model = convert(text, { c: conv, d: deconv });
  const data = [1, -2, 3, -4, 5, -6, 7, -8, 9];
  const all = values(model, { data });
  const alone = (name: string, bottom: string) => {
    const text = net(
      [1, 3, 3],
      `layer { name: "${name}" type: "Convolution" bottom: "data" top: "${name}" convolution_param { num_output: 2 kernel_size: 2 } }`,
    );
    return values(convert(text, { [name]: conv }), { data: all.get(bottom)!.data }).get(name)!;
  };
  assert.deepEqual(all.get("a"), alone("c", "data"));
  assert.deepEqual(all.get("b"), alone("c", "r"));
  assert.deepEqual(all.get("y")!.shape, [1, 1, 4, 4]);
  assert.deepEqual([...model.tensors.keys()], [
    "c.weight",
    "c.bias",
    "c_1.weight",
    "c_1.bias",
    "d.weight",
    "d_1.weight",
  ]);
  assert.deepEqual(toFloat32(model.tensors.get("c_1.weight")!), toFloat32(model.tensors.get("c.weight")!));
});

Deno.test("caffe: a second top of Pooling that nobody reads is left out", () => {
  const text = net(
    [1, 2, 2],
    'layer { name: "p" type: "Pooling" bottom: "data" top: "p" top: "mask" pooling_param { kernel_size: 2 } }',
  );
  assert.deepEqual(networkOf(convert(text)).layers, [{ name: "p", type: "maxpool", input: "data", kernel: 2 }]);
});

Deno.test("caffe: a layer of several in place of its bottom leaves its blob's name to its last", () => {
  const text = net(
    [2],
    `layer { name: "swish" type: "Swish" bottom: "data" top: "data" swish_param { beta: 2 } }
     layer { name: "power" type: "Power" bottom: "data" top: "data" power_param { power: 3 } }
     layer { name: "sum" type: "Eltwise" bottom: "data" bottom: "data" top: "sum" }`,
  );
  const swish = (x: number) => x / (1 + Math.exp(-2 * x));
  const all = values(convert(text), { data: [1, -2] });
  assert.deepEqual(
    [...all.get("sum")!.data].map((v) => v.toFixed(6)),
    [1, -2].map((x) => (2 * swish(x) ** 3).toFixed(6)),
  );
  assert.deepEqual(networkOf(convert(text)).layers.map(({ name, output }) => [name, output]), [
    ["swish_scale", undefined],
    ["swish_sigmoid", undefined],
    ["swish", "data"],
    ["power_eltwise", undefined],
    ["power", "data"],
    ["sum", undefined],
  ]);
});

Deno.test("caffe: after an axis 0 of more than the batch, only what works anywhere", () => {
  const after = (layer: string, blobs = {}) =>
    convert(
      net(
        [3, 2],
        `layer { name: "c" type: "Concat" bottom: "data" bottom: "data" top: "c" concat_param { axis: 0 } } layer { name: "l" bottom: "c" top: "l" type: ${layer} }`,
      ),
      blobs,
    );
  const data = [1, -2, 3, -4, 5, -6];
  assert.deepEqual(values(after('"ReLU"'), { data }).get("l")!.shape, [1, 2, 3, 2]);
  assert.deepEqual(values(after('"Reduction" reduction_param { axis: 1 }'), { data }).get("l")!.shape, [1, 2]);
  const product = after('"InnerProduct" inner_product_param { num_output: 1 bias_term: false axis: 2 }', {
    l: [blob([1, 2], [1, 10])],
  });
  assert.deepEqual(values(product, { data }).get("l")!.shape, [1, 2, 3, 1]);
  assert.throws(() => after('"LRN"'), /its bottom is \[2,3,2\], axis 0 included; this type wants a batch of one there/);
});
