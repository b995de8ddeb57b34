/** Runs a convolution of the case tables in a chosen way, in both directions, and compares it with float64. */
import type { Device } from "../../src/gpu/device.ts";
import { type Binding, type Call, compile, encode, write } from "../../src/gpu/kernel.ts";
import { download, featureMap, free, fromTexels, place, type Tensor, toTexels, upload } from "../../src/gpu/tensor.ts";
import { buildGraph, hostWeights, type Layer } from "../../src/net/graph.ts";
import { conv2dGeometry } from "../../src/ops/conv2d.ts";
import type { ConvParams } from "../../src/ops/convolution.ts";
import { deconv2dGeometry } from "../../src/ops/deconv2d.ts";
import type { HostTensor, Node, PackedTensor } from "../../src/ops/op.ts";
import type { ConvDirection, ConvGeometry } from "../../shaders/conv/shape.ts";
import { type Case, caseNetwork, outputGradient } from "../cases/case.ts";
import { caseModel } from "../net/case_model.ts";
import { assertClose } from "../reference/close.ts";
import { gradient, runNetwork } from "../reference/network.ts";
import { map, type Tensor as Reference } from "../reference/tensor.ts";

/** How a convolution is made: its weights in texels, and the calls of one direction. */
export interface Way {
  pack(layer: Layer, host: Record<string, HostTensor>, geometry: ConvGeometry): Record<string, PackedTensor>;
  calls(node: Node, geometry: ConvGeometry, direction: ConvDirection, x: Tensor, y: Binding): Call[];
}

const geometries = { conv2d: conv2dGeometry, deconv2d: deconv2dGeometry };

/** The types of layers that `checkConvolution` runs. */
export const convolutions = Object.keys(geometries);

const shape4 = ([n, c, h = 1, w = 1]: readonly number[]) => [n, c, h, w] as const;
/** What is run here has no bias. */
const zeroBias = (name: string, w: Reference): Reference => name.endsWith("bias") ? map(w, () => 0) : w;

/** @throws AssertionError when a direction is off by more than the case allows. */
export async function checkConvolution(device: Device, testCase: Case, way: Way): Promise<void> {
  const { network, weights, inputs, tolerance } = caseNetwork(testCase);
  const [layer] = buildGraph(caseModel({ network, weights })).layers;
  const x = inputs.get("x0")!, plain = new Map([...weights].map(([name, w]) => [name, zeroBias(name, w)]));
  const y = runNetwork(network, plain, inputs).get("layer")!, dy = outputGradient(network, y);
  const dx = gradient(network, plain, inputs, "layer", dy).get("x0")!;
  const geometry = geometries[testCase.type as keyof typeof geometries]({
    inputs: [{ shape: shape4(x.shape) }],
    params: layer.params as ConvParams,
  } as unknown as Node<never>);

  const host = hostWeights(layer);
  const placed = Object.entries(way.pack(layer, host, geometry)).map(([name, { texels, format, bytes }]) => {
    const tensor = place(device, { ...featureMap(device, name, [1, texels * 4, 1, 1]), format });
    upload(device, tensor, bytes);
    return [name, tensor] as const;
  });
  const node = { device, name: "way", weights: Object.fromEntries(placed) } as unknown as Node;

  const run = async (direction: ConvDirection, from: Reference, to: Reference) => {
    const source = place(device, featureMap(device, "source", shape4(from.shape)));
    const target = place(device, featureMap(device, "target", shape4(to.shape)));
    upload(device, source, new Uint8Array(toTexels(from.data, source.shape).buffer));
    const calls = way.calls(node, geometry, direction, source, write(target));
    const between = calls.flatMap(({ bindings }) => Object.values(bindings)).map(({ tensor }) => tensor)
      .filter(({ memory }) => !memory);
    const taken = [source, target, ...new Set(between)].map((tensor) => tensor.memory ? tensor : place(device, tensor));
    const steps = await Promise.all(calls.map((call) => compile(device, call)));
    const encoder = device.gpu.createCommandEncoder(), pass = encoder.beginComputePass();
    encode(pass, steps);
    pass.end();
    device.gpu.queue.submit([encoder.finish()]);
    const data = fromTexels(new Float32Array((await download(device, target)).buffer), target.shape);
    assertClose(direction, { shape: to.shape, data }, to, tolerance);
    for (const { memory } of taken) free(device, memory!);
  };
  const [direct, transposed] = testCase.type === "conv2d" ? [[x, y], [dy, dx]] : [[dy, dx], [x, y]];
  await run("direct", direct[0], direct[1]);
  await run("transposed", transposed[0], transposed[1]);
  for (const [, { memory }] of placed) free(device, memory!);
}
