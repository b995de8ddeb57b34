/** concat: the inputs' channels one after the other; the gradient hands each input its run of channels. */
import { channels } from "../../shaders/layout.ts";
import { UserError } from "../formats/user_error.ts";
import { texelCall } from "./calls.ts";
import { type Op, show } from "./op.ts";

/** The layer type `concat`. */
export const concat: Op<null> = {
  parse: () => null,
  outputShape(inputs) {
    const [[, ...rest]] = inputs;
    if (inputs.some(([, ...others]) => show(others) !== show(rest))) {
      throw new UserError(`inputs of ${inputs.map(show).join(" and ")} differ in more than their channels`);
    }
    return [inputs.reduce((sum, [channels]) => sum + channels, 0), ...rest];
  },
  forward({ name, inputs }, y) {
    const runs = inputs.map(({ shape: [, c] }) => ({ channels: c, from: 0, count: c }));
    const named = Object.fromEntries(inputs.map((tensor, n) => [`x${n}`, tensor]));
    return [texelCall(name, named, { y }, channels(runs, y.tensor.shape[2] * y.tensor.shape[3]))];
  },
  backward({ name, inputs }, dy, dx) {
    const [, total, h, w] = dy.shape;
    return inputs.flatMap(({ shape: [, count] }, n) => {
      const from = inputs.slice(0, n).reduce((sum, { shape }) => sum + shape[1], 0), y = dx[n];
      if (!y) return [];
      return [
        texelCall(`${name} gradient ${n}`, { x0: dy }, { y }, channels([{ channels: total, from, count }], h * w)),
      ];
    });
  },
};
