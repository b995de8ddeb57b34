/** A conversion in a test: prototxt and blobs in, the float64 reference's values out. */
import assert from "node:assert/strict";
import { toFloat32 } from "../../../src/formats/safetensors.ts";
import { UserError } from "../../../src/formats/user_error.ts";
import { type CaffeOptions, convertCaffe, type ConvertedModel } from "../../../tools/convert/caffe/network.ts";
import { type Network, runNetwork } from "../../reference/network.ts";
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

/** network.json as an object. */
export const networkOf = ({ text }: ConvertedModel): Network & Record<string, unknown> => JSON.parse(text);

/** Every blob's and layer's value for these inputs, a batch of one each. */
export function values(model: ConvertedModel, inputs: Record<string, ArrayLike<number>>): Map<string, Tensor> {
  const network = networkOf(model);
  const given = network.inputs.map(({ name, shape }) => [name, tensor([1, ...shape], inputs[name])] as const);
  const weights = [...model.tensors].map(([name, item]) => [name, tensor(item.shape, toFloat32(item))] as const);
  return runNetwork(network, new Map(weights), new Map(given));
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
