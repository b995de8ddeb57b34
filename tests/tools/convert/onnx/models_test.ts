/** Whole ONNX models: a classifier as exporters write it, tensors in every form, and files that are broken. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { externalFiles } from "../../../../tools/convert/onnx/command.ts";
import { readOnnx } from "../../../../tools/convert/onnx/proto.ts";
import { readTensor, tensorOf } from "../../../../tools/convert/onnx/tensor.ts";
import { damageProtobuf } from "../../../formats/damage.ts";
import { fuzz } from "../../../formats/fuzz.ts";
import { assertClose } from "../../../reference/close.ts";
import { normal, randomTensor } from "../../../reference/random.ts";
import { tensor } from "../../../reference/tensor.ts";
import { refuses } from "../converted.ts";
import { convert, networkOf, run, typesOf } from "./converted.ts";
import * as onnx from "./expected.ts";
import { float, int64, type ModelFile, onnxModel, type TensorFile, tensorProto } from "./writer.ts";

const random = (...shape: number[]) => randomTensor(shape, normal(`${shape}`));
const file = (...shape: number[]): TensorFile => float(shape, random(...shape).data);

/** Convolution, batch norm, ReLU, pooling, and the chain of shapes that PyTorch writes for `x.view(x.size(0), -1)`. */
const classifier: ModelFile = {
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
const manyOperators: ModelFile = {
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
const pickingOperators: ModelFile = {
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

/** A model of one operator on x [2, 3]. */
const single = (
  type: string,
  more: Partial<ModelFile> & { attributes?: ModelFile["nodes"][0]["attributes"]; others?: string[] } = {},
) =>
  onnxModel({
    nodes: [{ type, inputs: ["x", ...more.others ?? []], outputs: ["y"], attributes: more.attributes }],
    inputs: [{ name: "x", shape: [2, 3] }],
    outputs: ["y"],
    ...more,
  });

Deno.test("onnx: the arithmetic on pads that PyTorch writes, which counts its last axis first", () => {
  const node = (type: string, inputs: string[], output: string, attributes?: Record<string, number[] | number>) => ({
    type,
    inputs,
    outputs: [output],
    attributes,
  });
  const bytes = onnxModel({
    opset: 17,
    inputs: [{ name: "data", shape: [1, 2, 3] }],
    outputs: ["y"],
    initializers: {
      given: int64(2, 1),
      others: int64(0, 0, 0, 0),
      pairs: { shape: [2], values: [-1, 2], type: 7 },
      last: int64(-1),
      first: int64(-(2 ** 63)), // past the first
      axis: int64(0),
    },
    nodes: [
      node("Concat", ["given", "others"], "all", { axis: 0 }),
      node("Reshape", ["all", "pairs"], "rows"),
      node("Slice", ["rows", "last", "first", "axis", "last"], "turned"),
      node("Transpose", ["turned"], "ends", { perm: [1, 0] }),
      node("Reshape", ["ends", "last"], "pads"),
      node("Pad", ["data", "pads"], "y"),
    ],
  });
  const x = random(1, 2, 3), padded = run(convert(bytes), { data: x });
  assertClose("Pad", padded, onnx.each([1, 2, 6], ([n, c, at]) => onnx.at(x, [n, c, at - 2]) ?? 0), 1e-6);
});

Deno.test("onnx: an exported classifier: shapes vanish, any batch runs, the numbers are the model's", () => {
  const model = convert(onnxModel(classifier)), network = networkOf(model);
  assert.equal(typesOf(model), "conv2d batchnorm relu maxpool fc softmax");
  assert.deepEqual(network.inputs, [{ name: "data", shape: [3, 8, 8] }]);
  assert.deepEqual(network.layers.map(({ name }) => name), ["/conv/Conv", "b", "r", "p", "/fc/Gemm", "prob"]);
  const data = random(2, 3, 8, 8),
    values = (name: string) => {
      const { shape, values } = classifier.initializers![name];
      return tensor(shape, Float32Array.from(values));
    };
  const [s, b, m, v] = ["weight", "bias", "mean", "var"].map((part) => values(`bn.${part}`).data);
  const c = onnx.conv(data, values("conv.weight"), undefined, { kernel: [3, 3] });
  const r = onnx.each(c.shape, (index) => {
    const channel = index[1];
    return Math.max(0, (onnx.at(c, index)! - m[channel]) / Math.sqrt(v[channel] + 1e-5) * s[channel] + b[channel]);
  });
  const p = onnx.pool(r, { kernel: [2, 2], strides: [2, 2] });
  const product = onnx.product(tensor([2, 36], p.data), onnx.transpose(values("fc.weight"), [1, 0]));
  const score = onnx.both(product, values("fc.bias"), (y, bias) => y + bias);
  assertClose("score", run(model, { data }, "score"), score, 1e-6);
  assertClose("prob", run(model, { data }), onnx.softmax(score, 1), 1e-6);
});

Deno.test("onnx: weights in f16 and i8; biases and statistics stay f32; what that changes is measured", () => {
  // Half of the last bit that f16 keeps, and half of the largest value's 127th.
  for (const [weights, dtype, most] of [["f16", "F16", 2 ** -11], ["i8", "I8", 0.51 / 127]] as const) {
    const { tensors, parameters, narrowing } = convert(onnxModel(classifier), { weights });
    const dtypes = ["/conv/Conv.weight", "/fc/Gemm.weight", "/fc/Gemm.bias", "b.variance"]
      .map((name) => tensors.get(name)!.dtype);
    assert.deepEqual(dtypes, [dtype, dtype, "F32", "F32"]);
    assert.equal(parameters, convert(onnxModel(classifier)).parameters);
    assert.ok(narrowing.error > most / 10 && narrowing.error <= most, `${weights}: ${narrowing.error}`);
  }
});

Deno.test("onnx: the numbers of a picture, of a classifier's input or of a generator's output", () => {
  const pixels = { order: "BGR" as const, mean: [120], scale: [0.02, 0.03, 0.02] };
  const { text, picture } = convert(onnxModel(classifier), { pixels });
  assert.deepEqual(JSON.parse(text).image, { ...pixels, mean: [120, 120, 120] });
  assert.deepEqual(picture, { of: 'of input "data"', image: JSON.parse(text).image });
  assert.equal(JSON.parse(convert(onnxModel(classifier)).text).image, undefined);
  const two = { ...pixels, mean: [1, 2] };
  refuses(() => convert(onnxModel(classifier), { pixels: two }), /^2 means are given, the picture has 3 channels$/);
  refuses(
    () => convert(single("Relu"), { pixels }),
    /^pixels are described, but neither input "x" of \[3\] nor output "y" of \[3\] is a picture, of 1 or 3 channels/,
  );
  // Latent maps of 16 channels become three of 2 × 2 pixels.
  const w = { shape: [16, 3, 2, 2], values: Array(192).fill(0.1) };
  const generator = onnxModel({
    nodes: [{ type: "ConvTranspose", inputs: ["z", "w"], outputs: ["c"] }, {
      type: "Tanh",
      inputs: ["c"],
      outputs: ["rgb"],
    }],
    initializers: { w },
    inputs: [{ name: "z", shape: [1, 16, 1, 1] }],
    outputs: ["rgb"],
  });
  const made = convert(generator, { pixels: { mean: [127.5], scale: 1 / 127.5 } });
  assert.equal(made.picture!.of, 'of output "rgb"');
  assert.deepEqual(JSON.parse(made.text).image, { order: "RGB", mean: [127.5, 127.5, 127.5], scale: 1 / 127.5 });
});

Deno.test("onnx: several outputs: the first is the network's, others have their names, and what holds no floats goes", () => {
  const model = convert(onnxModel({
    nodes: [
      { type: "Relu", inputs: ["x"], outputs: ["a"] },
      { type: "Neg", inputs: ["a"], outputs: ["b"] },
      { type: "Shape", inputs: ["x"], outputs: ["s"] },
    ],
    inputs: [{ name: "x", shape: [2, 3] }],
    outputs: ["a", "b", "s", "x"],
  }));
  assert.deepEqual([model.outputs, model.dropped], [["a", "b", "x"], ["s"]]);
  const x = random(2, 3);
  assert.deepEqual(
    [...run(model, { x }).data].map((value) => value + 0),
    [...x.data].map((value) => Math.max(0, value)),
  );
  assert.deepEqual(
    [...run(model, { x }, "b").data].map((value) => value + 0),
    [...x.data].map((value) => 0 - Math.max(0, value)),
  );
});

Deno.test("onnx: tensors of every type, raw and in lists", () => {
  const external = () => assert.fail("no other file is read");
  const half = [0x3c00, 0xc000, 0x3800], bfloat = [0x3f80, 0xc000, 0x3f00];
  for (
    const [type, values, expected] of [
      [1, [1, -2, 0.5]],
      [11, [1, -2, 0.1]],
      [10, half, [1, -2, 0.5]],
      [16, bfloat, [1, -2, 0.5]],
      [2, [1, 255, 0]],
      [3, [1, -128, 127]],
      [5, [1, -300, 127]],
      [6, [1, -(2 ** 31), 7]],
      [7, [1, -(2 ** 53), 7]],
      [9, [1, 0, 1]],
    ] as [number, number[], number[]?][]
  ) {
    for (const list of [false, true]) {
      const read = readTensor(tensorProto({ shape: [3], values, type, list }, "t"), "f", external);
      assert.deepEqual(
        [read.name, read.shape, [...read.values]],
        ["t", [3], expected ?? values],
        `type ${type}, ${list}`,
      );
    }
  }
});

Deno.test("onnx: external data are read where they should be", () => {
  const values = Float32Array.of(1, 2, 3), asked: unknown[] = [];
  const proto = (external: Record<string, string>) => tensorProto({ shape: [3], values: [], external }, "w");
  const read = readTensor(proto({ location: "w.bin", offset: "4096", length: "12" }), "f", (...where) => {
    asked.push(where);
    return new Uint8Array(values.buffer);
  });
  assert.deepEqual([...read.values], [1, 2, 3]);
  assert.deepEqual(asked, [["w.bin", 4096, 12]]);
  const short = () => new Uint8Array(8);
  refuses(() => readTensor(proto({ location: "w" }), "f", short), /"w": float32 \[3\] takes 12 bytes, 8 came/);
  refuses(() => readTensor(proto({}), "f", short), /its values lie in another file that is not named/);
  refuses(
    () => readTensor(proto({ location: "w", offset: "-1" }), "f", short),
    /the offset of its external data is "-1"/,
  );
});

Deno.test("onnx: what is not supported says so, and what to do", () => {
  const refused = (bytes: Uint8Array, message: RegExp, options = {}) => refuses(() => convert(bytes, options), message);
  refused(
    single("NonZero"),
    /^net\.onnx: NonZero "y": this operator is not supported; docs\/onnx\.md lists those that are$/,
  );
  refused(
    onnxModel({
      nodes: [{ type: "Gelu", domain: "com.microsoft", inputs: ["x"], outputs: ["y"] }],
      inputs: [{ name: "x", shape: [2, 3] }],
      outputs: ["y"],
    }),
    /this operator of com\.microsoft is not supported/,
  );
  const conv = single("Conv", {
    others: ["W"],
    inputs: [{ name: "x", shape: [1, 2, 3, 3] }, { name: "W", shape: [1, 2, 3, 3] }],
  });
  refused(
    conv,
    /Conv "y": the weight, the model's input "W", must be constant; give its value with --constant W=FILE\.npy$/,
  );
  const w = tensorOf("float32", [1, 3, 3, 3], new Float32Array(27));
  refused(conv, /its weight \[1,3,3,3\] in 1 groups does not fit 2 channels/, { constants: new Map([["W", w]]) });
  refused(conv, /it has no input "V"; its inputs are x, W/, { constants: new Map([["V", w]]) });
  refused(
    single("Relu", { inputs: [{ name: "x", shape: [2, 3], type: 8 }] }),
    /input "x" is of ONNX's type 8, and networks compute with real numbers alone/,
  );
  refused(
    single("Reshape", { others: ["s"], inputs: [{ name: "x", shape: [2, 3] }, { name: "s", shape: [1], type: 7 }] }),
    /the shape, the model's input "s", must be constant; give its value with --constant s=FILE\.npy$/,
  );
  refused(
    single("ReduceSum", { others: ["a"], inputs: [{ name: "x", shape: [2, 3] }, { name: "a", shape: [0], type: 7 }] }),
    /input "a" of \[0\] holds no values; if it is a setting, give its value with --constant a=FILE\.npy$/,
  );
  refused(
    single("Relu", { inputs: [{ name: "x", shape: [1, 3, "H", "W"] }] }),
    /input "x" leaves dimension 2 open; give its shape with --shape x=1,3,224,224$/,
  );
  refused(
    single("ConstantOfShape", { inputs: [{ name: "x", shape: [2], type: 7 }] }),
    /its input 1, the model's input "x", must be constant; give its value with --constant x=FILE\.npy$/,
  );
  for (const type of ["Sum", "Mean", "Max", "Concat"]) {
    const node = { type, inputs: [], outputs: ["y"], attributes: { axis: 0 } };
    refused(single(type, { nodes: [node] }), /its input 1 is missing|it has 0 inputs, expected 1/);
  }
  refused(single("LRN", { attributes: { size: "five" } }), /its attribute "size" is not a number/);
  refused(
    single("Constant", { nodes: [{ type: "Constant", inputs: [], outputs: ["y"], attributes: { value: file(2) } }] }),
    /its output does not depend on an input/,
  );
  refused(single("Relu", { opset: 0 }), /does not say of which version its operators are/);
  refused(single("Relu", { outputs: ["z"] }), /nothing makes its output "z"/);
  refused(single("Add", { others: ["k"], initializers: { k: float([3], [1, NaN, 2]) } }), /holds NaN or infinity/);
});

Deno.test("onnx: a size that is left open is asked for; the first is the batch's", () => {
  const open = single("Relu", { inputs: [{ name: "x", shape: ["N", 3, "H"] }] });
  assert.deepEqual(networkOf(convert(open, { shapes: new Map([["x", [5, 3, 4]]]) })).inputs, [{
    name: "x",
    shape: [3, 4],
  }]);
  refuses(
    () => convert(open, { shapes: new Map([["x", [5, 2, 4]]]) }),
    /has shape \[N,3,H\] in the model, --shape gives \[5,2,4\]/,
  );
});

Deno.test("onnx: a batch of one that is not kept apart: where it is fixed, each item of a batch runs on its own", () => {
  const turn = { type: "Transpose", attributes: { perm: [1, 0, 2] } };
  const turned = (batch: number | string) =>
    onnxModel({
      nodes: [
        { ...turn, inputs: ["x"], outputs: ["sequence"] },
        { type: "Relu", inputs: ["sequence"], outputs: ["x.whole"] },
        { ...turn, inputs: ["x.whole"], outputs: ["y"] },
        { type: "Neg", inputs: ["y"], outputs: ["z"] },
      ],
      inputs: [{ name: "x", shape: [batch, 3, 2] }],
      outputs: ["y", "z", "x"],
    });
  const model = convert(turned(1)), x = random(4, 3, 2), values = [...x.data].map((value) => Math.max(0, value));
  assert.deepEqual(networkOf(model).inputs, [{ name: "x", shape: [3, 2] }]);
  const signless = (list: Iterable<number>) => Array.from(list, (value) => value + 0); // −0 is 0
  for (const [name, expected] of Object.entries({ y: values, z: values.map((value) => -value), x: [...x.data] })) {
    const { shape, data } = run(model, { x }, name);
    assert.deepEqual([shape, signless(data)], [[4, 3, 2], signless(expected)]);
  }
  assert.deepEqual(signless(run(model, { x }).data), values);
  const shapes = new Map([["x", [1, 3, 2]]]), open = turned("N");
  assert.deepEqual(networkOf(convert(open)).inputs, [{ name: "x", shape: [1, 3, 2] }]);
  assert.deepEqual(networkOf(convert(open, { shapes })).inputs, [{ name: "x", shape: [3, 2] }]);
});

Deno.test("onnx: what is known cannot unfold to more than there is", () => {
  const shape = int64(2 ** 20, 2 ** 20);
  refuses(
    () =>
      convert(single("Add", {
        nodes: [{ type: "ConstantOfShape", inputs: ["s"], outputs: ["k"] }, {
          type: "Add",
          inputs: ["x", "k"],
          outputs: ["y"],
        }],
        initializers: { s: shape },
      })),
    /ConstantOfShape "k": it makes a tensor of \[1048576,1048576\]/,
  );
  const doubling = Array.from({ length: 40 }, (_, n) => ({
    type: "Concat",
    inputs: [`k${n}`, `k${n}`],
    outputs: [`k${n + 1}`],
    attributes: { axis: 0 },
  }));
  refuses(
    () =>
      convert(single("Add", {
        nodes: [...doubling, { type: "Add", inputs: ["x", "k40"], outputs: ["y"] }],
        initializers: { k0: float([4], [1, 2, 3, 4]) },
      })),
    /unfolds to far more than the file holds|it makes \d+ numbers of known ones/,
  );
});

Deno.test("onnx: thousands of dimensions, inputs or outputs are refused or done at once", () => {
  const of = (nodes: ModelFile["nodes"], initializers: ModelFile["initializers"]) =>
    convert(single("Add", { nodes: [...nodes, { type: "Add", inputs: ["x", "k"], outputs: ["y"] }], initializers }));
  const ones = { s: int64(...Array(300).fill(1)) }, known = { n: int64(200_000), one: float([1], [1]) };
  refuses(
    () => of([{ type: "ConstantOfShape", inputs: ["s"], outputs: ["k"] }], ones),
    /ConstantOfShape "k": it makes a tensor of 300 dimensions/,
  );
  const shape = { type: "ConstantOfShape", inputs: ["n"], outputs: ["s"] }, inputs = ["one", "s"];
  for (const type of ["Expand", "Reshape"]) {
    refuses(() => of([shape, { type, inputs, outputs: ["k"] }], known), /it makes a tensor of 200000 dimensions/);
  }
  refuses(
    () => of([shape, { type: "Unsqueeze", inputs, outputs: ["k"] }], known),
    /it makes a tensor of 200001 dimensions/,
  );
  const repeated = Array(100_000).fill("one");
  refuses(
    () => of([{ type: "Max", inputs: repeated, outputs: ["k"] }], known),
    /takes 100000 known tensors for 1 numbers/,
  );
  assert.ok(of([{ type: "Max", inputs: repeated.slice(0, 1000), outputs: ["k"] }], known));
  const outputs = Array(4000).fill("y"), nodes = [{ type: "Identity", inputs: ["x"], outputs: ["y"] }];
  assert.deepEqual(convert(onnxModel({ nodes, inputs: [{ name: "x", shape: ["N", 2] }], outputs })).outputs, ["y"]);
});

Deno.test("onnx: one file of external data cannot fill memory for a thousand tensors", () => {
  const external = externalFiles(join(import.meta.dirname!, "net.onnx")),
    read = () => external("writer.ts", 0, undefined);
  assert.deepEqual(read(), read());
  refuses(read, /writer\.ts is read more than twice over by the model's tensors$/);
  assert.equal(external("expected.ts", 1, 3).length, 3);
  refuses(() => external("../onnx/writer.ts", 0, 1), /outside the model's folder$/);
});

Deno.test("onnx: damaged files", () => {
  refuses(() => convert(new TextEncoder().encode("no model")), /^net\.onnx: /);
  refuses(() => convert(new Uint8Array(0)), /^net\.onnx: this is empty, not an ONNX model$/);
  const bytes = onnxModel(classifier);
  assert.equal(convert(onnxModel(manyOperators)).outputs.join(), "y,z");
  assert.equal(readOnnx(bytes, { file: "f", external: () => bytes }).nodes.length, classifier.nodes.length);
  const message = /^(7|8|7(\.1\.5\.6)?\.(1|5|11|12)|7\.1\.5(\.6(\.1\.5)?)?|7\.1[12]\.2(\.1(\.2(\.1)?)?)?)$/;
  const sound = { damage: damageProtobuf((path) => message.test(path)) };
  fuzz(bytes, 300, (damaged) => convert(damaged));
  fuzz(bytes, 100, (damaged) => convert(damaged), sound);
  assert.match(typesOf(convert(onnxModel(pickingOperators))), /^resample .* power$/);
  for (const model of [manyOperators, pickingOperators]) {
    fuzz(onnxModel(model), 100, (damaged) => convert(damaged), sound);
  }
});
