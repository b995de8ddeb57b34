/** Layers that take sums over an item. */
import { openDevice } from "../../../../src/gpu/device.ts";
import { checkNetwork } from "../../../ops/check_case.ts";
import { count, map, type Tensor, tensor } from "../../../reference/tensor.ts";
import { at, check, converted, type LayerCase, randomBlob } from "./layer.ts";

/** As Caffe's layer reduces: each row of what begins at the axis to one number. */
const reduced = (axis: number, value: (row: Float64Array) => number) => (x: Tensor) => {
  const shape = x.shape.slice(0, axis);
  const length = x.data.length / count(shape);
  return map(tensor(shape), (_, row) => value(x.data.subarray(row * length, (row + 1) * length)));
};
const sum = (row: ArrayLike<number>) => Array.from(row).reduce((a, b) => a + b, 0);
const squares = (row: Float64Array) => sum(row.map((value) => value ** 2));

/** As Caffe's layer normalises rows of `length`: by the mean, and by the deviation plus epsilon. */
const normalised = (rowsOf: (x: Tensor) => number, variance: boolean, epsilon = 1e-9) => (x: Tensor) => {
  const length = x.data.length / rowsOf(x);
  const y = tensor(x.shape);
  for (let from = 0; from < y.data.length; from += length) {
    const row = x.data.subarray(from, from + length);
    const centred = row.map((value) => value - sum(row) / length);
    const deviation = Math.sqrt(squares(centred) / length) + epsilon;
    y.data.set(variance ? centred.map((value) => value / deviation) : centred, from);
  }
  return y;
};
const eachItem = ({ shape: [n] }: Tensor) => n;
const eachChannel = ({ shape: [n, c] }: Tensor) => n * c;

/** As SSD's layer normalises: over the length of all of the item, or of the channels at each place. */
const overLength = (across: boolean, scale: (channel: number) => number, epsilon = 1e-10) => (x: Tensor) => {
  const [n, c, ...space] = x.shape;
  const area = count(space);
  const y = tensor(x.shape);
  for (let item = 0; item < n; item++) {
    for (let place = 0; place < area; place++) {
      const own = Array.from({ length: c }, (_, channel) => x.data[(item * c + channel) * area + place]);
      const all = across ? x.data.subarray(item * c * area, (item + 1) * c * area) : Float64Array.from(own);
      const norm = Math.sqrt(squares(all) + epsilon);
      own.forEach((value, channel) => y.data[(item * c + channel) * area + place] = value / norm * scale(channel));
    }
  }
  return y;
};

const factor = randomBlob("factor");
const factors = randomBlob("factors", 3);

const cases: LayerCase[] = [
  { layer: '"Reduction" reduction_param { axis: 1 }', expected: reduced(1, sum) },
  {
    layer: '"Reduction" reduction_param { operation: ASUM axis: 2 coeff: 0.5 }',
    expected: reduced(2, (row) => 0.5 * sum(row.map(Math.abs))),
  },
  {
    layer: '"Reduction" reduction_param { operation: SUMSQ axis: -1 coeff: -2 }',
    expected: reduced(3, (row) => -2 * squares(row)),
  },
  {
    layer: '"Reduction" reduction_param { operation: MEAN axis: 1 coeff: 3 }',
    shapes: [[7]],
    expected: reduced(1, (row) => 3 * sum(row) / row.length),
  },
  { layer: '"Reduction"', alone: true, expected: reduced(0, sum) },
  { layer: '"Reduction" reduction_param { operation: 3 }', alone: true, shapes: [[5]], expected: reduced(0, squares) },
  { layer: '"MVN"', expected: normalised(eachChannel, true) },
  { layer: '"MVN" mvn_param { across_channels: true eps: 0.1 }', expected: normalised(eachItem, true, 0.1) },
  { layer: '"MVN" mvn_param { normalize_variance: false }', expected: normalised(eachChannel, false) },
  {
    layer: '"MVN" mvn_param { normalize_variance: false across_channels: true }',
    shapes: [[6]],
    expected: normalised(eachItem, false),
  },
  { layer: '"Normalize"', blobs: [factor], expected: overLength(true, () => at(factor, 0)) },
  {
    layer:
      '"Normalize" norm_param { across_spatial: false channel_shared: false scale_filler { type: "constant" value: 20 } }',
    blobs: [factors],
    expected: overLength(false, (channel) => at(factors, channel)),
  },
  {
    layer: '"Normalize" norm_param { across_spatial: false eps: 0.5 }',
    shapes: [[5]],
    blobs: [factor],
    expected: overLength(false, () => at(factor, 0), 0.5),
  },
  {
    layer: '"Normalize" norm_param { channel_shared: false }',
    blobs: [factors],
    expected: overLength(true, (channel) => at(factors, channel)),
  },
];

for (const one of cases) check(one);

const device = await openDevice();

for (const one of cases.filter(({ layer }) => /eps: 0.1|scale_filler/.test(layer))) {
  // Some layers, each of which rounds.
  Deno.test(`caffe: ${one.layer} on the device`, () => checkNetwork(device, { ...converted(one), tolerance: 2e-5 }));
}
