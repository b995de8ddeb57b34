/** PyTorch state dicts: torchvision's names and shapes, what its modules compute, and each fault by its tensor's name. */
import assert from "node:assert/strict";
import { openDevice } from "../../../src/gpu/device.ts";
import { fromFloat32, type StoredTensor, writeSafetensors } from "../../../src/formats/safetensors.ts";
import { buildGraph } from "../../../src/net/graph.ts";
import { type ImageFormat, parseNetwork } from "../../../src/net/network.ts";
import {
  type Add,
  type ArchitectureName,
  bottleneck,
  draw,
  inception,
} from "../../../tools/convert/torch/architectures.ts";
import { type ConvertedStateDict, convertStateDict, convertTorch } from "../../../tools/convert/torch/network.ts";
import { randomWeights } from "../../cases/case.ts";
import { damageSafetensors } from "../../formats/damage.ts";
import { fuzz } from "../../formats/fuzz.ts";
import { checkNetwork } from "../../ops/check_case.ts";
import { batchnorm } from "../../reference/batchnorm.ts";
import { assertClose } from "../../reference/close.ts";
import { concat } from "../../reference/concat.ts";
import { conv2d } from "../../reference/conv2d.ts";
import { eltwise } from "../../reference/eltwise.ts";
import { type Network, runNetwork } from "../../reference/network.ts";
import { maxpool } from "../../reference/pool.ts";
import { normal, randomTensor } from "../../reference/random.ts";
import { relu } from "../../reference/relu.ts";
import type { Tensor } from "../../reference/tensor.ts";
import { refuses } from "./converted.ts";
import { alexnet, googlenet, linear, resnet50, type Shapes, zeros } from "./state_dicts.ts";

/** A state dict of zeros, with tensors changed or, where undefined, left out. */
function stateDict(shapes: Shapes, changed: Record<string, StoredTensor | undefined> = {}, prefix = "") {
  const all = Object.entries(shapes).map(([name, shape]) =>
    [name, zeros(shape, name.endsWith("tracked") ? "I64" : "F32")] as const
  );
  const given = Object.entries({ ...Object.fromEntries(all), ...changed }).filter(([, tensor]) => tensor);
  return new Map(given.map(([name, tensor]) => [prefix + name, tensor!]));
}

const convert = (name: ArchitectureName, tensors: Map<string, StoredTensor>, normalisation = {}) =>
  convertStateDict(tensors, "net.safetensors", name, normalisation);

const graphOf = ({ text, tensors }: ConvertedStateDict) =>
  buildGraph({ network: parseNetwork(text, "json"), weights: tensors, where: "folder" });

Deno.test("torch: every tensor of torchvision's networks has its layer, every layer its tensors", () => {
  const networks: [ArchitectureName, Shapes, number, Record<string, number[]>][] = [
    ["alexnet", alexnet, 61_100_840, { "features.2": [64, 27, 27], avgpool: [256, 6, 6], "classifier.6": [1000] }],
    ["googlenet", googlenet, 6_624_904, {
      conv1: [64, 112, 112],
      maxpool1: [64, 56, 56],
      maxpool2: [192, 28, 28],
      inception3a: [256, 28, 28],
      "inception3a.branch4.0": [192, 28, 28],
      maxpool3: [480, 14, 14],
      inception4e: [832, 14, 14],
      maxpool4: [832, 7, 7],
      inception5b: [1024, 7, 7],
    }],
    ["resnet50", resnet50, 25_557_032, {
      maxpool: [64, 56, 56],
      "layer1.0": [256, 56, 56],
      "layer2.0.conv1": [128, 56, 56], // version 1.5: conv2 strides
      "layer2.0.conv2": [128, 28, 28],
      "layer4.2": [2048, 7, 7],
      avgpool: [2048, 1, 1],
    }],
  ];
  for (const [name, shapes, trained, landmarks] of networks) {
    const model = convert(name, stateDict(shapes));
    const graph = graphOf(model);
    assert.deepEqual(graph.output.shape, [1000]);
    for (const [blob, shape] of Object.entries(landmarks)) assert.deepEqual(graph.find(blob).shape, shape, blob);
    const names = [...model.tensors.keys()].map((key) =>
      key.replace(/\.mean$/, ".running_mean").replace(/\.variance$/, ".running_var")
    );
    const wanted = Object.keys(shapes).filter((key) => !/tracked$|^aux/.test(key));
    assert.deepEqual(names.sort(), wanted.sort());
    const statistics = [...model.tensors].filter(([key]) => /\.(mean|variance)$/.test(key));
    assert.equal(model.parameters - statistics.reduce((sum, [, { shape }]) => sum + shape[0], 0), trained);
  }
});

/** Layers drawn into a network of one input, with random weights. */
function module(shape: number[], build: (add: Add) => void) {
  const layers = draw(build);
  const network = { name: "module", inputs: [{ name: "data", shape }], layers } as Network;
  const weights = randomWeights(network);
  const inputs = new Map([["data", randomTensor([2, ...shape], normal(7))]]);
  return { network, weights, inputs, x: inputs.get("data")! };
}

/** PyTorch's modules in float64, with weights by the names of network.json. */
function modules(weights: Map<string, Tensor>) {
  const take = (name: string, ...keys: string[]) =>
    Object.fromEntries(keys.map((key) => [key, weights.get(`${name}.${key}`)!]));
  const relus = (x: Tensor) => relu.forward([x], {}, {});
  return {
    relu: relus,
    conv: (name: string, x: Tensor, stride = 1, padding = 0) => {
      const { weight } = take(name, "weight");
      const [channels, , kernel] = weight.shape;
      return conv2d.forward([x], { channels, kernel, stride, padding, bias: false }, { weight });
    },
    bn: (name: string, x: Tensor, epsilon: number) =>
      batchnorm.forward([x], { epsilon, affine: true }, take(name, "mean", "variance", "weight", "bias")),
  };
}

const device = await openDevice();

Deno.test("torch: GoogLeNet's Inception", async () => {
  const made = module([8, 9, 10], (add) => inception(add, "m", "data", [4, 3, 5, 2, 6, 7]));
  const { x } = made;
  const { conv, bn, relu } = modules(made.weights);
  const basic = (name: string, x: Tensor, padding = 0) =>
    relu(bn(`m.${name}.bn`, conv(`m.${name}.conv`, x, 1, padding), 0.001));
  const pooled = maxpool.forward([x], { kernel: 3, stride: 1, padding: 1 }, {});
  const expected = concat.forward(
    [
      basic("branch1", x),
      basic("branch2.1", basic("branch2.0", x), 1),
      basic("branch3.1", basic("branch3.0", x), 1),
      basic("branch4.1", pooled),
    ],
    {},
    {},
  );
  assertClose("inception", runNetwork(made.network, made.weights, made.inputs).get("m")!, expected);
  await checkNetwork(device, { ...made, tolerance: 1e-4 }); // batch norm folded, float32
});

Deno.test("torch: ResNet's bottleneck, with and without a projection", async () => {
  const made = module([8, 9, 10], (add) => {
    bottleneck(add, "second", bottleneck(add, "first", "data", 3, 2, true), 3, 1, false);
  });
  const { conv, bn, relu } = modules(made.weights);
  const block = (name: string, x: Tensor, stride: number, projected: boolean) => {
    const normed = (n: number, x: Tensor, stride = 1, padding = 0) =>
      bn(`${name}.bn${n}`, conv(`${name}.conv${n}`, x, stride, padding), 1e-5);
    const y = normed(3, relu(normed(2, relu(normed(1, x)), stride, 1)));
    const shortcut = projected ? bn(`${name}.downsample.1`, conv(`${name}.downsample.0`, x, stride), 1e-5) : x;
    return relu(eltwise.forward([y, shortcut], { operation: "sum" }, {}));
  };
  const expected = block("second", block("first", made.x, 2, true), 1, false);
  assert.deepEqual(expected.shape, [2, 12, 5, 5]);
  assertClose("bottleneck", runNetwork(made.network, made.weights, made.inputs).get("second")!, expected);
  await checkNetwork(device, { ...made, tolerance: 1e-4 });
});

Deno.test("torch: pixels are normalised as the published weights want it, or as said", () => {
  const image = (name: ArchitectureName, shapes: Shapes, pixels = {}) =>
    (JSON.parse(convert(name, stateDict(shapes), pixels).text) as { image: ImageFormat }).image;
  const { order, mean, scale, resize } = image("resnet50", resnet50);
  assert.deepEqual([order, mean, resize], ["RGB", [123.675, 116.28, 103.53], 256]);
  [0.229, 0.224, 0.225].forEach((std, c) => assert.ok(Math.abs((scale as number[])[c] * 255 * std - 1) < 1e-12));
  // GoogLeNet's transform_input: x · std / 0.5 + (mean − 0.5) / 0.5 of what was normalised for ImageNet.
  assert.deepEqual(image("googlenet", googlenet).mean, [127.5, 127.5, 127.5]);
  const own = image("googlenet", googlenet, { mean: [0, 51, 102], scale: [1, 2, 3] });
  assert.deepEqual([own.mean, own.scale, own.resize], [[0, 51, 102], [1, 2, 3], 256]);
  // The published weights' colours, blue first.
  const turned = image("resnet50", resnet50, { order: "BGR" });
  assert.deepEqual([turned.order, turned.mean, turned.scale], [
    "BGR",
    mean.toReversed(),
    (scale as number[]).toReversed(),
  ]);
});

Deno.test("torch: wrappers' prefixes, other classes, and every way to store a number", () => {
  const plain = convert("googlenet", stateDict(googlenet));
  for (const prefix of ["module.", "state_dict.module.", "model._orig_mod."]) {
    assert.deepEqual(convert("googlenet", stateDict(googlenet, {}, prefix)), plain);
  }
  const seven = { ...googlenet, ...linear("fc", 1024, 7) };
  assert.deepEqual([
    convert("googlenet", stateDict(seven)).units,
    graphOf(convert("googlenet", stateDict(seven))).output.shape,
  ], [7, [7]]);
  const kinds = { "fc.weight": "F16", "conv1.conv.weight": "BF16", "fc.bias": "F64" } as const;
  const changed = Object.entries(kinds).map(([name, dtype]) => [name, zeros(googlenet[name], dtype)]);
  const { tensors } = convert("googlenet", stateDict(googlenet, Object.fromEntries(changed)));
  assert.deepEqual(Object.keys(kinds).map((name) => tensors.get(name)!.dtype), ["F16", "BF16", "F32"]);
});

Deno.test("torch: each fault is named with its tensor", () => {
  const faults: [Record<string, StoredTensor | undefined>, RegExp][] = [
    [
      { "conv2.bn.running_var": undefined },
      /^net.safetensors: "conv2.bn.running_var" is missing, expected shape \[64\]/,
    ],
    [
      { "conv3.conv.weight": zeros([192, 64, 3, 1]) },
      /"conv3.conv.weight" has shape \[192,64,3,1\], expected \[192,64,3,3\]/,
    ],
    [{ "fc.weight": zeros([0, 1024]) }, /"fc.weight" has shape \[0,1024\], expected \[1000,1024\]/],
    [{ "fc.weight": zeros([]) }, /"fc.weight" has shape \[\], expected \[1000,1024\]/],
    [{ "conv1.conv.bias": zeros([64]) }, /googlenet has no tensor "conv1.conv.bias"; is it another network's\?/],
    [{ "fc.bias": zeros([1000], "I32") }, /"fc.bias" is I32, expected F32/],
    [{ "fc.bias": fromFloat32(Array(1000).fill(NaN), "F32", [1000]) }, /"fc.bias" holds NaN or infinity/],
    [
      { "conv1.bn.running_var": fromFloat32(Array(64).fill(-1), "F32", [64]) },
      /layer "conv1.bn": its factors are NaN or infinity; is a variance negative\?/,
    ],
    [{ "module.fc.bias": zeros([1000]) }, /it has "fc.bias" with two prefixes/],
  ];
  for (const [changed, message] of faults) refuses(() => convert("googlenet", stateDict(googlenet, changed)), message);
  refuses(
    () => convert("resnet50", stateDict(googlenet)),
    /"conv1.weight" is missing, .*; is it resnet50's state dict\?/,
  );
  const file = writeSafetensors(new Map([["x", zeros([2])]]));
  refuses(() => convertTorch(file, "f", "alexnet"), /^f: "features.0.weight" is missing/);
});

Deno.test("torch: damaged files give a model or one sentence", () => {
  const kept = Object.entries(googlenet).filter(([name]) => !name.startsWith("aux"));
  const file = writeSafetensors(new Map(kept.map(([name, shape]) => [name, zeros(shape, "BF16")])));
  fuzz(file, 40, (damaged) => convertTorch(damaged, "f", "googlenet"), { damage: damageSafetensors });
});
