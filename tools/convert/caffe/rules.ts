/**
 * How each type of Caffe layer is written in network.json. Caffe's defaults are spelled out where ours differ.
 */
import { fromFloat32, type StoredTensor, toFloat32 } from "../../../src/formats/safetensors.ts";
import { UserError } from "../../../src/formats/user_error.ts";
import type { Message } from "./message.ts";

/** What becomes of a layer. */
export interface Conversion {
  type: string;
  params?: Record<string, unknown>;
  /** How many of the bottoms it reads; all unless given. */
  reads?: number;
  /** How many blobs it has; as many as the new layer has weights unless given. */
  blobs?: number;
  /** The new layer's weights by name; its blobs in their order unless given. */
  weights?: (blobs: StoredTensor[]) => Record<string, StoredTensor>;
}

/** A type of layer. */
export interface Rule {
  /** What its parameters are called. */
  settings?: string;
  /**
   * @param shapes Of the bottoms, without the batch.
   * @throws UserError without the layer's place.
   */
  convert(settings: Message, shapes: readonly (readonly number[])[]): Conversion;
}

type Shape = readonly number[];

/** @throws UserError unless the layer works along the channels. */
function checkAxis(s: Message, [shape]: readonly Shape[], name = "axis"): void {
  const axis = s.integer(name, -Infinity) ?? 1, fromFront = axis < 0 ? axis + shape.length + 1 : axis;
  if (fromFront !== 1) throw new UserError(`it works along axis ${axis}; only the channels, axis 1, are supported`);
}

/** A size of both axes: given once, once an axis, or as NAME_h and NAME_w. One number where they are equal. */
function pair(s: Message, name: string, field: string, fallback?: number): number | number[] | undefined {
  const both = s.integers(field, 0), h = s.integer(`${name}_h`, 0), w = s.integer(`${name}_w`, 0);
  if (both.length > 2) throw new UserError(`"${field}" has ${both.length} values, expected one or two`);
  if (both.length > 0 && (h ?? w) !== undefined) throw new UserError(`"${field}" and "${name}_h" are both given`);
  const y = h ?? both[0] ?? fallback, x = w ?? both[1] ?? both[0] ?? fallback;
  if (y === undefined || x === undefined) throw new UserError(`"${field}" is missing`);
  return y === x ? (y === fallback ? undefined : y) : [y, x];
}

const convolution = (type: string): Rule => ({
  settings: "convolution_param",
  convert(s, shapes) {
    checkAxis(s, shapes);
    s.ignore("weight_filler", "bias_filler", "engine", "force_nd_im2col");
    return {
      type,
      params: {
        channels: channels(s),
        kernel: pair(s, "kernel", "kernel_size"),
        stride: pair(s, "stride", "stride", 1),
        padding: pair(s, "pad", "pad", 0),
        dilation: pair(s, "dilation", "dilation", 1),
        groups: unless(s.integer("group", 1), 1),
        bias: unless(s.boolean("bias_term", true), true),
      },
    };
  },
});

function channels(s: Message): number {
  const count = s.integer("num_output", 1);
  if (count === undefined) throw new UserError('"num_output" is missing');
  return count;
}

const unless = <T>(value: T, fallback: T): T | undefined => value === fallback ? undefined : value;

const innerProduct: Rule = {
  settings: "inner_product_param",
  convert(s, shapes) {
    checkAxis(s, shapes);
    s.ignore("weight_filler", "bias_filler");
    const transposed = s.boolean("transpose", false);
    return {
      type: "fc",
      params: { channels: channels(s), bias: unless(s.boolean("bias_term", true), true) },
      weights: transposed ? ([weight, bias]) => ({ weight: transpose(weight), ...(bias ? { bias } : {}) }) : undefined,
    };
  },
};

function transpose(tensor: StoredTensor): StoredTensor {
  const [rows, columns] = tensor.shape.slice(-2), values = toFloat32(tensor), turned = new Float32Array(values.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) turned[c * rows + r] = values[r * columns + c];
  return fromFloat32(turned, "F32", [...tensor.shape.slice(0, -2), columns, rows]);
}

const pooling: Rule = {
  settings: "pooling_param",
  convert(s) {
    s.ignore("engine");
    const method = s.choice("pool", ["MAX", "AVE", "STOCHASTIC"], "MAX");
    if (method === "STOCHASTIC") {
      throw new UserError('stochastic pooling is not supported; use "pool: AVE" in its place');
    }
    const floor = s.choice("round_mode", ["CEIL", "FLOOR"], "CEIL") === "FLOOR" || !s.boolean("ceil_mode", true);
    const type = method === "MAX" ? "maxpool" : "avgpool";
    if (s.boolean("global_pooling", false)) {
      pair(s, "stride", "stride", 1);
      pair(s, "pad", "pad", 0);
      return { type, params: { global: true } };
    }
    return {
      type,
      params: {
        kernel: pair(s, "kernel", "kernel_size"),
        stride: pair(s, "stride", "stride", 1),
        padding: pair(s, "pad", "pad", 0),
        rounding: floor ? "floor" : undefined,
      },
    };
  },
};

const lrn: Rule = {
  settings: "lrn_param",
  convert(s) {
    s.ignore("engine");
    if (s.choice("norm_region", ["ACROSS_CHANNELS", "WITHIN_CHANNEL"], "ACROSS_CHANNELS") === "WITHIN_CHANNEL") {
      throw new UserError("normalisation within a channel is not supported; only ACROSS_CHANNELS is");
    }
    const size = s.integer("local_size", 1) ?? 5;
    if (size % 2 === 0) throw new UserError(`"local_size" is ${size}, expected an odd number`);
    return {
      type: "lrn",
      params: { size, alpha: s.number("alpha", 1), beta: s.number("beta", 0.75), k: unless(s.number("k", 1), 1) },
    };
  },
};

const batchNorm: Rule = {
  settings: "batch_norm_param",
  convert(s) {
    s.ignore("moving_average_fraction");
    if (!s.boolean("use_global_stats", true)) {
      throw new UserError(
        'it takes each batch\'s own statistics; write "use_global_stats: true" to use the stored ones',
      );
    }
    return {
      type: "batchnorm",
      params: { epsilon: s.number("eps", 1e-5) },
      blobs: 3,
      weights([mean, variance, factor]) {
        const [sum] = toFloat32(factor), scale = sum === 0 ? 0 : 1 / sum;
        const scaled = (blob: StoredTensor) => fromFloat32(toFloat32(blob).map((v) => v * scale), "F32", blob.shape);
        return { mean: scaled(mean), variance: scaled(variance) };
      },
    };
  },
};

/** @throws UserError unless there is one bottom and one value a channel. */
function checkChannelwise(s: Message, shapes: readonly Shape[]): number {
  checkAxis(s, shapes);
  const axes = s.integer("num_axes", -1) ?? 1;
  if (shapes.length !== 1) throw new UserError("two bottoms are not supported: its factors must be weights");
  if (axes !== 1) throw new UserError(`"num_axes" is ${axes}; only one value a channel, 1, is supported`);
  return shapes[0][0];
}

const scale: Rule = {
  settings: "scale_param",
  convert(s, shapes) {
    checkChannelwise(s, shapes);
    s.ignore("filler", "bias_filler");
    return { type: "scale", params: { bias: unless(s.boolean("bias_term", false), true) } };
  },
};

/** Far above the widest layer, far below what a mistyped number of channels would take. */
const mostChannels = 1_000_000;

/** One value for every channel. */
function constant(value: number, channels: number): StoredTensor {
  if (channels > mostChannels) throw new UserError(`${channels} channels are more than ${mostChannels}`);
  return fromFloat32(new Float32Array(channels).fill(value), "F32", [channels]);
}

const bias: Rule = {
  settings: "bias_param",
  convert(s, shapes) {
    const channels = checkChannelwise(s, shapes);
    s.ignore("filler");
    return { type: "scale", blobs: 1, weights: ([bias]) => ({ weight: constant(1, channels), bias }) };
  },
};

const power: Rule = {
  settings: "power_param",
  convert(s, [[channels]]) {
    const exponent = s.number("power", 1), factor = s.number("scale", 1), shift = s.number("shift", 0);
    if (exponent !== 1) throw new UserError(`"power" is ${exponent}; only 1, scale · x + shift, is supported`);
    const weights = () => ({ weight: constant(factor, channels), bias: constant(shift, channels) });
    return { type: "scale", blobs: 0, weights };
  },
};

const eltwise: Rule = {
  settings: "eltwise_param",
  convert(s) {
    s.ignore("stable_prod_grad");
    const operation = s.choice("operation", ["PROD", "SUM", "MAX"], "SUM"), coefficients = s.numbers("coeff");
    const name = { PROD: "product", SUM: "sum", MAX: "max" }[operation];
    return {
      type: "eltwise",
      params: { operation: name, coefficients: coefficients.length ? coefficients : undefined },
    };
  },
};

const concat: Rule = {
  settings: "concat_param",
  convert(s, shapes) {
    checkAxis(s, shapes, s.count("concat_dim") ? "concat_dim" : "axis");
    return { type: "concat" };
  },
};

const flatten: Rule = {
  settings: "flatten_param",
  convert(s, shapes) {
    checkAxis(s, shapes);
    const end = s.integer("end_axis", -Infinity) ?? -1;
    if (end !== -1 && end !== shapes[0].length) {
      throw new UserError(`it flattens up to axis ${end}; only all axes but the batch are supported`);
    }
    return { type: "flatten" };
  },
};

/** Caffe's shapes begin with the batch, ours do not. */
const reshape: Rule = {
  settings: "reshape_param",
  convert(s, [input]) {
    const message = s.message("shape"), wanted = message.integers("dim", -1), rank = input.length + 1;
    message.done("a shape");
    const axis = s.integer("axis", -rank - 1) ?? 0, count = s.integer("num_axes", -1) ?? -1;
    const start = axis < 0 ? axis + rank + 1 : axis, end = count === -1 ? rank : start + count;
    if (start > rank || end > rank) throw new UserError(`axes ${start} to ${end} of a blob that has ${rank}`);
    const batch = "batch", before: (number | "batch")[] = [batch, ...input];
    const after = [
      ...before.slice(0, start),
      ...wanted.map((n, i) => n === 0 ? before[start + i] ?? 0 : n),
      ...before.slice(end),
    ];
    // A literal or inferred first number stands for the batch as well: the rest must then hold one whole item.
    const shape = after.slice(1), whole = input.reduce((a, b) => a * b, 1);
    const holds = shape.reduce<number>((product, n) => product * Number(n), 1);
    if (shape.includes(batch) || (after[0] !== batch && holds !== whole)) {
      throw new UserError(
        `its shape [${wanted.slice(0, 8)}] mixes the items of a batch; the first axis must stay the batch`,
      );
    }
    return { type: "reshape", params: { shape } };
  },
};

const crop: Rule = {
  settings: "crop_param",
  convert(s, shapes) {
    const axis = s.integer("axis", -4) ?? 2, offsets = s.integers("offset", 0), start = axis < 0 ? axis + 4 : axis;
    const [from, to] = shapes;
    if (shapes.length !== 2 || from.length !== 3 || to.length !== 3) {
      throw new UserError("it needs two bottoms of [channels, height, width]");
    }
    if (offsets.length > 1 && offsets.length !== 4 - start) {
      throw new UserError(`${offsets.length} offsets for ${4 - start} axes`);
    }
    const at = (dimension: number) => dimension < start ? 0 : offsets[dimension - start] ?? offsets[0] ?? 0;
    const size = (dimension: number) => dimension < start ? from[dimension - 1] : to[dimension - 1];
    if (start < 1 || start > 3 || size(1) !== from[0] || at(1) !== 0) {
      throw new UserError("cropping the batch or the channels is not supported; only height and width");
    }
    return { type: "crop", params: { size: [size(2), size(3)], offset: [at(2), at(3)] }, reads: 1 };
  },
};

/** Without parameters that matter here. */
const plain = (type: string, settings?: string, ...ignored: string[]): Rule => ({
  settings,
  convert(s) {
    s.ignore(...ignored);
    return { type };
  },
});

/** Every type that is converted. `Split` is written once for each of its tops. */
export const rules: Readonly<Record<string, Rule>> = {
  BatchNorm: batchNorm,
  Bias: bias,
  Concat: concat,
  Convolution: convolution("conv2d"),
  Crop: crop,
  Deconvolution: convolution("deconv2d"),
  Dropout: plain("dropout", "dropout_param", "dropout_ratio"),
  Eltwise: eltwise,
  Flatten: flatten,
  InnerProduct: innerProduct,
  LRN: lrn,
  Pooling: pooling,
  Power: power,
  ReLU: {
    settings: "relu_param",
    convert(s) {
      s.ignore("engine");
      return { type: "relu", params: { slope: unless(s.number("negative_slope", 0), 0) } };
    },
  },
  Reshape: reshape,
  Scale: scale,
  Sigmoid: plain("sigmoid", "sigmoid_param", "engine"),
  Softmax: {
    settings: "softmax_param",
    convert(s, shapes) {
      s.ignore("engine");
      checkAxis(s, shapes);
      return { type: "softmax" };
    },
  },
  Split: plain("dropout"),
  TanH: plain("tanh", "tanh_param", "engine"),
};

/** Layers that only measure: nothing needs what they make. */
export const dropped: readonly string[] = [
  "Accuracy",
  "ContrastiveLoss",
  "EuclideanLoss",
  "HDF5Output",
  "HingeLoss",
  "InfogainLoss",
  "MultinomialLogisticLoss",
  "SigmoidCrossEntropyLoss",
  "Silence",
  "SoftmaxWithLoss",
];

/** What to do about a type that is not converted. */
export function advice(type: string): string {
  const instead: Record<string, string> = {
    ArgMax: "delete it: the layer before it gives the scores",
    LSTM: "use the network's single-frame version",
    PReLU: 'if all its slopes are equal, write a ReLU with that "negative_slope"',
    Python: "its code is not in these files; delete it, or write it with the types that are known",
    RNN: "use the network's single-frame version",
  };
  return Object.hasOwn(instead, type)
    ? instead[type]
    : "delete it and every layer that needs it, or write it with the types that are known";
}
