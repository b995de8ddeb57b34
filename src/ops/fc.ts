/**
 * fc (fully connected, Caffe's InnerProduct, ONNX's Gemm): y[n,o] = b[o] + Σ_f w[o,f] · x[n,f], the input flattened in
 * (c, h, w) order. It is the convolution whose kernel covers the whole input, so no reshape is ever run.
 */
import type { ConvGeometry } from "../../shaders/conv.ts";
import { convCall, packConv } from "./convolution.ts";
import { chw, count, type Node, type Op, type Shape } from "./op.ts";
import { weightGradients } from "./weight_gradient.ts";

/** Parameters of fc in network.json. */
export interface FcParams {
  channels: number;
  bias: boolean;
}

function connection(inputs: readonly Shape[], p: FcParams) {
  const [channelsIn, h, w] = chw(inputs[0]);
  return { channelsIn, channelsOut: p.channels, groups: 1, kernel: [h, w] as const };
}

/** The geometry of an fc node: with the stride of a whole input, its gradient visits one tap per position. */
export function fcGeometry({ inputs: [x], params: p }: Node<FcParams>): ConvGeometry {
  const [batch, , h, w] = x.shape;
  return {
    ...connection([x.shape.slice(1)], p),
    batch,
    inSize: [h, w],
    outSize: [1, 1],
    stride: [h, w],
    dilation: [1, 1],
    padding: [0, 0],
  };
}

/** The layer type `fc`. */
export const fc: Op<FcParams> = {
  inputs: 1,
  parse: (fields) => ({ channels: fields.integer("channels", 1), bias: fields.boolean("bias", true) }),
  outputShape: (_, p) => [p.channels],
  weightShapes: ([input], p) => ({
    weight: [p.channels, count(input)],
    ...(p.bias ? { bias: [p.channels] } : {}),
  }),
  pack: (weights, inputs, p, storage) => packConv(connection(inputs, p), weights, storage),
  forward: (node, y) => [convCall(node, fcGeometry(node), "direct", node.inputs[0], y, true)],
  backward: (node, dy, [dx]) => dx ? [convCall(node, fcGeometry(node), "transposed", dy, dx, false)] : [],
  weightGradients: (node, dy) =>
    weightGradients(node.name, fcGeometry(node), node.inputs[0], dy, node.params.bias ? dy : undefined),
};
