/** Generator, the image between, and classifier as one graph, so that one plan holds the whole iteration. */
import { buildGraph, endingOf, type Graph, type Layer, makeLayer, type Value } from "../net/graph.ts";
import type { Model } from "../net/model.ts";
import { valueOf } from "../net/naming.ts";
import type { ImageFormat, Network } from "../net/network.ts";
import { imageFormat } from "../net/picture.ts";
import { fitLayers, fittingOf, formatLayers } from "./fit.ts";
import type { Fitting } from "./fits.ts";
import { type Feed, type GivenInputs, sortInputs } from "./inputs.ts";
import { hasPenalties } from "./penalties.ts";
import type { Settings } from "./settings.ts";
import { hasViews } from "./views.ts";

/** The joined graph and its landmarks. */
export interface Joined {
  graph: Graph;
  /** The generator's input. */
  code: Value;
  /** The classifier's input. */
  image: Value;
  /** What the picture shows, as it is before the classifier sees it in other ways; without a learned prior, all of it. */
  shown: Value;
  /** How it becomes one of the classifier's size, where it is not. */
  fitted?: "crop" | "resize";
  /** The network that has its numbers' format. */
  shownAs: Network;
  /** What is shown less the classifier's mean, in units of 127.5 levels, where something is about that. */
  levels?: Value;
  /** The numbers by which the classifier sees the picture in an iteration, where it does not see it as it is. */
  view?: Value;
  /** The classifier's output, and what the softmax at its end is taken of, or the output again. */
  output: Value;
  logits: Value;
  /** What units are of where nobody says: the layer that suits the classifier, or the logits. */
  units: Value;
  /** The other inputs of both networks, and what they are given. */
  given: ReadonlyMap<Value, Feed>;
}

/** How two models are joined: by these settings too. */
export interface Joining
  extends
    Fitting,
    Partial<Pick<Settings, "prior" | "jitter" | "zoom" | "rotation" | "edges" | "variation" | "alphaNorm" | "centre">> {
  /** Values of the inputs that are neither code nor picture, by name. */
  set?: GivenInputs;
  /** How many frames a film has, where one is made: each input may be given values for all of them. */
  frames?: number;
}

/** Joins the models. @throws UserError when they do not fit together. */
export function join(generator: Model, classifier: Model, joining: Joining = {}): Joined {
  const { prior = "learned", fit, interpolation, edges } = joining;
  const learned = prior === "learned";
  const inputs = sortInputs({ generator, classifier }, joining.set, joining.frames);
  const { free } = inputs.classifier;
  const g = buildGraph(generator);
  // What has no edge of its own is seen whole, whatever its size.
  const fitting = { fit: learned || fit !== undefined && fit !== "auto" ? fit : "resize", interpolation } as const;
  const between = fitLayers(g.output, free.shape, generator, classifier, fitting);
  const fitted = between.at(-1)?.output ?? g.output;
  const shown = learned ? fitted : g.output;
  const shownAs = (learned ? classifier : generator).network;
  const view: Value | undefined = hasViews(joining) ? { name: "view", shape: [4] } : undefined;
  const seen = view ? [makeLayer("seen", "warp", { edges: edges === "wrap" ? "wrap" : "zero" }, [fitted, view])] : [];
  const image = seen.at(-1)?.output ?? fitted;
  const levels = hasPenalties(joining)
    ? formatLayers("levels", shown, imageFormat(shownAs, shown.shape), inLevels(imageFormat(classifier.network)))
    : [];
  const phi = buildGraph(classifier, new Map([[free.name, image]]));
  const { logits } = endingOf(phi);
  const suits = classifier.network.search?.layer;
  const code = inputs.generator.free;
  const given = new Map([...inputs.generator.given, ...inputs.classifier.given]);
  const asOne = (layer: Layer): Layer =>
    joining.frames !== undefined && layer.op.asOne ? { ...layer, params: layer.op.asOne(layer.params) } : layer;
  return {
    graph: {
      ...phi,
      inputs: [code, ...given.keys(), ...view ? [view] : []],
      layers: [...g.layers, ...between, ...seen, ...levels, ...phi.layers.map(asOne)],
    },
    code,
    image,
    shown,
    fitted: fittingOf(g.output.shape, free.shape, fitting),
    shownAs,
    levels: hasPenalties(joining) ? levels.at(-1)?.output ?? shown : undefined,
    view,
    output: phi.output,
    logits,
    units: suits === undefined ? logits : valueOf(phi, suits),
    given,
  };
}

/** A classifier's pixels in units of 127.5 levels. */
const inLevels = ({ order, mean }: ImageFormat): ImageFormat => ({ order, mean, scale: 1 / 127.5 });

/** What one iteration computes: the picture, and the gradient from these values back to the code. */
export const iterationOf = ({ graph, code, shown }: Joined, sources: readonly Value[]) => ({
  graph,
  wanted: [shown],
  gradient: { of: sources, to: code },
});

/** Whether a value's units are those of the output: it is the output, or the logits of it. */
export const isOutput = ({ output, logits }: Joined, value: Value): boolean => value === output || value === logits;
