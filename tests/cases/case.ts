/**
 * One record per case: a layer, the shapes it reads and how near a float32 kernel must come to float64.
 *
 * The numbers themselves follow from the case's name, so every test and every machine sees the same ones.
 */
import { inputsOf, type Layer, type Network, referenceOp } from "../reference/network.ts";
import { normal, type Random, randomTensor, uniform } from "../reference/random.ts";
import { count, map, type Tensor, tensor } from "../reference/tensor.ts";

/** One layer over one set of shapes. */
export interface Case<P = Record<string, unknown>> {
  /** Unique within its op: it seeds the numbers. */
  name: string;
  type: string;
  /** The shape of every input, batch included. */
  inputs: number[][];
  /** The layer's parameters as in network.json. */
  params: P;
  /** The largest error allowed in output and gradients, relative to the largest magnitude of the float64 tensor. */
  tolerance: number;
  /** The spread of the inputs (1): their standard deviation. */
  spread?: number;
  /** Rounds the inputs to multiples of this, to make ties and exact zeros common. */
  step?: number;
}

/** A network with everything that it takes to run it. */
export interface NetworkCase {
  network: Network;
  weights: Map<string, Tensor>;
  inputs: Map<string, Tensor>;
  tolerance: number;
}

/** The type of every case of a table, filled in. */
export function casesOf<P>(type: string, rows: Omit<Case<P>, "type">[]): Case<P>[] {
  return rows.map((row) => ({ ...row, type }));
}

/** The case as a network of one layer, `layer`, with inputs `x0`, `x1` …, and its random weights and inputs. */
export function caseNetwork<P>({ name, type, inputs, params, tolerance, spread = 1, step }: Case<P>): NetworkCase {
  const network: Network = {
    name: `${type} ${name}`,
    inputs: inputs.map(([, ...shape], i) => ({ name: `x${i}`, shape })),
    layers: [{ name: "layer", type, ...from(inputs), ...params }],
  };
  const stream = normal(network.name);
  const next = () => spread * stream();
  const values = inputs.map((shape, i): [string, Tensor] => {
    const value = randomTensor(shape, next);
    return [`x${i}`, step ? map(value, (number) => Math.round(number / step) * step) : value];
  });
  return { network, weights: randomWeights(network), inputs: new Map(values), tolerance };
}

/** A gradient to feed backwards through a case or a network: random, of the output's shape. */
export function outputGradient(network: Network, y: Tensor): Tensor {
  return randomTensor(y.shape, normal(`${network.name} dy`));
}

/** Random weights for every layer of a network, of a size that keeps activations near one. */
export function randomWeights(network: Network): Map<string, Tensor> {
  const weights = new Map<string, Tensor>();
  // A batch of no items runs through the references at no cost, and tells every shape.
  const blobs = new Map(network.inputs.map(({ name, shape }) => [name, tensor([0, ...shape])]));
  for (const layer of network.layers) {
    const op = referenceOp(layer.type);
    const inputs = inputsOf(layer).map((name) => blobs.get(name)!);
    const shapes = op.weightShapes?.(inputs.map(({ shape }) => shape), layer) ?? {};
    const own = Object.entries(shapes).map(([part, shape]): [string, Tensor] => {
      return [part, randomTensor(shape, weightStream(part, shape, `${network.name} ${layer.name}.${part}`))];
    });
    for (const [part, value] of own) weights.set(`${layer.name}.${part}`, value);
    blobs.set(layer.output ?? layer.name, op.forward(inputs, layer, Object.fromEntries(own)));
  }
  return weights;
}

/** Uniform numbers of the mean and the spread that suit a weight. */
function weightStream(part: string, shape: number[], seed: string): Random {
  const next = uniform(seed);
  if (part === "variance") return () => 0.5 + next();
  if (!/weight$/i.test(part)) return () => next() - 0.5;
  if (shape.length === 1) return () => 0.5 + next();
  const bound = Math.sqrt(3 / count(shape.slice(1)));
  return () => bound * (2 * next() - 1);
}

function from(inputs: number[][]): Pick<Layer, "input" | "inputs"> {
  return inputs.length === 1 ? { input: "x0" } : { inputs: inputs.map((_, i) => `x${i}`) };
}
