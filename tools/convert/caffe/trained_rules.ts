/** The rules for the layers that have weights, or become one that has. */
import { fromFloat32, type StoredTensor, toFloat32 } from "../../../src/formats/safetensors.ts";
import { UserError } from "../../../src/formats/user_error.ts";
import type { Message } from "./message.ts";
import { checkAxis, type Conversion, pair, readAxis, readItemAxis, type Rule, type Shape, unless } from "./rule.ts";

/** Convolution and Deconvolution: their weights lie as ours do. */
export const convolution = (type: string): Rule => ({
  settings: "convolution_param",
  convert(s, shapes) {
    checkAxis(s, shapes);
    s.ignore("weight_filler", "bias_filler", "engine", "force_nd_im2col");
    return {
      type,
      params: {
        channels: outputs(s),
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

/** How many channels, units or hidden units a layer has. */
export function outputs(s: Message): number {
  const count = s.integer("num_output", 1);
  if (count === undefined) throw new UserError('"num_output" is missing');
  return count;
}

/** InnerProduct: the axes before its own number rows, the batch first. */
export const innerProduct: Rule = {
  settings: "inner_product_param",
  streams: true,
  convert(s, shapes, { streams }) {
    const axis = readItemAxis(s, shapes, streams);
    s.ignore("weight_filler", "bias_filler");
    const transposed = s.boolean("transpose", false);
    return {
      type: "fc",
      params: {
        channels: outputs(s),
        bias: unless(s.boolean("bias_term", true), true),
        axis: unless(axis - 1, 0),
      },
      weights: transposed ? ([weight, bias]) => ({ weight: transpose(weight), ...(bias ? { bias } : {}) }) : undefined,
    };
  },
};

function transpose(tensor: StoredTensor): StoredTensor {
  const [rows, columns] = tensor.shape.slice(-2), values = toFloat32(tensor), turned = new Float32Array(values.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) turned[c * rows + r] = values[r * columns + c];
  return fromFloat32(turned, "F32", [...tensor.shape.slice(0, -2), columns, rows]);
}

/** BatchNorm: its third blob is what the sums in the first two are divided by. */
export const batchNorm: Rule = {
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

/** @throws UserError unless its weights are one value a channel. */
function checkChannelwise(s: Message, shapes: readonly Shape[]): void {
  checkAxis(s, shapes);
  const axes = s.integer("num_axes", -1) ?? 1;
  if (axes !== 1) throw new UserError(`"num_axes" is ${axes}; only one value a channel, 1, is supported`);
}

/**
 * What two bottoms become: a sum or a product, value by value, the second's standing for all that lie behind it.
 * @throws UserError unless the second's shape begins the first's. (One that begins at a later axis is no batch of items.)
 */
function ofTwo(s: Message, shapes: readonly Shape[], operation: "sum" | "product"): Conversion {
  const axis = readAxis(s, shapes), [x, y] = shapes;
  s.ignore("num_axes"); // which counts for weights only
  if (axis !== 0 || shapes.length > 2 || y.some((n, d) => n !== x[d])) {
    throw new UserError(
      `its bottoms are ${shapes.map((shape) => `[${shape}]`).join(" and ")} from axis ${axis} on; ` +
        'only two with "axis: 0" of which the second has the first\'s shape or its beginning, or one with weights, are supported',
    );
  }
  if (x.length === y.length) return { type: "eltwise", params: { operation }, blobs: 0 };
  const shape = x.map((_, d) => y[d] ?? 1);
  return {
    type: "binary",
    params: { operation },
    before: [undefined, { type: "reshape", params: { shape } }],
    blobs: 0,
  };
}

/** Scale with one factor a channel, or the product of two bottoms. */
export const scale: Rule = {
  settings: "scale_param",
  convert(s, shapes) {
    s.ignore("filler", "bias_filler");
    const bias = s.boolean("bias_term", false);
    if (shapes.length === 1) {
      checkChannelwise(s, shapes);
      return { type: "scale", params: { bias: unless(bias, true) } };
    }
    if (bias) throw new UserError('"bias_term" with two bottoms is not supported; write a Bias layer after it');
    return ofTwo(s, shapes, "product");
  },
};

/** PReLU with a slope for every channel, or one for all. */
export const prelu: Rule = {
  settings: "prelu_param",
  convert(s) {
    s.ignore("filler");
    return { type: "prelu", params: { shared: unless(s.boolean("channel_shared", false), false) } };
  },
};

/** Far above the widest layer, far below what a mistyped number of channels would take. */
const mostChannels = 1_000_000;

/** One value for every channel. */
function constant(value: number, channels: number): StoredTensor {
  if (channels > mostChannels) throw new UserError(`${channels} channels are more than ${mostChannels}`);
  return fromFloat32(new Float32Array(channels).fill(value), "F32", [channels]);
}

/** Bias with one value a channel, or the sum of two bottoms. */
export const bias: Rule = {
  settings: "bias_param",
  convert(s, shapes) {
    s.ignore("filler");
    if (shapes.length > 1) return ofTwo(s, shapes, "sum");
    checkChannelwise(s, shapes);
    return { type: "bias" };
  },
};

/** Power with the exponent 1: a scale by constants. */
export const power: Rule = {
  settings: "power_param",
  convert(s, [[channels]]) {
    const exponent = s.number("power", 1), factor = s.number("scale", 1), shift = s.number("shift", 0);
    if (exponent !== 1) throw new UserError(`"power" is ${exponent}; only 1, scale · x + shift, is supported`);
    const weights = () => ({ weight: constant(factor, channels), bias: constant(shift, channels) });
    return { type: "scale", blobs: 0, weights };
  },
};
