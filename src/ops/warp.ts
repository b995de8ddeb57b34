/**
 * warp: a map turned, scaled and shifted by four numbers of each item, its second input: (a, b, t_x, t_y). Output position o shows
 * the input at c + R (o − c) + t, R = [[a, −b], [b, a]] and c the centre, bilinearly; (1, 0, 0, 0) changes nothing. The numbers
 * are given: no gradient goes to them.
 */
import { channelBlocks } from "../../shaders/texels.ts";
import { type Edges, warp as kernel, type WarpGeometry, warpGradient } from "../../shaders/warp.ts";
import { UserError } from "../formats/user_error.ts";
import { elementwiseCall, texelCall } from "./calls.ts";
import { needMap, type Node, type Op, show } from "./op.ts";
import { readsAll } from "./reach.ts";
import { elements } from "./way.ts";

/** Parameters of warp in network.json: what shows past the edges, zeros or the map once more. */
export interface WarpParams {
  edges: Edges;
}

const geometry = ({ inputs: [{ shape: [, c, h, w] }], params: { edges } }: Node<WarpParams>): WarpGeometry => ({
  blocks: channelBlocks(c),
  size: [h, w],
  edges,
});

/** The layer type `warp`. */
export const warp: Op<WarpParams> = {
  inputs: 2,
  parse: (fields) => ({ edges: fields.choice("edges", ["zero", "wrap"], "zero") }),
  outputShape([map, view]) {
    needMap(map);
    if (view.join() !== "4") throw new UserError(`the second input is ${show(view)}, expected 4 numbers: a, b, x, y`);
    return map;
  },
  reads: readsAll,
  forward: [elements((node, y) => {
    const [x, view] = node.inputs;
    return [texelCall(node.name, { x, view }, { y }, kernel(geometry(node)), 8)];
  })],
  backward: [elements((node, dy, [dx, dView]) => {
    const { name, inputs: [, view] } = node;
    return [
      ...dx ? [texelCall(`${name} gradient`, { dy, view }, { dx }, warpGradient(geometry(node)), 8)] : [],
      ...dView ? [elementwiseCall(`${name} numbers gradient`, {}, dView, "vec4f()")] : [],
    ];
  })],
};
