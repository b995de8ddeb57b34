/** A generator of 10×10 pictures from 20 numbers and a classifier of their centre, 7×7: a search of them takes no time. */
import type { Model } from "../../src/net/model.ts";
import { normals } from "../../src/synth/random.ts";
import { randomWeights } from "../cases/case.ts";
import { caseModel } from "../net/case_model.ts";
import type { Network } from "../reference/network.ts";
import { type Tensor, tensor } from "../reference/tensor.ts";

const image = { order: "RGB", mean: [127.5, 127.5, 127.5], scale: 1 / 127.5 };

/** The generator. */
export const generatorNetwork = {
  name: "small generator",
  inputs: [{ name: "code", shape: [20] }],
  image,
  code: { layer: "features", sigmas: 3 },
  layers: [
    { name: "fc", type: "fc", input: "code", channels: 6 * 25 },
    { name: "fc_relu", type: "relu", input: "fc", output: "fc", slope: 0.3 },
    { name: "maps", type: "reshape", input: "fc", shape: [6, 5, 5] },
    { name: "picture", type: "deconv2d", input: "maps", channels: 3, kernel: 4, stride: 2, padding: 1 },
  ],
} as Network;

/** The classifier. */
export const classifierNetwork = {
  name: "small classifier",
  inputs: [{ name: "data", shape: [3, 7, 7] }],
  image,
  layers: [
    { name: "conv", type: "conv2d", input: "data", channels: 8, kernel: 3, padding: 1 },
    { name: "relu", type: "relu", input: "conv", output: "conv" },
    { name: "pool", type: "maxpool", input: "conv", kernel: 3, stride: 2 },
    { name: "out", type: "fc", input: "pool", channels: 5 },
  ],
} as Network;

/** Both with random weights, and the generator with bounds. */
export function small(): { generator: Model; classifier: Model; weights: Map<string, Tensor>[] } {
  const weights = [generatorNetwork, classifierNetwork].map(randomWeights);
  weights[0].set("code.mean", tensor([20], normals(1, 20).map(Math.abs)));
  weights[0].set("code.std", tensor([20], normals(2, 20).map(Math.abs)));
  const [generator, classifier] = [generatorNetwork, classifierNetwork].map((network, n) =>
    caseModel({ network, weights: weights[n] })
  );
  return { generator, classifier, weights };
}

/** The upper bound of each value of a generator's code. */
export const boundOf = (weights: Map<string, Tensor>): Float64Array =>
  weights.get("code.mean")!.data.map((mean, j) =>
    Math.fround(Math.fround(mean) + 3 * Math.fround(weights.get("code.std")!.data[j]))
  );
