/** A conversion in a test: prototxt and blobs in, the float64 reference's values out. */
import assert from "node:assert/strict";
import { toFloat32 } from "../../../src/formats/safetensors.ts";
import { UserError } from "../../../src/formats/user_error.ts";
import type { Device } from "../../../src/gpu/device.ts";
import type { Model } from "../../../src/net/model.ts";
import { Net } from "../../../src/net/net.ts";
import { parseNetwork } from "../../../src/net/network.ts";
import { type CaffeOptions, convertCaffe, type ConvertedModel } from "../../../tools/convert/caffe/network.ts";
import { assertClose } from "../../reference/close.ts";
import { gradient, type Network, runNetwork } from "../../reference/network.ts";
import { type Tensor, tensor } from "../../reference/tensor.ts";
import { type Blob, caffemodel, type Generation } from "./caffe_files.ts";

/** Converts a prototxt with these blobs. */
export function convert(
  prototxt: string,
  layers: Record<string, Blob[]> = {},
  options: Partial<CaffeOptions & { generation: Generation }> = {},
): ConvertedModel {
  // A caffemodel names every layer, also those without weights.
  const bytes = caffemodel({ data: [], ...layers }, options.generation);
  return convertCaffe(
    { prototxt: { text: prototxt, file: "net.prototxt" }, caffemodel: { bytes, file: "net.caffemodel" } },
    { name: "folder", ...options },
  );
}

/** A prototxt of one input "data" and what follows. */
export const net = (shape: number[], layers: string) =>
  `name: "net" input: "data" input_shape { dim: 1 ${shape.map((n) => `dim: ${n}`).join(" ")} } ${layers}`;

/** network.json as an object. */
export const networkOf = ({ text }: ConvertedModel): Network & Record<string, unknown> => JSON.parse(text);

/** The inputs as tensors, `batch` items each, and the weights. */
function numbersOf(model: ConvertedModel, inputs: Record<string, ArrayLike<number>>, batch: number) {
  const given = networkOf(model).inputs.map(({ name, shape }) =>
    [name, tensor([batch, ...shape], inputs[name])] as const
  );
  const weights = [...model.tensors].map(([name, item]) => [name, tensor(item.shape, toFloat32(item))] as const);
  return { weights: new Map(weights), given: new Map(given) };
}

/** Every blob's and layer's value for these inputs, a batch of one each unless told. */
export function values(
  model: ConvertedModel,
  inputs: Record<string, ArrayLike<number>>,
  batch = 1,
): Map<string, Tensor> {
  const { weights, given } = numbersOf(model, inputs, batch);
  return runNetwork(networkOf(model), weights, given);
}

/**
 * Asserts that on a device every layer, and the gradient of these units of vectors to the first input, come within
 * `tolerance` of float64.
 */
export async function assertRuns(
  device: Device,
  converted: ConvertedModel,
  inputs: Record<string, Float32Array>,
  batch: number,
  units: Record<string, number>,
  tolerance: number,
): Promise<void> {
  const { weights, given } = numbersOf(converted, inputs, batch);
  const network = networkOf(converted);
  const model: Model = {
    ...{ name: network.name, where: "converted", labels: [], hash: "", weights: converted.tensors },
    network: parseNetwork(converted.text, "converted"),
  };
  const all = runNetwork(network, weights, given);
  for (const { name } of network.layers) {
    using net = await Net.create(device, model, { batch, layer: name });
    const expected = all.get(name)!;
    assertClose(name, { shape: expected.shape, data: await net.forward(inputs) }, expected, tolerance);
  }
  for (const [layer, unit] of Object.entries(units)) {
    const y = all.get(layer)!;
    const dy = tensor(y.shape);
    const size = dy.data.length / batch;
    for (let item = 0; item < batch; item++) dy.data[item * size + unit] = 1;
    const dx = gradient(network, weights, given, layer, dy).get(network.inputs[0].name)!;
    using net = await Net.create(device, model, { batch, layer, gradient: true });
    const result = await net.gradient(inputs, unit);
    assertClose(`gradient of ${layer}`, { shape: dx.shape, data: result.gradient }, dx, tolerance);
  }
}

/** The shape of every blob and layer without the batch, by running it on zeros. */
export function shapes(model: ConvertedModel): Record<string, string> {
  const zeros = networkOf(model).inputs.map(({ name, shape }) =>
    [name, new Float64Array(shape.reduce((a, b) => a * b, 1))] as const
  );
  const all = values(model, Object.fromEntries(zeros));
  return Object.fromEntries([...all].map(([name, { shape }]) => [name, shape.slice(1).join("×")]));
}

/** Asserts that `run` throws a UserError whose message matches. */
export function refuses(run: () => unknown, message: RegExp): void {
  assert.throws(run, (error) => {
    assert.ok(error instanceof UserError, (error as Error).stack);
    assert.match(error.message, message);
    return true;
  });
}
