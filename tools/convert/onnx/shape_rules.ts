/** Operators that move, join or rename values. */
import { UserError } from "../../../src/formats/user_error.ts";
import type { Operator, Rule } from "./operator.ts";
import { picked, run } from "./positions.ts";
import { flattened, permutation, sliced, squeezed, tiled, wantedShape } from "./shapes.ts";
import type { Traced } from "./trace.ts";

/** The same values under another shape of the model. */
const renamed = (o: Operator, shape: readonly number[]): Traced =>
  o.trace.reshape(o.computed(0), o.trace.itemOf(shape));

const same: Rule = (o) => [o.input(0)];

/** Values joined along an axis of their item. */
export function joined(o: Operator, xs: readonly Traced[], axis: number): Traced {
  return xs.length === 1 ? xs[0] : o.trace.alongFirst(xs, axis, (parts) => o.trace.add("concat", {}, parts));
}

const concat: Rule = (o) => {
  const axis = o.number("axis");
  const rank = o.shape(0).length;
  if (axis === undefined) throw new UserError('its attribute "axis" is missing');
  const own = o.trace.itemAxis(o.axis(axis, rank));
  return [joined(o, o.inputs.map((_, n) => o.trace.computed(o.input(n), rank)), own)];
};

/** Channels as places in blocks of positions. */
const depthToSpace: Rule = (o) => [
  o.trace.perItem(o.computed(0), (x) => {
    const [block, channels, height, width] = blocks(o, x);
    const rest = channels / block ** 2;
    const { trace } = o;
    const parts = o.text("mode", "DCR") === "CRD"
      ? trace.transpose(trace.reshape(x, [rest, block, block, height, width]), [0, 3, 1, 4, 2])
      : trace.transpose(trace.reshape(x, [block, block, rest, height, width]), [2, 3, 0, 4, 1]);
    return trace.reshape(parts, [rest, height * block, width * block]);
  }),
];

/** Places in blocks of positions as channels. */
const spaceToDepth: Rule = (o) => [
  o.trace.perItem(o.computed(0), (x) => {
    const [block, channels, height, width] = blocks(o, x);
    const { trace } = o;
    const [h, w] = [height / block, width / block];
    const order = o.text("mode", "DCR") === "CRD" ? [0, 2, 4, 1, 3] : [2, 4, 0, 1, 3];
    const parts = trace.transpose(trace.reshape(x, [channels, h, block, w, block]), order);
    return trace.reshape(parts, [channels * block ** 2, h, w]);
  }),
];

/** The side of a block, and a map's channels, height and width. */
function blocks(o: Operator, x: Traced): [number, number, number, number] {
  const block = o.number("blocksize", 0);
  const [channels, height, width] = x.item;
  const whole = o.node.type === "DepthToSpace" ? [channels / block ** 2] : [height / block, width / block];
  if (x.item.length === 3 && block > 0 && whole.every(Number.isInteger)) return [block, channels, height, width];
  throw new UserError(`blocks of ${block} do not fit its input [${o.shape(0)}]`);
}

const dropout: Rule = (o) => {
  const training = o.known(2, "whether it trains");
  if (training && training.values[0] !== 0) {
    throw new UserError("it is set to training; export the model for inference");
  }
  // Its mask is 1 everywhere.
  return [o.input(0), o.node.outputs[1] ? o.trace.affine(o.computed(0), [0], [1]) : undefined];
};

/** Positions along an axis. */
const gather: Rule = (o) => {
  const indices = o.needed(1, "the indices");
  const x = o.computed(0);
  const shape = o.shape(0);
  const axis = o.axis(o.number("axis", 0), shape.length);
  const own = o.trace.itemAxis(axis);
  const positions = Array.from(indices.values as ArrayLike<number>, (at) => at < 0 ? at + shape[axis] : at);
  if (positions.some((at) => !(at >= 0 && at < shape[axis]))) throw new UserError(`an index is outside [${shape}]`);
  const y = picked(o.trace, x, own, positions);
  return [o.trace.reshape(y, [...x.item.slice(0, own), ...indices.shape, ...x.item.slice(own + 1)])];
};

const pad: Rule = (o) => {
  const mode = o.text("mode", "constant");
  const rank = o.shape(0).length;
  const fill = o.known(2, "the value of the padding");
  const pads = o.integers("pads", 1, "the pads");
  const given = o.integers("axes", 3, "the axes");
  const axes = given?.map((axis) => o.axis(axis, rank)) ?? Array.from({ length: rank }, (_, d) => d);
  if (pads?.length !== 2 * axes.length) {
    throw new UserError(`it has ${pads?.length ?? "no"} pads, expected ${2 * axes.length}`);
  }
  const value = fill ? fill.values[0] : o.number("value", 0);
  const padded = (x: Traced, order: readonly number[]) =>
    axes.reduce((x, axis, n) => {
      const before = pads[n];
      const after = pads[n + axes.length];
      if (before === 0 && after === 0) return x;
      const params = {
        axis: order[o.trace.itemAxis(axis)],
        before,
        after,
        mode,
        ...(mode === "constant" && value ? { value } : {}),
      };
      return o.trace.add("pad", params, [x]);
    }, x);
  return [o.trace.beneath(o.computed(0), padded)];
};

const reshape: Rule = (o) => {
  const wanted = Array.from(o.needed(1, "the shape").values as ArrayLike<number>);
  return [renamed(o, wantedShape(o.shape(0), wanted, o.number("allowzero", 0) !== 0))];
};

const slice: Rule = (o) => [
  sliced(o).reduce((x, { axis, start, count, step }) => {
    if (count === 0) throw new UserError(`it keeps nothing of axis ${axis} of [${o.shape(0)}]`);
    return run(o.trace, x, o.trace.itemAxis(axis), start, count, step);
  }, o.computed(0)),
];

const split: Rule = (o) => {
  const x = o.computed(0);
  const shape = o.shape(0);
  const axis = o.axis(o.number("axis", 0), shape.length);
  const { outputs } = o.node;
  const each = Math.ceil(shape[axis] / outputs.length);
  const sizes = o.integers("split", 1, "the sizes") ?? outputs.map((_, n) => Math.min(each, shape[axis] - n * each));
  if (sizes.length !== outputs.length || sizes.reduce((a, b) => a + b, 0) !== shape[axis]) {
    throw new UserError(`its sizes [${sizes}] do not split ${shape[axis]} into ${outputs.length}`);
  }
  const own = o.trace.itemAxis(axis);
  let at = 0;
  return sizes.map((size) => run(o.trace, x, own, (at += size) - size, size));
};

const transpose: Rule = (o) => {
  const order = permutation(o);
  if (o.trace.batch !== undefined && order[0] !== 0) o.whole();
  return [o.trace.transpose(o.computed(0), o.trace.batch === undefined ? order : order.slice(1).map((d) => d - 1))];
};

/** Operators by their type. */
export const shapeRules: Record<string, Rule> = {
  Concat: concat,
  DepthToSpace: depthToSpace,
  Dropout: dropout,
  Flatten: (o) => [renamed(o, flattened(o))],
  Gather: gather,
  Identity: same,
  Pad: pad,
  Reshape: reshape,
  Slice: slice,
  SpaceToDepth: spaceToDepth,
  Split: split,
  Squeeze: (o) => [renamed(o, squeezed(o))],
  Tile: (o) => [
    tiled(o).reduce((x, { axis, positions }) => picked(o.trace, x, o.trace.itemAxis(axis), positions), o.computed(0)),
  ],
  Transpose: transpose,
  Unsqueeze: (o) => [renamed(o, squeezed(o))],
};
