/** The rules for the layers that move values or give them another shape. Caffe's shapes begin with the batch, ours do not. */
import { valueCount } from "../../../src/formats/shape.ts";
import { UserError } from "../../../src/formats/user_error.ts";
import { checkAxis, readItemAxis, type Rule, unless } from "./rule.ts";

/** Flatten of all axes but the batch. */
export const flatten: Rule = {
  settings: "flatten_param",
  convert(s, shapes) {
    checkAxis(s, shapes);
    const end = s.integer("end_axis", -Infinity) ?? -1;
    if (end !== -1 && end !== shapes[0].length) {
      throw new UserError(`it flattens up to axis ${end}; only all axes but the batch are supported`);
    }
    return { type: "flatten" };
  },
};

/**
 * Reshape that leaves the items of a batch apart, or makes of a batch time × streams: [16, 10, 4096] of 160 items of
 * [4096] are the same 160 items, of which ten streams take turns; each item is then [1, 4096].
 */
export const reshape: Rule = {
  settings: "reshape_param",
  streams: true,
  convert(s, [input], { streams }) {
    const message = s.message("shape"), wanted = message.integers("dim", -1), rank = input.length + 1;
    message.done("a shape");
    const axis = s.integer("axis", -rank - 1) ?? 0, count = s.integer("num_axes", -1) ?? -1;
    const start = axis < 0 ? axis + rank + 1 : axis, end = count === -1 ? rank : start + count;
    if (start > rank || end > rank) throw new UserError(`axes ${start} to ${end} of a blob that has ${rank}`);
    const batch = "batch", before: (number | "batch")[] = [batch, ...input];
    const after = [
      ...before.slice(0, start),
      ...wanted.map((n, i) => n === 0 ? before[start + i] ?? 0 : n),
      ...before.slice(end),
    ];
    const [first, ...shape] = after, whole = valueCount(input);
    const holds = shape.reduce<number>((product, n) => product * Number(n), 1);
    if (first === batch && !shape.includes(batch)) return { type: "reshape", params: { shape }, streams };
    // A literal or inferred first number stands for the batch as well: the rest must then hold one whole item,
    if (holds === whole) return { type: "reshape", params: { shape }, streams: 1 };
    // or an item of each stream.
    const [taking, ...item] = shape.map(Number);
    if (first !== batch && taking > 1 && holds === taking * whole) {
      return { type: "reshape", params: { shape: [1, ...item] }, streams: taking };
    }
    throw new UserError(
      `its shape [${
        wanted.slice(0, 8)
      }] mixes the items of a batch; the first axis must stay the batch, or the first ` +
        "two be time and streams of whole items",
    );
  },
};

/** Crop to the height and width of the second bottom. */
export const crop: Rule = {
  settings: "crop_param",
  convert(s, shapes) {
    const axis = s.integer("axis", -4) ?? 2, offsets = s.integers("offset", 0), start = axis < 0 ? axis + 4 : axis;
    const [from, to] = shapes;
    if (shapes.length !== 2 || from.length !== 3 || to.length !== 3) {
      throw new UserError("it needs two bottoms of [channels, height, width]");
    }
    if (offsets.length > 1 && offsets.length !== 4 - start) {
      throw new UserError(`${offsets.length} offsets for ${4 - start} axes`);
    }
    const at = (dimension: number) => dimension < start ? 0 : offsets[dimension - start] ?? offsets[0] ?? 0;
    const size = (dimension: number) => dimension < start ? from[dimension - 1] : to[dimension - 1];
    if (start < 1 || start > 3 || size(1) !== from[0] || at(1) !== 0) {
      throw new UserError("cropping the batch or the channels is not supported; only height and width");
    }
    return { type: "crop", params: { size: [size(2), size(3)], offset: [at(2), at(3)] }, reads: 1 };
  },
};

/** Permute: the axes in their new order; those that are not named follow in the old one. */
export const permute: Rule = {
  settings: "permute_param",
  convert(s, [shape]) {
    const first = s.integers("order", 0), axes = [0, ...shape.map((_, d) => d + 1)];
    const order = [...first, ...axes.filter((axis) => !first.includes(axis))];
    if (order[0] !== 0) {
      throw new UserError(`its order is [${first}]; only one that leaves the batch first is supported`);
    }
    return { type: "transpose", params: { order: order.slice(1).map((axis) => axis - 1) } };
  },
};

/** Split: every top is its bottom. */
export const split: Rule = {
  streams: true,
  convert: (_, __, { tops }) => Array.from({ length: tops }, () => ({ type: "dropout" })),
};

/** Slice: each top is a run along one axis, ended by the slice points, or all of one length. */
export const slice: Rule = {
  settings: "slice_param",
  convert(s, shapes, { tops }) {
    if (s.count("axis") && s.count("slice_dim")) throw new UserError('"axis" and "slice_dim" are both given');
    const axis = readItemAxis(s, shapes, 1, s.count("slice_dim") ? "slice_dim" : "axis"), length = shapes[0][axis - 1];
    const points = s.integers("slice_point", 1);
    if (points.length === 0 && length % tops !== 0) {
      throw new UserError(`axis ${axis} has ${length} values, which do not split into ${tops} tops`);
    }
    if (points.length > 0 && points.length !== tops - 1) {
      throw new UserError(`${points.length} slice points for ${tops} tops, expected ${tops - 1}`);
    }
    const inner = points.length > 0 ? points : Array.from({ length: tops - 1 }, (_, n) => (n + 1) * length / tops);
    const ends = [0, ...inner, length];
    return ends.slice(1).map((end, n) => {
      const from = ends[n], count = end - from;
      if (count < 1) {
        throw new UserError(`its slice points [${points.slice(0, 8)}] do not rise from 1 to ${length - 1}`);
      }
      return { type: "slice", params: { axis: unless(axis - 1, 0), from: unless(from, 0), count } };
    });
  },
};
