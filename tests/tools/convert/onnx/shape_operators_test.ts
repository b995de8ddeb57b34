/** Operators that move values, and LSTM. */
import { tensor } from "../../../reference/tensor.ts";
import * as onnx from "./expected.ts";
import { check, numbers, type Operation, w, x } from "./operation.ts";

const moved: Operation[] = [
  ...([[0, 2, 1], [1, 0, 2], [2, 1, 0]].map((perm): Operation => ({
    type: "Transpose",
    name: `${perm}`,
    attributes: { perm },
    inputs: { x: x(3, 4, 5) },
    expected: ({ x }) => onnx.transpose(x, perm),
  }))),
  ...[0, 1, -1].map((axis): Operation => ({
    type: "Concat",
    name: `axis ${axis}`,
    attributes: { axis },
    inputs: { a: x(2, 3, 4), b: w(2, 3, 4) },
    expected: ({ a, b }) => onnx.concat([a, b], axis < 0 ? 2 : axis),
  })),
  ...([["reflect", [-1, -2], 1], ["edge", [-1, 3], -1]] as const).map(([mode, , axis]): Operation => ({
    type: "Pad",
    name: mode,
    attributes: { mode },
    inputs: { x: x(2, 3, 4), wholePads: numbers(0, 0, 2, 0, 0, 1) },
    expected: ({ x }) =>
      onnx.each([2, 3, 7], ([n, c, at]) => {
        const place = at - 2;
        const from = place < 0 ? (axis > 0 ? -place : 0) : place > 3 ? (axis > 0 ? 6 - place : 3) : place;
        return onnx.at(x, [n, c, from])!;
      }),
  })),
  {
    type: "Pad",
    name: "a value, and fewer",
    inputs: { x: x(2, 3, 4), wholePads: numbers(0, 1, -1, 0, 0, 2), knownValue: tensor([], [1.5]) },
    expected: ({ x }) => onnx.each([2, 4, 5], ([n, c, at]) => onnx.at(x, [n, c - 1, at + 1]) ?? 1.5),
  },
  {
    type: "Reshape",
    inputs: { x: x(2, 3, 4), wholeShape: numbers(4, -1) },
    expected: ({ x }) => tensor([4, 6], x.data),
  },
  {
    type: "Reshape",
    name: "0",
    inputs: { x: x(2, 3, 4), wholeShape: numbers(0, -1) },
    expected: ({ x }) => tensor([2, 12], x.data),
  },
  {
    type: "Flatten",
    name: "2",
    attributes: { axis: 2 },
    inputs: { x: x(2, 3, 4) },
    expected: ({ x }) => tensor([6, 4], x.data),
  },
  { type: "Squeeze", inputs: { x: x(2, 1, 4), wholeAxes: numbers(1) }, expected: ({ x }) => tensor([2, 4], x.data) },
  {
    type: "Unsqueeze",
    inputs: { x: x(2, 4), wholeAxes: numbers(0, 3) },
    expected: ({ x }) => tensor([1, 2, 4, 1], x.data),
  },
  {
    type: "Slice",
    inputs: { x: x(4, 6), wholeStarts: numbers(1, -4), wholeEnds: numbers(3, 2 ** 63 - 1025) },
    expected: ({ x }) => onnx.each([2, 4], ([a, b]) => onnx.at(x, [a + 1, b + 2])!),
  },
  {
    type: "Slice",
    name: "to the end, as exporters write it",
    inputs: { x: x(4, 6), wholeStarts: numbers(1, -4), wholeEnds: numbers(2 ** 63 - 1, 2 ** 63 - 1) },
    expected: ({ x }) => onnx.each([3, 4], ([a, b]) => onnx.at(x, [a + 1, b + 2])!),
  },
  ...[[1, 2, 3], [2, 1, 2]].map((repeats): Operation => ({
    type: "Tile",
    name: `[${repeats}] times`,
    inputs: { x: x(2, 3, 2), wholeRepeats: numbers(...repeats) },
    expected: ({ x }) =>
      onnx.each(
        x.shape.map((n, d) => n * repeats[d]),
        (index) => onnx.at(x, index.map((at, d) => at % x.shape[d]))!,
      ),
  })),
  {
    type: "Gather",
    attributes: { axis: 1 },
    inputs: { x: x(2, 4), wholeIndices: numbers(3, 0, -2) },
    expected: ({ x }) => onnx.each([2, 3], ([a, b]) => onnx.at(x, [a, [3, 0, 2][b]])!),
  },
  {
    type: "Gather",
    name: "neighbours together",
    inputs: { x: x(90, 3), wholeIndices: numbers(...Array(80).keys(), 4, 5) },
    expected: ({ x }) => onnx.each([82, 3], ([a, b]) => onnx.at(x, [a < 80 ? a : a - 76, b])!),
  },
  {
    type: "Split",
    attributes: { axis: 1, num_outputs: 2 },
    inputs: { x: x(2, 5) },
    outputs: ["y", "z"],
    expected: ({ x }) => onnx.each([2, 3], (index) => onnx.at(x, index)!),
  },
  ...["forward", "reverse"].flatMap((direction) =>
    (["y", "cell"] as const).map((wanted): Operation => ({
      type: "LSTM",
      name: `${wanted}, ${direction}`,
      attributes: { hidden_size: 3, direction },
      inputs: { x: x(4, 2, 5), knownW: w(1, 12, 5), knownR: w(1, 12, 3), knownB: w(1, 24) },
      outputs: wanted === "y" ? ["y"] : ["", "", "cell"],
      expected: ({ x, knownW, knownR, knownB }) =>
        onnx.lstm(x, knownW, knownR, knownB, direction === "reverse")[wanted],
    }))
  ),
];

for (const operation of moved) check(operation);
