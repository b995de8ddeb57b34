/**
 * erf: the error function, 2/√π · the integral of e^−t² from 0 to x; the gradient is 2/√π · e^−x² · dy. With it
 * GELU is x · (1 + erf(x/√2)) / 2.
 */
import { erf as erfOf } from "../../shaders/elementwise.ts";
import { literal } from "../../shaders/wgsl.ts";
import { elementwiseCall } from "./calls.ts";
import type { Op } from "./op.ts";
import { elements } from "./way.ts";

const slope = literal(2 / Math.sqrt(Math.PI));

/** The layer type `erf`. */
export const erf: Op<null> = {
  inputs: 1,
  parse: () => null,
  outputShape: ([input]) => input,
  isActivation: true,
  forward: [elements(({ name, inputs: [x] }, y) => [elementwiseCall(name, { x }, y, erfOf("x"))])],
  backward: [
    elements(({ name, inputs: [x] }, dy, [dx]) =>
      dx ? [elementwiseCall(`${name} gradient`, { x, dy }, dx, `${slope} * exp(-x * x) * dy`)] : []
    ),
  ],
};
