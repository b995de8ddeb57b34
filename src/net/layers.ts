/** The layers and blobs of a network, as a search names them, and what their units see. */
import { unitMap } from "../ops/op.ts";
import { typeOf } from "../ops/table.ts";
import { type AxisField, fieldsOf } from "./field.ts";
import { buildGraph, type Graph, type Value } from "./graph.ts";
import type { Model } from "./model.ts";
import { LAST, valueOf } from "./naming.ts";

/** A layer, or an input, with its units. */
export interface LayerInfo {
  /** Its name in network.json. */
  name: string;
  /** Its type; "input" of an input. */
  type: string;
  /** The blob that it writes. */
  blob: string;
  /** Of an item, without the batch. */
  shape: readonly number[];
  /** Channels, or values of a vector. */
  units: number;
  /** What a search calls its output, such as `conv5` or `conv5+relu`; undefined where nothing does. */
  target?: string;
  /** What a unit there sees of the first input: rows, columns. Undefined where that is nothing. */
  field?: { size: [number, number]; stride: [number, number]; offset: [number, number] };
}

/** Every input and layer of a model, in order. @throws UserError */
export function layersOf(model: Model): LayerInfo[] {
  const graph = buildGraph(model);
  const [input] = graph.inputs;
  const { network } = model;
  const fields = fieldsOf(graph, input);
  const info = (name: string, type: string, blob: string, value: Value): LayerInfo => ({
    name,
    type,
    blob,
    shape: value.shape,
    units: unitMap(value.shape)[0],
    target: [name, blob, `${blob}+${type}`, `${blob}+${LAST}`].find((target) => means(graph, target, value)),
    field: both(fields(value)),
  });
  return [
    ...graph.inputs.map((value) => info(value.name, "input", value.name, value)),
    ...graph.layers.map(({ name, op, output }, n) => info(name, typeOf(op), network.layers[n].output, output)),
  ];
}

/** Whether a search means a value by a name. */
function means(graph: Graph, name: string, value: Value): boolean {
  try {
    return valueOf(graph, name) === value;
  } catch {
    return false;
  }
}

function both(fields: readonly [AxisField, AxisField] | undefined): LayerInfo["field"] {
  if (!fields) return undefined;
  const [rows, columns] = fields;
  return {
    size: [rows.size, columns.size],
    stride: [rows.stride, columns.stride],
    offset: [rows.offset, columns.offset],
  };
}
