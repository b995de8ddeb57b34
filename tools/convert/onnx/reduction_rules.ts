/** Operators that sum over dimensions: reductions, softmax, and normalisation by statistics of the item at hand. */
import { valueCount } from "../../../src/formats/shape.ts";
import { UserError } from "../../../src/formats/user_error.ts";
import type { Operator, Rule } from "./operator.ts";
import { axesOf } from "./shapes.ts";
import type { Operand, Trace, Traced } from "./trace.ts";
import { absolute, arithmetic, meeting, numberOf, squared } from "./value_rules.ts";

const softmax = (type: "softmax" | "logsoftmax"): Rule => (o) => {
  const x = o.computed(0);
  const rank = o.trace.shapeOf(x).length;
  const { trace } = o;
  const axis = o.axis(o.number("axis", o.opset < 13 ? 1 : -1), rank);
  const run = ([value]: Traced[]) => trace.add(type, {}, [value]);
  if (o.opset >= 13) return [trace.alongFirst([x], trace.itemAxis(axis), run)];
  // Until version 13 all dimensions from the axis on are one.
  const from = trace.itemAxis(axis);
  const whole = trace.reshape(x, [valueCount(x.item)]);
  if (from === 0) return [trace.reshape(run([whole]), x.item)];
  const flat = [valueCount(x.item.slice(0, from)), valueCount(x.item.slice(from))];
  return [trace.reshape(trace.alongFirst([trace.reshape(x, flat)], 1, run), x.item)];
};

/** The mean over dimensions of the item, which stay as 1. */
export function mean(trace: Trace, x: Traced, own: readonly number[]): Traced {
  const map = x.item.length === 3 && !own.includes(0) && own.length === 2;
  return map ? trace.add("avgpool", { global: true }, [x]) : trace.add("mean", { axes: own }, [x]);
}

/** The largest value: maximum pooling of all in one row. */
function largest(trace: Trace, x: Traced, own: readonly number[]): Traced {
  const rest = x.item.flatMap((_, d) => own.includes(d) ? [] : [d]);
  const outer = valueCount(rest.map((d) => x.item[d]));
  const rows = trace.reshape(trace.transpose(x, [...rest, ...own]), [outer, valueCount(x.item) / outer, 1]);
  return trace.reshape(trace.add("maxpool", { global: true }, [rows]), onto(x.item, own));
}

/** An item's shape once these dimensions are reduced. */
const onto = (item: readonly number[], own: readonly number[]): number[] => item.map((n, d) => own.includes(d) ? 1 : n);

/** Sums of integers are whole again. */
function total(o: Operator, x: Traced, own: readonly number[]): Traced {
  const sum = o.trace.affine(mean(o.trace, x, own), [valueCount(x.item) / valueCount(onto(x.item, own))]);
  return o.isInteger(0) ? o.trace.add("round", {}, [sum]) : sum;
}

/** The mean; of integers, without what is behind the point. */
function average(o: Operator, x: Traced, own: readonly number[]): Traced {
  if (!o.isInteger(0)) return mean(o.trace, x, own);
  const terms = valueCount(x.item) / valueCount(onto(x.item, own));
  return meeting(o.trace, "truncatedQuotient", total(o, x, own), numberOf(terms));
}

/** ln Σ eˣ, which does not overflow: the largest x is taken off before and added after. */
function logSumExp(o: Operator, x: Traced, own: readonly number[]): Traced {
  const { trace } = o;
  const most = largest(trace, x, own);
  const powers = trace.add("exp", {}, [meeting(trace, "difference", x, most)]);
  return meeting(trace, "sum", trace.add("log", {}, [total(o, powers, own)]), most);
}

/** What `run` makes of x, over the axes that the operator names. */
const reduce = (run: (o: Operator, x: Traced, own: readonly number[]) => Traced): Rule => (o) => {
  const x = o.computed(0);
  const { trace } = o;
  const shape = trace.shapeOf(x);
  const axes = axesOf(o, shape.length);
  if (!axes?.length && o.number("noop_with_empty_axes", 0) !== 0) return [x];
  const own = (axes?.length ? axes : shape.map((_, d) => d)).map((axis) => trace.itemAxis(axis));
  const y = run(o, x, own);
  return [o.number("keepdims", 1) !== 0 ? y : trace.reshape(y, x.item.filter((_, d) => !own.includes(d)))];
};

const negative = (trace: Trace, x: Traced): Traced => trace.affine(x, [-1]);

/** x without its mean, over its standard deviation, with both; the dimensions are the item's. */
function normalised(trace: Trace, x: Traced, own: readonly number[], epsilon: number) {
  const m = mean(trace, x, own);
  const centred = arithmetic(trace, "difference", x, m);
  const variance = mean(trace, squared(trace, centred), own);
  const deviation = trace.add("sqrt", {}, [trace.affine(variance, 1, [epsilon])]);
  return { y: meeting(trace, "quotient", centred, deviation), mean: m, variance };
}

/** y · scale + bias, which are there or not. */
const affine = (trace: Trace, y: Traced, scale?: Operand, bias?: Operand): Traced => {
  const scaled = scale ? arithmetic(trace, "product", y, scale) : y;
  return bias ? arithmetic(trace, "sum", scaled, bias) : scaled;
};

/** BatchNormalization by the statistics of the batch at hand, which is one item then, and the running ones after it. */
export const trainingBatchNormalization: Rule = (o) => {
  o.whole();
  const { trace } = o;
  const x = o.computed(0);
  const momentum = o.number("momentum", 0.9);
  const channels = x.item[1];
  const own = x.item.flatMap((_, d) => d === 1 ? [] : [d]);
  const result = normalised(trace, x, own, o.number("epsilon", 1e-5));
  const [scale, bias, before, spread] = [1, 2, 3, 4].map((n) =>
    trace.reshape(o.computed(n), [channels, ...x.item.slice(2).map(() => 1)])
  );
  const running = (old: Traced, now: Traced) =>
    trace.add("eltwise", { operation: "sum", coefficients: [momentum, 1 - momentum] }, [
      trace.reshape(old, [channels]),
      trace.reshape(now, [channels]),
    ]);
  const y = affine(trace, result.y, scale, bias);
  return [y, running(before, result.mean), running(spread, result.variance)];
};

/** Over all dimensions from an axis on. */
const layerNormalization: Rule = (o) => {
  const { trace } = o;
  const x = o.computed(0);
  const rank = o.shape(0).length;
  const axis = o.axis(o.number("axis", -1), rank);
  const own = Array.from({ length: rank - axis }, (_, n) => trace.itemAxis(axis + n));
  const { y } = normalised(trace, x, own, o.number("epsilon", 1e-5));
  return [affine(trace, y, o.known(1, "the scale"), o.known(2, "the bias"))];
};

/** A number for each channel; until version 21 GroupNormalization has one for each group. */
function ofChannels(o: Operator, n: number, what: string): ArrayLike<number> {
  const { values } = o.needed(n, what);
  const channels = o.shape(0)[1];
  const each = channels / values.length;
  if (Number.isInteger(each)) return Float32Array.from({ length: channels }, (_, c) => values[Math.floor(c / each)]);
  throw new UserError(`${what} has ${values.length} values for ${channels} channels`);
}

/** Over the positions of each channel, or of each group of them. */
const groupNormalization = (groups: (o: Operator) => number): Rule => (o) => {
  const { trace } = o;
  const scale = ofChannels(o, 1, "the scale");
  const bias = ofChannels(o, 2, "the bias");
  return [trace.perItem(o.computed(0), (x) => {
    const many = groups(o);
    if (!(many > 0) || x.item[0] % many !== 0) throw new UserError(`${many} groups of ${x.item[0]} channels`);
    const rows = trace.reshape(x, [many, valueCount(x.item) / many]);
    const y = trace.reshape(normalised(trace, rows, [1], o.number("epsilon", 1e-5)).y, x.item);
    return trace.affine(y, scale, bias);
  })];
};

/** Operators by their type. */
export const reductionRules: Record<string, Rule> = {
  GroupNormalization: groupNormalization((o) => o.number("num_groups", 0)),
  InstanceNormalization: groupNormalization((o) => o.shape(0)[1]),
  LayerNormalization: layerNormalization,
  LogSoftmax: softmax("logsoftmax"),
  ReduceL1: reduce((o, x, own) => total(o, absolute(o.trace, x), own)),
  ReduceL2: reduce((o, x, own) => o.trace.add("sqrt", {}, [total(o, squared(o.trace, x), own)])),
  ReduceLogSum: reduce((o, x, own) => o.trace.add("log", {}, [total(o, x, own)])),
  ReduceLogSumExp: reduce(logSumExp),
  ReduceMax: reduce((o, x, own) => largest(o.trace, x, own)),
  ReduceMean: reduce(average),
  ReduceMin: reduce((o, x, own) => negative(o.trace, largest(o.trace, negative(o.trace, x), own))),
  ReduceSum: reduce(total),
  ReduceSumSquare: reduce((o, x, own) => total(o, squared(o.trace, x), own)),
  Softmax: softmax("softmax"),
};
