/** Operators that several layers make, on the device: the output, and the gradient to the input. */
import { openDevice } from "../../../../src/gpu/device.ts";
import { toFloat32 } from "../../../../src/formats/safetensors.ts";
import { checkNetwork } from "../../../ops/check_case.ts";
import { normal, randomTensor } from "../../../reference/random.ts";
import { tensor } from "../../../reference/tensor.ts";
import { convert, networkOf } from "./converted.ts";
import { x } from "./operation.ts";
import { type AttributeFile, float, onnxModel } from "./writer.ts";

// Some layers, each of which rounds.
const tolerance = 3e-5;

const operators: [type: string, shape: number[], known: number[][], attributes?: Record<string, AttributeFile>][] = [
  ["Conv", [2, 4, 6, 5, 7], [[6, 2, 2, 3, 2], [6]], {
    strides: [2, 2, 1],
    pads: [1, 0, 1, 2, 1, 0],
    dilations: [2, 1, 2],
    group: 2,
  }],
  ["ConvTranspose", [2, 3, 3, 4, 2], [[3, 2, 3, 2, 3], [2]], { strides: [2, 1, 3], pads: [1, 1, 0, 0, 0, 1] }],
  ["LayerNormalization", [3, 4, 5], [[5], [5]]],
  ["GroupNormalization", [3, 6, 5, 4], [[6], [6]], { num_groups: 3 }],
  ["Gelu", [3, 6, 5], []],
  ["Mish", [3, 6, 5], []],
  ["DepthToSpace", [2, 12, 3, 2], [], { blocksize: 2 }],
];

const device = await openDevice();

for (const [type, shape, known, attributes] of operators) {
  Deno.test(`onnx: ${type} [${shape}], forward and gradient`, () => {
    const names = known.map((_, n) => `known${n}`);
    const model = convert(onnxModel({
      opset: 21,
      nodes: [{ type, inputs: ["x", ...names], outputs: ["y"], attributes }],
      inputs: [{ name: "x", shape }],
      outputs: ["y"],
      initializers: Object.fromEntries(known.map((shape, n) => [names[n], float(shape, x(...shape).data)])),
    }));
    const network = networkOf(model);
    const inputs = new Map([["x", randomTensor(shape, normal(type))]]);
    const weights = new Map([...model.tensors].map(([name, stored]) => {
      return [name, tensor(stored.shape, Float64Array.from(toFloat32(stored)))];
    }));
    return checkNetwork(device, { network, weights, inputs, tolerance });
  });
}
