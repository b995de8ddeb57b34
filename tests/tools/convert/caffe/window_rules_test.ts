/** Layers that look through windows, or resize. */
import { openDevice } from "../../../../src/gpu/device.ts";
import { checkNetwork } from "../../../ops/check_case.ts";
import { count, type Tensor, tensor } from "../../../reference/tensor.ts";
import * as onnx from "../onnx/expected.ts";
import { check, converted, type LayerCase } from "./layer.ts";

/** As Caffe's layer pools: levels of bins with equal windows, of which the padding belongs to the averages' area. */
const pyramid = (levels: number, average: boolean) => (x: Tensor) => {
  const [n, c, ...size] = x.shape;
  const parts: Tensor[] = [];
  for (let level = 0; level < levels; level++) {
    const kernel = size.map((length) => Math.ceil(length / 2 ** level));
    const pad = size.map((length, a) => Math.floor((kernel[a] * 2 ** level - length + 1) / 2));
    const out = size.map((length, a) => {
      const all = Math.ceil((length + 2 * pad[a] - kernel[a]) / kernel[a]) + 1;
      return (all - 1) * kernel[a] >= length + pad[a] ? all - 1 : all;
    });
    parts.push(onnx.each([n, c, ...out], ([item, channel, ...place]) => {
      const from = place.map((p, a) => p * kernel[a] - pad[a]);
      const values: number[] = [];
      const to = from.map((start, a) => Math.min(start + kernel[a], size[a] + pad[a]));
      for (let i = Math.max(from[0], 0); i < Math.min(to[0], size[0]); i++) {
        for (let j = Math.max(from[1], 0); j < Math.min(to[1], size[1]); j++) {
          values.push(onnx.at(x, [item, channel, i, j])!);
        }
      }
      const area = (to[0] - from[0]) * (to[1] - from[1]);
      return average ? values.reduce((a, b) => a + b, 0) / area : Math.max(...values);
    }));
  }
  return levels === 1 ? parts[0] : onnx.concat(parts.map((part) => flat(part)), 1);
};
const flat = ({ shape: [n, ...rest], data }: Tensor) => tensor([n, count(rest)], data);

/** As DeepLab's layer interpolates what is left of the map, corners on corners. */
const interpolated = (height: number, width: number, before = 0, after = 0) => (x: Tensor) => {
  const [n, c, h, w] = x.shape;
  const to = [height, width];
  const from = [h + before + after, w + before + after];
  const ratio = to.map((length, a) => length > 1 ? (from[a] - 1) / (length - 1) : 0);
  return onnx.each([n, c, height, width], ([item, channel, ...place]) => {
    const [[i, di, si], [j, dj, sj]] = place.map((p, a) => {
      const at = ratio[a] * p;
      const low = Math.floor(at + 1e-12);
      return [low - before, low < from[a] - 1 ? 1 : 0, at - low];
    });
    const value = (y: number, x_: number) => onnx.at(x, [item, channel, y, x_])!;
    return (1 - si) * ((1 - sj) * value(i, j) + sj * value(i, j + dj)) +
      si * ((1 - sj) * value(i + di, j) + sj * value(i + di, j + dj));
  });
};

const cases: LayerCase[] = [
  { layer: '"SPP" spp_param { pyramid_height: 1 }', expected: pyramid(1, false) },
  { layer: '"SPP" spp_param { pyramid_height: 2 pool: MAX }', expected: pyramid(2, false) },
  { layer: '"SPP" spp_param { pyramid_height: 3 pool: AVE }', shapes: [[2, 7, 9]], expected: pyramid(3, true) },
  { layer: '"SPP" spp_param { pyramid_height: 3 }', shapes: [[2, 6, 13]], expected: pyramid(3, false) },
  { layer: '"Interp" interp_param { zoom_factor: 2 }', expected: interpolated(7, 9) },
  { layer: '"Interp" interp_param { shrink_factor: 2 }', shapes: [[2, 5, 8]], expected: interpolated(3, 4) },
  {
    layer: '"Interp" interp_param { zoom_factor: 3 shrink_factor: 2 }',
    shapes: [[2, 6, 5]],
    expected: interpolated(7, 7),
  },
  { layer: '"Interp" interp_param { height: 7 width: 2 }', expected: interpolated(7, 2) },
  { layer: '"Interp" interp_param { height: 2 width: 2 zoom_factor: 2 }', expected: interpolated(7, 9) },
  {
    layer: '"Interp" interp_param { height: 2 width: 6 zoom_factor: 1 shrink_factor: 1 }',
    expected: interpolated(2, 6),
  },
  { layer: '"Interp" interp_param { height: 1 width: 5 }', expected: interpolated(1, 5) },
  { layer: '"Interp" interp_param { height: 3 width: 4 }', shapes: [[2, 1, 1]], expected: interpolated(3, 4) },
  {
    layer: '"Interp" interp_param { zoom_factor: 2 pad_beg: -1 pad_end: -2 }',
    shapes: [[2, 5, 6]],
    expected: interpolated(3, 5, -1, -2),
  },
  { layer: '"Interp"', shapes: [[2, 3, 4], [1, 5, 5]], expected: interpolated(5, 5) },
  {
    layer: '"Upsample" upsample_param { scale: 2 }',
    expected: (x) => onnx.each([2, 3, 8, 10], ([n, c, h, w]) => onnx.at(x, [n, c, h >> 1, w >> 1])!),
  },
  {
    layer: '"Upsample" upsample_param { scale_h: 1 scale_w: 3 }',
    expected: (x) => onnx.each([2, 3, 4, 15], ([n, c, h, w]) => onnx.at(x, [n, c, h, Math.floor(w / 3)])!),
  },
];

for (const one of cases) check(one);

const device = await openDevice();

for (const one of cases.filter(({ layer }) => /pad_beg/.test(layer))) {
  Deno.test(`caffe: ${one.layer} on the device`, () => checkNetwork(device, { ...converted(one), tolerance: 2e-6 }));
}
