/**
 * binary: sum, difference, product, quotient or power of two inputs whose shapes may differ as NumPy's may, the whole part of the
 * quotient, or whether the first is less than the second: 1 or 0. No gradient goes through these last two. A power by an exponent
 * that is not whole is zero where the base is not above zero, and none is infinite.
 */
import { broadcast } from "../../shaders/items.ts";
import { stretched, unstretched } from "./broadcast.ts";
import { mentions, texelCall } from "./calls.ts";
import type { Op } from "./op.ts";
import { elements } from "./way.ts";

// A division may be off by a few units in the last place, and a whole quotient by one: the remainder tells.
const quotient = "trunc(abs(a / b))";
const rest = `(abs(a) - ${quotient} * abs(b))`;
const truncated = `(${quotient} + select(0.0, 1.0, ${rest} >= abs(b)) - select(0.0, 1.0, ${rest} < 0.0))`;

/** WGSL: `factor` · a to this exponent, which is whole where b is. */
function raised(factor: string, exponent: string): string {
  const sign = `select(1.0, -1.0, a < 0.0 && fract(0.5 * (${exponent})) == 0.5)`;
  const size = `exp(min((${exponent}) * log(max(abs(a), 1.1754944e-38)), 88.7))`;
  const zero = `(a == 0.0 && (${exponent}) > 0.0) || (a <= 0.0 && b != trunc(b))`;
  return `${factor} * ${sign} * select(${size}, 0.0, ${zero})`;
}

/** The operations: y and the gradients to a and b, as WGSL. */
const operations = {
  sum: ["a + b", "dy", "dy"],
  difference: ["a - b", "dy", "-dy"],
  product: ["a * b", "dy * b", "dy * a"],
  quotient: ["a / b", "dy / b", "-dy * a / (b * b)"],
  truncatedQuotient: [`sign(a) * sign(b) * ${truncated}`, "0.0", "0.0"],
  power: [
    raised("1.0", "b"),
    raised("dy * b", "b - 1.0"),
    `${raised("dy", "b")} * select(0.0, log(a), a > 0.0)`,
  ],
  less: ["select(0.0, 1.0, a < b)", "0.0", "0.0"],
} as const;

/** Parameters of binary in network.json. */
export interface BinaryParams {
  operation: keyof typeof operations;
}

/** The layer type `binary`. */
export const binary: Op<BinaryParams> = {
  inputs: 2,
  parse: (fields) => ({
    operation: fields.choice("operation", Object.keys(operations) as BinaryParams["operation"][]),
  }),
  outputShape: ([a, b]) => stretched(a, b),
  forward: [elements(({ name, inputs: [a, b], shapes, params: { operation } }, y) => {
    const to = stretched(shapes[0], shapes[1]);
    const [expression] = operations[operation];
    return [texelCall(name, { a, b }, { y }, broadcast({ a: shapes[0], b: shapes[1] }, to, expression))];
  })],
  backward: [elements((node, dy, dx) => {
    const { inputs: [a, b], shapes, params: { operation } } = node;
    const to = stretched(shapes[0], shapes[1]);
    const all = {
      a: { tensor: a, shape: shapes[0] },
      b: { tensor: b, shape: shapes[1] },
      dy: { tensor: dy, shape: to },
    };
    return dx.flatMap((binding, n) => {
      const expression = operations[operation][n + 1];
      const used = Object.entries(all).filter(([name]) => mentions(expression, name));
      const tensors = Object.fromEntries(used.map(([name, { tensor }]) => [name, tensor]));
      const dims = Object.fromEntries(used.map(([name, { shape }]) => [name, shape]));
      if (!binding) return [];
      return unstretched(
        node,
        n,
        to,
        binding,
        (label, y) => texelCall(label, tensors, { y }, broadcast(dims, to, expression)),
      );
    });
  })],
};
