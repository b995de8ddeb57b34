/** transpose: dimension d of the output is dimension order[d] of the input; the gradient goes the other way. */
import { transpose as kernel } from "../../shaders/items.ts";
import { UserError } from "../formats/user_error.ts";
import { texelCall } from "./calls.ts";
import { haveRests, moveCalls } from "./double_float.ts";
import { type Op, show } from "./op.ts";
import { readsAll } from "./reach.ts";
import { elements } from "./way.ts";

/** Parameters of transpose in network.json: the input's dimensions in the order of the output, 0 being channels. */
export interface TransposeParams {
  order: number[];
}

/** The layer type `transpose`. */
export const transpose: Op<TransposeParams> = {
  inputs: 1,
  parse: (fields) => ({ order: fields.numbers("order") }),
  outputShape([input], { order }) {
    if (order.length !== input.length || input.some((_, d) => !order.includes(d))) {
      throw new UserError(
        `"order" is [${order}], expected each dimension of ${show(input)} once, 0 to ${input.length - 1}`,
      );
    }
    return order.map((d) => input[d]);
  },
  keepsRest: haveRests,
  reads: readsAll,
  forward: [elements((node, y) => {
    const { shapes: [shape], params: { order } } = node;
    const code = kernel(shape, order);
    return moveCalls(node, y, (label, [x], y) => texelCall(label, { x }, { y }, code));
  })],
  backward: [elements(({ name, shapes: [shape], params: { order } }, dy, [dx]) => {
    if (!dx) return [];
    const to = order.map((d) => shape[d]);
    const back = order.map((_, d) => order.indexOf(d));
    return [texelCall(`${name} gradient`, { x: dy }, { y: dx }, kernel(to, back))];
  })],
};
