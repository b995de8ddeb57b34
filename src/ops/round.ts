/** round: to whole numbers: the nearest (of two the even one), the next below or above, or towards zero. It has no slope. */
import { elementwiseCall } from "./calls.ts";
import type { Op } from "./op.ts";
import { elements } from "./way.ts";

const functions = { nearest: "round", down: "floor", up: "ceil", zero: "trunc" } as const;

/** Parameters of round in network.json. */
export interface RoundParams {
  to: keyof typeof functions;
}

/** The layer type `round`. */
export const round: Op<RoundParams> = {
  inputs: 1,
  parse: (fields) => ({ to: fields.choice("to", ["nearest", "down", "up", "zero"], "nearest") }),
  outputShape: ([input]) => input,
  isActivation: true,
  forward: [elements((
    { name, inputs: [x], params: { to } },
    y,
  ) => [elementwiseCall(name, { x }, y, `${functions[to]}(x)`)])],
  backward: [elements(({ name }, _dy, [dx]) => dx ? [elementwiseCall(`${name} gradient`, {}, dx, "vec4f()")] : [])],
};
