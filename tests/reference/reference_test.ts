/**
 * The references of the layer types against what is known without them: finite differences, the textbook formula,
 * adjointness, numbers worked out by hand.
 */
import assert from "node:assert/strict";
import { assertClose } from "./close.ts";
import { conv2d, type Conv2dParameters } from "./conv2d.ts";
import { deconv2d } from "./deconv2d.ts";
import { type Layer, referenceOp } from "./network.ts";
import type { Weights } from "./op.ts";
import { normal, randomTensor, uniform } from "./random.ts";
import { resize } from "./resize.ts";
import { dot, type Tensor, tensor } from "./tensor.ts";
import { pair, sides } from "./window.ts";

/** Layers over small awkward shapes, for derivatives taken value by value. */
const small: [type: string, inputs: number[][], params: Record<string, unknown>][] = [
  ["conv2d", [[2, 3, 5, 4]], { channels: 2, kernel: 3, padding: 1 }],
  ["conv2d", [[2, 4, 5, 6]], {
    channels: 6,
    kernel: [3, 2],
    stride: [2, 1],
    padding: [1, 0, 2, 3],
    dilation: [1, 2],
    groups: 2,
  }],
  ["conv2d", [[1, 3, 2, 2]], { channels: 3, kernel: 4, stride: 3, padding: 2, groups: 3, bias: false }],
  ["deconv2d", [[2, 3, 3, 2]], { channels: 2, kernel: 4, stride: 2, padding: 1 }],
  ["deconv2d", [[2, 4, 3, 2]], {
    channels: 6,
    kernel: [3, 2],
    stride: [2, 3],
    padding: [1, 0, 2, 1],
    dilation: [1, 2],
    groups: 2,
    outputPadding: [1, 2],
  }],
  ["deconv2d", [[1, 3, 2, 2]], { channels: 3, kernel: 1, stride: 2, groups: 3, bias: false }],
  ["fc", [[3, 2, 2, 3]], { channels: 5 }],
  ["fc", [[2, 3, 2, 2]], { channels: 4, axis: 1 }],
  ["fc", [[1, 7]], { channels: 1, bias: false }],
  ["relu", [[2, 3, 3, 2]], {}],
  ["relu", [[3, 7]], { slope: 0.3 }],
  ["sigmoid", [[2, 5]], {}],
  ["tanh", [[2, 5]], {}],
  ["maxpool", [[2, 2, 5, 6]], { kernel: 3, stride: 2 }],
  ["maxpool", [[1, 2, 4, 5]], { kernel: [2, 3], stride: [3, 1], padding: [1, 0, 0, 2], rounding: "floor" }],
  ["avgpool", [[2, 2, 5, 6]], { kernel: 3, stride: 2, padding: 1 }],
  ["avgpool", [[2, 2, 5, 6]], { kernel: 3, stride: 2, padding: 1, countPadding: false }],
  ["avgpool", [[2, 3, 3, 4]], { global: true }],
  ["lrn", [[2, 7, 2, 2]], { size: 5, alpha: 2, beta: 0.75, k: 1 }],
  ["lrn", [[2, 3, 2, 1]], { size: 4, alpha: 1, beta: 0.5, k: 2 }],
  ["lrn", [[2, 2, 4, 3]], { region: "within", size: 3, alpha: 2 }],
  ["lrn", [[1, 2, 3, 4]], { region: "within", size: 4, alpha: 3, beta: 0.5, k: 2 }],
  ["concat", [[2, 1, 2, 3], [2, 3, 2, 3], [2, 2, 2, 3]], {}],
  ["eltwise", [[2, 3, 2], [2, 3, 2], [2, 3, 2]], { operation: "sum", coefficients: [1, -2, 0.5] }],
  ["eltwise", [[2, 3, 2], [2, 3, 2], [2, 3, 2]], { operation: "product" }],
  ["eltwise", [[2, 3, 2], [2, 3, 2], [2, 3, 2]], { operation: "max" }],
  ["scale", [[2, 3, 2, 2]], {}],
  ["batchnorm", [[2, 3, 2, 2]], { affine: true }],
  ["softmax", [[2, 5]], {}],
  ["softmax", [[2, 3, 2, 2]], {}],
  ["logsoftmax", [[2, 3, 2, 2]], {}],
  ["maxpool", [[1, 2, 6, 5]], { kernel: 2, stride: [2, 1], dilation: [3, 2], padding: [1, 0, 0, 1] }],
  ["avgpool", [[1, 2, 6, 5]], { kernel: 2, stride: [2, 1], dilation: [3, 2], padding: [1, 0, 0, 1] }],
  ["clip", [[2, 7]], { min: -0.5, max: 0.8 }],
  ["transpose", [[2, 2, 3, 4, 1]], { order: [2, 0, 3, 1] }],
  ["pad", [[2, 3, 2, 3]], { axis: 1, before: 2, after: 1 }],
  ["pad", [[2, 3, 4]], { axis: 1, before: 3, after: -1, mode: "reflect" }],
  ["pad", [[2, 3, 2]], { axis: 0, before: -1, after: 3, mode: "edge" }],
  ["pad", [[2, 3, 2]], { axis: 0, before: 3, after: 2, mode: "wrap" }],
  ["mean", [[2, 3, 2, 4]], { axes: [0, 2] }],
  ["binary", [[2, 3, 1, 2], [2, 4, 1]], { operation: "sum" }],
  ["binary", [[2, 3, 1, 2], [2, 4, 1]], { operation: "difference" }],
  ["binary", [[2, 3, 1, 2], [2, 4, 1]], { operation: "product" }],
  ["binary", [[2, 2, 1], [2, 3]], { operation: "quotient" }],
  ["binary", [[2, 3, 1, 2], [2, 4, 1]], { operation: "power" }],
  ["erf", [[2, 3, 2]], {}],
  ["matmul", [[2, 2, 1, 3, 2], [2, 4, 2, 3]], {}],
  ["prelu", [[2, 3, 3, 2]], {}],
  ["prelu", [[2, 3, 2]], { shared: true }],
  ["elu", [[2, 3, 3]], { alpha: -0.7 }],
  ["power", [[2, 3, 3]], { exponent: 1.7 }],
  ["bias", [[2, 3, 2, 2]], {}],
  ["slice", [[2, 5, 2, 2]], { axis: 0, from: 1, count: 3 }],
  ["slice", [[2, 2, 2, 3, 4]], { axis: 2, from: 1, count: 2 }],
  ["lstm", [[4, 3], [4, 1]], { hidden: 2 }],
  ["lstm", [[3, 2, 3], [3, 2]], { hidden: 2, reverse: true, peepholes: true, initial: true }],
  ["lstm", [[6, 2, 2], [6, 2]], { hidden: 2, streams: 3 }],
  ["lstm", [[3, 2, 3], [3, 2]], { hidden: 2, peepholes: true, state: "cell" }],
  ["lstm", [[2, 3, 2, 2]], { hidden: 3, time: "item" }],
  ["dropout", [[2, 5]], {}],
  ["flatten", [[2, 3, 2, 2]], {}],
  ["reshape", [[2, 12]], { shape: [3, -1, 2] }],
  ["crop", [[2, 2, 5, 4]], { size: [2, 3] }],
  ["resize", [[2, 2, 5, 4]], { size: [7, 3] }],
  ["resize", [[2, 2, 3, 4]], { size: [2, 9], method: "bicubic" }],
  ["resample", [[2, 5, 2, 3]], { axis: 0, positions: [4, 0, 0, 2] }],
  ["resample", [[2, 2, 3, 2]], { axis: 1, positions: [0, 1, 2, 2, 1, 1, 0, 2], taps: 2, weighted: true }],
  ["warp", [[2, 2, 3, 4], [2, 4]], {}],
  ["warp", [[2, 2, 4, 3], [2, 4]], { edges: "wrap" }],
  ["crop", [[2, 2, 5, 4]], { size: [2, 3], offset: [3, 0] }],
];

Deno.test("reference: every gradient agrees with central differences", () => {
  for (const [type, shapes, params] of small) {
    const op = referenceOp(type);
    const layer: Layer = { name: "layer", type, ...params };
    const next = normal(`${type} ${JSON.stringify([shapes, params])}`);
    const inputs = shapes.map((shape) => randomTensor(shape, next));
    const positive = uniform(1);
    const weights: Weights = Object.fromEntries(
      Object.entries(op.weightShapes?.(shapes, layer) ?? {}).map(([part, shape]) => {
        return [part, randomTensor(shape, part === "variance" ? () => 0.5 + positive() : next)];
      }),
    );
    const y = op.forward(inputs, layer, weights);
    const dy = randomTensor(y.shape, next);
    const result = op.backward(inputs, y, dy, layer, weights);
    const loss = () => dot(op.forward(inputs, layer, weights), dy);
    // An op may leave its last inputs without a gradient.
    result.inputs.forEach((slope, i) => agrees(`${type} ${JSON.stringify(params)} input ${i}`, slope, inputs[i], loss));
    for (const [part, value] of Object.entries(result.weights)) {
      agrees(`${type} ${JSON.stringify(params)} ${part}`, value, weights[part], loss);
    }
  }
});

Deno.test("reference: conv2d is the textbook's formula", () => {
  const x = randomTensor([2, 6, 7, 8], normal(1));
  const p = { channels: 4, kernel: [3, 2], stride: [2, 3], padding: [2, 0, 1, 3], dilation: [1, 2], groups: 2 };
  const weight = randomTensor([4, 3, 3, 2], normal(2));
  const bias = randomTensor([4], normal(3));
  const y = conv2d.forward([x], p, { weight, bias });
  assert.deepEqual(y.shape, [2, 4, 4, 3]);
  assertClose("conv2d", y, textbookConvolution(x, weight, bias, p));
});

Deno.test("reference: deconv2d is the adjoint of conv2d, and its output padding the size that is lost", () => {
  const strided = { kernel: [3, 4], stride: [2, 3], padding: [2, 0, 1, 3], dilation: [2, 1], groups: 2, bias: false };
  const x = randomTensor([2, 6, 8, 9], normal(4));
  const weight = randomTensor([4, 3, 3, 4], normal(5));
  const down = { ...strided, channels: 4 };
  const y = conv2d.forward([x], down, { weight });
  const dy = randomTensor(y.shape, normal(6));
  const up = { ...strided, channels: 6, outputPadding: [0, 2] };
  const back = deconv2d.forward([dy], up, { weight });
  assert.deepEqual(back.shape, x.shape);
  assert.ok(Math.abs(dot(y, dy) - dot(x, back)) < 1e-10);
  const gradients = conv2d.backward([x], y, dy, down, { weight });
  assertClose("gradient to x", gradients.inputs[0], back);
  assertClose(
    "gradient to the weight",
    gradients.weights.weight,
    deconv2d.backward([dy], back, x, up, { weight }).weights.weight,
  );
});

Deno.test("reference: pooling has Caffe's and ONNX's sizes", () => {
  const size = (input: number, params: Record<string, unknown>) => {
    const layer = { name: "pool", type: "maxpool", ...params };
    return referenceOp("maxpool").forward([tensor([1, 1, input, input])], layer, {}).shape[3];
  };
  const caffenet = { kernel: 3, stride: 2 };
  assert.deepEqual([55, 27, 13].map((input) => size(input, caffenet)), [27, 13, 6]);
  assert.deepEqual([112, 56, 28, 14].map((input) => size(input, caffenet)), [56, 28, 14, 7]);
  assert.equal(size(112, { kernel: 3, stride: 2, padding: 1, rounding: "floor" }), 56);
  assert.equal(size(112, { kernel: 3, stride: 2, padding: 1 }), 57);
  assert.equal(size(6, { kernel: 3, stride: 2, rounding: "floor" }), 2);
  // ceil((5 + 2 − 2) / 2) + 1 = 4 windows, of which the last would start at row 5 of 0 … 4.
  assert.equal(size(5, { kernel: 2, stride: 2, padding: 1 }), 3);
  assert.equal(size(9, { global: true }), 1);
});

Deno.test("reference: averages divide by the area that they are told to", () => {
  const ones = tensor([1, 1, 2, 2], [1, 1, 1, 1]);
  const average = (params: Record<string, unknown>) => {
    const layer = { name: "pool", type: "avgpool", kernel: 2, stride: 2, padding: 1, ...params };
    return [...referenceOp("avgpool").forward([ones], layer, {}).data];
  };
  assert.deepEqual(average({}), [0.25, 0.25, 0.25, 0.25]);
  assert.deepEqual(average({ countPadding: false }), [1, 1, 1, 1]);
  // The second window covers image row 1, the padding below it, and one row beyond that, which never counts.
  assert.deepEqual(average({ kernel: 3 }), [4 / 9, 2 / 6, 2 / 6, 1 / 4]);
});

Deno.test("reference: the first of equal maxima has the gradient, and padding never wins", () => {
  const pool = { name: "pool", type: "maxpool", kernel: 2, padding: 1, stride: 2 };
  const x = tensor([1, 1, 2, 2], [-1, -2, -2, -1]);
  const y = referenceOp("maxpool").forward([x], pool, {});
  assert.deepEqual([...y.data], [-1, -2, -2, -1]);
  const same = tensor([1, 1, 2, 2], [3, 3, 3, 3]);
  const whole = { name: "pool", type: "maxpool", global: true };
  const dy = tensor([1, 1, 1, 1], [5]);
  assert.deepEqual([...referenceOp("maxpool").backward([same], dy, dy, whole, {}).inputs[0].data], [5, 0, 0, 0]);
  const max = { name: "max", type: "eltwise", operation: "max" };
  const equal = [tensor([1, 2], [1, 4]), tensor([1, 2], [2, 4])];
  const slopes = referenceOp("eltwise").backward(equal, equal[1], tensor([1, 2], [7, 8]), max, {}).inputs;
  assert.deepEqual(slopes.map(({ data }) => [...data]), [[0, 8], [7, 0]]);
});

/** Asserts that `slope` is the derivative of the loss to every value of `x`, which is moved and put back. */
function agrees(what: string, slope: Tensor, x: Tensor, loss: () => number): void {
  const h = 1e-5;
  const differences = x.data.map((value, i) => {
    x.data[i] = value + h;
    const above = loss();
    x.data[i] = value - h;
    const below = loss();
    x.data[i] = value;
    return (above - below) / (2 * h);
  });
  assertClose(what, slope, { shape: x.shape, data: differences }, 1e-7);
}

/** The convolution as one would say it, pixel by pixel: slow, and with nothing hoisted that could be hoisted wrongly. */
function textbookConvolution(x: Tensor, weight: Tensor, bias: Tensor, p: Conv2dParameters): Tensor {
  const [n, c, h, w] = x.shape;
  const [[kh, kw], [sy, sx], [dy, dx]] = [pair(p.kernel), pair(p.stride!), pair(p.dilation!)];
  const { top, left, bottom, right } = sides(p.padding!);
  const oh = Math.floor((h + top + bottom - (dy * (kh - 1) + 1)) / sy) + 1;
  const ow = Math.floor((w + left + right - (dx * (kw - 1) + 1)) / sx) + 1;
  const [inputs, outputs] = [c / p.groups!, p.channels / p.groups!];
  const values: number[] = [];
  for (let item = 0; item < n; item++) {
    for (let o = 0; o < p.channels; o++) {
      for (let at = 0; at < oh * ow; at++) {
        let sum = bias.data[o];
        for (let tap = 0; tap < inputs * kh * kw; tap++) {
          const channel = Math.floor(o / outputs) * inputs + Math.floor(tap / (kh * kw));
          const iy = Math.floor(at / ow) * sy + Math.floor(tap / kw) % kh * dy - top;
          const ix = at % ow * sx + tap % kw * dx - left;
          if (iy < 0 || iy >= h || ix < 0 || ix >= w) continue;
          sum += weight.data[o * inputs * kh * kw + tap] * x.data[((item * c + channel) * h + iy) * w + ix];
        }
        values.push(sum);
      }
    }
  }
  return tensor([n, p.channels, oh, ow], values);
}

Deno.test("resize gives the values that PyTorch's documentation and ONNX's tests show", () => {
  const four = resize.forward([tensor([1, 1, 2, 2], [1, 2, 3, 4])], { size: 4 }, {});
  assert.deepEqual([...four.data.slice(0, 8)], [1, 1.25, 1.75, 2, 1.5, 1.75, 2.25, 2.5]);
  const x = tensor([1, 1, 4, 4], Array.from({ length: 16 }, (_, n) => n + 1));
  const eight = resize.forward([x], { size: 8, method: "bicubic" }, {});
  const row = [0.47265625, 0.76953125, 1.24609375, 1.875, 2.28125, 2.91015625, 3.38671875, 3.68359375];
  assert.deepEqual([...eight.data.slice(0, 8)], row);
});
