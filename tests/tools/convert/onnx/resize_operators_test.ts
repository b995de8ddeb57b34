/** Resize and Upsample of every version, and other operators that take positions of an axis. */
import { map, type Tensor, tensor } from "../../../reference/tensor.ts";
import * as onnx from "./expected.ts";
import { check, numbers, type Operation, x } from "./operation.ts";
import type { AttributeFile } from "./writer.ts";

const empty = tensor([0], []);

const linear = (d: number) => Math.max(0, 1 - Math.abs(d));

/** Keys' cubic, as its paper has it. */
const cubic = (a: number) => (d: number) => {
  const t = Math.abs(d);
  if (t <= 1) return (a + 2) * t ** 3 - (a + 3) * t ** 2 + 1;
  return t < 2 ? a * t ** 3 - 5 * a * t ** 2 + 8 * a * t - 4 * a : 0;
};

/** The position at a distance of 0 after rounding. */
const exactly = (d: number) => Number(d === 0);

/** Rows and columns of a map. */
const both = (x: Tensor, rows: onnx.Resized, columns: onnx.Resized) => onnx.resize(onnx.resize(x, 2, rows), 3, columns);

/** Rows 5 → 8 and columns 4 → 3, and where their positions lie. */
const places: Record<string, [row: (at: number) => number, column: (at: number) => number]> = {
  half_pixel: [(y) => (y + 0.5) * 5 / 8 - 0.5, (x) => (x + 0.5) * 4 / 3 - 0.5],
  pytorch_half_pixel: [(y) => (y + 0.5) * 5 / 8 - 0.5, (x) => (x + 0.5) * 4 / 3 - 0.5],
  half_pixel_symmetric: [(y) => (y + 0.5) * 5 / 8 - 0.5, (x) => (x + 0.5) * 4 / 3 - 0.5],
  asymmetric: [(y) => y * 5 / 8, (x) => x * 4 / 3],
  align_corners: [(y) => y * 4 / 7, (x) => x * 3 / 2],
};
const rounded: Record<string, (place: number) => number> = {
  round_prefer_floor: (place) => Math.ceil(place - 0.5),
  round_prefer_ceil: (place) => Math.floor(place + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

/** A way to interpolate. */
interface Kind {
  name: string;
  attributes: Record<string, AttributeFile>;
  weight: (distance: number) => number;
  excludes?: boolean;
}

const kinds: Kind[] = [
  { name: "linear", attributes: { mode: "linear" }, weight: linear },
  { name: "cubic", attributes: { mode: "cubic", cubic_coeff_a: { float: -0.5 } }, weight: cubic(-0.5) },
  {
    name: "cubic, nothing outside",
    attributes: { mode: "cubic", exclude_outside: 1 },
    weight: cubic(-0.75),
    excludes: true,
  },
];

const modes: Operation[] = Object.entries(places).flatMap(([mode, [row, column]]) => {
  const inputs = { x: x(2, 3, 5, 4), knownRoi: empty, knownScales: empty, wholeSizes: numbers(2, 3, 8, 3) };
  const common = { type: "Resize", opset: 19, inputs };
  return [
    ...kinds.map(({ name, attributes, weight, excludes }): Operation => ({
      ...common,
      name: `${name}, ${mode}`,
      attributes: { ...attributes, coordinate_transformation_mode: mode },
      expected: ({ x }) =>
        both(x, { size: 8, place: row, weight, excludes }, { size: 3, place: column, weight, excludes }),
    })),
    ...Object.entries(rounded).map(([nearest, round]): Operation => ({
      ...common,
      name: `${nearest}, ${mode}`,
      attributes: { coordinate_transformation_mode: mode, nearest_mode: nearest },
      expected: ({ x }) =>
        both(
          x,
          { size: 8, place: (at) => round(row(at)), weight: exactly },
          { size: 3, place: (at) => round(column(at)), weight: exactly },
        ),
    })),
  ];
});

/** Positions by their number, doubled. */
const doubled = (size: number): onnx.Resized => ({ size, place: (at) => at >> 1, weight: exactly });

const versions: Operation[] = [
  {
    type: "Upsample",
    name: "version 7",
    opset: 7,
    attributes: { scales: { floats: [1, 1, 2, 2] } },
    inputs: { x: x(2, 3, 2, 3) },
    expected: ({ x }) => both(x, doubled(4), doubled(6)),
  },
  {
    type: "Upsample",
    name: "version 9, linear",
    opset: 9,
    attributes: { mode: "linear" },
    inputs: { x: x(2, 3, 2, 3), knownScales: numbers(1, 1, 1, 2) },
    expected: ({ x }) => onnx.resize(x, 3, { size: 6, place: (at) => at / 2, weight: linear }),
  },
  {
    type: "Upsample",
    name: "version 9, linear, of PyTorch",
    opset: 9,
    producer: "pytorch",
    attributes: { mode: "linear" },
    inputs: { x: x(2, 3, 2, 3), knownScales: numbers(1, 1, 1, 2) },
    expected: ({ x }) => onnx.resize(x, 3, { size: 6, place: (at) => (at + 0.5) / 2 - 0.5, weight: linear }),
  },
  ...([["", Math.ceil], ["pytorch", Math.floor]] as const).map(([producer, round]): Operation => ({
    type: "Resize",
    name: `version 10, what shrinks takes the ${producer ? "one before, of PyTorch" : "next"}`,
    opset: 10,
    producer: `${producer}`,
    inputs: { x: x(1, 2, 5, 3), knownScales: numbers(1, 1, 0.6, 2) },
    expected: ({ x }) => both(x, { size: 3, place: (at) => round(at / 0.6), weight: exactly }, doubled(6)),
  })),
  {
    type: "Resize",
    name: "a fraction left over",
    inputs: { x: x(1, 2, 5), knownRoi: empty, knownScales: numbers(1, 1, 1.5) },
    attributes: { mode: "linear" },
    expected: ({ x }) => onnx.resize(x, 2, { size: 7, place: (at) => (at + 0.5) / 1.5 - 0.5, weight: linear }),
  },
  ...[["pytorch", 7], ["", 7.2]].map(([producer, end]): Operation => ({
    type: "Resize",
    name: `three dimensions, trilinear, align_corners, a fraction left over, ${producer || "as ONNX's reference"}`,
    producer: `${producer}`,
    inputs: { x: x(1, 2, 2, 3, 2), knownRoi: empty, knownScales: numbers(1, 1, 2, 2.4, 2) },
    attributes: { mode: "linear", coordinate_transformation_mode: "align_corners" },
    expected: ({ x }) =>
      [[4, 4], [7, +end], [4, 4]].reduce((y, [size, length], d) => {
        const place = (at: number) => at * (x.shape[d + 2] - 1) / (length - 1);
        return onnx.resize(y, d + 2, { size, place, weight: linear });
      }, x),
  })),
  {
    type: "Resize",
    name: "named axes, channels among them",
    attributes: { axes: [-1, 1] },
    inputs: { x: x(2, 3, 2, 4), knownRoi: empty, knownScales: numbers(2, 2) },
    expected: ({ x }) => onnx.resize(onnx.resize(x, 3, doubled(8)), 1, doubled(6)),
  },
  {
    type: "Resize",
    name: "smoothed where it shrinks",
    attributes: { mode: "linear", antialias: 1 },
    inputs: { x: x(1, 2, 9, 3), knownRoi: empty, knownScales: numbers(1, 1, 1 / 3, 2) },
    expected: ({ x }) =>
      both(
        x,
        { size: 3, place: (at) => 3 * at + 1, weight: (d) => linear(d / 3) },
        { size: 6, place: (at) => (at + 0.5) / 2 - 0.5, weight: linear },
      ),
  },
  ...([["not_larger", 4], ["not_smaller", 7]] as const).map(([policy, columns]): Operation => ({
    type: "Resize",
    name: policy,
    attributes: { axes: [2, 3], keep_aspect_ratio_policy: policy, mode: "linear" },
    inputs: { x: x(1, 2, 2, 3), knownRoi: empty, knownScales: empty, wholeSizes: numbers(5, 4) },
    // 2 × 3 into 5 × 4: four thirds of it, or five halves, whose 7.5 columns are 8.
    expected: ({ x }) => {
      const ratio = policy === "not_larger" ? 4 / 3 : 5 / 2;
      const place = (at: number) => (at + 0.5) / ratio - 0.5;
      return both(x, { size: policy === "not_larger" ? 3 : 5, place, weight: linear }, {
        size: columns === 4 ? 4 : 8,
        place,
        weight: linear,
      });
    },
  })),
  {
    type: "Resize",
    name: "tf_crop_and_resize, past the edges",
    attributes: {
      mode: "linear",
      coordinate_transformation_mode: "tf_crop_and_resize",
      extrapolation_value: { float: 7 },
    },
    inputs: {
      x: x(1, 2, 5, 3),
      knownRoi: numbers(0, 0, -0.25, 0.5, 1, 1, 0.5, 1),
      knownScales: empty,
      wholeSizes: numbers(1, 2, 4, 1),
    },
    // Rows −1, 0, 1, 2, and the middle of columns 1 and 2.
    expected: ({ x }) =>
      onnx.each([1, 2, 4, 1], ([n, c, y]) => {
        const value = (column: number) => onnx.at(x, [n, c, y - 1, column]);
        return y === 0 ? 7 : (value(1)! + value(2)!) / 2;
      }),
  },
];

const turned = (length: number): onnx.Resized => ({ size: length, place: (at) => length - 1 - at, weight: exactly });

const steps: Operation[] = [
  {
    type: "Slice",
    name: "turned about",
    inputs: {
      x: x(2, 3, 4, 2),
      wholeStarts: numbers(-1, -1),
      wholeEnds: numbers(-(2 ** 63), -(2 ** 63)),
      wholeAxes: numbers(1, 3),
      wholeSteps: numbers(-1, -1),
    },
    expected: ({ x }) => onnx.resize(onnx.resize(x, 1, turned(3)), 3, turned(2)),
  },
  {
    type: "Slice",
    name: "steps of 2 and −3",
    inputs: {
      x: x(2, 3, 7, 9),
      wholeStarts: numbers(1, 8),
      wholeEnds: numbers(2 ** 63 - 1, 1),
      wholeAxes: numbers(2, 3),
      wholeSteps: numbers(2, -3),
    },
    expected: ({ x }) => onnx.each([2, 3, 3, 3], ([n, c, y, z]) => onnx.at(x, [n, c, 1 + 2 * y, 8 - 3 * z])!),
  },
  {
    type: "Slice",
    name: "steps over the batch",
    inputs: {
      x: x(5, 2),
      wholeStarts: numbers(0),
      wholeEnds: numbers(5),
      wholeAxes: numbers(0),
      wholeSteps: numbers(2),
    },
    expected: ({ x }) => onnx.each([3, 2], ([n, c]) => onnx.at(x, [2 * n, c])!),
  },
  {
    type: "Gather",
    name: "a hundred positions apart",
    attributes: { axis: 1 },
    inputs: { x: x(2, 200), wholeIndices: map(tensor([100]), (_, n) => 199 - 2 * n) },
    expected: ({ x }) => onnx.each([2, 100], ([n, at]) => onnx.at(x, [n, 199 - 2 * at])!),
  },
];

for (const operation of [...modes, ...versions, ...steps]) check(operation);
