/** What exporters write in many operators: choices that shapes decide, and PyTorch's local response normalisation. */
import assert from "node:assert/strict";
import { assertClose } from "../../../reference/close.ts";
import { lrn } from "../../../reference/lrn.ts";
import { map, tensor } from "../../../reference/tensor.ts";
import { refuses } from "../converted.ts";
import { convert, networkOf, run, typesOf } from "./converted.ts";
import * as onnx from "./expected.ts";
import { x } from "./operation.ts";
import { type AttributeFile, float, type GraphFile, int64, type NodeFile, onnxModel } from "./writer.ts";

const node = (
  type: string,
  inputs: string[],
  output: string,
  attributes?: Record<string, AttributeFile>,
): NodeFile => ({ type, inputs, outputs: [output], attributes });

/** PyTorch's `x.squeeze(axis)`: whether that dimension is 1 is asked of the shape, in the model. */
const squeezed = (input: string, output: string, dimension: "first" | "second"): NodeFile[] => [
  node("Shape", [input], `${output}.shape`),
  node("Gather", [`${output}.shape`, dimension], `${output}.size`),
  node("Equal", [`${output}.size`, "one"], `${output}.is`),
  node("If", [`${output}.is`], output, {
    then_branch: { nodes: [node("Squeeze", [input, dimension], "then")], outputs: ["then"] },
    else_branch: { nodes: [node("Identity", [input], "else")], outputs: ["else"] },
  }),
];
const known = { one: int64(1), first: int64(1), second: int64(2) };

Deno.test("onnx: a choice that shapes decide is the branch that it takes", () => {
  const model = (dimension: "first" | "second") =>
    convert(onnxModel({
      nodes: [node("Relu", ["x"], "r"), ...squeezed("r", "s", dimension), node("Neg", ["s"], "y")],
      initializers: known,
      inputs: [{ name: "x", shape: ["N", 3, 1, 4] }],
      outputs: ["y"],
    }));
  const data = x(2, 3, 1, 4);
  const expected = map(data, (value) => -Math.max(value, 0));
  assertClose("squeezed", run(model("second"), { x: data }), tensor([2, 3, 4], expected.data));
  assertClose("as it is", run(model("first"), { x: data }), expected);
  assert.equal(typesOf(model("first")), "relu scale");
});

Deno.test("onnx: a branch has names and weights of its own, sees those around it, and may hold another choice", () => {
  const add = (to: string): GraphFile => ({
    nodes: [node("Add", ["r", "w"], "r2"), node("Mul", ["r2", "w"], to)],
    initializers: { w: float([4], [1, 2, 3, 4]) },
    outputs: [to],
  });
  const inner: GraphFile = {
    nodes: [node("If", ["yes"], "z", { then_branch: add("a"), else_branch: add("b") })],
    outputs: ["z"],
  };
  const model = convert(onnxModel({
    nodes: [node("Relu", ["x"], "r"), node("If", ["no"], "y", { then_branch: add("a"), else_branch: inner })],
    initializers: {
      yes: { shape: [], values: [1], type: 9 },
      no: { shape: [], values: [0], type: 9 },
      w: float([4], [9, 9, 9, 9]),
    },
    inputs: [{ name: "x", shape: ["N", 4] }],
    outputs: ["y"],
  }));
  const data = x(2, 4);
  assertClose("y", run(model, { x: data }), map(data, (value, n) => (Math.max(value, 0) + n % 4 + 1) * (n % 4 + 1)));
});

Deno.test("onnx: a choice that values decide is refused, and so are graphs in graphs without end", () => {
  const branch: GraphFile = { nodes: [node("Relu", ["x"], "z")], outputs: ["z"] };
  const choice = (condition: string, then_branch: GraphFile) =>
    onnxModel({
      nodes: [
        node("ReduceMax", ["x"], "most"),
        node("Greater", ["most", "limit"], "is"),
        node("If", [condition], "y", { then_branch, else_branch: branch }),
      ],
      initializers: { limit: float([], [1]), yes: { shape: [], values: [1], type: 9 } },
      inputs: [{ name: "x", shape: [1, 3] }],
      outputs: ["y"],
    });
  refuses(
    () => convert(choice("is", branch)),
    /^net\.onnx: If "y": the condition, its input "is", is computed from the network's input; it must be constant$/,
  );
  refuses(
    () => convert(choice("yes", { ...branch, nodes: [node("If", ["yes"], "z")] })),
    /If "z": it has no then_branch$/,
  );
  const deep = Array.from({ length: 20 }).reduce<GraphFile>((inside) => ({
    nodes: [node("If", ["yes"], "z", { then_branch: inside })],
    outputs: ["z"],
  }), branch);
  refuses(() => convert(choice("yes", deep)), /^net\.onnx: it has graphs in graphs, more than 16 deep/);
});

/** F.local_response_norm over [N, C, …]: of two dimensions more a pooling of three, else of two. */
function normalised(shape: number[], size: number, { choice = false, exponent = 0.75, dividend = "x" } = {}) {
  const [channels, ...space] = shape;
  const flat = space.length === 1;
  const rows = space.slice(0, 1);
  const rest = flat ? [] : [-1];
  const pads = [Math.floor(size / 2), Math.floor((size - 1) / 2)];
  const zeros = flat ? [0] : [0, 0];
  return convert(onnxModel({
    opset: 13,
    nodes: [
      node("Mul", ["x", "x"], "square"),
      node("Reshape", ["square", "apart"], "five"),
      node("Pad", ["five", "pads"], "wide"),
      node("AveragePool", ["wide"], "average", {
        kernel_shape: [size, ...zeros.map(() => 1)],
        strides: [1, ...zeros.map(() => 1)],
        pads: Array(2 * zeros.length + 2).fill(0),
      }),
      ...(choice ? squeezed("average", "four", "first") : [node("Squeeze", ["average", "first"], "four")]),
      node("Reshape", ["four", "whole"], "back"),
      node("Mul", ["back", "alpha"], "scaled"),
      node("Add", ["scaled", "k"], "shifted"),
      node("Pow", ["shifted", "beta"], "divisor"),
      node("Div", [dividend, "divisor"], "y"),
    ],
    initializers: {
      ...known,
      apart: int64(0, 1, channels, ...rows, ...rest),
      pads: int64(0, 0, pads[0], ...zeros, 0, 0, pads[1], ...zeros),
      whole: int64(0, channels, ...space),
      alpha: float([], [0.5]),
      k: float([], [2]),
      beta: float([], [exponent]),
    },
    inputs: [{ name: "x", shape: ["N", ...shape] }],
    outputs: ["y"],
  }));
}

Deno.test("onnx: PyTorch's local response normalisation is one lrn layer, in whatever shapes it goes to and fro", () => {
  for (
    const [shape, size, options] of [
      [[6, 4, 3], 5, {}],
      [[6, 4, 3], 3, { choice: true }],
      [[7, 2, 3, 2], 3, { exponent: 0.5 }],
      [[5, 6], 3, { exponent: 1.5 }],
      [[4, 3, 2], 3, { exponent: 1.3 }],
    ] as const
  ) {
    const model = normalised([...shape], size, options);
    const { exponent: beta = 0.75 } = options as { exponent?: number };
    assert.equal(typesOf(model), "lrn");
    const data = x(2, ...shape);
    assertClose(`${shape}`, run(model, { x: data }), lrn.forward([data], { size, alpha: 0.5, beta, k: 2 }, {}), 1e-6);
    assert.equal(networkOf(model).inputs[0].shape.length, shape.length);
  }
});

Deno.test("onnx: of an even size PyTorch's window has its extra channel before the middle", () => {
  const data = x(2, 5, 3);
  const model = normalised([5, 3], 4);
  assert.equal(typesOf(model), "resample lrn resample");
  const expected = onnx.each(data.shape, ([n, c, at]) => {
    const squares = [-2, -1, 0, 1].map((d) => (onnx.at(data, [n, c + d, at]) ?? 0) ** 2);
    return onnx.at(data, [n, c, at])! / (2 + 0.5 / 4 * squares.reduce((a, b) => a + b)) ** 0.75;
  });
  assertClose("y", run(model, { x: data }), expected, 1e-6);
});

Deno.test("onnx: what is divided by the squares of something else is no lrn layer", () => {
  const data = x(2, 5, 3);
  const model = normalised([5, 3], 3, { dividend: "square" });
  assert.ok(!typesOf(model).includes("lrn"));
  const own = lrn.forward([data], { size: 3, alpha: 0.5, beta: 0.75, k: 2 }, {});
  assertClose("y", run(model, { x: data }), map(own, (value, n) => value * data.data[n]), 1e-6);
});
