/** Gemm and MatMul: a product with a known matrix is fc, any other is matmul. */
import { valueCount } from "../../../src/formats/shape.ts";
import { UserError } from "../../../src/formats/user_error.ts";
import { reshaped, stretched, transposed } from "./fold.ts";
import { Operator, type Rule } from "./operator.ts";
import type { OnnxTensor } from "./tensor.ts";
import { isTraced, type Operand, type Trace, type Traced } from "./trace.ts";
import { arithmetic } from "./value_rules.ts";

/** y[…, n] = Σ_k x[…, k] · weight[n, k] + bias[n] over items of any rank. */
function linear(trace: Trace, x: Traced, weight: OnnxTensor, bias?: ArrayLike<number>): Traced {
  const [channels, features] = weight.shape;
  const axis = x.item.length - 1;
  if (x.item[axis] !== features) {
    throw new UserError(`[${x.item}] does not end in the ${features} that its matrix takes`);
  }
  // fc flattens its input itself.
  const source = axis === 0 && x.maker?.type === "reshape" ? x.maker.inputs[0] : x;
  const params = { channels, bias: bias !== undefined, ...(axis > 0 ? { axis } : {}) };
  return trace.add("fc", params, [source], { weight: weight.values, ...(bias ? { bias } : {}) });
}

const scaled = (values: ArrayLike<number>, factor: number): ArrayLike<number> =>
  factor === 1 ? values : Float32Array.from(values, (value) => value * factor);

/** A value of two dimensions, transposed where it must be. */
function matrix(o: Operator, n: number, flag: string): Operand {
  const value = o.input(n);
  const flip = o.number(flag, 0) !== 0;
  if (o.shape(n).length !== 2) {
    throw new UserError(`its input ${n + 1} has shape [${o.shape(n)}], expected two dimensions`);
  }
  if (!flip) return value;
  if (!isTraced(value)) return transposed(value, [1, 0]);
  o.whole();
  return o.trace.transpose(value, [1, 0]);
}

/** alpha · A · B + beta · C. */
const gemm: Rule = (o) => {
  const { trace } = o;
  const alpha = o.number("alpha", 1);
  const beta = o.number("beta", 1);
  const a = matrix(o, 0, "transA");
  const b = o.input(1);
  const c = o.inputs[2];
  if (!isTraced(a) || isTraced(b)) {
    o.whole();
    const y = trace.add("matmul", {}, [trace.computed(a, 2), trace.computed(matrix(o, 1, "transB"), 2)]);
    return [plus(trace, alpha === 1 ? y : trace.affine(y, [alpha]), c, beta)];
  }
  // fc has its rows as outputs: B itself where it is to be transposed.
  const flipped = o.number("transB", 0) !== 0 ? b : transposed(b, [1, 0]);
  const [outputs] = flipped.shape;
  const weight = alpha === 1 ? flipped : { ...flipped, values: Float32Array.from(scaled(flipped.values, alpha)) };
  const row = c !== undefined && !isTraced(c) &&
    (valueCount(c.shape) === 1 || c.shape.at(-1) === outputs && valueCount(c.shape) === outputs);
  if (!row) return [plus(trace, linear(trace, a, weight), c, beta)];
  const values = c.values.length === outputs ? c.values : new Float32Array(outputs).fill(c.values[0]);
  return [linear(trace, a, weight, scaled(values, beta))];
};

function plus(trace: Trace, y: Traced, c: Operand | undefined, beta: number): Traced {
  if (c === undefined || beta === 0) return y;
  const scaled = beta === 1
    ? c
    : isTraced(c)
    ? trace.affine(c, [beta])
    : { ...c, values: c.values.map((v) => v * beta) };
  return arithmetic(trace, "sum", y, scaled);
}

/** NumPy's product: a vector is a row on the left and a column on the right, and gone from the result. */
const matmul: Rule = (o) => {
  const { trace } = o;
  const [a, b] = [o.input(0), o.input(1)];
  const ranks = [o.shape(0).length, o.shape(1).length];
  if (Math.min(...ranks) === 0) throw new UserError("one of its inputs is a single number");
  if (isTraced(a) && !isTraced(b) && ranks[1] <= 2 && (trace.batch === undefined || ranks[0] > 1)) {
    const weight = ranks[1] === 2 ? transposed(b, [1, 0]) : reshaped(b, [1, b.shape[0]]);
    const y = linear(trace, a, weight);
    return [ranks[1] === 2 ? y : trace.reshape(y, y.item.slice(0, -1))];
  }
  const rank = Math.max(...ranks, 2);
  // The batch of both is kept apart only where it leads both, in front of matrices.
  if (trace.batch !== undefined && [a, b].some((value, n) => isTraced(value) && ranks[n] < Math.max(rank, 3))) {
    o.whole();
  }
  const [left, right] = [a, b].map((value) => trace.computed(value, rank));
  const rows = ranks[0] === 1 ? trace.reshape(left, [1, ...left.item]) : left;
  const columns = ranks[1] === 1 ? trace.reshape(right, [...right.item, 1]) : right;
  const y = trace.add("matmul", {}, [rows, columns]);
  const { item } = y;
  const kept = item.filter((_, d) =>
    !(ranks[0] === 1 && d === item.length - 2) && !(ranks[1] === 1 && d === item.length - 1)
  );
  return [trace.reshape(y, kept)];
};

/**
 * The operator on quantised numbers without their zero points, which are its inputs 3 and 4: one for all, or one for each
 * row of the first and each output of the second, which its dimension `outputs` counts.
 */
export function withoutZeroPoints(o: Operator, outputs: 0 | -1): Operator {
  const less = [0, 1].map((n) => {
    const value = o.input(n);
    const zero = o.known(n + 2, "the zero point");
    if (!zero) return value;
    const rank = o.shape(n).length;
    const axis = n === 0 ? rank - 2 : outputs === 0 ? 0 : rank - 1;
    const own = zero.shape.length === 1 && zero.values.length > 1
      ? reshaped(zero, o.shape(n).map((_, d) => d === axis ? zero.values.length : 1))
      : zero;
    if (isTraced(value)) return arithmetic(o.trace, "difference", value, own);
    return stretched([value, own], "float32", (x, z) => x - z);
  });
  return new Operator(o.node, o.model, o.trace, less, o.types);
}

/** Operators by their type. */
export const matrixRules: Record<string, Rule> = {
  Gemm: gemm,
  MatMul: matmul,
  MatMulInteger: (o) => matmul(withoutZeroPoints(o, -1)),
};
