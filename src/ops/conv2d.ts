/**
 * conv2d: y[n,o,p,q] = b[o] + Σ_{i,u,v} w[o,i,u,v] · x[n,i, p·stride + u·dilation − top, q·stride + v·dilation − left]
 * (a cross-correlation, as in Caffe and ONNX), with groups.
 */
import { checkGroups, type ConvParams, extent, outputExtent, packConv, parseConv } from "./convolution.ts";
import { convCall } from "./convolution.ts";
import type { ConvGeometry } from "../../shaders/conv_shape.ts";
import { needMap, type Node, type Op, type Shape } from "./op.ts";
import { weightGradients } from "./weight_gradient.ts";

const connection = (inputs: readonly Shape[], p: ConvParams) => ({
  channelsIn: inputs[0][0],
  channelsOut: p.channels,
  groups: p.groups,
  kernel: p.kernel,
});

/** The geometry of a conv2d node. */
export function conv2dGeometry({ inputs: [x], output: y, params: p }: Node<ConvParams>): ConvGeometry {
  return {
    ...connection([x.shape.slice(1)], p),
    batch: x.shape[0],
    inSize: [x.shape[2], x.shape[3]],
    outSize: [y.shape[2], y.shape[3]],
    stride: p.stride,
    dilation: p.dilation,
    padding: [p.padding[0], p.padding[1]],
  };
}

/** The layer type `conv2d`. */
export const conv2d: Op<ConvParams> = {
  inputs: 1,
  parse: parseConv,
  outputShape([input], p) {
    const [c, h, w] = needMap(input), [eh, ew] = extent(p), [top, left, bottom, right] = p.padding;
    checkGroups(c, p);
    return [p.channels, outputExtent(h, top, bottom, eh, p.stride[0]), outputExtent(w, left, right, ew, p.stride[1])];
  },
  weightShapes: ([input], p) => ({
    weight: [p.channels, input[0] / p.groups, ...p.kernel],
    ...(p.bias ? { bias: [p.channels] } : {}),
  }),
  pack: (weights, inputs, p, storage) => packConv(connection(inputs, p), weights, storage),
  forward: (node, y) => [convCall(node, conv2dGeometry(node), "direct", node.inputs[0], y, true)],
  backward: (node, dy, [dx]) => dx ? [convCall(node, conv2dGeometry(node), "transposed", dy, dx, false)] : [],
  weightGradients: (node, dy) =>
    weightGradients(node.name, conv2dGeometry(node), node.inputs[0], dy, node.params.bias ? dy : undefined),
};
