/** ONNX models for several tests. */
import { damageProtobuf } from "../../../formats/damage.ts";
import type { Damage } from "../../../formats/fuzz.ts";
import { normal, randomTensor } from "../../../reference/random.ts";
import type { Tensor } from "../../../reference/tensor.ts";
import { float, int64, type ModelFile, onnxModel, type TensorFile } from "./writer.ts";

/** Random numbers, the same for the same shape. */
export const random = (...shape: number[]): Tensor => randomTensor(shape, normal(`${shape}`));

/** The same as a model has them. */
export const file = (...shape: number[]): TensorFile => float(shape, random(...shape).data);

/** Convolution, batch norm, ReLU, pooling, and the chain of shapes that PyTorch writes for `x.view(x.size(0), -1)`. */
export const classifier: ModelFile = {
  opset: 13,
  inputs: [{ name: "data", shape: ["N", 3, 8, 8] }],
  outputs: ["prob"],
  initializers: {
    "conv.weight": file(4, 3, 3, 3),
    "bn.weight": file(4),
    "bn.bias": file(4),
    "bn.mean": file(4),
    "bn.var": float([4], [1, 2, 0.5, 1.5]),
    "fc.weight": file(5, 36),
    "fc.bias": file(5),
    zero: { shape: [], values: [0], type: 7 },
    axes: int64(0),
    rest: int64(-1),
  },
  nodes: [
    {
      type: "Conv",
      name: "/conv/Conv",
      inputs: ["data", "conv.weight"],
      outputs: ["c"],
      attributes: { pads: [0, 0, 0, 0] },
    },
    { type: "BatchNormalization", inputs: ["c", "bn.weight", "bn.bias", "bn.mean", "bn.var"], outputs: ["b"] },
    { type: "Relu", inputs: ["b"], outputs: ["r"] },
    { type: "MaxPool", inputs: ["r"], outputs: ["p"], attributes: { kernel_shape: [2, 2], strides: [2, 2] } },
    { type: "Shape", inputs: ["p"], outputs: ["shape"] },
    { type: "Gather", inputs: ["shape", "zero"], outputs: ["n"], attributes: { axis: 0 } },
    { type: "Unsqueeze", inputs: ["n", "axes"], outputs: ["n1"] },
    { type: "Concat", inputs: ["n1", "rest"], outputs: ["to"], attributes: { axis: 0 } },
    { type: "Reshape", inputs: ["p", "to"], outputs: ["flat"] },
    {
      type: "Gemm",
      name: "/fc/Gemm",
      inputs: ["flat", "fc.weight", "fc.bias"],
      outputs: ["score"],
      attributes: { transB: 1 },
    },
    { type: "Softmax", inputs: ["score"], outputs: ["prob"], attributes: { axis: 1 } },
  ],
};

/** Operators that become several layers, on integers too. */
export const manyOperators: ModelFile = {
  inputs: [{ name: "x", shape: [1, 2, 4, 3, 4], type: 6 }],
  outputs: ["y", "z"],
  initializers: { w: file(4, 2, 2, 3, 2), k: float([], [3]), s: file(3), to: int64(1, 4, 6, 3), p: float([], [1.5]) },
  nodes: [
    { type: "Div", inputs: ["x", "k"], outputs: ["a"] },
    { type: "Conv", inputs: ["a", "w"], outputs: ["b"], attributes: { strides: [1, 2, 1], pads: [0, 1, 0, 0, 1, 0] } },
    { type: "ConvTranspose", inputs: ["b", "w"], outputs: ["c"], attributes: { strides: [2, 1, 1] } },
    { type: "ReduceMax", inputs: ["b"], outputs: ["d"], attributes: { keepdims: 0 } },
    { type: "Reshape", inputs: ["b", "to"], outputs: ["e"], attributes: { allowzero: 1 } },
    { type: "LayerNormalization", inputs: ["e", "s"], outputs: ["f"] },
    { type: "Expand", inputs: ["f", "to"], outputs: ["g"] },
    { type: "Pow", inputs: ["g", "p"], outputs: ["h"] },
    { type: "Mod", inputs: ["h", "k"], outputs: ["i"], attributes: { fmod: 1 } },
    { type: "Max", inputs: ["i", "d"], outputs: ["y"] },
    { type: "Cast", inputs: ["c"], outputs: ["z"], attributes: { to: 9 } },
  ],
};

/** Resizing, positions picked, powers, and a choice, whose branches are graphs. */
export const pickingOperators: ModelFile = {
  opset: 18,
  inputs: [{ name: "x", shape: [1, 3, 6, 5] }],
  outputs: ["y"],
  initializers: {
    sizes: int64(9, 4),
    region: float([4], [0, 0.25, 1, 0.75]),
    to: int64(1, 3, 12, 8),
    none: float([0], []),
    ends: int64(0, -100),
    begins: int64(11, -1),
    axes: int64(2, 1),
    steps: int64(-3, -1),
    chosen: int64(2, 0, 0),
    yes: { shape: [], values: [1], type: 9 },
    p: float([1], [0.3]),
  },
  nodes: [
    {
      type: "Resize",
      inputs: ["x", "region", "", "sizes"],
      outputs: ["a"],
      attributes: { mode: "cubic", axes: [2, 3], coordinate_transformation_mode: "tf_crop_and_resize" },
    },
    { type: "Resize", inputs: ["a", "none", "none", "to"], outputs: ["b"], attributes: { nearest_mode: "ceil" } },
    { type: "Slice", inputs: ["b", "begins", "ends", "axes", "steps"], outputs: ["c"] },
    { type: "Gather", inputs: ["c", "chosen"], outputs: ["d"], attributes: { axis: 3 } },
    {
      type: "If",
      inputs: ["yes"],
      outputs: ["e"],
      attributes: {
        then_branch: {
          nodes: [{ type: "Add", inputs: ["d", "w"], outputs: ["z"] }],
          initializers: { w: file(3) },
          outputs: ["z"],
        },
        else_branch: { nodes: [{ type: "Relu", inputs: ["d"], outputs: ["z"] }], outputs: ["z"] },
      },
    },
    { type: "Abs", inputs: ["e"], outputs: ["f"] },
    { type: "Pow", inputs: ["f", "p"], outputs: ["y"] },
  ],
};

/** Reductions, windows over channels, repeats and remainders, as older versions write them. */
export const olderOperators: ModelFile = {
  opset: 9,
  inputs: [{ name: "x", shape: [1, 6, 4, 4] }],
  outputs: ["y", "z"],
  initializers: {
    scales: float([4], [1, 1, 2, 1.5]),
    repeats: int64(1, 2, 1, 1),
    by: float([], [0.7]),
    two: float([1], [2]),
    gamma: file(12),
    to: int64(1, 12, 48),
  },
  nodes: [
    { type: "Upsample", inputs: ["x", "scales"], outputs: ["a"], attributes: { mode: "linear" } },
    {
      type: "LRN",
      inputs: ["a"],
      outputs: ["b"],
      attributes: { size: 3, alpha: { float: 0.1 }, beta: { float: 0.7 } },
    },
    { type: "Tile", inputs: ["b", "repeats"], outputs: ["c"] },
    { type: "InstanceNormalization", inputs: ["c", "gamma", "gamma"], outputs: ["d"] },
    { type: "Slice", inputs: ["d"], outputs: ["e"], attributes: { axes: [2, 3], starts: [0, -5], ends: [-1, 9999] } },
    { type: "ReduceLogSumExp", inputs: ["e"], outputs: ["f"], attributes: { axes: [-1, 2], keepdims: 1 } },
    { type: "Sub", inputs: ["e", "f"], outputs: ["g"] },
    { type: "Pow", inputs: ["g", "two"], outputs: ["y"] },
    { type: "Reshape", inputs: ["d", "to"], outputs: ["h"] },
    { type: "Transpose", inputs: ["h"], outputs: ["i"], attributes: { perm: [0, 2, 1] } },
    { type: "Pad", inputs: ["i"], outputs: ["j"], attributes: { mode: "reflect", pads: [0, 1, 2, 0, 0, 1] } },
    { type: "Split", inputs: ["j"], outputs: ["k", "l"], attributes: { axis: 2, split: [7, 8] } },
    { type: "ReduceL2", inputs: ["k"], outputs: ["m"], attributes: { axes: [2] } },
    { type: "Squeeze", inputs: ["m"], outputs: ["n"], attributes: { axes: [2] } },
    { type: "Mul", inputs: ["n", "by"], outputs: ["z"] },
  ],
};

const message = /^(7|8|7(\.1\.5\.6)?\.(1|5|11|12)|7\.1\.5(\.6(\.1\.5)?)?|7\.1[12]\.2(\.1(\.2(\.1)?)?)?)$/;

/** Spoils a model's fields. */
export const damageModel: Damage = damageProtobuf((path) => message.test(path));

/** A model of one operator on x [2, 3]. */
export const single = (
  type: string,
  more: Partial<ModelFile> & { attributes?: ModelFile["nodes"][0]["attributes"]; others?: string[] } = {},
): Uint8Array =>
  onnxModel({
    nodes: [{ type, inputs: ["x", ...more.others ?? []], outputs: ["y"], attributes: more.attributes }],
    inputs: [{ name: "x", shape: [2, 3] }],
    outputs: ["y"],
    ...more,
  });
