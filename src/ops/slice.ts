/** slice: a run of the values along one axis of the item; the gradient puts it back among zeros. */
import { shiftAlong, shiftChannels } from "../../shaders/layout.ts";
import { UserError } from "../formats/user_error.ts";
import type { Binding, Call } from "../gpu/call.ts";
import type { Tensor } from "../gpu/tensor.ts";
import { texelCall } from "./calls.ts";
import { haveRests, moveCalls } from "./double_float.ts";
import { count, type Node, type Op, show } from "./op.ts";
import { elements } from "./way.ts";

/** Parameters of slice in network.json: values `from` … `from + count − 1` along `axis`, 0 being the channels. */
export interface SliceParams {
  axis: number;
  from: number;
  count: number;
}

/** y holds x's values along the axis from `offset` on, zeros where x has none; a tensor's extents are `lengths`. */
function shifted(
  { shapes: [item], params: { axis } }: Node<SliceParams>,
  label: string,
  x: Tensor,
  y: Binding,
  lengths: { from: number; to: number },
  offset: number,
): Call {
  const [, , h, w] = x.shape;
  const code = axis === 0
    ? shiftChannels(lengths.from, lengths.to, h * w, offset)
    : shiftAlong(lengths.from, lengths.to, count(item.slice(axis + 1)), offset);
  return texelCall(label, { x }, { y }, code);
}

/** The layer type `slice`. */
export const slice: Op<SliceParams> = {
  inputs: 1,
  parse: (fields) => ({
    axis: fields.integer("axis", 0, 0),
    from: fields.integer("from", 0, 0),
    count: fields.integer("count", 1),
  }),
  outputShape([input], { axis, from, count }) {
    if (axis >= input.length) throw new UserError(`there is no axis ${axis} in an input of ${show(input)}`);
    if (from + count > input[axis]) {
      throw new UserError(`${count} values from ${from} on, but axis ${axis} of ${show(input)} has ${input[axis]}`);
    }
    return input.with(axis, count);
  },
  keepsRest: haveRests,
  reads({ axis, at }, [input], _, p) {
    // Of more than three dimensions the third and all others are columns.
    if (axis === 1 && p.axis >= 2 && input.length > 3) return ["all"];
    return [[p.axis === axis + 1 ? at + p.from : at]];
  },
  forward: [elements((node, y) => {
    const { shapes: [item], params: { axis, from, count } } = node;
    const lengths = { from: item[axis], to: count };
    return moveCalls(node, y, (label, [x], y) => shifted(node, label, x, y, lengths, from));
  })],
  backward: [elements((node, dy, [dx]) => {
    const { name, shapes: [item], params: { axis, from, count } } = node;
    return dx ? [shifted(node, `${name} gradient`, dy, dx, { from: count, to: item[axis] }, -from)] : [];
  })],
};
