/** Activations: layers of their own, or a few. */
import { reshaped } from "./fold.ts";
import type { Rule } from "./operator.ts";
import { isTraced, type Trace, type Traced } from "./trace.ts";
import { absolute, arithmetic, layer, meeting, numberOf } from "./value_rules.ts";

const product = (trace: Trace, a: Traced, b: Traced): Traced => trace.add("eltwise", { operation: "product" }, [a, b]);

/** x where it is positive, else slope · x. */
const prelu: Rule = (o) => {
  const { trace } = o;
  const x = o.computed(0);
  const given = o.input(1);
  const ones = trace.shapeOf(x).slice(2).map(() => 1);
  // Until version 7 a list of slopes was one for each channel.
  const slope = o.opset < 7 && !isTraced(given) ? reshaped(given, [given.values.length, ...ones]) : given;
  const known = trace.perChannel(slope, x);
  if (known && x.item.length > 0) return [trace.add("prelu", { shared: known.length === 1 }, [x], { slope: known })];
  const low = trace.add("clip", { max: 0 }, [x]);
  const high = trace.add("relu", {}, [x]);
  return [arithmetic(trace, "sum", high, arithmetic(trace, "product", low, slope))];
};

const leakyRelu: Rule = (o) => {
  const slope = o.number("alpha", 0.01);
  const x = o.computed(0);
  if (slope >= 0) return [o.trace.add("relu", { slope }, [x])];
  return [o.trace.add("prelu", { shared: true }, [x], { slope: [slope] })];
};

/** A hinge: max(0, min(1, alpha · x + beta)). */
const hinge = (trace: Trace, x: Traced, alpha: number, beta: number): Traced =>
  trace.add("clip", { min: 0, max: 1 }, [trace.affine(x, [alpha], [beta])]);

/** ln(1 + eˣ) = max(x, 0) + ln(1 + e^−|x|), which does not overflow. */
export function softplus(trace: Trace, x: Traced): Traced {
  const small = trace.add("exp", {}, [trace.affine(absolute(trace, x), [-1])]);
  const parts = [trace.add("relu", {}, [x]), trace.add("log", {}, [trace.affine(small, 1, [1])])];
  return trace.add("eltwise", { operation: "sum" }, parts);
}

/** x · tanh(ln(1 + eˣ)) = x · n / (n + 2) of n = eˣ · (eˣ + 2), which is exact in its tails; past 20 it is x. */
export function mish(trace: Trace, x: Traced): Traced {
  const e = trace.add("exp", {}, [trace.add("clip", { max: 20 }, [x])]);
  const n = product(trace, e, trace.affine(e, 1, [2]));
  return product(trace, x, meeting(trace, "quotient", n, trace.affine(n, 1, [2])));
}

/** x · max(0, min(1, x / 6 + 1 / 2)). */
export const hardSwish = (trace: Trace, x: Traced): Traced => product(trace, x, hinge(trace, x, 1 / 6, 0.5));

/** x · Φ(x), Φ being the normal distribution, or what its approximation by tanh makes of it. */
const gelu: Rule = (o) => {
  const { trace } = o;
  const x = o.computed(0);
  if (o.text("approximate", "none") !== "tanh") {
    return [product(trace, x, trace.affine(trace.add("erf", {}, [trace.affine(x, [Math.SQRT1_2])]), [0.5], [0.5]))];
  }
  const cube = product(trace, trace.add("eltwise", { operation: "product" }, [x, x]), x);
  const factor = Math.sqrt(2 / Math.PI);
  const inner = trace.add("eltwise", { operation: "sum", coefficients: [factor, 0.044715 * factor] }, [x, cube]);
  return [product(trace, x, trace.affine(trace.add("tanh", {}, [inner]), [0.5], [0.5]))];
};

/** gamma · (x, or alpha · (eˣ − 1) below zero). */
const selu: Rule = (o) => {
  const alpha = o.number("alpha", 1.6732632423543772);
  const gamma = o.number("gamma", 1.0507009873554805);
  return [o.trace.affine(o.trace.add("elu", { alpha }, [o.computed(0)]), [gamma])];
};

/** x, or alpha · (e^(x / alpha) − 1) below zero. */
const celu: Rule = (o) => {
  const alpha = o.number("alpha", 1);
  const { trace } = o;
  return [trace.affine(trace.add("elu", {}, [trace.affine(o.computed(0), [1 / alpha])]), [alpha])];
};

/** Operators by their type. */
export const activationRules: Record<string, Rule> = {
  Celu: celu,
  Elu: layer("elu", (o) => ({ alpha: o.number("alpha", 1) })),
  Erf: layer("erf"),
  Gelu: gelu,
  HardSigmoid: (o) => [hinge(o.trace, o.computed(0), o.number("alpha", 0.2), o.number("beta", 0.5))],
  HardSwish: (o) => [hardSwish(o.trace, o.computed(0))],
  LeakyRelu: leakyRelu,
  Mish: (o) => [mish(o.trace, o.computed(0))],
  PRelu: prelu,
  Relu: layer("relu"),
  Selu: selu,
  Sigmoid: layer("sigmoid"),
  Softplus: (o) => [softplus(o.trace, o.computed(0))],
  Softsign(o) {
    const x = o.computed(0);
    return [meeting(o.trace, "quotient", x, o.trace.affine(absolute(o.trace, x), 1, [1]))];
  },
  Swish(o) {
    const x = o.computed(0);
    const alpha = o.number("alpha", 1);
    return [product(o.trace, x, o.trace.add("sigmoid", {}, [alpha === 1 ? x : o.trace.affine(x, [alpha])]))];
  },
  Tanh: layer("tanh"),
  ThresholdedRelu(o) {
    const x = o.computed(0);
    return [product(o.trace, x, meeting(o.trace, "less", numberOf(o.number("alpha", 1)), x))];
  },
};
