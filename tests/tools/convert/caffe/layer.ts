/**
 * A Caffe layer alone, as Caffe's source computes it, in float64: what it gives is compared with the converted layers' values,
 * and its slopes, by central differences, with their gradients.
 */
import { toFloat32 } from "../../../../src/formats/safetensors.ts";
import { assertClose } from "../../../reference/close.ts";
import { gradient, runNetwork } from "../../../reference/network.ts";
import { normal, randomTensor } from "../../../reference/random.ts";
import { dot, map, type Tensor, tensor } from "../../../reference/tensor.ts";
import type { Blob } from "../caffe_files.ts";
import { convert, networkOf } from "../converted.ts";

/** One layer. */
export interface LayerCase {
  /** After "type:". */
  layer: string;
  /** Of each bottom, without the batch: a map of 3 × 4 × 5 unless given. */
  shapes?: number[][];
  /** What random inputs become. */
  inputs?: (value: number) => number;
  blobs?: Blob[];
  /** The top for these bottoms, whose first dimension is the batch. */
  expected: (...bottoms: Tensor[]) => Tensor;
  /** Whether the network is written for a batch of one; of two unless given. */
  alone?: boolean;
  /** Whether no gradient goes through, whatever the slopes are. */
  blocked?: boolean;
}

// Factors and shifts are stored as float32.
const tolerance = 1e-6;

/** Half of what central differences step over. */
const half = 1e-4;

/** Random numbers as a blob. */
export const randomBlob = (seed: string, ...shape: number[]): Blob => ({
  shape,
  data: Float32Array.from(randomTensor(shape, normal(seed)).data),
});

/** A blob's number. */
export const at = (blob: Blob, n: number): number => Math.fround(blob.data[n]);

/** The converted layer as a network in float64, and the inputs of the case. */
export function converted({ layer, shapes = [[3, 4, 5]], inputs = (value) => value, blobs, alone }: LayerCase) {
  const names = shapes.map((_, n) => `x${n}`);
  const batch = alone ? 1 : 2;
  const text = [
    ...names.map((name, n) => `input: "${name}" input_shape { dim: [${[batch, ...shapes[n]]}] }`),
    `layer { name: "l" ${names.map((name) => `bottom: "${name}"`).join(" ")} top: "l" type: ${layer} }`,
  ];
  const model = convert(text.join("\n"), blobs && { l: blobs });
  const next = normal(`${layer} ${shapes}`);
  const weights = [...model.tensors].map(([name, item]) => [name, tensor(item.shape, toFloat32(item))] as const);
  const values = names.map((name, n) => {
    return [name, map(randomTensor([batch, ...shapes[n]], next), (value) => Math.fround(inputs(value)))] as const;
  });
  return { network: networkOf(model), weights: new Map(weights), inputs: new Map(values), tolerance };
}

/** Registers the test of a layer. */
export function check(layerCase: LayerCase): void {
  const { layer, shapes, expected, alone, blocked } = layerCase;
  Deno.test(`caffe: ${layer}${shapes ? ` of [${shapes.join("] and [")}]` : ""}`, () => {
    const { network, weights, inputs } = converted(layerCase);
    const bottoms = [...inputs.values()];
    const y = expected(...bottoms);
    const result = runNetwork(network, weights, inputs).get("l")!;
    assertClose(layer, result, alone ? tensor([1, ...y.shape], y.data) : y, tolerance);
    const dy = randomTensor(result.shape, normal(`${layer} dy`));
    const slopes = gradient(network, weights, inputs, "l", dy);
    bottoms.forEach((bottom, n) => {
      const slope = map(bottom, (value, at) => {
        const moved = (to: number) => {
          const others = bottoms.with(n, map(bottom, (own, place) => place === at ? to : own));
          return dot(expected(...others), dy);
        };
        return blocked ? 0 : (moved(value + half) - moved(value - half)) / (2 * half);
      });
      assertClose(`${layer}, gradient to bottom ${n}`, slopes.get(`x${n}`)!, slope, 3e-6);
    });
  });
}
