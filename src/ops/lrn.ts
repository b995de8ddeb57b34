/** Local response normalisation, across channels or within each; the kernels' headers give the equations. */
import { isDoubleLrn, lrn as across, lrnDouble, type LrnGeometry, lrnGradient } from "../../shaders/lrn.ts";
import { windowBefore } from "../../shaders/lrn.ts";
import { lrnWithin, lrnWithinGradient, ratioRows, squareRows } from "../../shaders/lrn_within.ts";
import { UserError } from "../formats/user_error.ts";
import { type Binding, type Call, write } from "../gpu/call.ts";
import { run, type Tensor } from "../gpu/tensor.ts";
import { texelCall } from "./calls.ts";
import { doubleOutput, withRests } from "./double_float.ts";
import { needMap, type Node, type Op } from "./op.ts";
import { windowAt } from "./reach.ts";
import { MOST_TRIPS } from "./trips.ts";
import { elements } from "./way.ts";

/** Parameters of lrn in network.json. */
export interface LrnParams {
  region: "across" | "within";
  size: number;
  alpha: number;
  beta: number;
  k: number;
}

/** Pixels along a side of a window, each a trip in the sum along it. */
const MOST_SIDE = MOST_TRIPS / 2;

/** Channels that an LRN sums over: the kernel is written out for each. */
const MOST_SUMMED = 255;

const geometry = ({ inputs: [x], params }: Node<LrnParams>): LrnGeometry & { height: number; width: number } => ({
  ...params,
  channels: x.shape[1],
  area: x.shape[2] * x.shape[3],
  height: x.shape[2],
  width: x.shape[3],
});

const likeOf = (label: string, { texels, storage }: Tensor): Tensor => run(label, texels, storage);

/** The calls that make y, and `scale` where the gradient wants it. */
function forward(node: Node<LrnParams>, y: Binding, scale: Record<string, Binding>): Call[] {
  const { name, inputs: [x], params } = node;
  const g = geometry(node);
  const keep = "scale" in scale;
  const double = doubleOutput(y);
  if (double) {
    const code = lrnDouble(g, keep, x.rest !== undefined, double.relu);
    return [texelCall(name, withRests({ x }), { ...double.bindings, ...scale }, code, 20 * g.size + 100)];
  }
  if (params.region === "across") return [texelCall(name, { x }, { y, ...scale }, across(g, keep), 2 * g.size + 8)];
  const sums = likeOf(`${name} sums`, x);
  return [
    texelCall(`${name} rows`, { x }, { sums: write(sums) }, squareRows(g), 2 * g.size),
    texelCall(name, { x, sums }, { y, ...scale }, lrnWithin(g, keep), g.size + 8),
  ];
}

/** The layer type `lrn`. */
export const lrn: Op<LrnParams> = {
  inputs: 1,
  parse: (fields) => ({
    region: fields.choice("region", ["across", "within"], "across"),
    size: fields.integer("size", 1, 5),
    alpha: fields.number("alpha", 1e-4),
    beta: fields.number("beta", 0.75),
    k: fields.number("k", 1),
  }),
  outputShape([input], { region }) {
    if (region === "within") needMap(input);
    return input;
  },
  checkLimits([input], _, { region, size }) {
    if (region === "across") {
      if (size > MOST_SUMMED) throw new UserError(`"size" is ${size}, expected at most ${MOST_SUMMED} channels`);
      return;
    }
    const [, h, w] = needMap(input);
    const side = Math.min(size, Math.max(h, w));
    if (side > MOST_SIDE) throw new UserError(`a window of ${side} pixels a side, expected at most ${MOST_SIDE}`);
  },
  reads({ axis, at }, _inputs, _output, { region, size }) {
    if (region === "across") return [[at]];
    const window = { kernel: [size, size], stride: [1, 1], dilation: [1, 1] } as const;
    const before = windowBefore(size);
    return [windowAt({ axis, at }, { ...window, padding: [before, before] })];
  },
  keepsRest: ({ params }) => params.region === "across" && isDoubleLrn(params),
  forward: [elements((node, y) => {
    const { name, saved } = node;
    if (!saved) return forward(node, y, {});
    saved.scale = likeOf(`${name} scale`, y.tensor);
    return forward(node, y, { scale: write(saved.scale) });
  })],
  backward: [elements((node, dy, [dx]) => {
    if (!dx) return [];
    const { name, inputs: [x], saved, params } = node;
    const g = geometry(node);
    const inputs = { x, scale: saved!.scale, dy };
    if (params.region === "across") {
      return [texelCall(`${name} gradient`, inputs, { dx }, lrnGradient(g), 6 * g.size + 8)];
    }
    const sums = likeOf(`${name} gradient sums`, x);
    return [
      texelCall(`${name} gradient rows`, inputs, { sums: write(sums) }, ratioRows(g), 6 * g.size),
      texelCall(`${name} gradient`, { ...inputs, sums }, { dx }, lrnWithinGradient(g), g.size + 8),
    ];
  })],
};
