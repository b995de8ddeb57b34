/** Networks of other frameworks, as files to drop: classifiers of 8 × 8 pictures. */
import { Buffer } from "node:buffer";
import { uniform } from "../reference/random.ts";
import { blob, caffemodel } from "../tools/convert/caffe_files.ts";
import { float, onnxModel } from "../tools/convert/onnx/writer.ts";

/** A file as playwright-core takes it. */
export interface Given {
  name: string;
  mimeType: string;
  buffer: Buffer;
}

/** A file of these bytes. */
export const given = (name: string, bytes: Uint8Array): Given => ({
  name,
  mimeType: "application/octet-stream",
  buffer: Buffer.from(bytes),
});

const numbers = (seed: string, count: number) => Array.from({ length: count }, uniform(seed)).map((n) => n - 0.5);

const prototxt = `name: "dropped" input: "data" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8
layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1" convolution_param { num_output: 2 kernel_size: 3 } }
layer { name: "relu1" type: "ReLU" bottom: "conv1" top: "conv1" }
layer { name: "ip" type: "InnerProduct" bottom: "conv1" top: "ip" inner_product_param { num_output: 4 } }
`;

/** A prototxt and its caffemodel. */
export const caffeFiles = (): Given[] => [
  given("deploy.prototxt", new TextEncoder().encode(prototxt)),
  given(
    "dropped.caffemodel",
    caffemodel({
      conv1: [blob([2, 3, 3, 3], numbers("conv", 54)), blob([2], [0.1, 0.2])],
      ip: [blob([4, 72], numbers("ip", 288)), blob([4], [0, 0, 0, 0])],
    }),
  ),
];

/** An ONNX model whose weights lie in a file beside it. */
export function onnxFiles(): Given[] {
  const weight = { shape: [5, 192], values: [], external: { location: "weights.bin", offset: "0", length: "3840" } };
  const model = onnxModel({
    nodes: [
      { type: "Flatten", inputs: ["x"], outputs: ["flat"] },
      { type: "Gemm", inputs: ["flat", "w", "b"], outputs: ["y"], attributes: { transB: 1 } },
    ],
    initializers: { w: weight, b: float([5], [0, 0, 0, 0, 0]) },
    inputs: [{ name: "x", shape: [1, 3, 8, 8] }],
    outputs: ["y"],
  });
  return [
    given("other.onnx", model),
    given("weights.bin", new Uint8Array(Float32Array.from(numbers("onnx", 960)).buffer)),
  ];
}
