/**
 * Tiles whose columns share their texels, in both directions of every convolution of the case tables that is small,
 * against float64: also where no plan would choose them. The cases themselves run in the tiles that plans choose.
 */
import assert from "node:assert/strict";
import { openDevice } from "../../src/gpu/device.ts";
import { tiles } from "../../src/ops/conv_tiles.ts";
import { convCall } from "../../src/ops/convolution.ts";
import type { ConvGeometry } from "../../shaders/conv/shape.ts";
import { allCases } from "../cases/all.ts";
import { pretend } from "../gpu/pretend.ts";
import { count } from "../reference/tensor.ts";
import { checkConvolution, convolutions } from "./check_convolution.ts";

const device = await openDevice();
const kinds = [{ blocks: 1, strips: 1, columns: 4 }, { blocks: 1, strips: 2, columns: 3 }];

const small = allCases.filter(({ type, inputs, name }) =>
  convolutions.includes(type) && count(inputs[0]) < 6000 && !/products|4096/.test(name)
);

small.forEach((testCase, n) => {
  const tile = { ...kinds[n % kinds.length], unroll: 1 };
  Deno.test(`shared columns: ${testCase.type}: ${testCase.name}`, () =>
    checkConvolution(device, testCase, {
      pack: ({ op, inputs, params }, host) => op.pack!(host, inputs.map(({ shape }) => shape), params, "f32"),
      calls: (node, geometry, direction, x, y) => [convCall(node, geometry, direction, x, y, false, tile)],
    }));
});

Deno.test("CPUs are offered tiles that share columns where it pays, GPUs never", () => {
  const geometry: ConvGeometry = {
    batch: 1,
    channelsIn: 32,
    channelsOut: 32,
    groups: 1,
    inSize: [13, 13],
    outSize: [13, 13],
    kernel: [3, 3],
    stride: [1, 1],
    dilation: [1, 1],
    padding: [1, 1],
  };
  const offered = (changes: Partial<typeof device.caps>, g = geometry) =>
    [...new Set(tiles(pretend(device, changes), g, "direct").map(({ columns }) => columns))].sort((a, b) => a - b);
  assert.deepEqual(offered({ software: true, lanes: 8 }), [1, 4, 7, 8, 13]);
  assert.deepEqual(offered({ software: false }), [1]);
  const strided: ConvGeometry = { ...geometry, stride: [2, 2], outSize: [7, 7] };
  assert.deepEqual(offered({ software: true }, strided), [1]);
});
