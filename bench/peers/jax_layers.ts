/** Layers in jax-js, all values in the order that they have here. The gradient is jax-js's own. */
import type { Layer } from "../../src/net/graph.ts";
import type { ReluParams } from "../../src/ops/activations.ts";
import type { ClipParams } from "../../src/ops/clip.ts";
import type { DeconvParams } from "../../src/ops/conv/deconv2d.ts";
import type { FcParams } from "../../src/ops/conv/fc.ts";
import { type ConvParams, extent } from "../../src/ops/conv/params.ts";
import type { EltwiseParams } from "../../src/ops/eltwise.ts";
import type { EluParams } from "../../src/ops/elu.ts";
import type { LrnParams } from "../../src/ops/lrn.ts";
import { chw, count, type Shape } from "../../src/ops/op.ts";
import type { PoolParams } from "../../src/ops/pool.ts";
import type { CropParams } from "../../src/ops/shape_ops.ts";
import type { Array as JaxArray, Jax } from "./jax_api.ts";
import type { Express } from "./peer.ts";
import { type Subpixel, subpixel } from "./subpixel.ts";
import { countedPositions, cropOffset, permuted, poolWindows, transposedWeights } from "./windows.ts";

type Pair = [number, number];

const pair = ([y, x]: readonly [number, number]): Pair => [y, x];

const sides = ([top, left, bottom, right]: readonly number[]): Pair[] => [[top, bottom], [left, right]];

/** Padding of a map's batch, [n, c, h, w]. */
const around = (padding: readonly number[]): Pair[] => [[0, 0], [0, 0], ...sides(padding)];

/** Where nothing that a maximum could choose is. */
const LOWEST = -3e38;

/** A constant of the computation. */
const constant = ({ numpy }: Jax, values: Float32Array, shape: readonly number[]) => numpy.array(values, { shape });

/** Numbers of channels, to be combined with values of this many dimensions beside the batch. */
const alongChannels = (jax: Jax, values: Float32Array, dimensions: number) =>
  constant(jax, values, [values.length, ...Array.from({ length: dimensions - 1 }, () => 1)]);

/** Adds a layer's bias where it has one. */
function biased(jax: Jax, layer: Layer, dimensions: number): (y: JaxArray) => JaxArray {
  if (!("bias" in layer.weightShapes)) return (y) => y;
  const bias = alongChannels(jax, layer.weight("bias").values, dimensions);
  return (y) => y.add(bias.ref);
}

function conv2d(jax: Jax, layer: Layer) {
  const { stride, padding, dilation, groups } = layer.params as ConvParams;
  const add = biased(jax, layer, 3);
  const { values, shape } = layer.weight("weight");
  const w = constant(jax, values, shape);
  const options = { rhsDilation: pair(dilation), featureGroupCount: groups };
  return (x: JaxArray) => add(jax.lax.convGeneralDilated(x, w.ref, pair(stride), sides(padding), options));
}

function deconv2d(jax: Jax, layer: Layer) {
  const p = layer.params as DeconvParams;
  const add = biased(jax, layer, 3);
  const [, ...input] = chw(layer.inputs[0].shape);
  const [, ...output] = chw(layer.output.shape);
  const plain = subpixel(layer.weight("weight"), p, input, output);
  const run = plain ? interleaved(jax, p, plain, layer.output.shape) : transposed(jax, layer);
  return (x: JaxArray) => add(run(x));
}

/** As a convolution whose maps are interleaved: jax-js takes several times as long for zeros between pixels. */
function interleaved(
  jax: Jax,
  { stride: [sy, sx] }: DeconvParams,
  { weight, padding, size: [h, w] }: Subpixel,
  output: Shape,
) {
  const [c, oh, ow] = chw(output);
  const kernel = constant(jax, weight.values, weight.shape);
  return (x: JaxArray) => {
    const maps = jax.lax.convGeneralDilated(x, kernel.ref, [1, 1], padding, {}).reshape([-1, sy, sx, c, h, w]);
    const y = jax.numpy.transpose(maps, [0, 3, 4, 1, 5, 2]).reshape([-1, c, h * sy, w * sx]);
    return oh === h * sy && ow === w * sx ? y : y.slice([], [], [0, oh], [0, ow]);
  };
}

/** As `lax.convTranspose` does it: a convolution of the input with zeros between its pixels, the weights turned round. */
function transposed(jax: Jax, layer: Layer) {
  const { stride, padding, dilation, groups, outputPadding, kernel } = layer.params as DeconvParams;
  const { values, shape } = transposedWeights(layer.weight("weight"), groups);
  const w = constant(jax, values, shape);
  const reach = extent({ kernel, dilation });
  const pads = [0, 1].map((a): Pair => [
    reach[a] - 1 - padding[a],
    reach[a] - 1 - padding[a + 2] + outputPadding[a],
  ]);
  const options = { lhsDilation: pair(stride), rhsDilation: pair(dilation), featureGroupCount: groups };
  return (x: JaxArray) => jax.lax.convGeneralDilated(x, w.ref, [1, 1], pads, options);
}

function fc(jax: Jax, layer: Layer) {
  const { axis, channels } = layer.params as FcParams;
  const rows = layer.inputs[0].shape.slice(0, axis);
  const features = count(layer.inputs[0].shape.slice(axis));
  const { values, shape } = permuted(layer.weight("weight").values, [channels, features], [1, 0]);
  const w = constant(jax, values, shape);
  const add = biased(jax, layer, 1);
  return (x: JaxArray) => add(jax.numpy.matmul(x.reshape([-1, ...rows, features]), w.ref));
}

function maxpool(jax: Jax, { params, inputs: [x], output }: Layer) {
  const { kernel, stride, padding } = poolWindows(params as PoolParams, x.shape, output.shape);
  const pad = paddedWith(jax, LOWEST, padding, chw(x.shape));
  return (x: JaxArray) => jax.lax.reduceWindow(pad(x), (window) => jax.numpy.max(window), kernel, stride);
}

/** Pads maps with a value: with zeros, which are then moved. */
function paddedWith(jax: Jax, value: number, padding: readonly number[], [, h, w]: readonly number[]) {
  if (padding.every((n) => n === 0)) return (x: JaxArray) => x;
  const [top, left, bottom, right] = padding;
  const width = w + left + right;
  const moves = Float32Array.from({ length: (h + top + bottom) * width }, (_, at) => {
    const y = Math.floor(at / width) - top;
    const x = at % width - left;
    return y >= 0 && y < h && x >= 0 && x < w ? 0 : value;
  });
  const shift = constant(jax, moves, [h + top + bottom, width]);
  return (x: JaxArray) => jax.numpy.pad(x, around(padding)).add(shift.ref);
}

function avgpool(jax: Jax, { params, inputs: [x], output }: Layer) {
  const p = params as PoolParams;
  const windows = poolWindows(p, x.shape, output.shape);
  const { kernel, stride } = windows;
  const counted = constant(jax, countedPositions(p, windows, x.shape, output.shape), chw(output.shape).slice(1));
  const pad = paddedWith(jax, 0, windows.padding, chw(x.shape));
  return (x: JaxArray) =>
    jax.lax.reduceWindow(pad(x), (window) => jax.numpy.sum(window), kernel, stride).div(counted.ref);
}

/** x · (k + α/n · Σ x²)^−β, the sum over a window of channels or of pixels. */
function lrn(jax: Jax, { params, inputs: [{ shape }] }: Layer) {
  const { region, size, alpha, beta, k } = params as LrnParams;
  const across = region === "across";
  const window = across ? [size, 1, 1] : [size, size];
  const strides = window.map(() => 1);
  const reach: Pair = [Math.floor((size - 1) / 2), Math.ceil((size - 1) / 2)];
  const none: Pair = [0, 0];
  const widths = across ? [none, reach, none, none] : [none, none, reach, reach];
  const map = chw(shape);
  return (x: JaxArray) => {
    const squares = jax.numpy.pad(jax.numpy.square(x.ref).reshape([-1, ...map]), widths);
    const sums = jax.lax.reduceWindow(squares, (window) => jax.numpy.sum(window), window, strides).reshape([
      -1,
      ...shape,
    ]);
    return x.mul(jax.numpy.power(sums.mul(alpha / (across ? size : size ** 2)).add(k), -beta));
  };
}

function eltwise({ numpy }: Jax, { params }: Layer) {
  const { operation, coefficients } = params as EltwiseParams;
  const combine = {
    sum: (a: JaxArray, b: JaxArray) => a.add(b),
    product: (a: JaxArray, b: JaxArray) => a.mul(b),
    max: numpy.maximum,
  }[operation];
  return (...xs: JaxArray[]) =>
    xs.map((x, n) => coefficients.length ? x.mul(coefficients[n]) : x).reduce((a, b) => combine(a, b));
}

function crop(_: Jax, { params, inputs: [{ shape }] }: Layer) {
  const { size: [h, w] } = params as CropParams;
  const [top, left] = cropOffset(shape, params as CropParams);
  return (x: JaxArray) => x.slice([], [], [top, top + h], [left, left + w]);
}

function prelu(jax: Jax, layer: Layer) {
  const slope = alongChannels(jax, layer.weight("slope").values, layer.output.shape.length);
  return (x: JaxArray) => jax.numpy.where(jax.numpy.less(x.ref, 0), x.ref.mul(slope.ref), x);
}

function relu({ nn }: Jax, { params }: Layer) {
  const { slope } = params as ReluParams;
  return (x: JaxArray) => slope === 0 ? nn.relu(x) : nn.leakyRelu(x, slope);
}

const layers: Record<string, (jax: Jax, layer: Layer) => ReturnType<Express<JaxArray>>> = {
  conv2d,
  deconv2d,
  fc,
  relu,
  prelu,
  elu: ({ nn }, { params }) => (x) => nn.elu(x, (params as EluParams).alpha),
  sigmoid: ({ nn }) => nn.sigmoid,
  tanh: ({ numpy }) => numpy.tanh,
  exp: ({ numpy }) => numpy.exp,
  log: ({ numpy }) => numpy.log,
  sqrt: ({ numpy }) => numpy.sqrt,
  clip: ({ numpy }, { params }) => (x) => numpy.clip(x, (params as ClipParams).min, (params as ClipParams).max),
  maxpool,
  avgpool,
  lrn,
  concat: ({ numpy }) => (...xs) => numpy.concatenate(xs, 1),
  eltwise,
  softmax: ({ nn }) => (x) => nn.softmax(x, 1),
  logsoftmax: ({ nn }) => (x) => nn.logSoftmax(x, 1),
  crop,
};

/** y = a · x + b, channel by channel. */
function affine(jax: Jax, { op, inputs: [{ shape }], params, weightShapes, weight }: Layer) {
  const weights = Object.fromEntries(Object.keys(weightShapes).map((name) => [name, weight(name)]));
  const { a, b } = op.affine!(weights, params);
  const [factor, shift] = [a, b].map((values) => values && alongChannels(jax, new Float32Array(values), shape.length));
  return (x: JaxArray) => {
    const y = x.mul(factor!.ref);
    return shift ? y.add(shift.ref) : y;
  };
}

/** A layer in jax-js, or undefined where nothing is known of its type. @throws UserError where it cannot be expressed. */
export function expressIn(jax: Jax): (type: string, layer: Layer) => ReturnType<Express<JaxArray>> | undefined {
  return (type, layer) => {
    if (layer.op.keepsValues) return (x) => x.reshape([-1, ...layer.output.shape]);
    if (layer.op.affine) return affine(jax, layer);
    return Object.hasOwn(layers, type) ? layers[type](jax, layer) : undefined;
  };
}
