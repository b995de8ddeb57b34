/** Layers that move values. */
import { count, map, type Tensor, tensor } from "../../../reference/tensor.ts";
import * as onnx from "../onnx/expected.ts";
import { check } from "./layer.ts";

const shaped = (...shape: number[]) => (x: Tensor) => tensor(shape, x.data);
const joined = (axis: number) => (...xs: Tensor[]) => onnx.concat(xs, axis);

check({ layer: '"Flatten" flatten_param { axis: 2 }', expected: shaped(2, 3, 20) });
check({ layer: '"Flatten" flatten_param { axis: 1 end_axis: 2 }', expected: shaped(2, 12, 5) });
check({ layer: '"Flatten" flatten_param { axis: -2 end_axis: -1 }', expected: shaped(2, 3, 20) });
check({ layer: '"Flatten" flatten_param { axis: 3 }', expected: (x) => x });
check({ layer: '"Flatten" flatten_param { axis: 0 }', alone: true, expected: shaped(60) });
check({ layer: '"Flatten" flatten_param { axis: 0 end_axis: 2 }', alone: true, expected: shaped(12, 5) });

const maps = [[2, 3, 4], [2, 3, 4]];
check({ layer: '"Concat"', shapes: [[2, 3], [5, 3], [1, 3]], expected: joined(1) });
check({ layer: '"Concat" concat_param { axis: 2 }', shapes: [[2, 1, 4], [2, 3, 4]], expected: joined(2) });
check({ layer: '"Concat" concat_param { axis: -1 }', shapes: [[2, 3, 1], [2, 3, 4]], expected: joined(3) });
check({ layer: '"Concat" concat_param { concat_dim: 3 }', shapes: maps, expected: joined(3) });
check({ layer: '"Concat" concat_param { axis: 0 }', shapes: maps, alone: true, expected: joined(0) });
check({ layer: '"Concat" concat_param { axis: -4 }', shapes: [[2, 3, 4]], alone: true, expected: joined(0) });

/** As Caffe's layer copies: from the axis on, over and over. */
const tiled = (axis: number, tiles: number) => (x: Tensor) => {
  const inner = count(x.shape.slice(axis));
  const runs = x.data.length / inner;
  const y: number[] = [];
  for (let run = 0; run < runs; run++) {
    for (let n = 0; n < tiles; n++) y.push(...x.data.subarray(run * inner, (run + 1) * inner));
  }
  return tensor(x.shape.with(axis, tiles * x.shape[axis]), y);
};
check({ layer: '"Tile" tile_param { tiles: 2 }', expected: tiled(1, 2) });
check({ layer: '"Tile" tile_param { axis: 2 tiles: 3 }', expected: tiled(2, 3) });
check({ layer: '"Tile" tile_param { axis: -1 tiles: 5 }', shapes: [[2, 1]], expected: tiled(2, 5) });
check({ layer: '"Tile" tile_param { axis: 1 tiles: 1 }', shapes: [[4]], expected: (x) => x });
check({ layer: '"Tile" tile_param { axis: 0 tiles: 3 }', alone: true, expected: tiled(0, 3) });

/** As forks' layer copies: row i of `groups` and column j change places. */
const shuffled = (groups: number) => (x: Tensor) => {
  const [, channels] = x.shape;
  const columns = channels / groups;
  const order = Array<number>(channels);
  for (let i = 0; i < groups; i++) for (let j = 0; j < columns; j++) order[j * groups + i] = i * columns + j;
  return onnx.each(x.shape, ([n, c, ...place]) => onnx.at(x, [n, order[c], ...place])!);
};
check({ layer: '"ShuffleChannel" shuffle_channel_param { group: 3 }', shapes: [[6, 2, 3]], expected: shuffled(3) });
check({ layer: '"ShuffleChannel" shuffle_channel_param { group: 2 }', shapes: [[8]], expected: shuffled(2) });
check({ layer: '"ShuffleChannel" shuffle_channel_param { group: 3 }', expected: (x) => map(x, (value) => value) });
