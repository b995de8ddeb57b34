/**
 * Receptive fields: which pixels of an input a unit sees. They follow from what each op says of the rows and columns that it reads
 * (`Op.reads`), one after another back to the input, so they are exact for any graph: branches, dilation, strides past a kernel,
 * transposed convolutions.
 */
import { chw, type Reach, type Shape } from "../ops/op.ts";
import { reachOf } from "../ops/reach.ts";
import type { Graph, Layer, Value } from "./graph.ts";

/** Pixels from the first to the last. */
export interface Span {
  first: number;
  last: number;
}

/**
 * The receptive fields of a layer's units along one axis: the one at p begins at offset + stride · p. Where they differ, as above a
 * transposed convolution with a stride, that is the middle one's size and the mean step; `fieldAt` is exact for each.
 */
export interface AxisField {
  /** Pixels, past the input's edges too; the input's own where a unit sees all of it. */
  size: number;
  /** Pixels from a unit's field to its neighbour's; 0 where there is one unit. */
  stride: number;
  /** Where the first unit's field begins; less than 0 where it begins in the padding. */
  offset: number;
}

/** What a row or column of a value sees: the first and last of the input's, and whether it saw all of a map on the way. */
interface Seen extends Span {
  whole: boolean;
}

const extentOf = (shape: Shape, axis: 0 | 1): number => chw(shape)[1 + axis];

/**
 * What rows or columns of values see of an input's; none where there is no way to it. First it is found, from the last layer to the
 * first, which rows or columns of every value are needed for those asked for, then from the first to the last what each sees: the
 * extremes of what those see that it is made of. `clip` leaves out what only padding leads to.
 */
function seenBy(
  { layers }: Graph,
  input: Value,
  axis: 0 | 1,
  asked: ReadonlyMap<Value, readonly number[]>,
  clip: boolean,
): (value: Value, place: number) => Seen | undefined {
  const needed = new Map([...asked].map(([value, places]) => [value, new Set(places)]));
  const need = (value: Value, places: Iterable<number>) => {
    const own = needed.get(value) ?? new Set<number>();
    const extent = extentOf(value.shape, axis);
    for (const place of places) if (!clip || place >= 0 && place < extent) own.add(place);
    needed.set(value, own);
  };
  const reaches = new Map<Layer, Map<number, readonly Reach[]>>();
  for (const layer of layers.toReversed()) {
    const { op, params, inputs, output } = layer;
    const shapes = inputs.map(({ shape }) => shape);
    const own = new Map<number, readonly Reach[]>();
    for (const at of needed.get(output) ?? []) {
      const reach = reachOf(op, { axis, at }, shapes, output.shape, params);
      own.set(at, reach);
      reach.forEach((places, n) => need(inputs[n], places === "all" ? all(extentOf(shapes[n], axis)) : places));
    }
    reaches.set(layer, own);
  }
  const seen = new Map<Value, Map<number, Seen>>();
  seen.set(input, new Map([...needed.get(input) ?? []].map((at) => [at, { first: at, last: at, whole: false }])));
  for (const layer of layers) {
    const { inputs, output } = layer;
    const own = new Map<number, Seen>();
    for (const [at, reach] of reaches.get(layer)!) {
      let span: Seen | undefined;
      reach.forEach((places, n) => {
        const from = seen.get(inputs[n]);
        if (!from) return;
        for (const place of places === "all" ? all(extentOf(inputs[n].shape, axis)) : places) {
          const one = from.get(place);
          if (!one) continue;
          span = {
            first: Math.min(span?.first ?? Infinity, one.first),
            last: Math.max(span?.last ?? -Infinity, one.last),
            whole: span?.whole || one.whole || places === "all",
          };
        }
      });
      if (span) own.set(at, span);
    }
    if (output !== input) seen.set(output, own);
  }
  return (value, place) => seen.get(value)?.get(place);
}

const all = (extent: number): number[] => Array.from({ length: extent }, (_, place) => place);

/** The rows (axis 0) and columns (axis 1) of an input that a unit at a position sees; undefined where it sees none. */
export function fieldAt(
  graph: Graph,
  value: Value,
  input: Value,
  [x, y]: readonly [number, number],
): readonly [Span, Span] | undefined {
  const [rows, columns] = ([[0, y], [1, x]] as const).map(([axis, at]): Span | undefined => {
    const span = seenBy(graph, input, axis, new Map([[value, [at]]]), true)(value, at);
    return span && { first: span.first, last: span.last };
  });
  return rows && columns && [rows, columns];
}

/** The receptive fields of every value's units, along rows and along columns; undefined where they do not see the input. */
export function fieldsOf(graph: Graph, input: Value): (value: Value) => readonly [AxisField, AxisField] | undefined {
  const values = [input, ...graph.layers.map(({ output }) => output)];
  const along = ([0, 1] as const).map((axis) => {
    const last = (value: Value) => extentOf(value.shape, axis) - 1;
    const middle = (value: Value) => Math.floor((last(value) + 1) / 2);
    const asked = new Map(values.map((value) => [value, [0, middle(value), last(value)]]));
    const seen = seenBy(graph, input, axis, asked, false);
    return (value: Value): AxisField | undefined => {
      const [start, span, end] = [0, middle(value), last(value)].map((place) => seen(value, place));
      if (!start || !span || !end) return undefined;
      if (span.whole) return { size: extentOf(input.shape, axis), stride: 0, offset: 0 };
      const stride = last(value) > 0 ? (end.first - start.first) / last(value) : 0;
      return { size: span.last - span.first + 1, stride, offset: start.first };
    };
  });
  return (value) => {
    const [rows, columns] = along.map((field) => field(value));
    return rows && columns && [rows, columns];
  };
}
