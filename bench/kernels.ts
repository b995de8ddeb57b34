/** Every convolution of the default pair, both directions, in every tile: milliseconds and share of the peak. */
import { openClassifier, openGenerator } from "../src/cli/defaults.ts";
import { UserError } from "../src/formats/user_error.ts";
import type { Device } from "../src/gpu/device.ts";
import { compile, write } from "../src/gpu/kernel.ts";
import { type Peak, timeSteps } from "../src/gpu/probe.ts";
import { featureMap, free, place, type Tensor, upload } from "../src/gpu/tensor.ts";
import { buildGraph, hostWeights, type Layer } from "../src/net/graph.ts";
import { conv2dGeometry } from "../src/ops/conv2d.ts";
import { chooseTile, tiles } from "../src/ops/conv_tiles.ts";
import { convCall } from "../src/ops/convolution.ts";
import { deconv2dGeometry } from "../src/ops/deconv2d.ts";
import { fcGeometry } from "../src/ops/fc.ts";
import { batched, type Node } from "../src/ops/op.ts";
import { ops } from "../src/ops/table.ts";
import type { ConvDirection, ConvGeometry } from "../shaders/conv/shape.ts";

/** One kernel in one tile. */
export interface KernelFigures {
  layer: string;
  direction: ConvDirection;
  tile: string;
  /** The tile that plans use on this adapter. */
  chosen: boolean;
  ms: number;
  gflops: number;
}

const geometries: Record<string, (node: Node<never>) => ConvGeometry> = {
  conv2d: conv2dGeometry,
  deconv2d: deconv2dGeometry,
  fc: fcGeometry,
};

/** Measures the layers of the default pair, or those of one type. @throws UserError for an unknown type. */
export async function benchKernels(device: Device, batch: number, op?: string): Promise<{ kernels: KernelFigures[] }> {
  if (op !== undefined && !geometries[op]) {
    throw new UserError(`--op is "${op}", expected ${Object.keys(geometries).join(", ")}`);
  }
  const layers = [...buildGraph(await openGenerator()).layers, ...buildGraph(await openClassifier()).layers];
  const kernels: KernelFigures[] = [], seen = new Set<string>();
  for (const layer of layers) {
    const type = Object.keys(geometries).find((name) => ops[name] === layer.op);
    if (!type || (op !== undefined && op !== type)) continue;
    const geometry = geometries[type]({
      inputs: [featureMap(device, "x", batched(batch, layer.inputs[0].shape))],
      output: featureMap(device, "y", batched(batch, layer.output.shape)),
      params: layer.params,
    } as unknown as Node<never>);
    const key = JSON.stringify(geometry);
    if (seen.has(key)) continue;
    seen.add(key);
    kernels.push(...await benchLayer(device, layer, geometry));
  }
  return { kernels };
}

async function benchLayer(device: Device, layer: Layer, geometry: ConvGeometry): Promise<KernelFigures[]> {
  const host = hostWeights(layer);
  const packed = layer.op.pack!(host, layer.inputs.map(({ shape }) => shape), layer.params, "stored");
  const weights: Record<string, Tensor> = {};
  for (const [name, { texels, format, bytes }] of Object.entries(packed)) {
    weights[name] = place(device, { ...featureMap(device, name, [1, texels * 4, 1, 1]), format });
    upload(device, weights[name], bytes);
  }
  const { batch, channelsIn, channelsOut, inSize, outSize } = geometry;
  const input = place(device, featureMap(device, "input", [batch, channelsIn, ...inSize]));
  const output = place(device, featureMap(device, "output", [batch, channelsOut, ...outSize]));
  const figures: KernelFigures[] = [];
  for (const direction of ["direct", "transposed"] as const) {
    const [x, y] = direction === "direct" ? [input, output] : [output, input];
    const chosen = JSON.stringify(chooseTile(device, geometry, direction, weights.weight.format));
    for (const tile of tiles(device, geometry, direction)) {
      const call = convCall({ device, name: layer.name, weights }, geometry, direction, x, write(y), false, tile);
      const ms = await timeSteps(device, [await compile(device, call)], 3, 50);
      const name = `${tile.blocks * 4}×${tile.strips}×${tile.columns}`;
      const isChosen = JSON.stringify(tile) === chosen;
      figures.push({ layer: layer.name, direction, tile: name, chosen: isChosen, ms, gflops: call.flops / ms / 1e6 });
    }
  }
  for (const { memory } of [input, output, ...Object.values(weights)]) free(device, memory!);
  return figures;
}

/** The figures as a table; `*` marks the tile that plans use. */
export function kernelLines(kernels: readonly KernelFigures[], peak: Peak): string[] {
  const row = (cells: string[]) => cells.map((cell, n) => n < 3 ? cell.padEnd(12) : cell.padStart(10)).join(" ");
  return [
    row(["layer", "direction", "tile", "ms", "GFLOP/s", "of peak"]),
    ...kernels.map(({ layer, direction, tile, chosen, ms, gflops }) =>
      row([
        layer,
        direction,
        `${tile}${chosen ? " *" : ""}`,
        ms.toFixed(3),
        gflops.toFixed(2),
        `${(100 * gflops / peak.gflops).toFixed(1)} %`,
      ])
    ),
  ];
}
