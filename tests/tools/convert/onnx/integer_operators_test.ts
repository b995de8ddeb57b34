/** Operators on integers and booleans, and those that make them. */
import { map, type Tensor, tensor } from "../../../reference/tensor.ts";
import * as onnx from "./expected.ts";
import { booleans, check, integers, numbers, type Operation, w, x } from "./operation.ts";

type Both = (a: number, b: number) => number;
const casts: [number, (x: number) => number][] = [[6, Math.trunc], [9, (x) => Number(x !== 0)], [11, (x) => x]];

const floorMod = (a: number, b: number) => a - b * Math.floor(a / b);
const scaled = (value: Tensor, factor: number) => map(value, (number) => factor * number);

const arithmetic: Operation[] = [
  ...Object.entries<Both>({ Div: (a, b) => Math.trunc(a / b), Mod: floorMod, Sub: (a, b) => a - b }).flatMap((
    [type, f],
  ): Operation[] => [
    {
      type,
      name: "of integers",
      inputs: { intA: integers(3, 4, 5), intB: integers(4, 5) },
      expected: ({ intA, intB }) => onnx.both(intA, intB, f),
    },
    {
      type,
      name: "of integers by a known one",
      inputs: { intA: integers(3, 4), whole: numbers(-3) },
      expected: ({ intA, whole }) => onnx.both(intA, whole, f),
    },
  ]),
  {
    type: "Mod",
    name: "fmod of floats",
    attributes: { fmod: 1 },
    inputs: { a: x(3, 4), b: w(3, 4) },
    expected: ({ a, b }) => onnx.both(a, b, (a, b) => a % b),
  },
  {
    type: "ReduceMean",
    name: "of integers",
    inputs: { int: integers(3, 7), wholeAxes: numbers(1) },
    expected: ({ int }) => map(onnx.mean(int, [1]), (value) => Math.trunc(value + Math.sign(value) * 1e-9)),
  },
  {
    type: "ReduceSum",
    name: "of integers",
    inputs: { int: integers(3, 7), wholeAxes: numbers(1) },
    expected: ({ int }) => scaled(onnx.mean(int, [1]), 7),
  },
  {
    type: "ConvInteger",
    inputs: { intX: integers(1, 2, 5, 4), knownW: integers(3, 2, 2, 2), knownX: numbers(3), knownZ: numbers(1, 2, -3) },
    attributes: { pads: [1, 0, 0, 1] },
    expected: ({ intX, knownW, knownX, knownZ }) => {
      const less = onnx.both(knownW, tensor([3, 1, 1, 1], knownZ.data), (w, z) => w - z);
      const xs = onnx.both(intX, knownX, (x, z) => x - z);
      return onnx.conv(xs, less, undefined, { kernel: [2, 2], pads: [1, 0, 0, 1] });
    },
  },
  {
    type: "MatMulInteger",
    inputs: { intA: integers(3, 4), knownB: integers(4, 2), knownA: numbers(1, 2, 3), knownZ: numbers(5, -1) },
    expected: ({ intA, knownB, knownA, knownZ }) =>
      onnx.product(
        onnx.both(intA, tensor([3, 1], knownA.data), (a, z) => a - z),
        onnx.both(knownB, knownZ, (b, z) => b - z),
      ),
  },
];

const logic: Operation[] = [
  ...Object.entries<Both>({ And: (a, b) => a & b, Or: (a, b) => a | b, Xor: (a, b) => a ^ b }).map((
    [type, f],
  ): Operation => ({
    type,
    inputs: { boolA: booleans(3, 4, 5), boolB: booleans(5) },
    expected: ({ boolA, boolB }) => onnx.both(boolA, boolB, f),
  })),
  { type: "Not", inputs: { bool: booleans(3, 4) }, expected: ({ bool }) => map(bool, (value) => 1 - value) },
  {
    type: "Equal",
    inputs: { intA: map(integers(3, 4), (value) => value % 3), intB: map(integers(4), (value) => value % 3) },
    expected: ({ intA, intB }) => onnx.both(intA, intB, (a, b) => Number(a === b)),
  },
  {
    type: "Where",
    name: "by booleans",
    inputs: { bool: booleans(3, 4), intA: integers(3, 4), intB: integers(4) },
    expected: ({ bool, intA, intB }) =>
      onnx.both(
        onnx.both(bool, intA, (c, a) => c ? a : 0),
        onnx.both(bool, intB, (c, b) => c ? 0 : b),
        (a, b) => a + b,
      ),
  },
  ...casts.map(([to, f]): Operation => ({
    type: "Cast",
    name: `to type ${to}`,
    attributes: { to },
    inputs: { x: map(x(3, 5), (value, at) => at % 4 ? 3 * value : 0) },
    expected: ({ x }) => map(x, f),
  })),
];

for (const operation of [...arithmetic, ...logic]) check(operation);
