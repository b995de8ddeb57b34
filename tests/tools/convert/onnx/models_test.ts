/** Whole ONNX models: a classifier as exporters write it, several outputs, open sizes, and tensors in every form. */
import assert from "node:assert/strict";
import { readTensor } from "../../../../tools/convert/onnx/tensor.ts";
import { assertClose } from "../../../reference/close.ts";
import { tensor } from "../../../reference/tensor.ts";
import { refuses } from "../converted.ts";
import { convert, networkOf, run, typesOf } from "./converted.ts";
import * as onnx from "./expected.ts";
import { int64, onnxModel, tensorProto } from "./writer.ts";
import { classifier, random, single } from "./models.ts";

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
  const x = random(1, 2, 3);
  const padded = run(convert(bytes), { data: x });
  assertClose("Pad", padded, onnx.each([1, 2, 6], ([n, c, at]) => onnx.at(x, [n, c, at - 2]) ?? 0), 1e-6);
});

Deno.test("onnx: an exported classifier: shapes vanish, any batch runs, the numbers are the model's", () => {
  const model = convert(onnxModel(classifier));
  const network = networkOf(model);
  assert.equal(typesOf(model), "conv2d batchnorm relu maxpool fc softmax");
  assert.deepEqual(network.inputs, [{ name: "data", shape: [3, 8, 8] }]);
  assert.deepEqual(network.layers.map(({ name }) => name), ["/conv/Conv", "b", "r", "p", "/fc/Gemm", "prob"]);
  const data = random(2, 3, 8, 8);
  const values = (name: string) => {
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
  const half = [0x3c00, 0xc000, 0x3800];
  const bfloat = [0x3f80, 0xc000, 0x3f00];
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
  const values = Float32Array.of(1, 2, 3);
  const asked: unknown[] = [];
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
  const model = convert(turned(1));
  const x = random(4, 3, 2);
  const values = [...x.data].map((value) => Math.max(0, value));
  assert.deepEqual(networkOf(model).inputs, [{ name: "x", shape: [3, 2] }]);
  const signless = (list: Iterable<number>) => Array.from(list, (value) => value + 0); // −0 is 0
  for (const [name, expected] of Object.entries({ y: values, z: values.map((value) => -value), x: [...x.data] })) {
    const { shape, data } = run(model, { x }, name);
    assert.deepEqual([shape, signless(data)], [[4, 3, 2], signless(expected)]);
  }
  assert.deepEqual(signless(run(model, { x }).data), values);
  const shapes = new Map([["x", [1, 3, 2]]]);
  const open = turned("N");
  assert.deepEqual(networkOf(convert(open)).inputs, [{ name: "x", shape: [1, 3, 2] }]);
  assert.deepEqual(networkOf(convert(open, { shapes })).inputs, [{ name: "x", shape: [3, 2] }]);
});
