/**
 * deconv2d (transposed convolution, Caffe's Deconvolution, ONNX's ConvTranspose): the adjoint of a conv2d from its
 * output to its input, plus a bias. Output extent: (in − 1) · stride − padding + dilation · (kernel − 1) + 1 + outputPadding.
 */
import { checkGroups, convCall, type ConvParams, extent, packConv, parseConv } from "./convolution.ts";
import type { ConvGeometry } from "../../shaders/conv_shape.ts";
import { UserError } from "../formats/user_error.ts";
import { needMap, type Node, type Op, type Shape } from "./op.ts";
import { weightGradients } from "./weight_gradient.ts";

/** conv2d's parameters and rows and columns added at the bottom and right. */
export interface DeconvParams extends ConvParams {
  outputPadding: readonly [number, number];
}

/** The adjoint convolution goes from this layer's output channels to its input channels. */
const connection = (inputs: readonly Shape[], p: DeconvParams) => ({
  channelsIn: p.channels,
  channelsOut: inputs[0][0],
  groups: p.groups,
  kernel: p.kernel,
});

/** The geometry of the adjoint convolution of a deconv2d node. */
export function deconv2dGeometry({ inputs: [x], output: y, params: p }: Node<DeconvParams>): ConvGeometry {
  return {
    ...connection([x.shape.slice(1)], p),
    batch: x.shape[0],
    inSize: [y.shape[2], y.shape[3]],
    outSize: [x.shape[2], x.shape[3]],
    stride: p.stride,
    dilation: p.dilation,
    padding: [p.padding[0], p.padding[1]],
  };
}

/** The layer type `deconv2d`. */
export const deconv2d: Op<DeconvParams> = {
  inputs: 1,
  parse: (fields) => ({ ...parseConv(fields), outputPadding: fields.pair("outputPadding", 0, 0) }),
  outputShape([input], p) {
    const map = needMap(input), size = extent(p);
    checkGroups(map[0], p);
    const [h, w] = [0, 1].map((a) => {
      const out = (map[a + 1] - 1) * p.stride[a] - p.padding[a] - p.padding[a + 2] + size[a] + p.outputPadding[a];
      if (out < 1) throw new UserError(`the padding leaves an output extent of ${out}, expected at least 1`);
      return out;
    });
    return [p.channels, h, w];
  },
  weightShapes: ([input], p) => ({
    weight: [input[0], p.channels / p.groups, ...p.kernel],
    ...(p.bias ? { bias: [p.channels] } : {}),
  }),
  pack: (weights, inputs, p, storage) => packConv(connection(inputs, p), weights, storage),
  forward: (node, y) => [convCall(node, deconv2dGeometry(node), "transposed", node.inputs[0], y, true)],
  backward: (node, dy, [dx]) => dx ? [convCall(node, deconv2dGeometry(node), "direct", dy, dx, false)] : [],
  weightGradients: (node, dy) =>
    weightGradients(node.name, deconv2dGeometry(node), dy, node.inputs[0], node.params.bias ? dy : undefined),
};
