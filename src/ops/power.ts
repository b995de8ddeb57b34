/**
 * power: y = x^exponent, for exponents above zero; of an x below zero it is taken of zero, as a root is. The gradient is
 * exponent · x^(exponent − 1), none where x is not above zero.
 */
import { literal } from "../../shaders/wgsl.ts";
import { UserError } from "../formats/user_error.ts";
import { elementwiseCall } from "./calls.ts";
import type { Op } from "./op.ts";
import { elements } from "./way.ts";

/** Parameters of power in network.json. */
export interface PowerParams {
  exponent: number;
}

/** WGSL: `factor` · x^exponent where x is above zero, else zero; up to the largest number. */
const raised = (factor: string, exponent: number): string =>
  `select(vec4f(), ${factor} * exp(min(${
    literal(exponent)
  } * log(max(x, vec4f(1.1754944e-38))), vec4f(88.7))), x > vec4f())`;

/** The layer type `power`. */
export const power: Op<PowerParams> = {
  inputs: 1,
  parse(fields) {
    const exponent = fields.number("exponent");
    if (!(exponent > 0)) throw new UserError(`"exponent" is ${exponent}, expected a number above 0`);
    return { exponent };
  },
  outputShape: ([input]) => input,
  isActivation: true,
  forward: [elements(({ name, inputs: [x], params: { exponent } }, y) => [
    elementwiseCall(name, { x }, y, raised("1.0", exponent)),
  ])],
  backward: [elements(({ name, inputs: [x], params: { exponent } }, dy, [dx]) => {
    const expression = raised(`${literal(exponent)} * dy`, exponent - 1);
    return dx ? [elementwiseCall(`${name} gradient`, { x, dy }, dx, expression)] : [];
  })],
};
