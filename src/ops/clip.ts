/** clip: min(max(x, min), max); the gradient passes where x lies between the bounds or on one. */
import { literal } from "../../shaders/wgsl.ts";
import { elementwiseCall } from "./calls.ts";
import { doubleCall, doubleOutput, haveRests } from "./double_float.ts";
import type { Op } from "./op.ts";
import { elements } from "./way.ts";

/** Parameters of clip in network.json; a bound that is absent does not hold. */
export interface ClipParams {
  min?: number;
  max?: number;
}

/** The layer type `clip`; ReLU6 is one from 0 to 6. */
export const clip: Op<ClipParams> = {
  inputs: 1,
  parse: (fields) => ({
    min: fields.has("min") ? fields.number("min") : undefined,
    max: fields.has("max") ? fields.number("max") : undefined,
  }),
  outputShape: ([input]) => input,
  isActivation: true,
  keepsRest: haveRests,
  forward: [elements(({ name, inputs: [x], params: { min, max } }, y) => {
    const output = doubleOutput(y);
    if (output) {
      const raised = min === undefined ? "x" : `raised(x, ${literal(min)})`;
      return [doubleCall(name, { x }, {}, output, max === undefined ? raised : `lowered(${raised}, ${literal(max)})`)];
    }
    const raised = min === undefined ? "x" : `max(x, vec4f(${literal(min)}))`;
    return [elementwiseCall(name, { x }, y, max === undefined ? raised : `min(${raised}, vec4f(${literal(max)}))`)];
  })],
  backward: [elements(({ name, inputs: [x], params: { min, max } }, dy, [dx]) => {
    if (!dx) return [];
    const above = min === undefined ? [] : [`(x >= vec4f(${literal(min)}))`];
    const inside = [...above, ...max === undefined ? [] : [`(x <= vec4f(${literal(max)}))`]];
    const expression = inside.length ? `select(vec4f(), dy, ${inside.join(" & ")})` : "dy";
    return [elementwiseCall(`${name} gradient`, inside.length ? { x, dy } : { dy }, dx, expression)];
  })],
};
