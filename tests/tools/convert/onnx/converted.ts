/** A conversion in a test: a model in, and the float64 reference's values of its outputs, in the model's shapes. */
import { UserError } from "../../../../src/formats/user_error.ts";
import { toFloat32 } from "../../../../src/formats/safetensors.ts";
import { type ConvertedOnnx, convertOnnx, type OnnxOptions } from "../../../../tools/convert/onnx/network.ts";
import { type Network, runNetwork } from "../../../reference/network.ts";
import { type Tensor, tensor } from "../../../reference/tensor.ts";

const source = {
  file: "net.onnx",
  external: () => {
    throw new UserError("no other files");
  },
};

/** Converts a model. */
export const convert = (bytes: Uint8Array, options: Partial<OnnxOptions> = {}): ConvertedOnnx =>
  convertOnnx(bytes, source, { name: "net", ...options });

/** network.json as an object. */
export const networkOf = ({ text }: ConvertedOnnx): Network => JSON.parse(text);

/** The types of the layers, in order. */
export const typesOf = (model: ConvertedOnnx): string => networkOf(model).layers.map(({ type }) => type).join(" ");

/** An output for these inputs, which have the model's shapes; the network's own unless named. */
export function run(model: ConvertedOnnx, inputs: Record<string, Tensor>, output?: string): Tensor {
  const network = networkOf(model);
  const [first] = network.inputs;
  const batched = inputs[first.name].shape.length > first.shape.length;
  const given = network.inputs.map(({ name, shape }) =>
    [name, tensor([batched ? inputs[name].shape[0] : 1, ...shape], inputs[name].data)] as const
  );
  const weights = [...model.tensors].map(([name, item]) => [name, tensor(item.shape, toFloat32(item))] as const);
  const { shape, data } = runNetwork(network, new Map(weights), new Map(given))
    .get(output ?? network.layers.at(-1)!.output ?? network.layers.at(-1)!.name)!;
  return tensor(batched ? shape : shape.slice(1), data);
}
