/** The rules for the layers that work value by value. */
import { UserError } from "../../../src/formats/user_error.ts";
import { hardSwish, mish, softplus } from "../onnx/activation_rules.ts";
import type { Traced } from "../onnx/trace.ts";
import { absolute, meeting, numberOf, power } from "../onnx/value_rules.ts";
import { type Conversion, type Rule, unless } from "./rule.ts";

/** A layer that works value by value, whatever its items are. */
const valuewise = (settings: string | undefined, convert: (layer: Conversion) => Traced): Rule => ({
  settings,
  streams: true,
  whole: true,
  convert,
});

/** One that is a layer here too, without parameters that matter. */
const plain = (type: string, settings?: string, ...ignored: string[]): Rule =>
  valuewise(settings, (layer) => {
    layer.s.ignore(...ignored);
    return layer.add(type);
  });

/** ReLU; a slope below zero is prelu's. */
const relu = valuewise("relu_param", (layer) => {
  layer.s.ignore("engine");
  const slope = layer.s.number("negative_slope", 0);
  if (slope >= 0) return layer.add("relu", { slope: unless(slope, 0) });
  return layer.trace.add("prelu", { shared: true }, layer.xs, { slope: [slope] });
});

/** ReLU with a ceiling, of forks for MobileNet. */
const relu6 = valuewise("relu6_param", (layer) => {
  const slope = layer.s.number("negative_slope", 0);
  const max = layer.s.number("threshold", 6);
  if (slope < 0 || max <= 0) {
    throw new UserError(`"negative_slope" is ${slope} and "threshold" ${max}, expected numbers ≥ 0 and above 0`);
  }
  if (slope === 0) return layer.add("clip", { min: 0, max });
  return layer.add("clip", { max }, [layer.add("relu", { slope })]);
});

/** The larger bound, then the smaller one; both are required. */
const clip = valuewise("clip_param", (layer) => {
  const [min, max] = ["min", "max"].map((name) => {
    if (!layer.s.count(name)) throw new UserError(`"${name}" is missing`);
    return layer.s.number(name, 0);
  });
  if (min > max) throw new UserError(`"min" is ${min} and "max" ${max}, expected a "max" that is not less`);
  return layer.add("clip", { min, max });
});

/** x · sigmoid(beta · x). */
const swish = valuewise("swish_param", (layer) => {
  layer.s.ignore("engine");
  const beta = layer.s.number("beta", 1);
  const scaled = beta === 1 ? layer.x : layer.trace.affine(layer.x, [beta]);
  return layer.add("eltwise", { operation: "product" }, [layer.x, layer.add("sigmoid", {}, [scaled])]);
});

/** lambda · (x, or alpha · (eˣ − 1) below zero), of forks. */
const selu = valuewise("selu_param", (layer) => {
  const alpha = layer.s.number("alpha", 1.6732632423543772);
  const lambda = layer.s.number("lambda", 1.0507009873554805);
  return layer.trace.affine(layer.add("elu", { alpha }), [lambda]);
});

/** The natural logarithm of what Exp and Log take as their base: −1 stands for e. */
function logarithmOfBase(layer: Conversion): number {
  const base = layer.s.number("base", -1);
  if (base !== -1 && !(base > 0)) throw new UserError(`"base" is ${base}, expected a number above 0, or -1 for e`);
  return base === -1 ? 1 : Math.log(base);
}

/** factor · x + shift, where that changes x. */
const moved = ({ trace }: Conversion, x: Traced, factor: number, shift: number): Traced =>
  factor === 1 && shift === 0 ? x : trace.affine(x, factor === 1 ? 1 : [factor], shift === 0 ? undefined : [shift]);

/** base^(shift + scale · x). */
const exp = valuewise("exp_param", (layer) => {
  const rate = logarithmOfBase(layer);
  const scale = layer.s.number("scale", 1);
  const shift = layer.s.number("shift", 0);
  return layer.add("exp", {}, [moved(layer, layer.x, rate * scale, rate * shift)]);
});

/** The logarithm of shift + scale · x. */
const log = valuewise("log_param", (layer) => {
  const rate = logarithmOfBase(layer);
  const scale = layer.s.number("scale", 1);
  const shift = layer.s.number("shift", 0);
  if (rate === 0) throw new UserError('"base" is 1, to which there is no logarithm');
  return moved(layer, layer.add("log", {}, [moved(layer, layer.x, scale, shift)]), 1 / rate, 0);
});

/** (shift + scale · x)^power. */
const powers = valuewise("power_param", (layer) => {
  const exponent = layer.s.number("power", 1);
  const scale = layer.s.number("scale", 1);
  const shift = layer.s.number("shift", 0);
  if (exponent === 1) return layer.trace.affine(layer.x, [scale], [shift]);
  return power(layer.trace, moved(layer, layer.x, scale, shift), exponent);
});

/** 1 where x is above the threshold, else 0: no gradient goes through. */
const threshold = valuewise(
  "threshold_param",
  ({ s, trace, x }) => meeting(trace, "less", numberOf(s.number("threshold", 0)), x),
);

/** The sum with coefficients, the product or the maximum of all bottoms. */
const eltwise = valuewise("eltwise_param", (layer) => {
  layer.s.ignore("stable_prod_grad");
  const operation = layer.s.choice("operation", ["PROD", "SUM", "MAX"], "SUM");
  const given = layer.s.numbers("coeff");
  const name = { PROD: "product", SUM: "sum", MAX: "max" }[operation];
  return layer.add("eltwise", { operation: name, coefficients: given.length ? given : undefined });
});

/** Layers by their type. */
export const activationRules: Readonly<Record<string, Rule>> = {
  AbsVal: valuewise(undefined, ({ trace, x }) => absolute(trace, x)),
  BNLL: valuewise(undefined, ({ trace, x }) => softplus(trace, x)),
  Clip: clip,
  Dropout: plain("dropout", "dropout_param", "dropout_ratio"),
  ELU: valuewise("elu_param", (layer) => layer.add("elu", { alpha: unless(layer.s.number("alpha", 1), 1) })),
  Eltwise: { ...eltwise, bottoms: [1, Infinity] },
  Exp: exp,
  HardSwish: valuewise(undefined, ({ trace, x }) => hardSwish(trace, x)),
  Log: log,
  Mish: valuewise(undefined, ({ trace, x }) => mish(trace, x)),
  Power: powers,
  ReLU: relu,
  ReLU6: relu6,
  SELU: selu,
  Sigmoid: plain("sigmoid", "sigmoid_param", "engine"),
  Swish: swish,
  TanH: plain("tanh", "tanh_param", "engine"),
  Threshold: threshold,
};
