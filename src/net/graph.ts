/**
 * A network as a graph: layers in order and the values between them, every shape inferred and checked.
 *
 * Blobs that layers write in place become separate values here. A blob's name means its last value; a layer's name,
 * where no blob has it, that layer's own output.
 */
import { UserError } from "../formats/user_error.ts";
import { Fields } from "../ops/fields.ts";
import type { HostTensor, Op, Shape } from "../ops/op.ts";
import { ops } from "../ops/table.ts";
import { checkLayer } from "./limits.ts";
import type { Network } from "./network.ts";
import { hostTensor, type WeightsFile } from "./weights.ts";

/** What a layer makes or a network is given. */
export interface Value {
  /** Unique within its graph. */
  readonly name: string;
  /** Of an item, without the batch. */
  readonly shape: Shape;
}

/** One layer with its op and checked parameters. */
export interface Layer {
  readonly name: string;
  readonly op: Op;
  readonly params: unknown;
  readonly inputs: readonly Value[];
  readonly output: Value;
  readonly weightShapes: Readonly<Record<string, readonly number[]>>;
  /** A weight by the name after `LAYER.`. @throws UserError when the weights file does not fit. */
  weight(name: string): HostTensor;
}

/** All weights of a layer, by the name after `LAYER.`. */
export const hostWeights = ({ weightShapes, weight }: Layer): Record<string, HostTensor> =>
  Object.fromEntries(Object.keys(weightShapes).map((name) => [name, weight(name)]));

/** Layers in an order in which they can run. */
export interface Graph {
  readonly inputs: readonly Value[];
  readonly layers: readonly Layer[];
  readonly output: Value;
  /** The value of a blob or layer. @throws UserError when nothing has that name. */
  find(name: string): Value;
  /** How a blob came to its last value; undefined where no blob has that name. */
  historyOf(blob: string): History | undefined;
}

/** A blob's last value: who made the blob (nobody, where it is an input), and who then wrote it in place. */
export interface History {
  readonly made?: Layer;
  readonly inPlace: readonly Layer[];
}

/** @throws UserError with the place before the message, where `run` throws one. */
function within<T>(place: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw error instanceof UserError ? new UserError(`${place}: ${error.message}`) : error;
  }
}

/** One layer made by a program, not read from a file. */
export function makeLayer(
  name: string,
  type: string,
  params: Record<string, unknown>,
  inputs: readonly Value[],
  weight: (name: string, shape: readonly number[]) => HostTensor,
): Layer {
  const op = Object.hasOwn(ops, type) ? ops[type] : undefined;
  if (!op) throw new UserError(`type "${type}" is unknown, expected one of ${Object.keys(ops).join(", ")}`);
  if (op.inputs !== undefined && op.inputs !== inputs.length) {
    throw new UserError(`${type} takes ${op.inputs} ${op.inputs === 1 ? "input" : "inputs"}, got ${inputs.length}`);
  }
  const fields = new Fields(params);
  const parsed = op.parse(fields);
  fields.done();
  const shapes = inputs.map((input) => input.shape);
  const output = { name, shape: op.outputShape(shapes, parsed) };
  checkLayer(op, parsed, shapes, output.shape);
  const weightShapes = op.weightShapes?.(shapes, parsed) ?? {};
  return { name, op, params: parsed, inputs, output, weightShapes, weight: (key) => weight(key, weightShapes[key]) };
}

/**
 * The graph of a model.
 * @param given Values to run on in place of inputs, by their names, to append one network to another.
 * @throws UserError naming file and layer.
 */
export function buildGraph(model: WeightsFile & { network: Network }, given?: ReadonlyMap<string, Value>): Graph {
  const { network, where } = model;
  const blobs = new Map<string, Value>();
  const byLayer = new Map<string, Value>();
  const histories = new Map<string, { made?: Layer; inPlace: Layer[] }>();
  const inputs = network.inputs.map((input) => given?.get(input.name) ?? input);
  network.inputs.forEach(({ name, shape }, index) => {
    if (inputs[index].shape.join() !== shape.join()) {
      throw new UserError(`${where}: input "${name}" has shape [${shape}], got [${inputs[index].shape}]`);
    }
    if (blobs.has(name)) throw new UserError(`${where}: two inputs are named "${name}"`);
    blobs.set(name, inputs[index]);
    histories.set(name, { inPlace: [] });
  });
  const layers = network.layers.map((spec) =>
    within(`${where}: layer "${spec.name}"`, () => {
      if (byLayer.has(spec.name)) throw new UserError("the name is taken by an earlier layer");
      const sources = spec.inputs.map((name) => {
        const value = blobs.get(name);
        if (!value) throw new UserError(`input "${name}" is not made by any layer before it`);
        return value;
      });
      const layer = makeLayer(spec.name, spec.type, spec.params, sources, (key, shape) =>
        hostTensor(model, `${spec.name}.${key}`, shape));
      byLayer.set(spec.name, layer.output);
      const isInPlace = sources.length > 0 && sources[0] === blobs.get(spec.output);
      if (isInPlace) {
        histories.get(spec.output)!.inPlace.push(layer);
      } else histories.set(spec.output, { made: layer, inPlace: [] });
      blobs.set(spec.output, layer.output);
      return layer;
    })
  );
  return {
    inputs,
    layers,
    output: layers[layers.length - 1].output,
    find(name) {
      const value = blobs.get(name) ?? byLayer.get(name);
      if (!value) {
        throw new UserError(`${where}: no layer "${name}"; the layers are ${[...blobs.keys()].join(", ")}`);
      }
      return value;
    },
    historyOf: (blob) => histories.get(blob),
  };
}

/** The end of a classifier: its logits, and the softmax or logsoftmax that is taken of them, where there is one. */
export interface Ending {
  logits: Value;
  softmax?: Layer;
}

/**
 * Finds the softmax that a network ends in, with reshapes around it or without. Logits that no name finds, as a softmax in
 * place of its blob may leave them, are given up for the output.
 */
export function endingOf({ layers, output, find }: Graph): Ending {
  const makerOf = new Map(layers.map((layer) => [layer.output, layer]));
  let softmax: Layer | undefined;
  for (let value = output;;) {
    if (softmax && value.shape.join() === output.shape.join()) {
      return { softmax, logits: find(value.name) === value ? value : output };
    }
    const layer = makerOf.get(value);
    const isSoftmax = layer?.op.normalises !== undefined;
    const passes = isSoftmax ? !softmax : layer?.op.keepsValues;
    if (!layer || !passes) return { softmax, logits: output };
    if (isSoftmax) softmax = layer;
    value = layer.inputs[0];
  }
}

/** The layers that these values need, in order. */
export function neededLayers({ layers }: Graph, wanted: readonly Value[]): Layer[] {
  const needed = new Set<Value>(wanted);
  for (const layer of [...layers].reverse()) {
    if (needed.has(layer.output)) { for (const input of layer.inputs) needed.add(input); }
  }
  return layers.filter((layer) => needed.has(layer.output));
}

/** The inputs that mark where sequences go on, whatever shape they come in. */
export function markersOf({ inputs, layers }: Graph): Value[] {
  const from = new Map<Value, Value>();
  for (const { op, inputs: [x], output } of layers) if (op.keepsValues) from.set(output, from.get(x) ?? x);
  const marks = layers.flatMap(({ op, params, inputs }) => op.isSequence?.(params) ? op.marker?.(inputs) ?? [] : []);
  const origins = new Set(marks.map((mark) => from.get(mark) ?? mark));
  return inputs.filter((input) => origins.has(input));
}

/** The layer, of those that these values need, to which a batch is one sequence in time: its items must run together. */
export function sequenceLayer(graph: Graph, wanted: readonly Value[]): Layer | undefined {
  return neededLayers(graph, wanted).find(({ op, params }) => op.isSequence?.(params));
}
