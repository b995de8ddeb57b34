/** The calls for the gradients to the weights and bias of conv2d, deconv2d and fc. */
import { biasGradient, sumChunks, weightBlocks, weightGradient } from "../../../shaders/conv/weight_gradient.ts";
import type { ConvGeometry } from "../../../shaders/conv/shape.ts";
import { type Call, read, write } from "../../gpu/call.ts";
import { run, type Tensor } from "../../gpu/tensor.ts";
import { texelCall } from "../calls.ts";
import { unpackWeights } from "./weights.ts";
import { channelBlocks } from "../../../shaders/texels.ts";

/** A gradient on the GPU and the way to its plain form, in the shape and order of the weights file. */
export interface WeightGradient {
  /** In the op's own order. */
  tensor: Tensor;
  /** Its texels in the order of the weights file. */
  unpack: (texels: Float32Array) => Float32Array;
}

/** What an op gives for its weights: calls, and gradients by the name after `LAYER.`. */
export interface WeightGradients {
  /** What computes them. */
  calls: Call[];
  /** Where they will be. */
  gradients: Record<string, WeightGradient>;
}

/** Positions that one invocation sums at most, and invocations that are worth having. */
const MOST_POSITIONS = 16_384;
const ENOUGH = 4096;

/** Chunks of equal size for sums over `positions` by `workers` invocations each. */
function chunked(positions: number, workers: number): { chunks: number; size: number } {
  const wanted = Math.max(
    Math.ceil(positions / MOST_POSITIONS),
    Math.min(Math.ceil(positions / 64), Math.ceil(ENOUGH / workers)),
  );
  const size = Math.ceil(positions / wanted);
  return { chunks: Math.ceil(positions / size), size };
}

/**
 * Gradients of a geometry's weights, from the map on its input side and the gradient on its output side, and of a bias
 * added to `biased`'s maps. (For deconv2d the layer's input is the geometry's output side.)
 */
export function weightGradients(
  name: string,
  g: ConvGeometry,
  inputSide: Tensor,
  outputSide: Tensor,
  biased: Tensor | undefined,
): WeightGradients {
  const count = weightBlocks(g);
  const positions = g.batch * g.outSize[0] * g.outSize[1];
  const w = chunked(positions, count);
  const weight = summed(`${name}.weight gradient`, w.chunks, count * 4, inputSide.storage, (parts) => ({
    label: `${name}.weight gradient`,
    bindings: { x: read(inputSide), dy: read(outputSide), dw: write(parts) },
    code: weightGradient(g, w.size),
    invocations: count * w.chunks,
    flops: 32 * count * positions,
  }));
  const gradients: Record<string, WeightGradient> = {
    weight: { tensor: weight.total, unpack: (texels) => unpackWeights(g, texels) },
  };
  if (!biased) return { calls: weight.calls, gradients };

  const [n, channels, h, width] = biased.shape;
  const area = h * width;
  const b = chunked(n * area, channelBlocks(channels));
  const bias = summed(`${name}.bias gradient`, b.chunks, channelBlocks(channels), biased.storage, (parts) => ({
    label: `${name}.bias gradient`,
    bindings: { dy: read(biased), db: write(parts) },
    code: biasGradient(channelBlocks(channels), area, n * area, b.size),
    invocations: channelBlocks(channels) * b.chunks,
    flops: 4 * channelBlocks(channels) * n * area,
  }));
  gradients.bias = { tensor: bias.total, unpack: (texels) => texels.slice(0, channels) };
  return { calls: [...weight.calls, ...bias.calls], gradients };
}

/** A call that writes chunks, and where there are several the call that adds them. */
function summed(
  label: string,
  chunks: number,
  texels: number,
  storage: Tensor["storage"],
  make: (parts: Tensor) => Call,
): { calls: Call[]; total: Tensor } {
  const total = run(label, texels, storage);
  if (chunks === 1) return { calls: [make(total)], total };
  const parts = run(`${label} in parts`, chunks * texels, storage);
  const sum = texelCall(`${label} sum`, { parts }, { total: write(total) }, sumChunks(chunks, texels), chunks);
  return { calls: [make(parts), sum], total };
}
