/**
 * Layers in TensorFlow.js. A map is NHWC there, the layout that all its backends compute in; vectors and other shapes are as
 * here. The gradient is TensorFlow.js's own.
 */
import { UserError } from "../../src/formats/user_error.ts";
import type { Layer } from "../../src/net/graph.ts";
import type { ClipParams } from "../../src/ops/clip.ts";
import type { DeconvParams } from "../../src/ops/conv/deconv2d.ts";
import type { FcParams } from "../../src/ops/conv/fc.ts";
import type { ConvParams } from "../../src/ops/conv/params.ts";
import type { EltwiseParams } from "../../src/ops/eltwise.ts";
import type { EluParams } from "../../src/ops/elu.ts";
import type { ReluParams } from "../../src/ops/activations.ts";
import type { LrnParams } from "../../src/ops/lrn.ts";
import { chw, count, type Shape, show } from "../../src/ops/op.ts";
import type { PoolParams } from "../../src/ops/pool.ts";
import type { CropParams } from "../../src/ops/shape_ops.ts";
import type { Express } from "./peer.ts";
import type { ExplicitPadding, Tensor, Tf } from "./tfjs_api.ts";
import { countedPositions, cropOffset, permuted, poolWindows } from "./windows.ts";

/** Whether a shape is that of a map, whose channels TensorFlow.js has last. */
const isMap = (shape: Shape): boolean => shape.length === 3;

const channelsAxis = (shape: Shape): number => isMap(shape) ? 3 : 1;

const sides = ([top, left, bottom, right]: readonly number[]): ExplicitPadding => [
  [0, 0],
  [top, bottom],
  [left, right],
  [0, 0],
];

const pair = ([y, x]: readonly [number, number]): [number, number] => [y, x];

/** Values of a batch in the order of this project. */
const toChw = (tf: Tf, x: Tensor, shape: Shape) => isMap(shape) ? tf.transpose(x, [0, 3, 1, 2]) : x;

/** The reverse of `toChw`, from values without a shape. */
function fromChw(tf: Tf, x: Tensor, shape: Shape): Tensor {
  const plain = tf.reshape(x, [-1, ...shape]);
  return isMap(shape) ? tf.transpose(plain, [0, 2, 3, 1]) : plain;
}

/** A batch of codes as the generator takes it. */
export const codeTensor = fromChw;

/** Values of a batch, as many numbers in a row each as an item has. */
export const rowsOf = (tf: Tf, x: Tensor, shape: Shape): Tensor => tf.reshape(toChw(tf, x, shape), [-1, count(shape)]);

/** Adds a layer's bias where it has one. */
function biased(tf: Tf, layer: Layer): (y: Tensor) => Tensor {
  if (!("bias" in layer.weightShapes)) return (y) => y;
  const { values, shape } = layer.weight("bias");
  const bias = tf.keep(tf.tensor(values, shape));
  return (y) => tf.add(y, bias);
}

/** The parts of an input and of the weights, one a group, each computed by itself. */
function grouped(tf: Tf, groups: number, weights: Tensor[], run: (x: Tensor, w: Tensor) => Tensor) {
  if (groups === 1) return (x: Tensor) => run(x, weights[0]);
  return (x: Tensor) => tf.concat(tf.split(x, groups, 3).map((part, g) => run(part, weights[g])), 3);
}

/** The rows of a weight that belong to one group each, in the order of dimensions that TensorFlow.js wants. */
function groupWeights(tf: Tf, layer: Layer, groups: number): Tensor[] {
  const { values, shape: [rows, ...rest] } = layer.weight("weight");
  const shape = [rows / groups, ...rest];
  const size = count(shape);
  return Array.from({ length: groups }, (_, g) => {
    const part = permuted(values.subarray(g * size, (g + 1) * size), shape, [2, 3, 1, 0]);
    return tf.keep(tf.tensor(part.values, part.shape));
  });
}

function conv2d(tf: Tf, layer: Layer) {
  const { stride, padding, dilation, groups } = layer.params as ConvParams;
  const add = biased(tf, layer);
  const [c] = layer.inputs[0].shape;
  if (groups === c && groups > 1 && layer.output.shape[0] === c) {
    const { values, shape } = layer.weight("weight");
    const part = permuted(values, shape, [2, 3, 0, 1]);
    const w = tf.keep(tf.tensor(part.values, part.shape));
    return (x: Tensor) => add(tf.depthwiseConv2d(x, w, pair(stride), sides(padding), "NHWC", pair(dilation), "floor"));
  }
  const run = grouped(
    tf,
    groups,
    groupWeights(tf, layer, groups),
    (x, w) => tf.conv2d(x, w, pair(stride), sides(padding), "NHWC", pair(dilation), "floor"),
  );
  return (x: Tensor) => add(run(x));
}

function deconv2d(tf: Tf, layer: Layer) {
  const { stride, padding, dilation, groups } = layer.params as DeconvParams;
  if (Math.max(...dilation) > 1) throw new UserError("its conv2dTranspose has no dilation");
  const [c, h, w] = chw(layer.output.shape);
  const add = biased(tf, layer);
  const run = grouped(
    tf,
    groups,
    groupWeights(tf, layer, groups),
    (x, weight) => tf.conv2dTranspose(x, weight, [x.shape[0], h, w, c / groups], pair(stride), sides(padding), "floor"),
  );
  return (x: Tensor) => add(run(x));
}

function fc(tf: Tf, layer: Layer) {
  const { axis, channels } = layer.params as FcParams;
  const [input] = layer.inputs;
  const { values } = layer.weight("weight");
  const add = biased(tf, layer);
  const matrix = ({ values, shape }: { values: Float32Array; shape: readonly number[] }) =>
    tf.keep(tf.tensor(values, shape));
  if (axis === 0 && isMap(input.shape)) { // the weights' columns take the map's order
    const { values: ordered } = permuted(values, [channels, ...input.shape], [2, 3, 1, 0]);
    const w = matrix({ values: ordered, shape: [count(input.shape), channels] });
    return (x: Tensor) => add(tf.matMul(tf.reshape(x, [-1, count(input.shape)]), w));
  }
  const features = count(input.shape.slice(axis));
  const w = matrix(permuted(values, [channels, features], [1, 0]));
  return (x: Tensor) =>
    fromRows(tf, add(tf.matMul(tf.reshape(toChw(tf, x, input.shape), [-1, features]), w)), layer.output.shape);
}

const fromRows = (tf: Tf, rows: Tensor, shape: Shape) => shape.length === 1 ? rows : fromChw(tf, rows, shape);

function maxpool(tf: Tf, { params, inputs: [x], output }: Layer) {
  const p = params as PoolParams;
  const windows = poolWindows(p, x.shape, output.shape);
  return (x: Tensor) => tf.maxPool(x, windows.kernel, windows.stride, sides(windows.padding), "floor");
}

/**
 * Averages over what is padded before, each then told what counts in it: the gradient of TensorFlow.js's own padding divides by
 * the whole window, which its output does not.
 */
function avgpool(tf: Tf, { params, inputs: [x], output }: Layer) {
  const p = params as PoolParams;
  const windows = poolWindows(p, x.shape, output.shape);
  const { kernel, stride, padding } = windows;
  const average = (x: Tensor) => tf.avgPool(x, kernel, stride, sides([0, 0, 0, 0]), "floor");
  if (padding.every((n) => n === 0)) return average;
  const area = kernel[0] * kernel[1];
  const [, h, w] = chw(output.shape);
  const shares = countedPositions(p, windows, x.shape, output.shape).map((counted) => area / counted);
  const share = tf.keep(tf.tensor(shares, [h, w, 1]));
  return (x: Tensor) => tf.mul(average(tf.pad(x, sides(padding))), share);
}

function lrn(tf: Tf, { params, inputs: [{ shape }] }: Layer) {
  const { region, size, alpha, beta, k } = params as LrnParams;
  if (size % 2 === 0) throw new UserError("its LRN has windows of odd sizes alone");
  const radius = (size - 1) / 2;
  if (region === "across") {
    if (!isMap(shape)) throw new UserError("its LRN takes maps alone");
    return (x: Tensor) => tf.localResponseNormalization(x, radius, k, alpha / size, beta);
  }
  const around = sides([radius, radius, radius, radius]);
  const none = sides([0, 0, 0, 0]);
  return (x: Tensor) => {
    const squares = tf.avgPool(tf.pad(tf.square(x), around), [size, size], [1, 1], none, "floor");
    return tf.mul(x, tf.pow(tf.add(tf.mul(squares, tf.scalar(alpha)), tf.scalar(k)), tf.scalar(-beta)));
  };
}

function eltwise(tf: Tf, { params }: Layer) {
  const { operation, coefficients } = params as EltwiseParams;
  const combine = { sum: tf.add, product: tf.mul, max: tf.maximum }[operation];
  return (...xs: Tensor[]) =>
    xs.map((x, n) => (coefficients[n] ?? 1) === 1 ? x : tf.mul(x, tf.scalar(coefficients[n]))).reduce((a, b) =>
      combine(a, b)
    );
}

function crop(tf: Tf, { params, inputs: [{ shape }] }: Layer) {
  const { size } = params as CropParams;
  const [top, left] = cropOffset(shape, params as CropParams);
  return (x: Tensor) => tf.slice(x, [0, top, left, 0], [-1, ...size, -1]);
}

function elu(tf: Tf, { params }: Layer) {
  if ((params as EluParams).alpha !== 1) throw new UserError("its ELU has an α of 1 alone");
  return (x: Tensor) => tf.elu(x);
}

function prelu(tf: Tf, layer: Layer) {
  const { values, shape } = layer.weight("slope");
  const slope = tf.keep(tf.tensor(values, shape));
  return (x: Tensor) => tf.prelu(x, slope);
}

function relu(tf: Tf, { params }: Layer) {
  const { slope } = params as ReluParams;
  return (x: Tensor) => slope === 0 ? tf.relu(x) : tf.leakyRelu(x, slope);
}

function clip(tf: Tf, { params }: Layer) {
  const { min = -3e38, max = 3e38 } = params as ClipParams;
  return (x: Tensor) => tf.clipByValue(x, min, max);
}

const layers: Record<string, (tf: Tf, layer: Layer) => ReturnType<Express<Tensor>>> = {
  conv2d,
  deconv2d,
  fc,
  relu,
  prelu,
  elu,
  sigmoid: (tf) => (x) => tf.sigmoid(x),
  tanh: (tf) => (x) => tf.tanh(x),
  exp: (tf) => (x) => tf.exp(x),
  log: (tf) => (x) => tf.log(x),
  sqrt: (tf) => (x) => tf.sqrt(x),
  clip,
  maxpool,
  avgpool,
  lrn,
  concat: (tf, { output }) => (...xs) => tf.concat(xs, channelsAxis(output.shape)),
  eltwise,
  softmax: (tf, layer) => overChannels(layer, (x) => tf.softmax(x)),
  logsoftmax: (tf, layer) => overChannels(layer, (x) => tf.logSoftmax(x)),
  crop,
};

/** What TensorFlow.js does along the last dimension, which the channels are. */
function overChannels({ inputs: [{ shape }] }: Layer, run: (x: Tensor) => Tensor) {
  if (!isMap(shape) && shape.length !== 1) {
    throw new UserError(`its softmax is not over the first dimension of ${show(shape)}`);
  }
  return run;
}

/** y = a · x + b, channel by channel. */
function affine(tf: Tf, { op, inputs: [{ shape }], params, weightShapes, weight }: Layer) {
  const weights = Object.fromEntries(Object.keys(weightShapes).map((name) => [name, weight(name)]));
  const { a, b } = op.affine!(weights, params);
  const along = isMap(shape) ? [-1] : [-1, ...shape.slice(1).map(() => 1)];
  const channels = (values: Float64Array) =>
    tf.keep(tf.reshape(tf.tensor(new Float32Array(values), [values.length]), along));
  const factor = channels(a);
  const shift = b && channels(b);
  return (x: Tensor) => shift ? tf.add(tf.mul(x, factor), shift) : tf.mul(x, factor);
}

/** The same values under another shape. */
function reshape(tf: Tf, { inputs: [{ shape }], output }: Layer) {
  if (show(shape) === show(output.shape)) return (x: Tensor) => x;
  return (x: Tensor) => fromChw(tf, toChw(tf, x, shape), output.shape);
}

/** A layer in TensorFlow.js, or undefined where nothing is known of its type. @throws UserError where it cannot be expressed. */
export function expressIn(tf: Tf): (type: string, layer: Layer) => ReturnType<Express<Tensor>> | undefined {
  return (type, layer) => {
    if (layer.op.keepsValues) return reshape(tf, layer);
    if (layer.op.affine) return affine(tf, layer);
    return Object.hasOwn(layers, type) ? layers[type](tf, layer) : undefined;
  };
}
