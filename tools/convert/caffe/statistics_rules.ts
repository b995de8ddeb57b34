/** The rules for the layers that take sums over an item: reductions, softmax, normalisation by the item's own statistics. */
import { fromFloat32, type StoredTensor, toFloat32 } from "../../../src/formats/safetensors.ts";
import { valueCount } from "../../../src/formats/shape.ts";
import { UserError } from "../../../src/formats/user_error.ts";
import { mean } from "../onnx/reduction_rules.ts";
import type { Trace, Traced } from "../onnx/trace.ts";
import { absolute, meeting, squared } from "../onnx/value_rules.ts";
import type { Rule } from "./rule.ts";

const softmax: Rule = {
  settings: "softmax_param",
  streams: true,
  whole: true,
  convert(layer) {
    layer.s.ignore("engine");
    return layer.trace.alongFirst(layer.xs, layer.dimension(), (xs) => layer.add("softmax", {}, xs));
  },
};

/** Reduction of all axes from one on, which vanish. */
const reduction: Rule = {
  settings: "reduction_param",
  whole: true,
  convert(layer) {
    const { s, trace } = layer;
    const operation = s.choice("operation", ["SUM", "ASUM", "SUMSQ", "MEAN"], "SUM", 1);
    const coefficient = s.number("coeff", 1);
    const { xs: [x], d } = layer.anyDimension(layer.axis("axis", 0));
    const term = operation === "ASUM" ? absolute(trace, x) : operation === "SUMSQ" ? squared(trace, x) : x;
    const outer = x.item.slice(0, d);
    const terms = valueCount(x.item.slice(d));
    const average = mean(trace, trace.reshape(term, [valueCount(outer), terms]), [1]);
    const factor = operation === "MEAN" ? coefficient : terms * coefficient;
    return trace.reshape(factor === 1 ? average : trace.affine(average, [factor]), outer);
  },
};

/** The dimensions of an item that are not its channels. */
const positions = (item: readonly number[]): number[] => item.slice(1).map((_, d) => d + 1);

/** MVN: without the mean, over the deviation, of each channel or of all of them. */
const mvn: Rule = {
  settings: "mvn_param",
  convert(layer) {
    const { s, trace, x } = layer;
    const epsilon = s.number("eps", 1e-9);
    const own = s.boolean("across_channels", false) ? x.item.map((_, d) => d) : positions(x.item);
    if (own.length === 0) throw new UserError("its bottom has one value a channel, which has no variance");
    const centred = meeting(trace, "difference", x, mean(trace, x, own));
    if (!s.boolean("normalize_variance", true)) return centred;
    const deviation = layer.add("sqrt", {}, [mean(trace, squared(trace, centred), own)]);
    return meeting(trace, "quotient", centred, trace.affine(deviation, 1, [epsilon]));
  },
};

/** The root of the sum of squares over some dimensions. */
const length = (trace: Trace, x: Traced, own: readonly number[], epsilon: number): Traced => {
  const terms = valueCount(own.map((d) => x.item[d]));
  return trace.add("sqrt", {}, [trace.affine(mean(trace, squared(trace, x), own), [terms], [epsilon])]);
};

/** One number, for every channel. */
function repeated(number: StoredTensor, channels: number): StoredTensor {
  const [value, ...others] = toFloat32(number);
  if (value === undefined || others.length > 0) {
    throw new UserError(`its scale has shape [${number.shape}] in the caffemodel, expected one number`);
  }
  return fromFloat32(new Float32Array(channels).fill(value), "F32", [channels]);
}

/** Normalize, of SSD: over the length of each position's channels, or of all of the item, then scaled as it was trained. */
const normalize: Rule = {
  settings: "norm_param",
  convert(layer) {
    const { s, trace, x } = layer;
    const across = s.boolean("across_spatial", true);
    const epsilon = s.number("eps", 1e-10);
    const shared = s.boolean("channel_shared", true);
    s.ignore("scale_filler");
    const unit = meeting(trace, "quotient", x, length(trace, x, across ? x.item.map((_, d) => d) : [0], epsilon));
    const forAll = ([factor]: StoredTensor[]) => ({ weight: repeated(factor, x.item[0]) });
    return layer.trained("scale", { bias: false }, { inputs: [unit], blobs: 1, weights: shared ? forAll : undefined });
  },
};

/** Layers by their type. */
export const statisticsRules: Readonly<Record<string, Rule>> = {
  MVN: mvn,
  Normalize: normalize,
  Reduction: reduction,
  Softmax: softmax,
};
