/**
 * fc (fully connected, Caffe's InnerProduct, ONNX's Gemm): y[n,o] = b[o] + Σ_f w[o,f] · x[n,f], the input flattened in
 * (c, h, w) order. It is the convolution whose kernel covers the whole input, so no reshape is run but for maps of more
 * positions than a kernel may have taps.
 *
 * With an axis only the dimensions from there on are flattened: those before number rows, each an input of its own.
 */
import type { ConvGeometry } from "../../../shaders/conv/shape.ts";
import { UserError } from "../../formats/user_error.ts";
import type { Tensor } from "../../gpu/tensor.ts";
import { convolution, type Placed } from "./convolution.ts";
import { MOST_TAPS } from "./params.ts";
import { chw, count, type Node, type Op, type Shape, show } from "../op.ts";
import { readsAll } from "../reach.ts";
import { asRows, intoRows } from "../rows.ts";
import { weightGradients } from "./weight_gradient.ts";

/** Parameters of fc in network.json. */
export interface FcParams {
  channels: number;
  bias: boolean;
  axis: number;
}

/** Whether an item is one row, and a map that a kernel can cover. */
const isWindow = (item: Shape, { axis }: FcParams): boolean => axis === 0 && count(item) / chw(item)[0] <= MOST_TAPS;

/** What one row of the input is: the item itself, or a vector. */
const rowShape = (item: Shape, p: FcParams): Shape => isWindow(item, p) ? item : [count(item.slice(p.axis))];

function connection([item]: readonly Shape[], p: FcParams) {
  const [channelsIn, h, w] = chw(rowShape(item, p));
  return { channelsIn, channelsOut: p.channels, groups: 1, kernel: [h, w] as const };
}

/** The geometry of an fc node: with the stride of a whole input, its gradient visits one tap per position. */
export function fcGeometry({ inputs: [x], shapes, params: p }: Placed<FcParams>): ConvGeometry {
  const own = connection(shapes, p);
  return {
    ...own,
    batch: x.shape[0] * count(shapes[0].slice(0, p.axis)),
    inSize: own.kernel,
    outSize: [1, 1],
    stride: own.kernel,
    dilation: [1, 1],
    padding: [0, 0],
  };
}

/** A tensor on the input or output side of a node as the rows that its geometry has. */
function rowsOf(
  { adapter, name, params, shapes: [item] }: Node<FcParams>,
  side: string,
  x: Tensor,
  g: ConvGeometry,
  features: number,
) {
  return isWindow(item, params)
    ? { tensor: x, calls: [] }
    : asRows(adapter, `${name} ${side} rows`, x, g.batch, features);
}

/** The layer type `fc`. */
export const fc: Op<FcParams> = {
  inputs: 1,
  parse: (fields) => ({
    channels: fields.integer("channels", 1),
    bias: fields.boolean("bias", true),
    axis: fields.integer("axis", 0, 0),
  }),
  outputShape([item], { channels, axis }) {
    if (axis >= item.length) throw new UserError(`there is no axis ${axis} in an input of ${show(item)}`);
    return [...item.slice(0, axis), channels];
  },
  // With an axis the channels are the last dimension, and an affine layer's factors are for the first.
  foldsAffine: (p) => p.axis === 0 ? { dimension: "rows", groups: 1, biased: { ...p, bias: true } } : undefined,
  narrows: ["weight"],
  reads: readsAll,
  weightShapes: ([item], p) => ({
    weight: [p.channels, count(item.slice(p.axis))],
    ...(p.bias ? { bias: [p.channels] } : {}),
  }),
  keepsRest: ({ shapes: [item], params }) => isWindow(item, params),
  ...convolution<FcParams>({
    forward: "direct",
    geometry: fcGeometry,
    source(node, side, x) {
      const g = fcGeometry(node);
      return rowsOf(node, side, x, g, side === "input" ? g.channelsIn : g.channelsOut);
    },
    target(node, side, y) {
      if (isWindow(node.shapes[0], node.params)) return { binding: y, calls: [] };
      const { batch, channelsIn, channelsOut } = fcGeometry(node);
      const label = side === "output" ? `${node.name} rows` : `${node.name} ${side} rows`;
      return intoRows(node.adapter, label, y, batch, side === "output" ? channelsOut : channelsIn);
    },
  }),
  weightGradients(node, output) {
    const g = fcGeometry(node);
    const x = rowsOf(node, "input", node.inputs[0], g, g.channelsIn);
    const dy = rowsOf(node, "gradient", output, g, g.channelsOut);
    const own = weightGradients(node.name, g, x.tensor, dy.tensor, node.params.bias ? dy.tensor : undefined);
    return { ...own, calls: [...x.calls, ...dy.calls, ...own.calls] };
  },
};
