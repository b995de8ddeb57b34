/** Operators on values that are known: the arithmetic on shapes that exporters write into a graph, done here and gone. */
import { valueCount } from "../../../src/formats/shape.ts";
import { UserError } from "../../../src/formats/user_error.ts";
import type { Operator } from "./operator.ts";
import { axesOf, flattened, permutation, sliced, squeezed, tiled, wantedShape } from "./shapes.ts";
import { checkDimensions, type ElementType, elementType, floating, type OnnxTensor, tensorOf } from "./tensor.ts";
import { isTraced } from "./trace.ts";

/** Values that a fold may make of fewer: the arithmetic of shapes is small. */
const MOST_VALUES = 2 ** 22;

/** Known tensors that a fold may take value by value. */
const MOST_INPUTS = 1000;

type Numbers = Float32Array | Float64Array;

/** Values that are known, of the type's precision, made of so many others: one number, or one for each place. */
function made(
  type: ElementType,
  shape: readonly number[],
  of: number,
  value: number | ((at: number) => number),
): OnnxTensor {
  checkDimensions(shape.length);
  const length = valueCount(shape);
  if (!shape.every((n) => Number.isSafeInteger(n) && n >= 0) || length > Math.max(of, MOST_VALUES)) {
    throw new UserError(`it makes a tensor of [${shape.slice(0, 8)}]`);
  }
  const values = type === "float32" ? new Float32Array(length) : new Float64Array(length);
  if (typeof value === "number") values.fill(value);
  else for (let at = 0; at < length; at++) values[at] = value(at);
  return tensorOf(type, [...shape], values);
}

/** The known tensor under another shape. */
export function reshaped({ type, shape, values }: OnnxTensor, to: readonly number[]): OnnxTensor {
  if (valueCount(to) !== values.length) throw new UserError(`[${shape}] does not fit into [${to}]`);
  return tensorOf(type, [...to], values);
}

const stepsOf = (shape: readonly number[]): number[] => shape.map((_, d) => valueCount(shape.slice(d + 1)));

/** Where value `at` of a tensor of shape `to` comes from, a step along dimension d being worth `worth[d]`. */
function source(to: readonly number[], worth: readonly number[]): (at: number) => number {
  const steps = stepsOf(to);
  return (at) => to.reduce((sum, n, d) => sum + Math.floor(at / steps[d]) % n * worth[d], 0);
}

/** A known tensor with its dimensions in another order. */
export function transposed(x: OnnxTensor, order: readonly number[]): OnnxTensor {
  const to = order.map((d) => x.shape[d]);
  const steps = stepsOf(x.shape);
  const from = source(to, order.map((d) => steps[d]));
  return made(x.type, to, x.values.length, (at) => x.values[from(at)]);
}

/** Some positions along one dimension. */
export function taken(x: OnnxTensor, axis: number, positions: readonly number[]): OnnxTensor {
  const to = x.shape.map((n, d) => d === axis ? positions.length : n);
  const inner = valueCount(x.shape.slice(axis + 1));
  const values = x.values;
  const length = x.shape[axis];
  return made(x.type, to, values.length, (at) => {
    const outer = Math.floor(at / (inner * positions.length));
    const position = positions[Math.floor(at / inner) % positions.length];
    return values[(outer * length + position) * inner + at % inner];
  });
}

/** Value by value over tensors that stretch as NumPy's do. */
export function stretched(
  xs: readonly OnnxTensor[],
  type: ElementType,
  value: (...numbers: number[]) => number,
): OnnxTensor {
  const rank = xs.reduce((most, { shape }) => Math.max(most, shape.length), 0);
  const shapes = xs.map(({ shape }) => [...Array(rank - shape.length).fill(1), ...shape] as number[]);
  const to = Array.from({ length: rank }, (_, d) => shapes.reduce((n, shape) => shape[d] === 1 ? n : shape[d], 1));
  if (shapes.some((shape) => shape.some((n, d) => n !== 1 && n !== to[d]))) {
    throw new UserError(`inputs of ${xs.map(({ shape }) => `[${shape}]`).join(" and ")} do not stretch to one shape`);
  }
  if (xs.length > MOST_INPUTS || (xs.length > 3 && xs.length * valueCount(to) > MOST_VALUES)) {
    throw new UserError(`it takes ${xs.length} known tensors for ${valueCount(to)} numbers`);
  }
  const places = shapes.map((shape) =>
    shape.every((n, d) => n === to[d])
      ? (at: number) => at
      : source(to, stepsOf(shape).map((step, d) => shape[d] === 1 ? 0 : step))
  );
  const most = xs.reduce((most, { values }) => Math.max(most, values.length), 0);
  return made(type, to, most, (at) => value(...xs.map(({ values }, n) => values[places[n](at)])));
}

/** Arithmetic of two, in the first one's type. */
const arithmetic = (value: (a: number, b: number) => number) => (_: Operator, [a, b]: OnnxTensor[]): OnnxTensor =>
  stretched([a, b], a.type, value);

const comparison = (value: (a: number, b: number) => boolean) => (_: Operator, [a, b]: OnnxTensor[]): OnnxTensor =>
  stretched([a, b], "bool", (x, y) => Number(value(x, y)));

const unary = (value: (x: number) => number) => (_: Operator, [x]: OnnxTensor[]): OnnxTensor =>
  stretched([x], x.type, value);

const several = (value: (a: number, b: number) => number) => (_: Operator, xs: OnnxTensor[]): OnnxTensor =>
  stretched(xs, xs[0].type, (...numbers) => numbers.reduce(value));

/** A number as another type has it. */
function cast(x: OnnxTensor, code: number): OnnxTensor {
  const type = elementType(code);
  if (!type) throw new UserError(`its type ${code} is not supported`);
  if (type === x.type || floating.includes(type)) return tensorOf(type, x.shape, x.values);
  return stretched([x], type, (value) => type === "bool" ? Number(value !== 0) : Math.trunc(value));
}

function range(_: Operator, [start, limit, delta]: OnnxTensor[]): OnnxTensor {
  const [from, to, step] = [start, limit, delta].map(({ values }) => values[0]);
  const length = Math.max(0, Math.ceil((to - from) / step));
  if (!(length < 2 ** 20)) throw new UserError(`it makes ${length} numbers`);
  return made(start.type, [length], 0, (at) => from + at * step);
}

function gather(o: Operator, [x, indices]: OnnxTensor[]): OnnxTensor {
  const axis = o.axis(o.number("axis", 0), x.shape.length);
  const length = x.shape[axis];
  const positions = Array.from(indices.values as ArrayLike<number>, (at) => at < 0 ? at + length : at);
  if (positions.some((at) => !(at >= 0 && at < length))) throw new UserError(`an index is outside [${x.shape}]`);
  return reshaped(taken(x, axis, positions), [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)]);
}

function concat(o: Operator, xs: OnnxTensor[]): OnnxTensor {
  const axis = o.axis(o.number("axis", 0), xs[0].shape.length);
  const { shape } = xs[0];
  const total = xs.reduce((sum, x) => sum + x.shape[axis], 0);
  const outer = valueCount(shape.slice(0, axis));
  const runs = xs.map((x) => valueCount(x.shape.slice(axis)));
  const row = runs.reduce((a, b) => a + b, 0);
  if (outer * row > MOST_VALUES && xs.every((x) => outer * row > 2 * x.values.length)) {
    throw new UserError(`it makes ${outer * row} numbers of known ones`);
  }
  if (xs.some((x) => x.shape.length !== shape.length || x.shape.some((n, d) => d !== axis && n !== shape[d]))) {
    throw new UserError(
      `inputs of ${xs.map((x) => `[${x.shape}]`).slice(0, 8).join(" and ")} differ in more than axis ${axis}`,
    );
  }
  const values: Numbers = xs[0].type === "float32" ? new Float32Array(outer * row) : new Float64Array(outer * row);
  let before = 0;
  xs.forEach((x, n) => {
    for (let o = 0; o < outer; o++) values.set(x.values.subarray(o * runs[n], (o + 1) * runs[n]), o * row + before);
    before += runs[n];
  });
  return tensorOf(xs[0].type, shape.map((n, d) => d === axis ? total : n), values);
}

function constant(o: Operator): OnnxTensor {
  const single = o.number("value_float") ?? o.number("value_int");
  const list = o.numbers("value_floats") ?? o.numbers("value_ints");
  const type = o.node.attributes.has("value_int") || o.node.attributes.has("value_ints") ? "int64" : "float32";
  const tensor = o.tensor("value") ??
    (single !== undefined
      ? tensorOf(type, [], Float64Array.of(single))
      : list && tensorOf(type, [list.length], Float64Array.from(list)));
  if (!tensor) throw new UserError("it has no value that is a tensor or numbers");
  return tensor;
}

function reduced(o: Operator, [x]: OnnxTensor[], combine: (a: number, b: number) => number, start: number): OnnxTensor {
  const axes = axesOf(o, x.shape.length) ?? x.shape.map((_, d) => d);
  const keep = o.number("keepdims", 1) !== 0;
  const to = x.shape.map((n, d) => axes.includes(d) ? 1 : n);
  const steps = stepsOf(to);
  const place = source(x.shape, steps.map((step, d) => to[d] === 1 ? 0 : step));
  const result = made("float64", to, x.values.length, start);
  for (let at = 0; at < x.values.length; at++) {
    result.values[place(at)] = combine(result.values[place(at)], x.values[at]);
  }
  return tensorOf(x.type, keep ? to : to.filter((_, d) => !axes.includes(d)), result.values);
}

const folds: Record<string, (o: Operator, xs: OnnxTensor[]) => OnnxTensor> = {
  Abs: unary(Math.abs),
  Add: arithmetic((a, b) => a + b),
  And: comparison((a, b) => a !== 0 && b !== 0),
  Cast: (o, [x]) => cast(x, o.number("to", 1)),
  CastLike: (_, [x, like]) => tensorOf(like.type, x.shape, x.values),
  Ceil: unary(Math.ceil),
  Concat: concat,
  Constant: constant,
  ConstantOfShape(o, [shape]) {
    const fill = o.tensor("value");
    return made(
      fill?.type ?? "float32",
      Array.from(shape.values as ArrayLike<number>),
      2 ** 26,
      fill?.values[0] ?? 0,
    );
  },
  Div: (_, [a, b]) => stretched([a, b], a.type, (x, y) => floating.includes(a.type) ? x / y : Math.trunc(x / y)),
  Equal: comparison((a, b) => a === b),
  Exp: unary(Math.exp),
  Expand: (_, [x, shape]) =>
    stretched([x, made(x.type, Array.from(shape.values as ArrayLike<number>), 0, 0)], x.type, (value) => value),
  Flatten: (o, [x]) => reshaped(x, flattened(o)),
  Floor: unary(Math.floor),
  Gather: gather,
  Greater: comparison((a, b) => a > b),
  Identity: (_, [x]) => x,
  Less: comparison((a, b) => a < b),
  Log: unary(Math.log),
  Max: several((a, b) => Math.max(a, b)),
  Min: several((a, b) => Math.min(a, b)),
  Mod: arithmetic((a, b) => a - b * Math.floor(a / b)),
  Mul: arithmetic((a, b) => a * b),
  Neg: unary((x) => -x),
  Not: unary((x) => Number(x === 0)),
  Or: comparison((a, b) => a !== 0 || b !== 0),
  Pow: arithmetic((a, b) => a ** b),
  Range: range,
  Reciprocal: unary((x) => 1 / x),
  ReduceProd: (o, xs) => reduced(o, xs, (a, b) => a * b, 1),
  ReduceSum: (o, xs) => reduced(o, xs, (a, b) => a + b, 0),
  Reshape: (o, [x, shape]) =>
    reshaped(x, wantedShape(x.shape, Array.from(shape.values as ArrayLike<number>), o.number("allowzero", 0) !== 0)),
  Slice: (o, [x]) =>
    sliced(o).reduce(
      (rest, { axis, start, count, step }) =>
        taken(rest, axis, Array.from({ length: count }, (_, k) => start + k * step)),
      x,
    ),
  Sqrt: unary(Math.sqrt),
  Squeeze: (o, [x]) => reshaped(x, squeezed(o)),
  Sub: arithmetic((a, b) => a - b),
  Tile: (o, [x]) => tiled(o).reduce((rest, { axis, positions }) => taken(rest, axis, positions), x),
  Transpose: (o, [x]) => transposed(x, permutation(o)),
  Unsqueeze: (o, [x]) => reshaped(x, squeezed(o)),
  Where: (_, [condition, a, b]) => stretched([condition, a, b], a.type, (c, x, y) => c !== 0 ? x : y),
};

/** Whether an operator's value can be known, where its inputs are. */
export const isFolded = ({ node: { type } }: Operator): boolean => Object.hasOwn(folds, type);

/** The operator's value where it is known: all its inputs are, or only their shapes matter. */
export function fold(o: Operator): OnnxTensor | undefined {
  if (o.node.type === "Shape") {
    const shape = o.shape(0);
    const end = o.number("end", shape.length);
    const part = shape.slice(o.number("start", 0), end);
    return tensorOf("int64", [part.length], Float64Array.from(part));
  }
  if (o.node.type === "Size") return tensorOf("int64", [], Float64Array.of(valueCount(o.shape(0))));
  const own = isFolded(o) ? folds[o.node.type] : undefined;
  const known = o.inputs.filter((x): x is OnnxTensor => x !== undefined && !isTraced(x));
  if (!own || o.inputs.some(isTraced)) return undefined;
  const least = { Where: 3, Range: 3, Constant: 0 }[o.node.type] ??
    (/^(Add|And|CastLike|Div|Equal|Expand|Gather|Greater|Less|Mod|Mul|Or|Pow|Reshape|Sub|Tile)$/.test(o.node.type)
      ? 2
      : 1);
  if (known.length < least) throw new UserError(`it has ${known.length} inputs, expected ${least}`);
  return own(o, known);
}
