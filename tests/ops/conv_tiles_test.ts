/**
 * Tiles whose columns share their texels, in both directions of every convolution of the case tables that is small,
 * against float64: also where no plan would choose them. The cases themselves run in the tiles that plans choose.
 */
import assert from "node:assert/strict";
import { openDevice } from "../../src/gpu/device.ts";
import { compile, encode, write } from "../../src/gpu/kernel.ts";
import { download, featureMap, free, fromTexels, place, toTexels, upload } from "../../src/gpu/tensor.ts";
import { buildGraph } from "../../src/net/graph.ts";
import { convCall, type ConvParams, tiles } from "../../src/ops/convolution.ts";
import { conv2dGeometry } from "../../src/ops/conv2d.ts";
import { deconv2dGeometry } from "../../src/ops/deconv2d.ts";
import type { Node } from "../../src/ops/op.ts";
import type { ConvDirection, ConvGeometry } from "../../shaders/conv_shape.ts";
import { allCases } from "../cases/all.ts";
import { caseNetwork, outputGradient } from "../cases/case.ts";
import { pretend } from "../gpu/pretend.ts";
import { caseModel } from "../net/case_model.ts";
import { assertClose } from "../reference/close.ts";
import { gradient, runNetwork } from "../reference/network.ts";
import { count, map, type Tensor } from "../reference/tensor.ts";

const device = await openDevice();
const geometries = { conv2d: conv2dGeometry, deconv2d: deconv2dGeometry };
const kinds = [{ blocks: 1, strips: 1, columns: 4 }, { blocks: 1, strips: 2, columns: 3 }];

const small = allCases.filter(({ type, inputs, name }) =>
  type in geometries && count(inputs[0]) < 6000 && !/products|4096/.test(name)
);

small.forEach((testCase, n) => {
  Deno.test(`shared columns: ${testCase.type}: ${testCase.name}`, async () => {
    const { network, weights, inputs, tolerance } = caseNetwork(testCase),
      layer = buildGraph(caseModel({
        network,
        weights: weights,
      })).layers[0];
    const x = inputs.get("x0")!, plain = new Map([...weights].map(([name, w]) => [name, zeroBias(name, w)]));
    const y = runNetwork(network, plain, inputs).get("layer")!, dy = outputGradient(network, y);
    const dx = gradient(network, plain, inputs, "layer", dy).get("x0")!;
    const [direct, transposed] = testCase.type === "conv2d" ? [[x, y], [dy, dx]] : [[dy, dx], [x, y]];

    const host = Object.fromEntries(Object.keys(layer.weightShapes).map((name) => [name, layer.weight(name)]));
    const { weight } = layer.op.pack!(host, layer.inputs.map(({ shape }) => shape), layer.params, "f32");
    const w = place(device, { ...featureMap(device, "w", [1, weight.texels * 4, 1, 1]), format: weight.format });
    upload(device, w, weight.bytes);
    const shape4 = ([n, c, h = 1, w = 1]: readonly number[]) => [n, c, h, w] as const;
    const geometry: ConvGeometry = geometries[testCase.type as keyof typeof geometries]({
      inputs: [featureMap(device, "x", shape4(x.shape))],
      output: featureMap(device, "y", shape4(y.shape)),
      params: layer.params as ConvParams,
    } as unknown as Node<never>);

    const run = async (direction: ConvDirection, [from, to]: Tensor[]) => {
      const source = place(device, featureMap(device, "source", shape4(from.shape)));
      const target = place(device, featureMap(device, "target", shape4(to.shape)));
      upload(device, source, new Uint8Array(toTexels(from.data, source.shape).buffer));
      const tile = { ...kinds[n % kinds.length], unroll: 1 };
      const call = convCall(
        { device, name: "tile", weights: { weight: w } },
        geometry,
        direction,
        source,
        write(target),
        false,
        tile,
      );
      const encoder = device.gpu.createCommandEncoder(),
        step = await compile(device, call),
        pass = encoder.beginComputePass();
      encode(pass, [step]);
      pass.end();
      device.gpu.queue.submit([encoder.finish()]);
      const data = fromTexels(new Float32Array((await download(device, target)).buffer), target.shape);
      assertClose(direction, { shape: to.shape, data }, to, tolerance);
      for (const { memory } of [source, target]) free(device, memory!);
    };
    await run("direct", direct);
    await run("transposed", transposed);
    free(device, w.memory!);
  });
});

/** The kernels run without their bias here. */
const zeroBias = (name: string, w: Tensor): Tensor => name.endsWith("bias") ? map(w, () => 0) : w;

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
