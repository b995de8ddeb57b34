/** elu: y = x > 0 ? x : α · (e^x − 1). The gradient is taken from x, so that α may have any sign. */
import { literal } from "../../shaders/wgsl.ts";
import { elementwiseCall } from "./calls.ts";
import type { Op } from "./op.ts";
import { elements } from "./way.ts";

/** Parameters of elu in network.json. */
export interface EluParams {
  alpha: number;
}

/** The layer type `elu`. The exponential sees no positive number: it could not overflow into the other branch. */
export const elu: Op<EluParams> = {
  inputs: 1,
  parse: (fields) => ({ alpha: fields.number("alpha", 1) }),
  outputShape: ([input]) => input,
  isActivation: true,
  forward: [elements(({ name, inputs: [x], params: { alpha } }, y) => [
    elementwiseCall(name, { x }, y, `select(${literal(alpha)} * (exp(min(x, vec4f())) - 1.0), x, x > vec4f())`),
  ])],
  backward: [elements(({ name, inputs: [x], params: { alpha } }, dy, [dx]) => {
    const expression = `select(${literal(alpha)} * exp(min(x, vec4f())) * dy, dy, x > vec4f())`;
    return dx ? [elementwiseCall(`${name} gradient`, { x, dy }, dx, expression)] : [];
  })],
};
