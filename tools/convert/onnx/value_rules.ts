/** Arithmetic value by value. Integers are computed as float32 too, but divide as integers do. */
import { valueCount } from "../../../src/formats/shape.ts";
import { UserError } from "../../../src/formats/user_error.ts";
import { reshaped, transposed } from "./fold.ts";
import { localResponse } from "./local_response.ts";
import type { Operator, Rule } from "./operator.ts";
import { type OnnxTensor, tensorOf } from "./tensor.ts";
import { isTraced, type Operand, type Trace, type Traced } from "./trace.ts";

/** An operator that is a layer of its own. */
export const layer = (type: string, params: (o: Operator) => Record<string, unknown> = () => ({})): Rule => (o) => [
  o.trace.add(type, params(o), [o.computed(0)]),
];

/** A known number. */
export const numberOf = (value: number): OnnxTensor => tensorOf("float32", [], Float32Array.of(value));

type Operation = "sum" | "difference" | "product" | "quotient" | "truncatedQuotient" | "power" | "less";

/** Value by value of two computed values; in the model both may lack leading dimensions. */
export function meeting(trace: Trace, operation: Operation, a: Operand, b: Operand): Traced {
  const ranks = [a, b].map((value) => trace.shapeOf(value).length);
  const rank = Math.max(...ranks);
  // Where axis 0 is the batch, a computed value of fewer dimensions would meet another's item with its batch.
  if (trace.batch !== undefined && [a, b].some((value, n) => isTraced(value) && ranks[n] < rank)) trace.itemAxis(0);
  const [left, right] = [a, b].map((value) => trace.computed(value, rank));
  if (left.item.join() !== right.item.join() || !["sum", "difference", "product"].includes(operation)) {
    return trace.add("binary", { operation }, [left, right]);
  }
  const params = operation === "difference" ? { operation: "sum", coefficients: [1, -1] } : { operation };
  return trace.add("eltwise", params, [left, right]);
}

/** A known value that meets x, as it meets what x is a transposition of; undefined where it has a batch of its own. */
function turnedBack(trace: Trace, known: OnnxTensor, x: Traced, order: readonly number[]): OnnxTensor | undefined {
  const rank = trace.shapeOf(x).length;
  const shape = [...Array(Math.max(0, rank - known.shape.length)).fill(1), ...known.shape];
  const batch = shape.slice(0, rank - order.length);
  if (shape.length !== rank || batch.some((n) => n !== 1)) return undefined;
  trace.spend(known.values.length);
  const item = reshaped(known, shape.slice(batch.length));
  const back = transposed(item, order.map((_, d) => order.indexOf(d)));
  return reshaped(back, [...batch, ...back.shape]);
}

/** y = a ∘ b. A known number, or one for each channel, becomes a scale layer, which others can take in. */
export function arithmetic(trace: Trace, operation: Operation, a: Operand, b: Operand): Traced {
  const [x, known] = isTraced(a) ? [a, b] : [b, a];
  if (isTraced(x) && !isTraced(known) && x.maker?.type === "transpose") {
    const back = turnedBack(trace, known, x, x.maker.params.order as number[]);
    if (back) {
      return trace.beneath(
        x,
        (source) => x === a ? arithmetic(trace, operation, source, back) : arithmetic(trace, operation, back, source),
      );
    }
  }
  if (isTraced(a)) {
    const known = trace.perChannel(b, a);
    const negative = known && Float32Array.from(known, (value) => -value);
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

/** 1 / x. */
export const reciprocal = (trace: Trace, x: Traced): Traced => meeting(trace, "quotient", numberOf(1), x);

/** What is left of a division: of the dividend's sign with fmod, else of the divisor's. */
const mod: Rule = (o) => {
  const { trace } = o;
  const a = o.input(0);
  const b = o.input(1);
  const whole = meeting(trace, "truncatedQuotient", a, b);
  const rest = arithmetic(trace, "difference", a, arithmetic(trace, "product", whole, b));
  if (o.number("fmod", 0) !== 0) return [rest];
  const opposed = meeting(trace, "less", arithmetic(trace, "product", rest, b), numberOf(0));
  return [arithmetic(trace, "sum", rest, arithmetic(trace, "product", opposed, b))];
};

/** All inputs, at least one. */
const several = (o: Operator): Operand[] => Array.from({ length: Math.max(1, o.inputs.length) }, (_, n) => o.input(n));

function sumOf(o: Operator): Traced {
  const xs = several(o);
  const [first] = xs;
  const same = isTraced(first) && xs.every((x) => isTraced(x) && x.item.join() === first.item.join());
  if (same && xs.length > 1) return o.trace.add("eltwise", { operation: "sum" }, xs as Traced[]);
  const y = xs.reduce((a, b) => arithmetic(o.trace, "sum", a, b));
  return isTraced(y) ? y : o.computed(0);
}

/** The larger, or the smaller, of several values, or of one and a known number. */
const extreme = (side: "min" | "max"): Rule => (o) => {
  const { trace } = o;
  const number = o.inputs.find((x) => x && !isTraced(x) && x.values.length === 1) as OnnxTensor | undefined;
  if (o.inputs.length === 1) return [o.input(0)];
  if (number && o.inputs.length === 2) {
    const other = o.computed(o.inputs[0] === number ? 1 : 0);
    const bound = number.values[0];
    return [trace.add("clip", Number.isFinite(bound) ? { [side === "max" ? "min" : "max"]: bound } : {}, [other])];
  }
  const sign = side === "max" ? 1 : -1;
  const flip = (x: Traced) => sign < 0 ? trace.affine(x, [-1]) : x;
  const larger = (a: Traced, b: Traced) => {
    const { item } = meeting(trace, "sum", a, b); // the shape to which both stretch
    const both = [a, b].map((x) => x.item.join() === item.join() ? x : stretched(trace, x, item));
    return trace.add("eltwise", { operation: "max" }, both);
  };
  return [flip(several(o).map((_, n) => flip(o.computed(n))).reduce(larger))];
};

/** A value repeated along the dimensions of an item that are 1 or lacking in its own. */
function stretched(trace: Trace, x: Traced, item: readonly number[]): Traced {
  trace.spend(valueCount(item));
  const zeros = tensorOf(
    "float32",
    [...trace.batch === undefined ? [] : [1], ...item],
    new Float32Array(valueCount(item)),
  );
  return meeting(trace, "sum", x, zeros);
}

/** Stretched as far as its shape says. */
const expand: Rule = (o) => {
  const shape = Array.from(o.needed(1, "the shape").values as ArrayLike<number>);
  const x = o.computed(0);
  const { trace } = o;
  const own = o.shape(0);
  const lacking = Math.max(0, shape.length - own.length);
  const wanted = [
    ...own.slice(0, Math.max(0, own.length - shape.length)),
    ...shape,
  ];
  const to = wanted.map((n, d) => n === 1 ? own[d - lacking] ?? 1 : n);
  if (to.some((n, d) => n !== (own[d - lacking] ?? 1) && (own[d - lacking] ?? 1) !== 1)) {
    throw new UserError(`[${own}] does not stretch to [${shape}]`);
  }
  if (to.join() === own.join()) return [x];
  return [stretched(trace, x, trace.itemOf(to))];
};

const clip: Rule = (o) => {
  const bound = (name: string, n: number) => {
    const known = o.known(n, `the ${name}imum`);
    const value = known ? known.values[0] : o.number(name);
    return value === undefined || !Number.isFinite(value) ? undefined : value;
  };
  return [o.trace.add("clip", given({ min: bound("min", 1), max: bound("max", 2) }), [o.computed(0)])];
};

/** Without the fields that are undefined. */
const given = (fields: Record<string, number | undefined>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

/** x · x. */
export const squared = (trace: Trace, x: Traced): Traced => trace.add("eltwise", { operation: "product" }, [x, x]);

/** base^times, of whole times above zero, by products. */
function multiplied(trace: Trace, base: Traced, times: number): Traced {
  if (times === 1) return base;
  const even = squared(trace, multiplied(trace, base, Math.floor(times / 2)));
  return times % 2 ? trace.add("eltwise", { operation: "product" }, [even, base]) : even;
}

/** x^exponent: by products where it is whole, of the root where it is a half; but for whole ones, of zero where x is below. */
export function power(trace: Trace, x: Traced, exponent: number): Traced {
  const size = Math.abs(exponent);
  if (size === 0) return trace.affine(x, [0], [1]);
  const y = Number.isInteger(size)
    ? multiplied(trace, x, size)
    : Number.isInteger(2 * size)
    ? multiplied(trace, trace.add("sqrt", {}, [x]), 2 * size)
    : trace.add("power", { exponent: size }, [x]);
  return exponent < 0 ? reciprocal(trace, y) : y;
}

const pow: Rule = (o) => {
  const [base, exponents] = [o.input(0), o.input(1)];
  const [exponent] = isTraced(exponents) || exponents.values.length > 1 ? [] : exponents.values;
  if (exponent === undefined || !isTraced(base)) return [meeting(o.trace, "power", base, exponents)];
  if (!Number.isFinite(exponent)) throw new UserError(`its exponent is ${exponent}`);
  return [power(o.trace, base, exponent)];
};

/** |x|, as a ReLU whose slope below zero is −1; at zero itself that is its gradient. */
export function absolute(trace: Trace, x: Traced): Traced {
  const source = x.item.length ? x : trace.reshape(x, [1]);
  return trace.reshape(trace.add("prelu", { shared: true }, [source], { slope: [-1] }), x.item);
}

/** Operators by their type. */
export const valueRules: Record<string, Rule> = {
  Abs: (o) => [absolute(o.trace, o.computed(0))],
  Add: binary("sum"),
  Ceil: layer("round", () => ({ to: "up" })),
  Clip: clip,
  Div(o) {
    if (o.isInteger(0)) return binary("truncatedQuotient")(o);
    const [a, b] = [o.input(0), o.input(1)];
    return [localResponse(o.trace, a, b) ?? arithmetic(o.trace, "quotient", a, b)];
  },
  Exp: layer("exp"),
  Expand: expand,
  Floor: layer("round", () => ({ to: "down" })),
  Log: layer("log"),
  Max: extreme("max"),
  Mean: (o) => [o.trace.affine(sumOf(o), [1 / o.inputs.length])],
  Min: extreme("min"),
  Mod: mod,
  Mul: binary("product"),
  Neg: (o) => [o.trace.affine(o.computed(0), [-1])],
  Pow: pow,
  Reciprocal: (o) => [reciprocal(o.trace, o.computed(0))],
  Round: layer("round"),
  Sign(o) {
    const x = o.computed(0);
    const less = (a: Operand, b: Operand) => meeting(o.trace, "less", a, b);
    return [arithmetic(o.trace, "difference", less(numberOf(0), x), less(x, numberOf(0)))];
  },
  Sqrt: layer("sqrt"),
  Sub: binary("difference"),
  Sum: (o) => [sumOf(o)],
};
