/** Local response normalisation across channels; the kernels' header gives the equations. */
import { lrn as kernel, type LrnGeometry, lrnGradient } from "../../shaders/lrn.ts";
import { write } from "../gpu/kernel.ts";
import { run } from "../gpu/tensor.ts";
import { texelCall } from "./calls.ts";
import type { Node, Op } from "./op.ts";

/** Parameters of lrn in network.json. */
export interface LrnParams {
  size: number;
  alpha: number;
  beta: number;
  k: number;
}

const geometry = ({ inputs: [x], params }: Node<LrnParams>): LrnGeometry => ({
  ...params,
  channels: x.shape[1],
  area: x.shape[2] * x.shape[3],
});

/** The layer type `lrn`. */
export const lrn: Op<LrnParams> = {
  inputs: 1,
  parse: (fields) => ({
    size: fields.integer("size", 1, 5),
    alpha: fields.number("alpha", 1e-4),
    beta: fields.number("beta", 0.75),
    k: fields.number("k", 1),
  }),
  outputShape: ([input]) => input,
  forward(node, y) {
    const { name, inputs: [x], saved } = node, g = geometry(node), work = 2 * g.size + 8;
    if (!saved) return [texelCall(name, { x }, { y }, kernel(g, false), work)];
    saved.scale = run(`${name} scale`, y.tensor.texels, y.tensor.storage);
    return [texelCall(name, { x }, { y, scale: write(saved.scale) }, kernel(g, true), work)];
  },
  backward(node, dy, [dx]) {
    if (!dx) return [];
    const g = geometry(node), inputs = { x: node.inputs[0], scale: node.saved!.scale, dy };
    return [texelCall(`${node.name} gradient`, inputs, { dx }, lrnGradient(g), 6 * g.size + 8)];
  },
};
