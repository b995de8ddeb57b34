/** A classifier of films at a fraction of LRCN's size, for the small generator's 10×10 pictures. */
import type { Model } from "../../src/net/model.ts";
import { randomWeights } from "../cases/case.ts";
import { caseModel } from "../net/case_model.ts";
import type { Network } from "../reference/network.ts";
import { map, type Tensor } from "../reference/tensor.ts";
import { generatorNetwork } from "./small.ts";

/** Frames to the units of each, through an LSTM that a marker begins anew. */
export const videoNetwork = {
  name: "small video classifier",
  inputs: [{ name: "data", shape: [3, 10, 10] }, { name: "cont", shape: [1, 1] }],
  image: (generatorNetwork as unknown as { image: unknown }).image,
  layers: [
    { name: "conv", type: "conv2d", input: "data", channels: 8, kernel: 3, padding: 1 },
    { name: "conv_relu", type: "relu", input: "conv", output: "conv" },
    { name: "pool", type: "maxpool", input: "conv", kernel: 3, stride: 2 },
    { name: "fc6", type: "fc", input: "pool", channels: 9 },
    { name: "fc6_relu", type: "relu", input: "fc6", output: "fc6" },
    { name: "steps", type: "reshape", input: "fc6", shape: [1, 9] },
    { name: "marks", type: "reshape", input: "cont", shape: [1] },
    { name: "memory", type: "lstm", inputs: ["steps", "marks"], hidden: 6 },
    { name: "fc8", type: "fc", input: "memory", axis: 1, channels: 5 },
    { name: "answer", type: "reshape", input: "fc8", shape: [5] },
    { name: "probs", type: "softmax", input: "answer" },
  ],
} as Network;

/** It with random weights, of which those from a step to the next are `recurrent` times as large; with 0 it forgets all. */
export function smallVideo(recurrent = 1): { model: Model; weights: Map<string, Tensor> } {
  const weights = randomWeights(videoNetwork);
  const [name, bias] = ["memory.recurrentWeight", "memory.bias"];
  weights.set(name, map(weights.get(name)!, (value) => recurrent * value));
  // The second quarter of the biases is the forget gates'.
  if (recurrent === 0) weights.set(bias, map(weights.get(bias)!, (value, n) => n >= 6 && n < 12 ? -1e4 : value));
  return { model: caseModel({ network: videoNetwork, weights }), weights };
}
