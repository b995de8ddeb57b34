/** Operators that compute value by value, or sum over dimensions. */
import { UserError } from "../../../src/formats/user_error.ts";
import { axesOf, reshaped } from "./fold.ts";
import type { Operator, Rule } from "./operator.ts";
import { count, type OnnxTensor } from "./tensor.ts";
import { isTraced, type Operand, type Trace, type Traced } from "./trace.ts";

const layer = (type: string, params: (o: Operator) => Record<string, unknown> = () => ({})): Rule => (o) => [
  o.trace.add(type, params(o), [o.computed(0)]),
];

/** Value by value of two computed values; in the model both may lack leading dimensions. */
function meeting(trace: Trace, operation: Operation, a: Operand, b: Operand): Traced {
  const ranks = [a, b].map((value) => trace.shapeOf(value).length), rank = Math.max(...ranks);
  // Where axis 0 is the batch, a computed value of fewer dimensions would meet another's item with its batch.
  if (trace.batch !== undefined && [a, b].some((value, n) => isTraced(value) && ranks[n] < rank)) trace.itemAxis(0);
  const [left, right] = [a, b].map((value) => trace.computed(value, rank));
  if (left.item.join() !== right.item.join() || operation === "quotient" || operation === "less") {
    return trace.add("binary", { operation }, [left, right]);
  }
  const params = operation === "difference" ? { operation: "sum", coefficients: [1, -1] } : { operation };
  return trace.add("eltwise", params, [left, right]);
}

type Operation = "sum" | "difference" | "product" | "quotient" | "less";

/** y = a ∘ b. A known number, or one for each channel, becomes a scale layer, which others can take in. */
export function arithmetic(trace: Trace, operation: Operation, a: Operand, b: Operand): Traced {
  if (isTraced(a)) {
    const known = trace.perChannel(b, a), negative = known && Float32Array.from(known, (value) => -value);
    if (known && operation === "sum") return trace.affine(a, 1, known);
    if (negative && operation === "difference") return trace.affine(a, 1, negative);
    if (known && operation === "product") return trace.affine(a, known);
    if (known && operation === "quotient" && Array.from(known).every((value) => value !== 0)) {
      return trace.affine(a, Float32Array.from(known, (value) => 1 / value));
    }
  } else if (isTraced(b) && (operation === "sum" || operation === "product")) {
    if (trace.perChannel(a, b)) return arithmetic(trace, operation, b, a);
  } else if (isTraced(b) && operation === "difference") {
    const known = trace.perChannel(a, b);
    if (known) return trace.affine(b, [-1], known);
  }
  return meeting(trace, operation, a, b);
}

const binary = (operation: Operation): Rule => (o) => [arithmetic(o.trace, operation, o.input(0), o.input(1))];

/** Whether the input `less` is less than the input `more`: 1 or 0; `not` turns them about. */
const compare = (less: 0 | 1, more: 0 | 1, not = false): Rule => (o) => {
  const y = meeting(o.trace, "less", o.input(less), o.input(more));
  return [not ? opposite(o.trace, y) : y];
};

/** 1 for 0, 0 for 1. */
const opposite = (trace: Trace, x: Traced): Traced => trace.affine(x, [-1], [1]);

/** The one or the other, by a condition of 1 or 0. */
const where: Rule = (o) => {
  const { trace } = o, rank = Math.max(...[0, 1, 2].map((n) => o.shape(n).length));
  const condition = trace.computed(o.input(0), rank), a = arithmetic(trace, "product", condition, o.input(1));
  return [arithmetic(trace, "sum", a, arithmetic(trace, "product", opposite(trace, condition), o.input(2)))];
};

const sum: Rule = (o) => {
  const xs = o.inputs.map((_, n) => o.input(n));
  const same = xs.every((x) => isTraced(x) && x.item.join() === o.computed(0).item.join());
  if (same && xs.length > 1) return [o.trace.add("eltwise", { operation: "sum" }, xs as Traced[])];
  return [xs.reduce((a, b) => arithmetic(o.trace, "sum", a, b))];
};

/** The larger, or the smaller, of values of one shape, or of one and a known number. */
const extreme = (side: "min" | "max"): Rule => (o) => {
  const { trace } = o,
    number = o.inputs.find((x) => x && !isTraced(x) && x.values.length === 1) as OnnxTensor | undefined;
  if (o.inputs.length === 1) return [o.input(0)];
  if (number && o.inputs.length === 2) {
    const other = o.computed(o.inputs[0] === number ? 1 : 0), bound = number.values[0];
    return [trace.add("clip", Number.isFinite(bound) ? { [side === "max" ? "min" : "max"]: bound } : {}, [other])];
  }
  const xs = o.inputs.map((_, n) => o.computed(n)), flip = (x: Traced) => trace.affine(x, [-1]);
  if (side === "max") return [trace.add("eltwise", { operation: "max" }, xs)];
  return [flip(trace.add("eltwise", { operation: "max" }, xs.map(flip)))];
};

const clip: Rule = (o) => {
  const bound = (name: string, n: number) => {
    const known = o.known(n, `the ${name}imum`), value = known ? known.values[0] : o.number(name);
    return value === undefined || !Number.isFinite(value) ? undefined : value;
  };
  return [o.trace.add("clip", given({ min: bound("min", 1), max: bound("max", 2) }), [o.computed(0)])];
};

/** Without the fields that are undefined. */
const given = (fields: Record<string, number | undefined>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

/** x where it is positive, else slope · x. */
const prelu: Rule = (o) => {
  const { trace } = o, x = o.computed(0), given = o.input(1), ones = trace.shapeOf(x).slice(2).map(() => 1);
  // Until version 7 a list of slopes was one for each channel.
  const slope = o.opset < 7 && !isTraced(given) ? reshaped(given, [given.values.length, ...ones]) : given;
  const known = trace.perChannel(slope, x);
  if (known && x.item.length > 0) return [trace.add("prelu", { shared: known.length === 1 }, [x], { slope: known })];
  const low = trace.add("clip", { max: 0 }, [x]), high = trace.add("relu", {}, [x]);
  return [arithmetic(trace, "sum", high, arithmetic(trace, "product", low, slope))];
};

const leakyRelu: Rule = (o) => {
  const slope = o.number("alpha", 0.01), x = o.computed(0);
  if (slope >= 0) return [o.trace.add("relu", { slope }, [x])];
  return [o.trace.add("prelu", { shared: true }, [x], { slope: [slope] })];
};

/** A hinge: max(0, min(1, alpha · x + beta)). */
const hinge = (trace: Trace, x: Traced, alpha: number, beta: number): Traced =>
  trace.add("clip", { min: 0, max: 1 }, [trace.affine(x, [alpha], [beta])]);

const softmax = (type: "softmax" | "logsoftmax"): Rule => (o) => {
  const x = o.computed(0), rank = o.trace.shapeOf(x).length, { trace } = o;
  const axis = o.axis(o.number("axis", o.opset < 13 ? 1 : -1), rank),
    run = ([value]: Traced[]) => trace.add(type, {}, [value]);
  if (o.opset >= 13) return [trace.alongFirst([x], trace.itemAxis(axis), run)];
  // Until version 13 all dimensions from the axis on are one.
  const from = trace.itemAxis(axis), whole = trace.reshape(x, [count(x.item)]);
  if (from === 0) return [trace.reshape(run([whole]), x.item)];
  const flat = [count(x.item.slice(0, from)), count(x.item.slice(from))];
  return [trace.reshape(trace.alongFirst([trace.reshape(x, flat)], 1, run), x.item)];
};

/** The mean over axes, times a factor for a sum. */
const reduce = (total: boolean): Rule => (o) => {
  const x = o.computed(0), { trace } = o, shape = trace.shapeOf(x), axes = axesOf(o, shape.length);
  if (!axes?.length && o.number("noop_with_empty_axes", 0) !== 0) return [x];
  const own = (axes?.length ? axes : shape.map((_, d) => d)).map((axis) => trace.itemAxis(axis));
  const kept = x.item.map((n, d) => own.includes(d) ? 1 : n), keep = o.number("keepdims", 1) !== 0;
  const map = x.item.length === 3 && !own.includes(0) && own.length === 2;
  const mean = map ? trace.add("avgpool", { global: true }, [x]) : trace.add("mean", { axes: own }, [x]);
  const y = total ? trace.affine(mean, [count(x.item) / count(kept)]) : mean;
  return [keep ? y : trace.reshape(y, kept.filter((_, d) => !own.includes(d)))];
};

/** The largest value over axes: maximum pooling of these in one row. */
const reduceMax: Rule = (o) => {
  const x = o.computed(0), { trace } = o, shape = trace.shapeOf(x), given = axesOf(o, shape.length);
  if (!given?.length && o.number("noop_with_empty_axes", 0) !== 0) return [x];
  const own = (given?.length ? given : shape.map((_, d) => d)).map((axis) => trace.itemAxis(axis));
  const rest = x.item.flatMap((_, d) => own.includes(d) ? [] : [d]), kept = rest.map((d) => x.item[d]);
  const rows = trace.reshape(trace.transpose(x, [...rest, ...own]), [count(kept), count(x.item) / count(kept), 1]);
  const y = trace.add("maxpool", { global: true }, [rows]);
  return [trace.reshape(y, o.number("keepdims", 1) ? x.item.map((n, d) => own.includes(d) ? 1 : n) : kept)];
};

const power: Rule = (o) => {
  const exponent = o.needed(1, "the exponent").values, x = o.computed(0), [value] = exponent;
  if (exponent.length === 1 && value === 2) return [o.trace.add("eltwise", { operation: "product" }, [x, x])];
  if (exponent.length === 1 && value === 0.5) return [o.trace.add("sqrt", {}, [x])];
  throw new UserError("only exponents of 2 and 0.5 are supported");
};

const abs: Rule = (o) => {
  const x = o.computed(0);
  return [o.trace.add("eltwise", { operation: "max" }, [x, o.trace.affine(x, [-1])])];
};

/** Operators by their type. */
export const valueRules: Record<string, Rule> = {
  Abs: abs,
  Add: binary("sum"),
  Clip: clip,
  Div: binary("quotient"),
  Elu: layer("elu", (o) => ({ alpha: o.number("alpha", 1) })),
  Exp: layer("exp"),
  Greater: compare(1, 0),
  GreaterOrEqual: compare(0, 1, true),
  HardSigmoid: (o) => [hinge(o.trace, o.computed(0), o.number("alpha", 0.2), o.number("beta", 0.5))],
  HardSwish: (o) => {
    const x = o.computed(0);
    return [o.trace.add("eltwise", { operation: "product" }, [x, hinge(o.trace, x, 1 / 6, 0.5)])];
  },
  LeakyRelu: leakyRelu,
  Less: compare(0, 1),
  LessOrEqual: compare(1, 0, true),
  Log: layer("log"),
  LogSoftmax: softmax("logsoftmax"),
  Max: extreme("max"),
  Min: extreme("min"),
  Mul: binary("product"),
  Neg: (o) => [o.trace.affine(o.computed(0), [-1])],
  PRelu: prelu,
  Pow: power,
  ReduceMax: reduceMax,
  ReduceMean: reduce(false),
  ReduceSum: reduce(true),
  Relu: layer("relu"),
  Sigmoid: layer("sigmoid"),
  Softmax: softmax("softmax"),
  Sqrt: layer("sqrt"),
  Sub: binary("difference"),
  Sum: sum,
  Tanh: layer("tanh"),
  Where: where,
};
