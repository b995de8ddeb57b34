/**
 * conv2d: y[n,o,p,q] = b[o] + Σ_{i,u,v} w[o,i,u,v] · x[n,i, p·stride + u·dilation − top, q·stride + v·dilation − left]
 * (a cross-correlation, as in Caffe and ONNX), with groups.
 */
import type { ConvGeometry } from "../../../shaders/conv/shape.ts";
import { checkGroups, checkVisits, type ConvParams, extent, outputExtent, parseConv } from "./params.ts";
import { convolution, type Placed } from "./convolution.ts";
import { windowAt } from "../reach.ts";
import { needMap, type Op, type Shape } from "../op.ts";
import { weightGradients } from "./weight_gradient.ts";

/** The geometry of a conv2d node. */
export function conv2dGeometry({ inputs: [{ shape: [batch, ...input] }], params }: Placed<ConvParams>): ConvGeometry {
  return geometryOf(batch, input, params);
}

function geometryOf(batch: number, input: Shape, p: ConvParams): ConvGeometry {
  return {
    channelsIn: input[0],
    channelsOut: p.channels,
    groups: p.groups,
    kernel: p.kernel,
    batch,
    inSize: [input[1], input[2]],
    outSize: outputSize(input, p),
    stride: p.stride,
    dilation: p.dilation,
    padding: [p.padding[0], p.padding[1]],
  };
}

/** Rows and columns of the output. @throws UserError where the kernel does not fit. */
function outputSize([, h, w]: Shape, p: ConvParams): [number, number] {
  const [eh, ew] = extent(p);
  const [top, left, bottom, right] = p.padding;
  return [outputExtent(h, top, bottom, eh, p.stride[0]), outputExtent(w, left, right, ew, p.stride[1])];
}

/** The layer type `conv2d`. */
export const conv2d: Op<ConvParams> = {
  inputs: 1,
  parse: parseConv,
  outputShape([input], p) {
    const [c] = needMap(input);
    checkGroups(c, p);
    return [p.channels, ...outputSize(input, p)];
  },
  checkLimits: ([input], _, p) => checkVisits(input, p),
  foldsAffine: (p) => ({ dimension: "rows", groups: p.groups, biased: { ...p, bias: true } }),
  narrows: ["weight"],
  weightShapes: ([input], p) => ({
    weight: [p.channels, input[0] / p.groups, ...p.kernel],
    ...(p.bias ? { bias: [p.channels] } : {}),
  }),
  keepsRest: () => true,
  reads: (position, _inputs, _output, p) => [windowAt(position, p)],
  ...convolution({ forward: "direct", geometry: conv2dGeometry }),
  weightGradients: (node, dy) =>
    weightGradients(node.name, conv2dGeometry(node), node.inputs[0], dy, node.params.bias ? dy : undefined),
};
