/** The rules for the layers that move values or give them another shape. Caffe's shapes begin with the batch, ours do not. */
import { valueCount } from "../../../src/formats/shape.ts";
import { UserError } from "../../../src/formats/user_error.ts";
import { picked } from "../onnx/positions.ts";
import type { Traced } from "../onnx/trace.ts";
import { type Conversion, type Rule, unless } from "./rule.ts";

/** Flatten of the axes from one to another. */
const flatten: Rule = {
  settings: "flatten_param",
  whole: true,
  convert(layer) {
    const from = layer.axis();
    const to = layer.axis("end_axis", -1);
    if (from > to) throw new UserError(`it flattens the axes ${from} to ${to}, expected an end that is not before`);
    const { xs: [x], d } = layer.anyDimension(from);
    const run = x.item.slice(d, d + to - from + 1);
    const item = x.item.toSpliced(d, run.length, valueCount(run));
    return item.length === 1 ? layer.add("flatten", {}, [x]) : layer.trace.reshape(x, item);
  },
};

/**
 * Reshape that leaves the items of a batch apart, or makes of a batch time × streams: [16, 10, 4096] of 160 items of
 * [4096] are the same 160 items, of which ten streams take turns; each item is then [1, 4096].
 */
const reshape: Rule = {
  settings: "reshape_param",
  streams: true,
  convert(layer) {
    const { s, x: { item: input } } = layer;
    const message = s.message("shape");
    const wanted = message.integers("dim", -1);
    message.done("a shape");
    const rank = input.length + 1;
    const axis = s.integer("axis", -rank - 1) ?? 0;
    const count = s.integer("num_axes", -1) ?? -1;
    const start = axis < 0 ? axis + rank + 1 : axis;
    const end = count === -1 ? rank : start + count;
    if (start > rank || end > rank) throw new UserError(`axes ${start} to ${end} of a blob that has ${rank}`);
    const batch = "batch";
    const before: (number | "batch")[] = [batch, ...input];
    const after = [
      ...before.slice(0, start),
      ...wanted.map((n, i) => n === 0 ? before[start + i] ?? 0 : n),
      ...before.slice(end),
    ];
    const [first, ...shape] = after;
    const whole = valueCount(input);
    const holds = shape.reduce<number>((product, n) => product * Number(n), 1);
    if (first === batch && !shape.includes(batch)) return layer.add("reshape", { shape });
    // A literal or inferred first number stands for the batch as well: the rest must then hold one whole item,
    if (holds === whole) {
      layer.streams = 1;
      return layer.add("reshape", { shape });
    }
    // or an item of each stream.
    const [taking, ...own] = shape.map(Number);
    if (first !== batch && taking > 1 && holds === taking * whole) {
      layer.streams = taking;
      return layer.add("reshape", { shape: [1, ...own] });
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
const crop: Rule = {
  settings: "crop_param",
  bottoms: [2, 2],
  convert(layer) {
    const axis = layer.s.integer("axis", -4) ?? 2;
    const offsets = layer.s.integers("offset", 0);
    const start = axis < 0 ? axis + 4 : axis;
    const [from, to] = layer.xs.map(({ item }) => item);
    if (from.length !== 3 || to.length !== 3) throw new UserError("it needs two bottoms of [channels, height, width]");
    if (offsets.length > 1 && offsets.length !== 4 - start) {
      throw new UserError(`${offsets.length} offsets for ${4 - start} axes`);
    }
    const at = (dimension: number) => dimension < start ? 0 : offsets[dimension - start] ?? offsets[0] ?? 0;
    const size = (dimension: number) => dimension < start ? from[dimension - 1] : to[dimension - 1];
    if (start < 1 || start > 3 || size(1) !== from[0] || at(1) !== 0) {
      throw new UserError("cropping the batch or the channels is not supported; only height and width");
    }
    return layer.add("crop", { size: [size(2), size(3)], offset: [at(2), at(3)] }, [layer.x]);
  },
};

/** Permute: the axes in their new order; those that are not named follow in the old one. */
const permute: Rule = {
  settings: "permute_param",
  convert(layer) {
    const first = layer.s.integers("order", 0);
    const axes = [0, ...layer.x.item.map((_, d) => d + 1)];
    const order = [...first, ...axes.filter((axis) => !first.includes(axis))];
    if (order[0] !== 0) {
      throw new UserError(`its order is [${first}]; only one that leaves the batch first is supported`);
    }
    return layer.add("transpose", { order: order.slice(1).map((axis) => axis - 1) });
  },
};

/** Split: every top is its bottom. */
const split: Rule = {
  streams: true,
  whole: true,
  convert: (layer) => layer.place.tops.map(() => layer.x),
};

/** Slice: each top is a run along one axis, ended by the slice points, or all of one length. */
const slice: Rule = {
  settings: "slice_param",
  whole: true,
  convert(layer) {
    const { s, x: { item }, place: { tops: { length: tops } } } = layer;
    const axis = layer.axis(oneOf(layer, "axis", "slice_dim"));
    const d = layer.dimension(axis);
    const length = item[d];
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
      const from = ends[n];
      const count = end - from;
      if (count < 1) {
        throw new UserError(`its slice points [${points.slice(0, 8)}] do not rise from 1 to ${length - 1}`);
      }
      return layer.add("slice", { axis: unless(d, 0), from: unless(from, 0), count });
    });
  },
};

/** The name of a parameter that has an older one. @throws UserError where both are given. */
function oneOf({ s }: Conversion, name: string, older: string): string {
  if (s.count(name) && s.count(older)) throw new UserError(`"${name}" and "${older}" are both given`);
  return s.count(older) ? older : name;
}

/** Concat: the bottoms one after the other along an axis. */
const concat: Rule = {
  settings: "concat_param",
  bottoms: [1, Infinity],
  whole: true,
  convert(layer) {
    const { xs, d } = layer.anyDimension(layer.axis(oneOf(layer, "axis", "concat_dim")));
    const others = xs.map(({ item }) => item.map((n, own) => own === d ? 1 : n));
    if (others.some((shape) => shape.join() !== others[0].join())) {
      const shapes = xs.map(({ item }) => `[${item}]`).join(" and ");
      throw new UserError(`its bottoms have items of ${shapes}, which differ in more than the axis that joins them`);
    }
    return layer.trace.alongFirst(xs, d, (xs) => layer.add("concat", {}, xs));
  },
};

/** The longest that repetition may make an axis: network.json lists its positions. */
const mostPositions = 2 ** 18;

/** A dimension `times` as long, whose position n shows what was at `source(n)`. */
export function repeated(
  { trace }: Conversion,
  x: Traced,
  d: number,
  times: number,
  source: (n: number) => number,
): Traced {
  const length = times * x.item[d];
  if (length > mostPositions) throw new UserError(`it makes an axis of ${length}, expected at most ${mostPositions}`);
  return picked(trace, x, d, Array.from({ length }, (_, n) => source(n)));
}

/** Tile: all that there is along an axis, over and over. */
const tile: Rule = {
  settings: "tile_param",
  whole: true,
  convert(layer) {
    const tiles = layer.s.integer("tiles", 1);
    if (tiles === undefined) throw new UserError('"tiles" is missing');
    const { xs: [x], d } = layer.anyDimension();
    return repeated(layer, x, d, tiles, (n) => n % x.item[d]);
  },
};

/** ShuffleChannel: the channels in `group` rows, read by columns. */
const shuffleChannel: Rule = {
  settings: "shuffle_channel_param",
  convert(layer) {
    const groups = layer.s.integer("group", 1) ?? 1;
    const [channels, ...rest] = layer.x.item;
    if (channels % groups !== 0) {
      throw new UserError(`"group" is ${groups}, which does not divide ${channels} channels`);
    }
    const rows = layer.trace.reshape(layer.x, [groups, channels / groups, valueCount(rest)]);
    return layer.trace.reshape(layer.trace.transpose(rows, [1, 0, 2]), layer.x.item);
  },
};

/** Layers by their type. */
export const shapeRules: Readonly<Record<string, Rule>> = {
  Concat: concat,
  Crop: crop,
  Flatten: flatten,
  Permute: permute,
  Reshape: reshape,
  ShuffleChannel: shuffleChannel,
  Slice: slice,
  Split: split,
  Tile: tile,
};
