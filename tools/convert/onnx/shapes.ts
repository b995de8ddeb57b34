/** What operators say about shapes: the shapes they ask for, and the axes and positions they name. */
import { valueCount } from "../../../src/formats/shape.ts";
import { UserError } from "../../../src/formats/user_error.ts";
import type { Operator } from "./operator.ts";
import { checkDimensions } from "./tensor.ts";

/** The shape that Reshape asks for: 0 keeps a dimension, −1 takes what is left. */
export function wantedShape(shape: readonly number[], wanted: readonly number[], allowZero: boolean): number[] {
  checkDimensions(wanted.length);
  const kept = wanted.map((n, d) => n === 0 && !allowZero ? shape[d] : n);
  const known = kept.reduce((product, n) => n === -1 ? product : product * n, 1);
  const result = kept.map((n) => n === -1 ? valueCount(shape) / known : n);
  if (
    kept.filter((n) => n === -1).length > 1 || !result.every((n) => Number.isSafeInteger(n) && n >= 0) ||
    valueCount(result) !== valueCount(shape)
  ) {
    throw new UserError(`[${shape}] does not fit into [${wanted}]`);
  }
  return result;
}

/** A run of positions along an axis. */
export interface Run {
  axis: number;
  start: number;
  count: number;
  step: number;
}

/** Starts, ends, axes and steps of Slice as what is kept of each axis. */
export function sliced(o: Operator): Run[] {
  const shape = o.shape(0);
  const starts = o.integers("starts", 1, "the starts");
  const ends = o.integers("ends", 2, "the ends");
  const axes = o.integers("axes", 3, "the axes") ?? starts?.map((_, n) => n);
  const steps = o.integers("steps", 4, "the steps");
  if (!starts || !ends || !axes || [ends, axes, steps ?? starts].some(({ length }) => length !== starts.length)) {
    throw new UserError("its starts, ends, axes and steps do not belong together");
  }
  return axes.map((given, n) => {
    const axis = o.axis(given, shape.length);
    const length = shape[axis];
    const step = steps?.[n] ?? 1;
    if (step === 0) throw new UserError("one of its steps is 0");
    const clamp = (at: number, low: number, high: number) => Math.min(Math.max(at < 0 ? at + length : at, low), high);
    const start = step > 0 ? clamp(starts[n], 0, length) : clamp(starts[n], 0, length - 1);
    const end = step > 0 ? clamp(ends[n], 0, length) : clamp(ends[n], -1, length - 1);
    return { axis, start, count: Math.max(0, Math.ceil((end - start) / step)), step };
  });
}

/** Positions of an axis past which nobody repeats it. */
const MOST_REPEATED = 2 ** 22;

/** The positions along each axis that Tile shows again. */
export function tiled(o: Operator): { axis: number; positions: number[] }[] {
  const shape = o.shape(0);
  const repeats = o.integers("repeats", 1, "the repeats");
  if (repeats?.length !== shape.length || repeats.some((n, axis) => !(n > 0 && n * shape[axis] <= MOST_REPEATED))) {
    throw new UserError(`its repeats are [${repeats?.slice(0, 8) ?? ""}] for [${shape}]`);
  }
  return repeats.flatMap((n, axis) => {
    const length = shape[axis];
    return n === 1 ? [] : [{ axis, positions: Array.from({ length: n * length }, (_, at) => at % length) }];
  });
}

/** The axes of Squeeze, Unsqueeze and reductions, counted from the front of `rank` dimensions. */
export function axesOf(o: Operator, rank: number): number[] | undefined {
  return o.integers("axes", 1, "the axes")?.map((axis) => o.axis(axis, rank));
}

/** The shape after Squeeze or Unsqueeze. */
export function squeezed(o: Operator): number[] {
  const shape = o.shape(0);
  if (o.node.type === "Squeeze") {
    const axes = axesOf(o, shape.length) ?? shape.flatMap((n, d) => n === 1 ? [d] : []);
    if (axes.some((d) => shape[d] !== 1)) throw new UserError(`axes ${axes} of [${shape}] are not all 1`);
    return shape.filter((_, d) => !axes.includes(d));
  }
  const given = o.integers("axes", 1, "the axes") ?? [];
  const rank = shape.length + given.length;
  checkDimensions(rank);
  const axes = axesOf(o, rank) ?? [];
  const rest = [...shape];
  if (new Set(axes).size !== axes.length) throw new UserError(`axes ${axes} name one twice`);
  return Array.from({ length: rank }, (_, d) => axes.includes(d) ? 1 : rest.shift()!);
}

/** The shape after Flatten. */
export function flattened(o: Operator): number[] {
  const shape = o.shape(0);
  const given = o.number("axis", 1);
  const axis = given < 0 ? given + shape.length : given;
  return [valueCount(shape.slice(0, axis)), valueCount(shape.slice(axis))];
}

/** The order of Transpose. */
export function permutation(o: Operator): number[] {
  const rank = o.shape(0).length;
  const order = o.numbers("perm") ?? Array.from({ length: rank }, (_, d) => rank - 1 - d);
  if (order.length !== rank || order.some((d, n) => !(d >= 0 && d < rank) || order.indexOf(d) !== n)) {
    throw new UserError(`its perm is [${order.slice(0, 8)}], expected each dimension of [${o.shape(0)}] once`);
  }
  return order;
}
