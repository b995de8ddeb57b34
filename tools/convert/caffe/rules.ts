/**
 * How each type of Caffe layer is written in network.json. Caffe's defaults are spelled out where ours differ.
 */
import { UserError } from "../../../src/formats/user_error.ts";
import { checkAxis, pair, readItemAxis, type Rule, unless } from "./rule.ts";
import { lstm } from "./lstm_rule.ts";
import { crop, flatten, permute, reshape, slice, split } from "./shape_rules.ts";
import { batchNorm, bias, convolution, innerProduct, power, prelu, scale } from "./trained_rules.ts";

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
    const within =
      s.choice("norm_region", ["ACROSS_CHANNELS", "WITHIN_CHANNEL"], "ACROSS_CHANNELS") === "WITHIN_CHANNEL";
    const size = s.integer("local_size", 1) ?? 5;
    if (size % 2 === 0) throw new UserError(`"local_size" is ${size}, expected an odd number`);
    const k = s.number("k", 1); // which Caffe reads across channels only
    return {
      type: "lrn",
      params: {
        region: within ? "within" : undefined,
        size,
        alpha: s.number("alpha", 1),
        beta: s.number("beta", 0.75),
        k: unless(within ? 1 : k, 1),
      },
    };
  },
};

const eltwise: Rule = {
  settings: "eltwise_param",
  streams: true,
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

const softmax: Rule = {
  settings: "softmax_param",
  streams: true,
  convert(s, shapes, { streams }) {
    s.ignore("engine");
    const axis = readItemAxis(s, shapes, streams) - 1;
    if (axis === 0) return { type: "softmax" };
    const order = shapes[0].map((_, d) => d === 0 ? axis : d === axis ? 0 : d); // an exchange, which undoes itself
    const exchange = { type: "transpose", params: { order } };
    return { type: "softmax", before: [exchange], after: exchange };
  },
};

/** Value by value, without parameters that matter here. */
const plain = (type: string, settings?: string, ...ignored: string[]): Rule => ({
  settings,
  streams: true,
  convert(s) {
    s.ignore(...ignored);
    return { type };
  },
});

/** Every type that is converted. */
export const rules: Readonly<Record<string, Rule>> = {
  BatchNorm: batchNorm,
  Bias: bias,
  Concat: concat,
  Convolution: convolution("conv2d"),
  Crop: crop,
  Deconvolution: convolution("deconv2d"),
  Dropout: plain("dropout", "dropout_param", "dropout_ratio"),
  ELU: {
    settings: "elu_param",
    streams: true,
    convert: (s) => ({ type: "elu", params: { alpha: unless(s.number("alpha", 1), 1) } }),
  },
  Eltwise: eltwise,
  Flatten: flatten,
  InnerProduct: innerProduct,
  LRN: lrn,
  LSTM: lstm,
  PReLU: prelu,
  Permute: permute,
  Pooling: pooling,
  Power: power,
  ReLU: {
    settings: "relu_param",
    streams: true,
    convert(s) {
      s.ignore("engine");
      return { type: "relu", params: { slope: unless(s.number("negative_slope", 0), 0) } };
    },
  },
  Reshape: reshape,
  Scale: scale,
  Sigmoid: plain("sigmoid", "sigmoid_param", "engine"),
  Slice: slice,
  Softmax: softmax,
  Split: split,
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
    DetectionOutput: "delete it: its bottoms give the boxes and their scores",
    PriorBox: "delete it and every layer that needs it: it tells of sizes alone, not of what the network sees",
    Python: "its code is not in these files; delete it, or write it with the types that are known",
    RNN: "use the network's single-frame version",
  };
  return Object.hasOwn(instead, type)
    ? instead[type]
    : "delete it and every layer that needs it, or write it with the types that are known";
}
