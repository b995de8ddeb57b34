/**
 * deconv2d (transposed convolution, Caffe's Deconvolution, ONNX's ConvTranspose): the adjoint of a conv2d from its
 * output to its input, plus a bias. Output extent: (in − 1) · stride − padding + dilation · (kernel − 1) + 1 + outputPadding.
 */
import type { ConvGeometry } from "../../../shaders/conv/shape.ts";
import { UserError } from "../../formats/user_error.ts";
import { convolution, type Placed } from "./convolution.ts";
import { checkGroups, checkVisits, type ConvParams, extent, parseConv } from "./params.ts";
import { needMap, type Op, type Shape } from "../op.ts";
import { weightGradients } from "./weight_gradient.ts";

/** conv2d's parameters and rows and columns added at the bottom and right. */
export interface DeconvParams extends ConvParams {
  outputPadding: readonly [number, number];
}

/** The geometry of the adjoint convolution of a deconv2d node. */
export function deconv2dGeometry(
  { inputs: [{ shape: [batch, ...input] }], params }: Placed<DeconvParams>,
): ConvGeometry {
  return geometryOf(batch, input, params);
}

/** The adjoint goes from this layer's output to its input. */
function geometryOf(batch: number, input: Shape, p: DeconvParams): ConvGeometry {
  return {
    channelsIn: p.channels,
    channelsOut: input[0],
    groups: p.groups,
    kernel: p.kernel,
    batch,
    inSize: outputSize(input, p),
    outSize: [input[1], input[2]],
    stride: p.stride,
    dilation: p.dilation,
    padding: [p.padding[0], p.padding[1]],
  };
}

/** Rows and columns of the output. @throws UserError where nothing is left. */
function outputSize([, ...map]: Shape, p: DeconvParams): [number, number] {
  const size = extent(p);
  const [h, w] = [0, 1].map((a) => {
    const out = (map[a] - 1) * p.stride[a] - p.padding[a] - p.padding[a + 2] + size[a] + p.outputPadding[a];
    if (out < 1) throw new UserError(`the padding leaves an output extent of ${out}, expected at least 1`);
    return out;
  });
  return [h, w];
}

/** The layer type `deconv2d`. */
export const deconv2d: Op<DeconvParams> = {
  inputs: 1,
  parse: (fields) => ({ ...parseConv(fields), outputPadding: fields.pair("outputPadding", 0, 0) }),
  outputShape([input], p) {
    checkGroups(needMap(input)[0], p);
    return [p.channels, ...outputSize(input, p)];
  },
  checkLimits: (_, output, p) => checkVisits(output, p),
  foldsAffine: (p) => ({ dimension: "columns", groups: p.groups, biased: { ...p, bias: true } }),
  narrows: ["weight"],
  weightShapes: ([input], p) => ({
    weight: [input[0], p.channels / p.groups, ...p.kernel],
    ...(p.bias ? { bias: [p.channels] } : {}),
  }),
  keepsRest: () => true,
  reads({ axis, at }, _inputs, _output, { kernel, stride, padding, dilation }) {
    const taps = Array.from(
      { length: kernel[axis] },
      (_, k) => (at + padding[axis] - k * dilation[axis]) / stride[axis],
    );
    return [taps.filter(Number.isInteger).reverse()];
  },
  ...convolution({ forward: "transposed", geometry: deconv2dGeometry }),
  weightGradients: (node, dy) =>
    weightGradients(node.name, deconv2dGeometry(node), dy, node.inputs[0], node.params.bias ? dy : undefined),
};
