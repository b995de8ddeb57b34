/**
 * resample: other positions along one axis, each a weighted sum of a few that the input has there: repeated, left out, in
 * another order, or interpolated. The gradient to an input position sums over those that read it.
 */
import { resample as kernel, type ResampleGeometry } from "../../shaders/resample.ts";
import { UserError } from "../formats/user_error.ts";
import { texelCall } from "./calls.ts";
import { haveRests, moveCalls } from "./double_float.ts";
import { count, type Op, type PackedTensor, type Shape, show } from "./op.ts";
import { MOST_TRIPS } from "./trips.ts";
import { elements } from "./way.ts";

/** Parameters of resample in network.json: the input's positions along `axis`, `taps` of them for each of the output's. */
export interface ResampleParams {
  axis: number;
  positions: number[];
  taps: number;
  /** Whether `NAME.weight` says how much each counts; else each counts once. */
  weighted: boolean;
}

/** A position of the input, and its weight. */
type Term = readonly [position: number, weight: number];

const sizeOf = ({ positions, taps }: ResampleParams): number => positions.length / taps;

const geometry = ([item]: readonly Shape[], params: ResampleParams): ResampleGeometry => {
  const { axis } = params;
  return { axis, from: item[axis], to: sizeOf(params), inner: count(item.slice(axis + 1)) };
};

/** Lists of terms as the kernel's texels. */
function packed(lists: readonly Term[][]): PackedTensor {
  const texels = lists.length + lists.reduce((sum, { length }) => sum + length, 0);
  const values = new Float32Array(4 * texels);
  let end = lists.length;
  lists.forEach((terms, at) => {
    values.set([end, end + terms.length], 4 * at);
    for (const term of terms) values.set(term, 4 * end++);
  });
  return { texels, format: "f32", bytes: new Uint8Array(values.buffer) };
}

/** The layer type `resample`. */
export const resample: Op<ResampleParams> = {
  inputs: 1,
  parse(fields) {
    const axis = fields.integer("axis", 0);
    const positions = fields.numbers("positions");
    const taps = fields.integer("taps", 1, 1);
    if (positions.length === 0 || positions.length % taps !== 0) {
      throw new UserError(`"positions" are ${positions.length}, expected ${taps} for each position of the output`);
    }
    return { axis, positions, taps, weighted: fields.boolean("weighted", false) };
  },
  outputShape([input], params) {
    const { axis, positions } = params;
    if (axis >= input.length) throw new UserError(`there is no axis ${axis} in an input of ${show(input)}`);
    const wrong = positions.find((at) => !Number.isInteger(at) || at < 0 || at >= input[axis]);
    if (wrong !== undefined) {
      throw new UserError(`position ${wrong}, but axis ${axis} of ${show(input)} has 0 to ${input[axis] - 1}`);
    }
    return input.with(axis, sizeOf(params));
  },
  checkLimits([input], _, { axis, positions, taps }) {
    const readers = new Int32Array(input[axis]);
    for (const at of positions) readers[at]++;
    const most = (axis === 0 ? 4 : 1) * readers.reduce((most, own) => Math.max(most, own), taps);
    if (most > MOST_TRIPS) throw new UserError(`a sum of ${most} values, expected at most ${MOST_TRIPS}`);
  },
  weightShapes: (_, params): Record<string, Shape> => params.weighted ? { weight: [sizeOf(params), params.taps] } : {},
  pack({ weight }, { shapes: [input], params }) {
    const { axis, positions, taps } = params;
    const lists = Array.from({ length: sizeOf(params) }, (): Term[] => []);
    const back = Array.from({ length: input[axis] }, (): Term[] => []);
    positions.forEach((at, n) => {
      const to = Math.floor(n / taps);
      const factor = weight?.values[n] ?? 1;
      if (factor === 0) return;
      lists[to].push([at, factor]);
      back[at].push([to, factor]);
    });
    return { terms: packed(lists), back: packed(back) };
  },
  keepsRest: (task) => !task.params.weighted && task.params.taps === 1 && haveRests(task),
  reads({ axis, at }, [input], _, { axis: own, positions, taps }) {
    // Of more than three dimensions the third and all others are columns.
    if (axis === 1 && own >= 2 && input.length > 3) return ["all"];
    return [own === axis + 1 ? positions.slice(at * taps, (at + 1) * taps) : [at]];
  },
  forward: [elements((node, y) => {
    const { shapes, params, weights: { terms } } = node;
    const code = kernel(geometry(shapes, params));
    return moveCalls(node, y, (label, [x], y) => texelCall(label, { x, terms }, { y }, code, 2 * params.taps));
  })],
  backward: [elements(({ name, shapes, params, weights: { back } }, dy, [dx]) => {
    if (!dx) return [];
    const { from, to, ...rest } = geometry(shapes, params);
    const code = kernel({ ...rest, from: to, to: from });
    return [texelCall(`${name} gradient`, { x: dy, terms: back }, { y: dx }, code, 2 * params.positions.length / from)];
  })],
};
