/** concat: the inputs' channels one after the other; the gradient hands each input its run of channels. */
import { channels } from "../../shaders/layout.ts";
import { UserError } from "../formats/user_error.ts";
import { texelCall } from "./calls.ts";
import { haveRests, moveCalls } from "./double_float.ts";
import { type Op, show } from "./op.ts";
import { elements } from "./way.ts";

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
  keepsRest: haveRests,
  forward: [elements((node, y) => {
    const runs = node.inputs.map(({ shape: [, c] }) => ({ channels: c, from: 0, count: c }));
    const code = channels(runs, y.tensor.shape[2] * y.tensor.shape[3]);
    return moveCalls(
      node,
      y,
      (label, parts, y) =>
        texelCall(label, Object.fromEntries(parts.map((tensor, n) => [`x${n}`, tensor])), { y }, code),
    );
  })],
  backward: [elements(({ name, inputs }, dy, dx) => {
    const [, total, h, w] = dy.shape;
    return inputs.flatMap(({ shape: [, count] }, n) => {
      const from = inputs.slice(0, n).reduce((sum, { shape }) => sum + shape[1], 0);
      const y = dx[n];
      if (!y) return [];
      return [
        texelCall(`${name} gradient ${n}`, { x0: dy }, { y }, channels([{ channels: total, from, count }], h * w)),
      ];
    });
  })],
};
