/** The rules for the layers that have weights. */
import { fromFloat32, type StoredTensor, toFloat32 } from "../../../src/formats/safetensors.ts";
import { valueCount } from "../../../src/formats/shape.ts";
import { UserError } from "../../../src/formats/user_error.ts";
import { meeting } from "../onnx/value_rules.ts";
import { tensorOf } from "../onnx/tensor.ts";
import type { Message } from "./message.ts";
import { type Conversion, pair, type Rule, unless } from "./rule.ts";

/**
 * Convolution and Deconvolution: their weights lie as ours do. Several bottoms become as many tops by the same weights.
 * @param groups How many where the layer does not say.
 */
const convolution = (type: string, groups: (layer: Conversion) => number = () => 1): Rule => ({
  settings: "convolution_param",
  bottoms: [1, Infinity],
  convert(layer) {
    const { s, xs } = layer;
    const params = {
      channels: outputs(s),
      ...windows(layer),
      groups: unless(s.integer("group", 1) ?? groups(layer), 1),
      bias: unless(s.boolean("bias_term", true), true),
    };
    return xs.map((x) => layer.trained(type, params, { inputs: [x] }));
  },
});

/** How a kernel moves. */
function windows(layer: Conversion) {
  const { s } = layer;
  layer.checkChannels();
  s.ignore("weight_filler", "bias_filler", "engine", "force_nd_im2col");
  return {
    kernel: pair(s, "kernel", "kernel_size"),
    stride: pair(s, "stride", "stride", 1),
    padding: pair(s, "pad", "pad", 0),
    dilation: pair(s, "dilation", "dilation", 1),
  };
}

/** Numbers of a kernel past which no Im2col is meant. */
const mostTaps = 2 ** 22;

/** Im2col: every channel's windows, tap by tap as channels of their own; a convolution by ones among zeros. */
const im2col: Rule = {
  settings: "convolution_param",
  convert(layer) {
    const [channels] = layer.map();
    const how = windows(layer);
    const [h, w] = [how.kernel!].flat();
    const taps = h * (w ?? h);
    layer.s.ignore("num_output", "group", "bias_term");
    if (channels * taps ** 2 > mostTaps) {
      throw new UserError(`its windows have ${channels} channels of ${taps} values, which are too many`);
    }
    const isOwn = (n: number) => n % taps === Math.floor(n / taps) % taps;
    const weight = Float32Array.from({ length: channels * taps ** 2 }, (_, n) => Number(isOwn(n)));
    const params = { channels: channels * taps, ...how, groups: channels, bias: false };
    return layer.trace.add("conv2d", params, layer.xs, { weight });
  },
};

/** Of forks: a convolution of every channel by itself. */
const depthwise = convolution("conv2d", ({ x }) => x.item[0]);

/** How many channels, units or hidden units a layer has. */
export function outputs(s: Message): number {
  const count = s.integer("num_output", 1);
  if (count === undefined) throw new UserError('"num_output" is missing');
  return count;
}

/** InnerProduct: the axes before its own number rows, the batch first. */
const innerProduct: Rule = {
  settings: "inner_product_param",
  streams: true,
  whole: true,
  convert(layer) {
    const { s } = layer;
    const d = layer.dimension();
    s.ignore("weight_filler", "bias_filler");
    const transposed = s.boolean("transpose", false);
    return layer.trained(
      "fc",
      { channels: outputs(s), bias: unless(s.boolean("bias_term", true), true), axis: unless(d, 0) },
      { weights: transposed ? turned : undefined },
    );
  },
};

/** The blobs of a product whose weight lies by columns. */
function turned([weight, bias]: StoredTensor[]): Record<string, StoredTensor> {
  const [rows, columns] = weight.shape.slice(-2);
  const values = toFloat32(weight);
  const turned = new Float32Array(values.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) turned[c * rows + r] = values[r * columns + c];
  const lying = fromFloat32(turned, "F32", [...weight.shape.slice(0, -2), columns, rows]);
  return bias ? { weight: lying, bias } : { weight: lying };
}

/** Embed: the row of a table that each value numbers, as the product of the table and a 1 among zeros. It has no gradient. */
const embed: Rule = {
  settings: "embed_param",
  convert(layer) {
    const { s, trace, x } = layer;
    const rows = s.integer("input_dim", 1);
    const bias = unless(s.boolean("bias_term", true), true);
    s.ignore("weight_filler", "bias_filler");
    const channels = outputs(s);
    if (rows === undefined || rows > mostRows) {
      throw new UserError(`"input_dim" is ${rows ?? "missing"}, expected 1 to ${mostRows}`);
    }
    const whole = layer.add("round", { to: "zero" }, [trace.reshape(x, [valueCount(x.item), 1])]);
    const bounds = tensorOf("float32", [rows], Float32Array.from({ length: rows }, (_, n) => n - 0.5));
    const from = meeting(trace, "less", bounds, whole);
    const past = meeting(trace, "less", bounds, trace.affine(whole, 1, [-1]));
    const chosen = meeting(trace, "difference", from, past);
    const product = layer.trained("fc", { channels, bias, axis: 1 }, { inputs: [chosen], weights: turned });
    return trace.reshape(product, [...x.item, channels]);
  },
};

/** Past it halves between whole numbers are none in float32, and no table is as long. */
const mostRows = 2 ** 22;

/** BatchNorm: its third blob is what the sums in the first two are divided by. */
const batchNorm: Rule = {
  settings: "batch_norm_param",
  convert(layer) {
    const { s } = layer;
    s.ignore("moving_average_fraction");
    if (!s.boolean("use_global_stats", true)) {
      throw new UserError('"use_global_stats" is false: it takes each batch\'s own statistics, which is not supported');
    }
    return layer.trained("batchnorm", { epsilon: s.number("eps", 1e-5) }, {
      blobs: 3,
      weights([mean, variance, factor]) {
        const [sum] = toFloat32(factor);
        const scale = sum === 0 ? 0 : 1 / sum;
        const scaled = (blob: StoredTensor) => fromFloat32(toFloat32(blob).map((v) => v * scale), "F32", blob.shape);
        return { mean: scaled(mean), variance: scaled(variance) };
      },
    });
  },
};

/**
 * BN of forks. PSPNet's has four blobs: slope, shift, mean, variance. SegNet's has two, in which its mode INFERENCE finds
 * the statistics taken in.
 */
const bn: Rule = {
  settings: "bn_param",
  convert(layer) {
    const { s } = layer;
    const blobs = layer.place.trained?.length;
    const epsilon = s.number("eps", 1e-5);
    s.ignore("slope_filler", "bias_filler", "scale_filler", "shift_filler", "momentum", "frozen", "engine");
    if (s.choice("bn_mode", ["LEARN", "INFERENCE"], "LEARN") === "INFERENCE") return layer.trained("scale");
    if (blobs === 2) {
      throw new UserError('it has no statistics: it takes each batch\'s own, unless "bn_mode" is INFERENCE');
    }
    return layer.trained("batchnorm", { epsilon, affine: true }, {
      weights: ([weight, bias, mean, variance]) => ({ weight, bias, mean, variance }),
    });
  },
};

/** @throws UserError unless its weights are one value a channel. */
function checkChannelwise(layer: Conversion): void {
  layer.checkChannels();
  const axes = layer.s.integer("num_axes", -1) ?? 1;
  if (axes !== 1) throw new UserError(`"num_axes" is ${axes}; only one value a channel, 1, is supported`);
}

/**
 * What two bottoms become: a sum or a product, value by value, the second's standing for all that lie behind it.
 * @throws UserError unless the second's shape begins the first's. (One that begins at a later axis is no batch of items.)
 */
function ofTwo(layer: Conversion, operation: "sum" | "product") {
  const axis = layer.axis();
  const [x, y] = layer.xs;
  const shapes = [x.item, y.item];
  layer.s.ignore("num_axes"); // which counts for weights only
  if (axis !== 0 || y.item.some((n, d) => n !== x.item[d])) {
    throw new UserError(
      `its bottoms are ${shapes.map((shape) => `[${shape}]`).join(" and ")} from axis ${axis} on; ` +
        'only two with "axis: 0" of which the second has the first\'s shape or its beginning, or one with weights, are supported',
    );
  }
  if (x.item.length === y.item.length) return layer.add("eltwise", { operation });
  return layer.add("binary", { operation }, [x, layer.trace.reshape(y, x.item.map((_, d) => y.item[d] ?? 1))]);
}

/** Scale with one factor a channel, or the product of two bottoms. */
const scale: Rule = {
  settings: "scale_param",
  bottoms: [1, 2],
  convert(layer) {
    const { s } = layer;
    const bias = s.boolean("bias_term", false);
    s.ignore("filler", "bias_filler");
    if (layer.xs.length === 1) {
      checkChannelwise(layer);
      return layer.trained("scale", { bias: unless(bias, true) });
    }
    if (bias) throw new UserError('"bias_term" with two bottoms is not supported');
    return ofTwo(layer, "product");
  },
};

/** Bias with one value a channel, or the sum of two bottoms. */
const bias: Rule = {
  settings: "bias_param",
  bottoms: [1, 2],
  convert(layer) {
    layer.s.ignore("filler");
    if (layer.xs.length > 1) return ofTwo(layer, "sum");
    checkChannelwise(layer);
    return layer.trained("bias");
  },
};

/** Axpy, of SENet: the first bottom's value for each channel, times the second, plus the third. */
const axpy: Rule = {
  bottoms: [3, 3],
  convert(layer) {
    const [a, x, y] = layer.xs;
    const [channels] = x.item;
    if (valueCount(a.item) !== channels || a.item[0] !== channels || x.item.join() !== y.item.join()) {
      const shapes = layer.xs.map(({ item }) => `[${item}]`).join(", ");
      throw new UserError(`its bottoms have items of ${shapes}, expected one value a channel and two of one shape`);
    }
    const factor = layer.trace.reshape(a, x.item.map((n, d) => d === 0 ? n : 1));
    const product = layer.add("binary", { operation: "product" }, [x, factor]);
    return layer.add("eltwise", { operation: "sum" }, [product, y]);
  },
};

/** PReLU with a slope for every channel, or one for all. */
const prelu: Rule = {
  settings: "prelu_param",
  convert(layer) {
    layer.s.ignore("filler");
    return layer.trained("prelu", { shared: unless(layer.s.boolean("channel_shared", false), false) });
  },
};

/** Layers by their type. */
export const trainedRules: Readonly<Record<string, Rule>> = {
  Axpy: axpy,
  BN: bn,
  BatchNorm: batchNorm,
  Bias: bias,
  Convolution: convolution("conv2d"),
  ConvolutionDepthwise: depthwise,
  Deconvolution: convolution("deconv2d"),
  DepthwiseConvolution: depthwise,
  Embed: embed,
  Im2col: im2col,
  InnerProduct: innerProduct,
  PReLU: prelu,
  Scale: scale,
};
