/**
 * prelu: y = x > 0 ? x : slope[c] · x, the slopes learnt, one a channel or one for all. They may be negative, so the
 * gradient asks x for its sign, not y.
 */
import { channelwiseCall } from "./calls.ts";
import { doubleCall, doubleOutput, haveRests } from "./double_float.ts";
import { packVector } from "./conv/weights.ts";
import type { Op } from "./op.ts";
import { elements } from "./way.ts";

/** Parameters of prelu in network.json; `shared` says that one slope serves all channels. */
export interface PreluParams {
  shared: boolean;
}

/** The layer type `prelu`. */
export const prelu: Op<PreluParams> = {
  inputs: 1,
  parse: (fields) => ({ shared: fields.boolean("shared", false) }),
  outputShape: ([input]) => input,
  isActivation: true,
  weightShapes: ([[channels]], { shared }) => ({ slope: [shared ? 1 : channels] }),
  pack: ({ slope: { values } }, { shapes: [[channels]], params: { shared } }) => ({
    slope: packVector(shared ? new Float32Array(channels).fill(values[0]) : values),
  }),
  keepsRest: haveRests,
  forward: [elements(({ name, inputs: [x], weights: { slope } }, y) => {
    const output = doubleOutput(y);
    return [
      output
        ? doubleCall(name, { x }, { slope }, output, "rectified(x, slope)")
        : channelwiseCall(name, { x }, { slope }, y, "select(slope * x, x, x > vec4f())"),
    ];
  })],
  backward: [
    elements(({ name, inputs: [x], weights: { slope } }, dy, [dx]) =>
      dx ? [channelwiseCall(`${name} gradient`, { x, dy }, { slope }, dx, "select(slope * dy, dy, x > vec4f())")] : []
    ),
  ],
};
