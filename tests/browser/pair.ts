/**
 * A generator and a classifier with a layer or two of each type that the embedded pair has, and pictures of its size: a software
 * adapter in Chromium compiles a kernel for a second, and has half a minute less to do with these.
 */
import { randomWeights } from "../cases/case.ts";
import type { Network } from "../reference/network.ts";
import { type Tensor, tensor } from "../reference/tensor.ts";

/** A network, and its weights in float64. */
export interface Weighted {
  network: Network;
  weights: Map<string, Tensor>;
}

const image = { order: "RGB", mean: [127.5, 127.5, 127.5], scale: 1 / 127.5 };

/** Codes of 24 numbers, within bounds. */
const generator = {
  name: "small generator",
  inputs: [{ name: "code", shape: [24] }],
  image,
  code: { layer: "fc6", sigmas: 3 },
  layers: [
    { name: "defc5", type: "fc", input: "code", channels: 128 },
    { name: "relu_defc5", type: "relu", input: "defc5", output: "defc5", slope: 0.3 },
    { name: "reshape", type: "reshape", input: "defc5", shape: [8, 4, 4] },
    { name: "deconv5", type: "deconv2d", input: "reshape", channels: 8, kernel: 6, stride: 4, padding: 1 },
    { name: "relu_deconv5", type: "relu", input: "deconv5", output: "deconv5", slope: 0.3 },
    { name: "deconv0", type: "deconv2d", input: "deconv5", channels: 3, kernel: 6, stride: 4, padding: 1 },
  ],
};

/** Ten units. */
const classifier = {
  name: "small classifier",
  inputs: [{ name: "data", shape: [3, 64, 64] }],
  image,
  layers: [
    { name: "conv1", type: "conv2d", input: "data", channels: 8, kernel: 5, stride: 4, padding: 2 },
    { name: "relu1", type: "relu", input: "conv1", output: "conv1" },
    { name: "pool1", type: "maxpool", input: "conv1", kernel: 3, stride: 2 },
    { name: "conv2", type: "conv2d", input: "pool1", channels: 12, kernel: 3, padding: 1 },
    { name: "relu2", type: "relu", input: "conv2", output: "conv2" },
    { name: "fc6", type: "fc", input: "conv2", channels: 24 },
    { name: "relu6", type: "relu", input: "fc6", output: "fc6" },
    { name: "fc8", type: "fc", input: "fc6", channels: 10 },
  ],
};

const weighted = (network: Network): Weighted => ({ network, weights: randomWeights(network) });

/** Both. */
export function smallPair(): { generator: Weighted; classifier: Weighted } {
  const drawing = weighted(generator);
  drawing.weights.set("code.mean", tensor([24], new Float64Array(24)));
  drawing.weights.set("code.std", tensor([24], new Float64Array(24).fill(4)));
  return { generator: drawing, classifier: weighted(classifier) };
}
