/**
 * Small networks that make layers meet: what fusion, in-place blobs, branches and buffers that are used again can break.
 */
import type { Network } from "../reference/network.ts";
import { normal, randomTensor } from "../reference/random.ts";
import { type NetworkCase, randomWeights } from "./case.ts";

// Errors of a few layers add up, each about 1e-6. No ReLU and no maximum flips by rounding: with the seeds chosen below
// all of them are further from a tie than 1.9e-4 of their layer's largest value.
const layers = 2e-5;

/** Groups, dilation, odd sizes and LRN, down to a softmax. */
const oddClassifier: Network = {
  name: "odd classifier",
  inputs: [{ name: "data", shape: [3, 19, 17] }],
  layers: [
    { name: "conv1", type: "conv2d", input: "data", channels: 9, kernel: 5, stride: 2, padding: [2, 1] },
    { name: "relu1", type: "relu", input: "conv1", output: "conv1" },
    { name: "norm1", type: "lrn", input: "conv1", size: 5, alpha: 0.1 },
    { name: "pool1", type: "maxpool", input: "norm1", kernel: 3, stride: 2 },
    { name: "conv2", type: "conv2d", input: "pool1", channels: 12, kernel: 3, padding: 2, dilation: 2, groups: 3 },
    { name: "relu2", type: "relu", input: "conv2", output: "conv2" },
    { name: "conv3", type: "conv2d", input: "conv2", channels: 10, kernel: [3, 2], padding: [1, 0, 1, 1], groups: 2 },
    { name: "tanh3", type: "tanh", input: "conv3", output: "conv3" },
    { name: "pool3", type: "avgpool", input: "conv3", kernel: 3, stride: 2, padding: 1 },
    { name: "fc4", type: "fc", input: "pool3", channels: 21 },
    { name: "relu4", type: "relu", input: "fc4", output: "fc4" },
    { name: "drop4", type: "dropout", input: "fc4", output: "fc4" },
    { name: "fc5", type: "fc", input: "fc4", channels: 11 },
    { name: "prob", type: "softmax", input: "fc5" },
  ],
};

/** Branches that meet in a concatenation and in sums, products and maxima. */
const branches: Network = {
  name: "branches",
  inputs: [{ name: "data", shape: [3, 11, 11] }],
  layers: [
    { name: "stem", type: "conv2d", input: "data", channels: 6, kernel: 3, padding: 1 },
    { name: "stem_relu", type: "relu", input: "stem", output: "stem" },
    { name: "one", type: "conv2d", input: "stem", channels: 5, kernel: 1 },
    { name: "one_relu", type: "relu", input: "one", output: "one" },
    { name: "three", type: "conv2d", input: "stem", channels: 7, kernel: 3, padding: 1 },
    { name: "pool", type: "maxpool", input: "stem", kernel: 3, stride: 1, padding: 1 },
    { name: "pool_proj", type: "conv2d", input: "pool", channels: 1, kernel: 1 },
    { name: "join", type: "concat", inputs: ["one", "three", "pool_proj"] },
    { name: "left", type: "conv2d", input: "join", channels: 6, kernel: 3, padding: 1 },
    { name: "right", type: "sigmoid", input: "stem" },
    { name: "gate", type: "eltwise", inputs: ["left", "right"], operation: "product" },
    { name: "mix", type: "eltwise", inputs: ["gate", "stem", "left"], operation: "sum", coefficients: [1, -0.5, 0.25] },
    { name: "peak", type: "eltwise", inputs: ["mix", "left"], operation: "max" },
    { name: "average", type: "avgpool", input: "peak", global: true },
    { name: "score", type: "fc", input: "average", channels: 9 },
  ],
};

/** Known values, broadcasting, and functions of what lies past the last channel. */
const known: Network = {
  name: "known values",
  inputs: [{ name: "data", shape: [5, 6, 3] }],
  layers: [
    { name: "row", type: "constant", shape: [6, 1] },
    { name: "shifted", type: "binary", inputs: ["data", "row"], operation: "sum" },
    { name: "power", type: "exp", input: "shifted" },
    { name: "root", type: "sqrt", input: "power" },
    { name: "back", type: "log", input: "root" },
    { name: "mixed", type: "conv2d", input: "back", channels: 7, kernel: 3, padding: 1 },
    { name: "mixed_relu", type: "relu", input: "mixed", output: "mixed" },
    { name: "turned", type: "transpose", input: "mixed", order: [1, 2, 0] },
    { name: "matrix", type: "constant", shape: [7, 4] },
    { name: "product", type: "matmul", inputs: ["turned", "matrix"] },
    { name: "flat", type: "mean", input: "product", axes: [0, 1] },
    { name: "vector", type: "reshape", input: "flat", shape: [4] },
    { name: "score", type: "logsoftmax", input: "vector" },
    { name: "lifted", type: "relu", input: "score", slope: 0.2 },
  ],
};

/** In-place layers one after the other, whose result two layers and the end of the network read. */
const inPlace: Network = {
  name: "in place",
  inputs: [{ name: "data", shape: [5, 9, 7] }],
  layers: [
    { name: "conv1", type: "conv2d", input: "data", channels: 8, kernel: 3, padding: 1 },
    { name: "relu1", type: "relu", input: "conv1", output: "conv1", slope: 0.1 },
    { name: "drop1", type: "dropout", input: "conv1", output: "conv1" },
    { name: "conv2", type: "conv2d", input: "conv1", channels: 8, kernel: 3, padding: 1, bias: false },
    { name: "relu2", type: "relu", input: "conv2", output: "conv2" },
    { name: "sum", type: "eltwise", inputs: ["conv1", "conv2"], operation: "sum" },
    { name: "sum_relu", type: "relu", input: "sum", output: "sum" },
    { name: "scale", type: "scale", input: "sum", output: "sum" },
    { name: "squared", type: "eltwise", inputs: ["sum", "sum"], operation: "product" },
    { name: "conv3", type: "conv2d", input: "squared", channels: 4, kernel: 3, stride: 2 },
    { name: "flat", type: "flatten", input: "conv3" },
    { name: "side", type: "fc", input: "sum", channels: 48 },
    { name: "last", type: "concat", inputs: ["flat", "side"] },
  ],
};

/** A generator: a code becomes a picture. */
const generator: Network = {
  name: "generator",
  inputs: [{ name: "code", shape: [13] }],
  layers: [
    { name: "defc2", type: "fc", input: "code", channels: 30 },
    { name: "relu2", type: "relu", input: "defc2", output: "defc2", slope: 0.3 },
    { name: "defc1", type: "fc", input: "defc2", channels: 90 },
    { name: "relu1", type: "relu", input: "defc1", output: "defc1", slope: 0.3 },
    { name: "reshape", type: "reshape", input: "defc1", shape: [10, 3, -1] },
    { name: "deconv2", type: "deconv2d", input: "reshape", channels: 8, kernel: 4, stride: 2, padding: 1 },
    { name: "relu_d2", type: "relu", input: "deconv2", output: "deconv2", slope: 0.3 },
    { name: "conv2", type: "conv2d", input: "deconv2", channels: 6, kernel: 3, padding: 1 },
    { name: "relu_c2", type: "relu", input: "conv2", output: "conv2", slope: 0.3 },
    {
      name: "deconv1",
      type: "deconv2d",
      input: "conv2",
      channels: 6,
      kernel: 3,
      stride: 2,
      padding: 1,
      outputPadding: 1,
      groups: 2,
    },
    { name: "relu_d1", type: "relu", input: "deconv1", output: "deconv1", slope: 0.3 },
    { name: "conv0", type: "conv2d", input: "deconv1", channels: 3, kernel: 3, padding: 1 },
    { name: "picture", type: "crop", input: "conv0", size: [9, 11] },
  ],
};

/** Residual blocks: convolutions without bias, each followed by batch normalisation and scale, that may be folded. */
const residual: Network = {
  name: "residual",
  inputs: [{ name: "data", shape: [3, 14, 14] }],
  layers: [
    { name: "conv1", type: "conv2d", input: "data", channels: 8, kernel: 7, stride: 2, padding: 3, bias: false },
    { name: "bn1", type: "batchnorm", input: "conv1", output: "conv1" },
    { name: "scale1", type: "scale", input: "conv1", output: "conv1" },
    { name: "relu1", type: "relu", input: "conv1", output: "conv1" },
    { name: "short", type: "conv2d", input: "conv1", channels: 12, kernel: 1, stride: 2, bias: false },
    { name: "short_bn", type: "batchnorm", input: "short", affine: true },
    { name: "conv2", type: "conv2d", input: "conv1", channels: 6, kernel: 1, stride: 2 },
    { name: "bn2", type: "batchnorm", input: "conv2", output: "conv2", epsilon: 1e-3 },
    { name: "scale2", type: "scale", input: "conv2", output: "conv2" },
    { name: "relu2", type: "relu", input: "conv2", output: "conv2" },
    { name: "conv3", type: "conv2d", input: "conv2", channels: 12, kernel: 3, padding: 1, bias: false },
    { name: "bn3", type: "batchnorm", input: "conv3" },
    { name: "scale3", type: "scale", input: "bn3", bias: false },
    { name: "sum", type: "eltwise", inputs: ["short_bn", "scale3"], operation: "sum" },
    { name: "sum_relu", type: "relu", input: "sum", output: "sum" },
    { name: "pool", type: "avgpool", input: "sum", kernel: 4, countPadding: false },
    { name: "score", type: "fc", input: "pool", channels: 10 },
  ],
};

/** Frames through time: a batch is a sequence of two streams, and layers around the memory meet its output. */
const sequence: Network = {
  name: "sequence",
  inputs: [{ name: "data", shape: [3, 8, 7] }],
  layers: [
    { name: "conv1", type: "conv2d", input: "data", channels: 6, kernel: 3, padding: 1, bias: false },
    { name: "bias1", type: "bias", input: "conv1", output: "conv1" },
    { name: "prelu1", type: "prelu", input: "conv1", output: "conv1" },
    { name: "norm1", type: "lrn", input: "conv1", size: 3, alpha: 0.5, region: "within" },
    { name: "fc1", type: "fc", input: "norm1", channels: 10 },
    { name: "steps", type: "reshape", input: "fc1", shape: [2, 5] },
    { name: "lstm1", type: "lstm", input: "steps", hidden: 6 },
    { name: "relu1", type: "relu", input: "lstm1", output: "lstm1", slope: 0.2 },
    { name: "rows", type: "fc", input: "lstm1", channels: 6, axis: 1 },
    { name: "scaled", type: "scale", input: "rows", output: "rows" },
    { name: "sum", type: "eltwise", inputs: ["lstm1", "rows"], operation: "sum" },
    { name: "part", type: "slice", input: "sum", axis: 1, from: 1, count: 3 },
    { name: "elu1", type: "elu", input: "part", output: "part" },
    { name: "score", type: "fc", input: "part", channels: 5 },
  ],
};

/** The networks, each with the seed of its input. */
const seeded: [Network, number][] = [
  [oddClassifier, 29],
  [branches, 45],
  [inPlace, 1],
  [generator, 29],
  [residual, 17],
  [sequence, 4],
  [known, 3],
];

/** All small networks, with random weights and inputs of batch 3. */
export const smallNetworks: NetworkCase[] = seeded.map(([network, seed]) => ({
  network,
  weights: randomWeights(network),
  inputs: new Map(network.inputs.map(({ name, shape }) => [name, randomTensor([3, ...shape], normal(seed))])),
  tolerance: layers,
}));
