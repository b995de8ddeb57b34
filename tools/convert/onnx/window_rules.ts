/**
 * Convolutions and pooling. A map of one spatial dimension is a map of rows of one column: [channels, length] has the
 * texels of [channels, length, 1].
 */
import { valueCount } from "../../../src/formats/shape.ts";
import { UserError } from "../../../src/formats/user_error.ts";
import { withoutZeroPoints } from "./matrix_rules.ts";
import type { Operator, Rule } from "./operator.ts";
import { trainingBatchNormalization } from "./reduction_rules.ts";
import type { Traced } from "./trace.ts";
import { convTransposeVolume, convVolume } from "./volume_rules.ts";
import { both, isSingle, parameters, reach, short, upper, windows } from "./windows.ts";

/** What `run` makes of x as [channels, height, width], again with x's spatial dimensions. */
function asMap(o: Operator, run: (x: Traced, size: readonly number[]) => Traced): Traced {
  const { trace } = o;
  return trace.perItem(o.computed(0), (x) => {
    const [channels, ...size] = x.item;
    if (size.length === 0) throw new UserError(`its input has no spatial dimensions: [${o.shape(0)}]`);
    if (size.length !== 1) return run(x, size);
    const y = run(trace.reshape(x, [channels, size[0], 1]), size);
    return trace.reshape(y, y.item.slice(0, 2));
  });
}

const weightsOf = (o: Operator) => {
  const weight = o.needed(1, "the weight");
  const bias = o.known(2, "the bias");
  const kernel = o.numbers("kernel_shape") ?? weight.shape.slice(2);
  if (kernel.join() !== weight.shape.slice(2).join()) {
    throw new UserError(`its kernel_shape [${kernel}] is not that of its weight [${weight.shape}]`);
  }
  return {
    kernel,
    weight,
    values: { weight: weight.values, ...(bias ? { bias: bias.values } : {}) },
    bias: bias !== undefined,
  };
};

/** @throws UserError where x has more than three spatial dimensions. */
function needSpace(size: readonly number[]): void {
  if (size.length > 3) throw new UserError(`it has ${size.length} spatial dimensions; up to three are supported`);
}

const conv: Rule = (o) => {
  const { kernel, weight, values, bias } = weightsOf(o);
  const groups = o.number("group", 1);
  return [asMap(o, (x, size) => {
    needSpace(size);
    if (weight.shape[1] * groups !== x.item[0]) {
      throw new UserError(`its weight [${weight.shape}] in ${groups} groups does not fit ${x.item[0]} channels`);
    }
    const w = windows(o, kernel, size);
    if (size.length === 3) return convVolume(o.trace, x, w, { channels: weight.shape[0], groups, bias, values });
    const params = {
      channels: weight.shape[0],
      ...parameters(w),
      groups: short([groups], 1),
      bias,
    };
    return o.trace.add("conv2d", params, [x], values);
  })];
};

/** Quantised numbers lose their zero points first; padding is zero then. */
const convInteger: Rule = (o) => {
  o.needed(1, "the weight");
  return conv(withoutZeroPoints(o, 0));
};

const convTranspose: Rule = (o) => {
  const { kernel, weight, values, bias } = weightsOf(o);
  const groups = o.number("group", 1);
  return [asMap(o, (x, size) => {
    needSpace(size);
    const w = windows(o, kernel, size);
    const wanted = o.numbers("output_shape")?.slice(-size.length);
    const mode = o.text("auto_pad", "NOTSET");
    const extra = [...o.numbers("output_padding") ?? size.map(() => 0)];
    size.forEach((n, a) => {
      const out = wanted?.[a] ?? (mode.startsWith("SAME") ? n * w.stride[a] : undefined);
      if (out === undefined) return;
      const total = w.stride[a] * (n - 1) + extra[a] + reach(w, a) - out;
      [w.before[a], w.after[a]] = upper(Math.max(0, total), mode === "SAME_UPPER" ? mode : "SAME_LOWER");
      extra[a] += Math.max(0, -total);
    });
    if (weight.shape[0] !== x.item[0]) {
      throw new UserError(`its weight [${weight.shape}] does not fit ${x.item[0]} channels`);
    }
    const channels = weight.shape[1] * groups;
    if (size.length === 3) return convTransposeVolume(o.trace, x, w, extra, { channels, groups, bias, values });
    const params = {
      channels,
      ...parameters(w),
      groups,
      bias,
      outputPadding: both(extra, 0),
    };
    return o.trace.add("deconv2d", params, [x], values);
  })];
};

const pool = (type: "maxpool" | "avgpool"): Rule => (o) => [
  asMap(o, (x, size) => {
    const w = windows(o, o.numbers("kernel_shape") ?? [], size);
    const { trace } = o;
    const rounding = o.number("ceil_mode", 0) !== 0 && !w.automatic ? "ceil" : "floor";
    const counted = type === "avgpool" ? { countPadding: o.number("count_include_pad", 0) !== 0 } : {};
    const over = (x: Traced, from: number, end: number) =>
      isSingle(w, from, end) ? x : trace.add(type, { ...parameters(w, from, end), rounding, ...counted }, [x]);
    if (size.length < 3) return over(x, 0, size.length);
    if (size.length > 3) throw new UserError(`it has ${size.length} spatial dimensions; up to three are supported`);
    // Windows of three dimensions are windows of two, and then of one over what these gave.
    const [channels, depth, ...plane] = x.item;
    const flat = over(trace.reshape(x, [channels * depth, ...plane]), 1, 3);
    const [, height, width] = flat.item;
    const deep = over(trace.reshape(flat, [channels, depth, height * width]), 0, 1);
    return trace.reshape(deep, [channels, deep.item[1], height, width]);
  }),
];

/** Over all positions of a map of any number of dimensions, which stay as 1. */
const globalPool = (type: "maxpool" | "avgpool"): Rule => (o) => [
  o.trace.perItem(o.computed(0), (x) => {
    const [channels, height = 1, ...rest] = x.item;
    const width = valueCount(rest);
    const y = o.trace.add(type, { global: true }, [o.trace.reshape(x, [channels, height, width])]);
    return o.trace.reshape(y, [channels, ...x.item.slice(1).map(() => 1)]);
  }),
];

const lrn: Rule = (o) => [
  o.trace.perItem(o.computed(0), (x) => {
    const size = o.number("size");
    if (size === undefined) throw new UserError('its attribute "size" is missing');
    const params = { size, alpha: o.number("alpha", 1e-4), beta: o.number("beta", 0.75), k: o.number("bias", 1) };
    return o.trace.add("lrn", params, [x]);
  }),
];

const batchNormalization: Rule = (o) => {
  if (o.number("training_mode", 0) !== 0) return trainingBatchNormalization(o);
  o.only({ spatial: 1 });
  const [weight, bias, mean, variance] = ["the scale", "the bias", "the mean", "the variance"]
    .map((what, n) => o.needed(n + 1, what).values);
  const params = { epsilon: o.number("epsilon", 1e-5), affine: true };
  return [
    o.trace.perItem(o.computed(0), (x) => o.trace.add("batchnorm", params, [x], { weight, bias, mean, variance })),
  ];
};

/** Operators whose windows or statistics are of one item's channels. */
export const windowRules: Record<string, Rule> = {
  AveragePool: pool("avgpool"),
  BatchNormalization: batchNormalization,
  Conv: conv,
  ConvInteger: convInteger,
  ConvTranspose: convTranspose,
  GlobalAveragePool: globalPool("avgpool"),
  GlobalMaxPool: globalPool("maxpool"),
  LRN: lrn,
  MaxPool: pool("maxpool"),
};
