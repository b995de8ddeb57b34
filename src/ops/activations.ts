/**
 * ReLU and its leaky form: y = x > 0 ? x : slope · x; sigmoid; tanh; exp, log and sqrt.
 *
 * Every gradient needs y only, so nothing is kept beside the output. In a plan a ReLU is usually gone: the kernel
 * before it applies it while storing, and the kernel that makes its dy masks it while storing.
 */
import { doubleLiteral } from "../../shaders/double_float.ts";
import { sigmoid as sigmoidOf, tanh as tanhOf } from "../../shaders/elementwise.ts";
import { literal } from "../../shaders/wgsl.ts";
import type { Op } from "./op.ts";
import { elementwiseCall } from "./calls.ts";
import { doubleCall, doubleOutput, haveRests } from "./double_float.ts";
import { elements } from "./way.ts";

/** Parameters of relu in network.json; `slope` ≥ 0 multiplies what is not positive. */
export interface ReluParams {
  slope: number;
}

/** The layer type `relu`. */
export const relu: Op<ReluParams> = {
  inputs: 1,
  parse: (fields) => ({ slope: fields.number("slope", 0, 0) }),
  outputShape: ([input]) => input,
  isActivation: true,
  gradientReadsOutput: true,
  epilogue: (relu) => ({ relu }),
  keepsRest: haveRests,
  forward: [elements(({ name, inputs: [x], params: { slope } }, y) => {
    const output = doubleOutput(y);
    return [
      output
        ? doubleCall(name, { x }, {}, output, `rectified(x, ${doubleLiteral(slope)})`)
        : elementwiseCall(name, { x }, y, `select(${literal(slope)} * x, x, x > vec4f())`),
    ];
  })],
  backward: [
    elements(({ name, output: y, params: { slope }, redirect }, dy, [dx]) => {
      const passes = redirect ? "(y > vec4f()) | (dy > vec4f())" : "y > vec4f()";
      return dx
        ? [elementwiseCall(`${name} gradient`, { y, dy }, dx, `select(${literal(slope)} * dy, dy, ${passes})`)]
        : [];
    }),
  ],
};

/** An activation without parameters: y = `forward` of x, dx = `gradient` of y and dy. */
const activation = (forward: string, gradient: string): Op<null> => ({
  inputs: 1,
  parse: () => null,
  outputShape: ([input]) => input,
  isActivation: true,
  gradientReadsOutput: true,
  forward: [elements(({ name, inputs: [x] }, y) => [elementwiseCall(name, { x }, y, forward)])],
  backward: [
    elements(({ name, output: y }, dy, [dx]) =>
      dx ? [elementwiseCall(`${name} gradient`, { y, dy }, dx, gradient)] : []
    ),
  ],
});

/** The layer type `sigmoid`: y = 1 / (1 + e^−x). */
export const sigmoid = activation(sigmoidOf("x"), "dy * y * (1.0 - y)");

/** The layer type `tanh`. */
export const tanh = activation(tanhOf("x"), "dy * (1.0 - y * y)");

// Bounded, so that what lies past the last channel stays finite whatever it is: 0 · ∞ would spread.

/** The layer type `exp`: y = e^x, up to the largest number. */
export const exp = activation("exp(min(x, vec4f(88.7)))", "dy * y");

/** The layer type `log`: y = ln x, of the smallest number where x is not above zero. */
export const log = activation("log(max(x, vec4f(1.1754944e-38)))", "dy * exp(-y)");

/** The layer type `sqrt`: y = √x, of zero where x is below. */
export const sqrt = activation("sqrt(max(x, vec4f()))", "dy * 0.5 / max(y, vec4f(1.1754944e-38))");
