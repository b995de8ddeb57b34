/** Pictures whose channels come last in the model, as Keras and TensorFlow export them, come first in the network. */
import assert from "node:assert/strict";
import { assertClose } from "../../../reference/close.ts";
import { tensor } from "../../../reference/tensor.ts";
import { convert, networkOf, run, typesOf } from "./converted.ts";
import * as onnx from "./expected.ts";
import { w, x } from "./operation.ts";
import { float, int64, type NodeFile, onnxModel } from "./writer.ts";

const pixels = { order: "RGB" as const, mean: [127.5], scale: 1 / 127.5 };
const first = [0, 3, 1, 2];
const weight = w(4, 3, 3, 3);
const shift = w(3);

/** A classifier's beginning: what comes before its transposition, and the convolution after it. */
const model = (before: NodeFile[], seen: string) =>
  onnxModel({
    inputs: [{ name: "data", shape: ["N", 7, 6, 3] }],
    outputs: ["y"],
    initializers: {
      w: float([4, 3, 3, 3], weight.data),
      half: float([], [0.5]),
      shift: float([3], shift.data),
      pads: int64(0, 1, 0, 0, 0, 0, 0, 0),
    },
    nodes: [
      ...before,
      { type: "Transpose", inputs: [seen], outputs: ["t"], attributes: { perm: first } },
      { type: "Conv", inputs: ["t", "w"], outputs: ["y"] },
    ],
  });

const data = x(2, 3, 7, 6);
const conv = (x: typeof data) => onnx.conv(x, weight, undefined, { kernel: [3, 3] });

Deno.test("onnx: the transposition that a model begins with is gone, and pictures work", () => {
  const converted = convert(model([], "data"), { pixels });
  assert.deepEqual([typesOf(converted), converted.turned], ["conv2d", ["input data"]]);
  const { inputs, image: written } = networkOf(converted) as ReturnType<typeof networkOf> & {
    image: { mean: number[] };
  };
  assert.deepEqual([inputs, written.mean], [[{ name: "data", shape: [3, 7, 6] }], [127.5, 127.5, 127.5]]);
  assertClose("y", run(converted, { data }), conv(data), 1e-6);
});

Deno.test("onnx: what the model does to its pictures before is done to theirs", () => {
  const converted = convert(
    model([
      { type: "Mul", inputs: ["data", "half"], outputs: ["a"] },
      { type: "Sub", inputs: ["shift", "a"], outputs: ["b"] },
      { type: "Pad", inputs: ["b", "pads"], outputs: ["c"] },
    ], "c"),
    { pixels },
  );
  assert.equal(typesOf(converted), "scale scale pad conv2d");
  const expected = onnx.each([2, 3, 8, 6], ([n, c, y, x]) => {
    const value = onnx.at(data, [n, c, y - 1, x]);
    return value === undefined ? 0 : shift.data[c] - value / 2;
  });
  assertClose("y", run(converted, { data }), conv(expected), 1e-6);
});

Deno.test("onnx: a model that flattens its pictures at once has them turned first", () => {
  const converted = convert(
    onnxModel({
      inputs: [{ name: "data", shape: [1, 4, 5, 1] }, { name: "more", shape: [1, 4, 5, 1] }],
      outputs: ["y"],
      initializers: { flat: int64(-1, 20) },
      nodes: [
        { type: "Add", inputs: ["data", "more"], outputs: ["sum"] },
        { type: "Reshape", inputs: ["sum", "flat"], outputs: ["y"] },
      ],
    }),
    { pixels },
  );
  assert.deepEqual(networkOf(converted).inputs.map(({ shape }) => shape), [[1, 4, 5], [4, 5, 1]]);
  const data = x(1, 1, 4, 5);
  const more = w(1, 4, 5, 1);
  assertClose("y", run(converted, { data, more }), tensor([1, 20], data.data.map((value, n) => value + more.data[n])));
});

Deno.test("onnx: pictures that the model makes have their channels first too", () => {
  const converted = convert(
    onnxModel({
      inputs: [{ name: "data", shape: ["N", 7, 6, 3] }],
      outputs: ["y"],
      initializers: { w: float([3, 3, 1, 1], w(3, 3, 1, 1).data) },
      nodes: [
        { type: "Transpose", inputs: ["data"], outputs: ["t"], attributes: { perm: first } },
        { type: "Conv", inputs: ["t", "w"], outputs: ["c"] },
        { type: "Transpose", inputs: ["c"], outputs: ["y"], attributes: { perm: [0, 2, 3, 1] } },
      ],
    }),
    { pixels },
  );
  assert.deepEqual(converted.turned, ["input data", "output y"]);
  assert.ok(!typesOf(converted).includes("transpose"));
  assertClose("y", run(converted, { data }), onnx.conv(data, w(3, 3, 1, 1), undefined, { kernel: [1, 1] }), 1e-6);
});

Deno.test("onnx: where nobody says that they are pictures, arrays stay as the model has them", () => {
  const converted = convert(model([], "data"));
  assert.deepEqual([typesOf(converted), converted.turned], ["transpose conv2d", []]);
  assert.deepEqual(networkOf(converted).inputs, [{ name: "data", shape: [7, 6, 3] }]);
});
