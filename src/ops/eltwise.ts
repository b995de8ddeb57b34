/** eltwise: the sum with coefficients, product or maximum of inputs of one shape. A tie's gradient goes to the first. */
import { doubleLiteral } from "../../shaders/double_float.ts";
import { UserError } from "../formats/user_error.ts";
import { literal } from "../../shaders/wgsl.ts";
import { elementwiseCall, mentions } from "./calls.ts";
import { doubleCall, doubleOutput } from "./double_float.ts";
import { type Op, show } from "./op.ts";
import { elements } from "./way.ts";

/** Parameters of eltwise in network.json; coefficients (of sums only) may be empty for all ones. */
export interface EltwiseParams {
  operation: "sum" | "product" | "max";
  coefficients: number[];
}

const names = (count: number): string[] => Array.from({ length: count }, (_, n) => `x${n}`);

/** Input n's share of dy. */
function gradient({ operation, coefficients }: EltwiseParams, inputs: string[], n: number): string {
  switch (operation) {
    case "sum":
      return `${literal(coefficients[n] ?? 1)} * dy`;
    case "product":
      return ["dy", ...inputs.filter((_, other) => other !== n)].join(" * ");
    case "max": {
      const wins = inputs.filter((_, other) => other !== n)
        .map((other) => inputs.indexOf(other) < n ? `(x${n} > ${other})` : `(x${n} >= ${other})`);
      return `select(vec4f(), dy, ${["vec4<bool>(true)", ...wins].join(" & ")})`;
    }
  }
}

/** The layer type `eltwise`. */
export const eltwise: Op<EltwiseParams> = {
  parse: (fields) => ({
    operation: fields.choice("operation", ["sum", "product", "max"]),
    coefficients: fields.numbers("coefficients", []),
  }),
  outputShape(inputs, { operation, coefficients }) {
    if (inputs.some((input) => show(input) !== show(inputs[0]))) {
      throw new UserError(`inputs of ${inputs.map(show).join(" and ")}, expected one shape`);
    }
    if (coefficients.length && (operation !== "sum" || coefficients.length !== inputs.length)) {
      throw new UserError(`${coefficients.length} coefficients for a ${operation} of ${inputs.length} inputs`);
    }
    return inputs[0];
  },
  keepsRest: ({ params: { operation } }) => operation === "sum",
  forward: [elements(({ name, inputs, params: { operation, coefficients } }, y) => {
    const xs = names(inputs.length);
    const named = Object.fromEntries(inputs.map((tensor, n) => [xs[n], tensor]));
    const output = doubleOutput(y);
    if (output) {
      const terms = xs.map((x, n) => coefficients.length ? `times(${doubleLiteral(coefficients[n])}, ${x})` : x);
      return [doubleCall(name, named, {}, output, terms.reduce((sum, term) => `plus(${sum}, ${term})`))];
    }
    const expression = operation === "sum"
      ? xs.map((x, n) => coefficients.length ? `${literal(coefficients[n])} * ${x}` : x).join(" + ")
      : operation === "product"
      ? xs.join(" * ")
      : xs.reduce((a, b) => `max(${a}, ${b})`);
    return [elementwiseCall(name, named, y, expression)];
  })],
  backward: [elements(({ name, inputs, params }, dy, dx) => {
    const xs = names(inputs.length);
    return inputs.flatMap((_, n) => {
      const y = dx[n];
      const expression = gradient(params, xs, n);
      if (!y) return [];
      const used = xs.flatMap((x, at) => mentions(expression, x) ? [[x, inputs[at]] as const] : []);
      return [elementwiseCall(`${name} gradient ${n}`, { ...Object.fromEntries(used), dy }, y, expression)];
    });
  })],
};
