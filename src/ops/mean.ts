/** mean over some dimensions of an item, which stay as 1; the gradient spreads dy / count over them. */
import { broadcast, MOST_TERMS, reduce } from "../../shaders/items.ts";
import { UserError } from "../formats/user_error.ts";
import { literal } from "../../shaders/wgsl.ts";
import { texelCall } from "./calls.ts";
import { count, type Op, type Shape, show } from "./op.ts";
import { readsAll } from "./reach.ts";
import { elements } from "./way.ts";

/** Parameters of mean in network.json: the dimensions, 0 being channels. */
export interface MeanParams {
  axes: number[];
}

const reduced = (shape: Shape, { axes }: MeanParams): number[] => shape.map((n, d) => axes.includes(d) ? 1 : n);
const terms = (shape: Shape, params: MeanParams): number => count(shape) / count(reduced(shape, params));

/** The layer type `mean`. */
export const mean: Op<MeanParams> = {
  inputs: 1,
  parse: (fields) => ({ axes: fields.numbers("axes") }),
  outputShape([input], params) {
    const wrong = params.axes.find((axis) => !Number.isInteger(axis) || axis < 0 || axis >= input.length);
    if (wrong !== undefined) throw new UserError(`axis ${wrong} is not in ${show(input)}`);
    if (terms(input, params) > MOST_TERMS) {
      throw new UserError(`a mean of ${terms(input, params)} values, expected at most ${MOST_TERMS}`);
    }
    return reduced(input, params);
  },
  reads: readsAll,
  forward: [elements(({ name, inputs: [x], shapes: [shape], params }, y) => {
    const factor = literal(1 / terms(shape, params));
    return [texelCall(name, { x }, { y }, reduce(shape, reduced(shape, params), factor), terms(shape, params))];
  })],
  backward: [elements(({ name, shapes: [shape], params }, dy, [dx]) => {
    if (!dx) return [];
    const spread = broadcast({ dy: reduced(shape, params) }, shape, `dy * ${literal(1 / terms(shape, params))}`);
    return [texelCall(`${name} gradient`, { dy }, { y: dx }, spread)];
  })],
};
