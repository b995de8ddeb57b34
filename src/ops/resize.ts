/** resize: maps of another size, by bilinear or bicubic interpolation. */
import {
  type Interpolation,
  neighbours,
  resize as kernel,
  type ResizeGeometry,
  resizeGradient,
} from "../../shaders/resize.ts";
import { UserError } from "../formats/user_error.ts";
import { texelCall } from "./calls.ts";
import { needMap, type Node, type Op } from "./op.ts";
import { MOST_TRIPS } from "./trips.ts";
import { elements } from "./way.ts";

/** Parameters of resize in network.json. */
export interface ResizeParams {
  size: readonly [number, number];
  method: Interpolation;
}

/** Products of extents: a position is a fraction of twice as much, a whole number of 32 bits. */
const MOST_PRODUCT = 2 ** 28;

const geometry = ({ inputs: [x], params: { size, method } }: Node<ResizeParams>): ResizeGeometry => ({
  inSize: [x.shape[2], x.shape[3]],
  outSize: size,
  method,
});

/** The layer type `resize`. */
export const resize: Op<ResizeParams> = {
  inputs: 1,
  parse: (fields) => ({
    size: fields.pair("size", 1),
    method: fields.choice("method", ["bilinear", "bicubic"], "bilinear"),
  }),
  outputShape: ([input], { size }) => [needMap(input)[0], ...size],
  checkLimits([input], _output, { size, method }) {
    const [, ...from] = needMap(input);
    const [first, last] = neighbours(method);
    const readers = from.map((extent, a) => Math.min(size[a], Math.ceil((last - first + 1) * size[a] / extent) + 1));
    if (readers[0] * readers[1] > MOST_TRIPS || from.some((extent, a) => extent * size[a] > MOST_PRODUCT)) {
      throw new UserError(`${from.join("×")} resized to ${size.join("×")} is more than kernels can visit`);
    }
  },
  reads({ axis, at }, [input], _, { size, method }) {
    const [, ...extents] = needMap(input);
    const [first, last] = neighbours(method);
    const above = (2 * at + 1) * extents[axis] - size[axis];
    const below = Math.floor(above / (2 * size[axis]));
    // Between two pixels all count; on one of them it alone does.
    if (above % (2 * size[axis]) === 0) return [[below]];
    return [Array.from({ length: last - first + 1 }, (_, n) => below + first + n)];
  },
  forward: [elements((node, y) => [
    texelCall(
      node.name,
      { x: node.inputs[0] },
      { y },
      kernel(geometry(node)),
      node.params.method === "bilinear" ? 4 : 16,
    ),
  ])],
  backward: [
    elements((node, dy, [dx]) =>
      dx ? [texelCall(`${node.name} gradient`, { dy }, { dx }, resizeGradient(geometry(node)))] : []
    ),
  ],
};
