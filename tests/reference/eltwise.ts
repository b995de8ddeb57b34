/**
 * Element by element over inputs of one shape: Σ coefficient · x, Π x or max x.
 *
 * The gradient of a product is the product of the others (never y / x, which fails at zero); the gradient of a
 * maximum goes to the first input that holds it.
 */
import type { Op } from "./op.ts";
import { map, type Tensor } from "./tensor.ts";

/** The parameters of `eltwise` in network.json. */
export interface EltwiseParameters {
  operation: "sum" | "product" | "max";
  coefficients?: number[];
}

/** Sum, product or maximum of two inputs or more. */
export const eltwise: Op<EltwiseParameters> = {
  forward(inputs, { operation, coefficients }) {
    return map(inputs[0], (_, at) => {
      const values = inputs.map((x) => x.data[at]);
      if (operation === "product") return values.reduce((product, value) => product * value);
      if (operation === "max") return Math.max(...values);
      return values.reduce((sum, value, i) => sum + (coefficients?.[i] ?? 1) * value, 0);
    });
  },

  backward(inputs, _y, dy, { operation, coefficients }) {
    const slope = (i: number, at: number): number => {
      if (operation === "product") return inputs.reduce((rest, x, j) => j === i ? rest : rest * x.data[at], 1);
      if (operation === "max") return firstMaximum(inputs, at) === i ? 1 : 0;
      return coefficients?.[i] ?? 1;
    };
    return { inputs: inputs.map((_, i) => map(dy, (value, at) => value * slope(i, at))), weights: {} };
  },
};

function firstMaximum(inputs: Tensor[], at: number): number {
  return inputs.reduce((best, x, i) => x.data[at] > inputs[best].data[at] ? i : best, 0);
}
