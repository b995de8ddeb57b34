/** Generator, the image between, and classifier as one graph, so that one plan holds the whole iteration. */
import { buildGraph, endingOf, type Graph, type Value } from "../net/graph.ts";
import type { Model } from "../net/model.ts";
import { valueOf } from "../net/naming.ts";
import { fitLayers, type Fitting } from "./fit.ts";
import { type GivenInputs, sortInputs } from "./inputs.ts";

/** The joined graph and its landmarks. */
export interface Joined {
  graph: Graph;
  /** The generator's input. */
  code: Value;
  /** The classifier's input: what the picture shows. */
  image: Value;
  /** The classifier's output, and what the softmax at its end is taken of, or the output again. */
  output: Value;
  logits: Value;
  /** What units are of where nobody says: the layer that suits the classifier, or the logits. */
  units: Value;
  /** The other inputs of both networks, and what they are given. */
  given: ReadonlyMap<Value, Float32Array>;
}

/** How two models are joined. */
export interface Joining extends Fitting {
  /** Values of the inputs that are neither code nor picture, by name. */
  set?: GivenInputs;
}

/** Joins the models. @throws UserError when they do not fit together. */
export function join(generator: Model, classifier: Model, joining: Joining = {}): Joined {
  const inputs = sortInputs({ generator, classifier }, joining.set), { free } = inputs.classifier;
  const g = buildGraph(generator);
  const between = fitLayers(g.output, free.shape, generator, classifier, joining);
  const image = between.at(-1)?.output ?? g.output;
  const phi = buildGraph(classifier, new Map([[free.name, image]])), { logits } = endingOf(phi);
  const suits = classifier.network.search?.layer, code = inputs.generator.free;
  const given = new Map([...inputs.generator.given, ...inputs.classifier.given]);
  return {
    graph: { ...phi, inputs: [code, ...given.keys()], layers: [...g.layers, ...between, ...phi.layers] },
    code,
    image,
    output: phi.output,
    logits,
    units: suits === undefined ? logits : valueOf(phi, suits),
    given,
  };
}

/** What one iteration computes: the image, and the gradient from these values back to the code. */
export const iterationOf = ({ graph, code, image }: Joined, sources: readonly Value[]) => ({
  graph,
  wanted: [image],
  gradient: { of: sources, to: code },
});

/** Whether a value's units are those of the output: it is the output, or the logits of it. */
export const isOutput = ({ output, logits }: Joined, value: Value): boolean => value === output || value === logits;
