/** Generator, crop and classifier as one graph, so that one plan holds the whole iteration. */
import { UserError } from "../formats/user_error.ts";
import { buildGraph, endingOf, type Graph, type Layer, makeLayer, type Value } from "../net/graph.ts";
import type { Model } from "../net/model.ts";
import type { ImageFormat } from "../net/network.ts";
import { imageFormat, rgbIndex, scaleOf } from "../net/picture.ts";
import { chw, type HostTensor, show } from "../ops/op.ts";

/** The joined graph and its landmarks. */
export interface Joined {
  graph: Graph;
  /** The generator's input. */
  code: Value;
  /** The classifier's input: what the picture shows. */
  image: Value;
  /** The layer that holds the units. */
  layer: Value;
  /** The classifier's output. */
  output: Value;
  /** Whether the layer's units are those of the output: it is the output, or the logits of it. */
  atOutput: boolean;
}

const noWeights = (name: string): HostTensor => {
  throw new UserError(`"${name}" has no weights`);
};

/** Joins the models; `layer` is the classifier's logits unless given. @throws UserError when they do not fit together. */
export function join(generator: Model, classifier: Model, layer?: string): Joined {
  const g = buildGraph(generator), joints: Layer[] = [];
  const [c, h, w] = chw(g.output.shape), [pc, ph, pw] = chw(classifier.network.inputs[0].shape);
  if (c !== pc || h < ph || w < pw) {
    throw new UserError(
      `${generator.name} makes images of ${show(g.output.shape)}, ${classifier.name} takes ${show([pc, ph, pw])}`,
    );
  }
  let image = g.output;
  const add = (joint: Layer) => {
    joints.push(joint);
    image = joint.output;
  };
  if (h !== ph || w !== pw) add(makeLayer("crop to classifier", "crop", { size: [ph, pw] }, [image], noWeights));
  const from = imageFormat(generator.network), to = imageFormat(classifier.network);
  const numbers = ({ order, mean, scale }: ImageFormat) => JSON.stringify([order, mean, scale]);
  if (numbers(from) !== numbers(to)) {
    const weight = new Float32Array(9), bias = new Float32Array(3);
    for (let out = 0; out < 3; out++) {
      const source = [0, 1, 2].find((n) => rgbIndex(from, n) === rgbIndex(to, out))!;
      weight[out * 3 + source] = scaleOf(to, out) / scaleOf(from, source);
      bias[out] = (from.mean[source] - to.mean[out]) * scaleOf(to, out);
    }
    const weights = { weight, bias } as Record<string, Float32Array>;
    add(makeLayer("to the classifier's pixel format", "conv2d", { channels: 3, kernel: 1 }, [image], (name, shape) => ({
      shape,
      stored: "F32",
      values: weights[name],
    })));
  }
  const phi = buildGraph(classifier, image), { logits } = endingOf(phi);
  const value = layer === undefined ? logits : phi.find(layer);
  return {
    graph: { ...phi, inputs: g.inputs, layers: [...g.layers, ...joints, ...phi.layers] },
    code: g.inputs[0],
    image,
    layer: value,
    output: phi.output,
    atOutput: value === logits || value === phi.output,
  };
}

/** What one iteration computes: the image, and the gradient from the units back to the code. */
export const iterationOf = ({ graph, code, image, layer }: Joined) => ({
  graph,
  wanted: [image],
  gradient: { of: layer, to: code },
});
