/**
 * Receptive fields: which pixels of an input a unit sees. They follow from what each op says of the rows and columns that it reads
 * (`Op.reads`), one after another back to the input, so they are exact for any graph: branches, dilation, strides past a kernel,
 * transposed convolutions.
 */
import { chw, type Position, type Shape } from "../ops/op.ts";
import { reachOf } from "../ops/reach.ts";
import type { Graph, Layer, Value } from "./graph.ts";

/** Pixels from the first to the last. */
export interface Span {
  first: number;
  last: number;
}

/** The receptive fields of a layer's units along one axis: the one at p begins at offset + stride · p. */
export interface AxisField {
  /** Pixels, past the input's edges too; the input's own where a unit sees all of it. */
  size: number;
  /** Pixels from a unit's field to its neighbour's; 0 where there is one unit. */
  stride: number;
  /** Where the first unit's field begins; less than 0 where it begins in the padding. */
  offset: number;
}

/** The layers that make a value, each after those that read its output. */
function makersOf({ layers }: Graph, value: Value): Layer[] {
  const needed = new Set([value]), makers: Layer[] = [];
  for (const layer of layers.toReversed()) {
    if (!needed.has(layer.output)) continue;
    makers.push(layer);
    for (const input of layer.inputs) needed.add(input);
  }
  return makers;
}

const extentOf = (shape: Shape, axis: 0 | 1): number => chw(shape)[1 + axis];

/** What of a value's rows or columns is needed. */
interface Needed {
  places: Set<number>;
  /** All of them were, somewhere on the way. */
  whole: boolean;
}

/** The input's rows or columns that one of a value depends on; `clip` leaves out what only padding leads to. */
function needed(makers: readonly Layer[], value: Value, input: Value, { axis, at }: Position, clip: boolean): Needed {
  const found = new Map<Value, Needed>([[value, { places: new Set([at]), whole: false }]]);
  for (const { op, params, inputs, output } of makers) {
    const own = found.get(output);
    if (!own) continue;
    const shapes = inputs.map(({ shape }) => shape);
    for (const place of own.places) {
      reachOf(op, { axis, at: place }, shapes, output.shape, params).forEach((reach, n) => {
        const extent = extentOf(shapes[n], axis), before = found.get(inputs[n]) ?? { places: new Set(), whole: false };
        const places = reach === "all" ? Array.from({ length: extent }, (_, place) => place) : reach;
        for (const place of places) if (!clip || place >= 0 && place < extent) before.places.add(place);
        before.whole ||= own.whole || reach === "all";
        found.set(inputs[n], before);
      });
    }
  }
  return found.get(input) ?? { places: new Set(), whole: false };
}

const spanOf = ({ places }: Needed): Span | undefined => {
  if (places.size === 0) return undefined;
  let first = Infinity, last = -Infinity;
  for (const place of places) {
    first = Math.min(first, place);
    last = Math.max(last, place);
  }
  return { first, last };
};

/** The rows (axis 0) and columns (axis 1) of an input that a unit at a position sees; undefined where it sees none. */
export function fieldAt(
  graph: Graph,
  value: Value,
  input: Value,
  [x, y]: readonly [number, number],
): readonly [Span, Span] | undefined {
  const makers = makersOf(graph, value);
  const [rows, columns] = ([[0, y], [1, x]] as const).map(([axis, at]) =>
    spanOf(needed(makers, value, input, { axis, at }, true))
  );
  return rows && columns && [rows, columns];
}

/** The receptive fields of a value's units, along rows and along columns; undefined where they do not see the input. */
export function fieldsOf(graph: Graph, value: Value, input: Value): readonly [AxisField, AxisField] | undefined {
  const makers = makersOf(graph, value);
  const [rows, columns] = ([0, 1] as const).map((axis): AxisField | undefined => {
    const count = extentOf(value.shape, axis),
      at = (place: number) => needed(makers, value, input, { axis, at: place }, false);
    const middle = at(Math.floor(count / 2)), span = spanOf(middle);
    if (!span) return undefined;
    if (middle.whole) return { size: extentOf(input.shape, axis), stride: 0, offset: 0 };
    const first = spanOf(at(0)), last = spanOf(at(count - 1));
    if (!first || !last) return undefined;
    return {
      size: span.last - span.first + 1,
      stride: count > 1 ? (last.first - first.first) / (count - 1) : 0,
      offset: first.first,
    };
  });
  return rows && columns && [rows, columns];
}
