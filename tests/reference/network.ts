/**
 * A whole network.json in float64, forward and in reverse mode.
 *
 * Every layer's output is a value of its own, numbered: the inputs first, then one value per layer. A blob's name is
 * a pointer to the value that was written to it last, so a layer that writes the blob it reads needs no special case.
 */
import { batchnorm } from "./batchnorm.ts";
import { bias } from "./bias.ts";
import { clip } from "./clip.ts";
import { concat } from "./concat.ts";
import { conv2d } from "./conv2d.ts";
import { deconv2d } from "./deconv2d.ts";
import { eltwise } from "./eltwise.ts";
import { elu } from "./elu.ts";
import { erf } from "./erf.ts";
import { fc } from "./fc.ts";
import { exp, log, sqrt } from "./functions.ts";
import { binary, constant, matmul, mean, pad, transpose } from "./items.ts";
import { lrn } from "./lrn.ts";
import { lstm } from "./lstm.ts";
import type { Gradients, Op, Weights } from "./op.ts";
import { avgpool, maxpool } from "./pool.ts";
import { power } from "./power.ts";
import { prelu } from "./prelu.ts";
import { relu } from "./relu.ts";
import { resample } from "./resample.ts";
import { resize } from "./resize.ts";
import { round } from "./round.ts";
import { scale } from "./scale.ts";
import { crop, dropout, flatten, reshape } from "./shape_ops.ts";
import { sigmoid } from "./sigmoid.ts";
import { slice } from "./slice.ts";
import { logsoftmax, softmax } from "./softmax.ts";
import { tanh } from "./tanh.ts";
import { map, type Tensor, tensor } from "./tensor.ts";
import { warp } from "./warp.ts";

/** A layer of network.json: these fields and the parameters of its type. */
export interface Layer {
  name: string;
  type: string;
  input?: string;
  inputs?: string[];
  output?: string;
  [parameter: string]: unknown;
}

/** What the reference needs of a network.json. Shapes leave the batch out. */
export interface Network {
  name: string;
  inputs: { name: string; shape: number[] }[];
  layers: Layer[];
}

const ops = {
  avgpool,
  batchnorm,
  bias,
  binary,
  clip,
  concat,
  constant,
  conv2d,
  crop,
  deconv2d,
  dropout,
  eltwise,
  elu,
  erf,
  exp,
  fc,
  flatten,
  log,
  logsoftmax,
  lrn,
  lstm,
  matmul,
  maxpool,
  mean,
  pad,
  power,
  prelu,
  relu,
  resample,
  reshape,
  resize,
  round,
  scale,
  sigmoid,
  slice,
  softmax,
  sqrt,
  tanh,
  transpose,
  warp,
};

/** The reference of a layer type, which takes its parameters from a layer. Throws on a type that has none. */
export function referenceOp(type: string): Op<Layer> {
  if (!Object.hasOwn(ops, type)) throw new Error(`reference: no layer type "${type}"`);
  return ops[type as keyof typeof ops] as unknown as Op<Layer>;
}

/** The names of what a layer reads: none of a constant. */
export const inputsOf = ({ input, inputs }: Layer): string[] => inputs ?? (input === undefined ? [] : [input]);

/** The weights of one layer out of a whole network's, under their short names. */
export function layerWeights(layer: Layer, weights: Map<string, Tensor>): Weights {
  const own = [...weights].filter(([name]) => name.startsWith(`${layer.name}.`));
  return Object.fromEntries(own.map(([name, value]) => [name.slice(layer.name.length + 1), value]));
}

/**
 * The values of all blobs and layers by name, the inputs included: a blob's is the one written last; a layer's name,
 * where no blob has it, gives that layer's own output. Weights are named as in weights.safetensors; input shapes
 * include the batch.
 */
export function runNetwork(
  network: Network,
  weights: Map<string, Tensor>,
  inputs: Map<string, Tensor>,
): Map<string, Tensor> {
  const { values, names } = record(network, weights, inputs);
  return new Map([...names].map(([name, value]) => [name, values[value]]));
}

/** The gradient to each input of Σ dy · y, where y is the value that `layer` names in `runNetwork`. */
export function gradient(
  network: Network,
  weights: Map<string, Tensor>,
  inputs: Map<string, Tensor>,
  layer: string,
  dy: Tensor,
): Map<string, Tensor> {
  return tapeGradients(record(network, weights, inputs), layer, dy).inputs;
}

/** The value y that `layer` names in `runNetwork`, and the gradients of Σ dy · y, from a single run. */
export function valueAndGradients(
  network: Network,
  weights: Map<string, Tensor>,
  inputs: Map<string, Tensor>,
  layer: string,
  slopes: (y: Tensor) => Tensor,
): NetworkGradients & { y: Tensor; dy: Tensor } {
  const tape = record(network, weights, inputs);
  const y = valueIn(tape, layer);
  const dy = slopes(y);
  return { y, dy, ...tapeGradients(tape, layer, dy) };
}

/** A forward run with all that its gradients need. */
export interface Tape {
  network: Network;
  weights: Map<string, Tensor>;
  /** Every value: the inputs, then each layer's output. */
  values: Tensor[];
  /** The numbers of the values that each layer reads. */
  reads: number[][];
  /** The number of the value that each name means at the end. */
  names: Map<string, number>;
}

/** Gradients by name: to the inputs, and to the weights of every conv2d, deconv2d and fc that the value depends on. */
export interface NetworkGradients {
  inputs: Map<string, Tensor>;
  weights: () => Map<string, Tensor>;
}

/** The gradients of Σ dy · y, where y is the value that `layer` names. */
export function tapeGradients(tape: Tape, layer: string, dy: Tensor): NetworkGradients {
  const { network, weights, values, reads } = tape;
  const target = numberIn(tape, layer);
  const slopes = new Map<number, Tensor>([[target, dy]]);
  const ofLayers: [name: string, gradients: Gradients][] = [];
  for (let i = target - network.inputs.length; i >= 0; i--) {
    const own = network.inputs.length + i;
    const slope = slopes.get(own);
    if (slope === undefined) continue;
    const current = network.layers[i];
    const read = reads[i].map((value) => values[value]);
    const result: Gradients = referenceOp(current.type)
      .backward(read, values[own], slope, current, layerWeights(current, weights));
    result.inputs.forEach((part, j) => {
      const sum = slopes.get(reads[i][j]);
      slopes.set(reads[i][j], sum ? map(sum, (value, at) => value + part.data[at]) : part);
    });
    ofLayers.push([current.name, result]);
  }
  const inputGradients = network.inputs.map(({ name }, i): [string, Tensor] => {
    return [name, slopes.get(i) ?? tensor(values[i].shape)];
  });
  const ofWeights = ([layer, { weights }]: [string, Gradients]) =>
    Object.entries(weights).map(([name, value]) => [`${layer}.${name}`, value] as const);
  return { inputs: new Map(inputGradients), weights: () => new Map(ofLayers.flatMap(ofWeights)) };
}

function numberIn({ network, names }: Tape, layer: string): number {
  const number = names.get(layer);
  if (number === undefined) throw new Error(`reference: "${network.name}" has no blob or layer "${layer}"`);
  return number;
}

/** The value that a name means at the end of a run. */
export const valueIn = (tape: Tape, layer: string): Tensor => tape.values[numberIn(tape, layer)];

/** Runs the network forward. */
export function record(network: Network, weights: Map<string, Tensor>, inputs: Map<string, Tensor>): Tape {
  const values: Tensor[] = [];
  const blobs = new Map<string, number>();
  const reads: number[][] = [];
  for (const { name } of network.inputs) {
    const value = inputs.get(name);
    if (value === undefined) throw new Error(`reference: no value for the input "${name}"`);
    blobs.set(name, values.push(value) - 1);
  }
  for (const layer of network.layers) {
    const read = inputsOf(layer).map((name) => {
      const value = blobs.get(name);
      if (value === undefined) throw new Error(`reference: "${layer.name}" reads "${name}", which nothing wrote`);
      return value;
    });
    reads.push(read);
    const op = referenceOp(layer.type);
    const own = op.forward(read.map((value) => values[value]), layer, layerWeights(layer, weights));
    const y = read.length > 0 ? own : repeated(own, values[0].shape[0]); // a constant is every item's
    blobs.set(layer.output ?? layer.name, values.push(y) - 1);
  }
  const layers = network.layers.map(({ name }, i): [string, number] => [name, network.inputs.length + i]);
  return { network, weights, values, reads, names: new Map([...layers, ...blobs]) };
}

/** One item, `n` times over. */
function repeated({ shape: [, ...item], data }: Tensor, n: number): Tensor {
  return tensor([n, ...item], Array.from({ length: n }, () => [...data]).flat());
}
