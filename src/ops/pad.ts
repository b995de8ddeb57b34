/**
 * pad: more positions before and after along one dimension, or fewer where a count is negative. They show a constant, the
 * inside mirrored without its edge, the edge, or the other end; their gradients go to the values they show.
 */
import { pad as kernel, type PadGeometry, padGradient, type PadMode } from "../../shaders/items.ts";
import { UserError } from "../formats/user_error.ts";
import { literal } from "../../shaders/literal.ts";
import { texelCall } from "./calls.ts";
import { count, type Op, type Shape, show } from "./op.ts";
import { elements } from "./way.ts";

/** Parameters of pad in network.json. */
export interface PadParams {
  /** The dimension, 0 being channels. */
  axis: number;
  before: number;
  after: number;
  mode: PadMode;
  /** What `mode` "constant" shows. */
  value: number;
}

const geometry = (shape: Shape, { axis, before, after, mode }: PadParams): PadGeometry => ({
  outer: count(shape.slice(0, axis)),
  length: shape[axis],
  inner: count(shape.slice(axis + 1)),
  before,
  after,
  mode,
});

const padded = (shape: Shape, { axis, before, after }: PadParams): number[] =>
  shape.map((n, d) => d === axis ? n + before + after : n);

/** Positions of padding that are no constant on one side: their gradient is a loop. */
const MOST_SHOWN = 4096;

/** The layer type `pad`. */
export const pad: Op<PadParams> = {
  inputs: 1,
  parse: (fields) => ({
    axis: fields.integer("axis", 0),
    before: fields.integer("before", -(2 ** 31), 0),
    after: fields.integer("after", -(2 ** 31), 0),
    mode: fields.choice("mode", ["constant", "reflect", "edge", "wrap"], "constant"),
    value: fields.number("value", 0),
  }),
  outputShape([input], p) {
    if (p.axis >= input.length) throw new UserError(`axis ${p.axis} is not in ${show(input)}`);
    const length = input[p.axis];
    const out = length + p.before + p.after;
    if (out < 1 || length + Math.min(p.before, 0) + Math.min(p.after, 0) < 1) {
      throw new UserError(`padding ${length} positions by ${p.before} and ${p.after} leaves none`);
    }
    const shown = { reflect: length - 1, edge: MOST_SHOWN, wrap: length };
    const most = p.mode === "constant" ? 2 ** 31 : Math.min(shown[p.mode], MOST_SHOWN);
    if (Math.max(p.before, p.after) > most) {
      throw new UserError(
        `"${p.mode}" padding of ${length} positions by ${p.before} and ${p.after}, expected at most ${most}`,
      );
    }
    return padded(input, p);
  },
  reads({ axis, at }, [input], _, p) {
    // Of more than three dimensions the third and all others are columns.
    if (axis === 1 && p.axis >= 2 && input.length > 3) return ["all"];
    if (p.axis !== axis + 1) return [[at]];
    const length = input[p.axis];
    const inside = at - p.before;
    if (inside >= 0 && inside < length || p.mode === "constant") return [[inside]];
    const before = { reflect: -inside, edge: 0, wrap: inside + length };
    const after = { reflect: 2 * (length - 1) - inside, edge: length - 1, wrap: inside - length };
    return [[(inside < 0 ? before : after)[p.mode]]];
  },
  forward: [elements(({ name, inputs: [x], shapes: [shape], params }, y) => [
    texelCall(name, { x }, { y }, kernel(geometry(shape, params), shape, padded(shape, params), literal(params.value))),
  ])],
  backward: [elements(({ name, shapes: [shape], params }, dy, [dx]) =>
    dx
      ? [texelCall(
        `${name} gradient`,
        { x: dy },
        { y: dx },
        padGradient(geometry(shape, params), shape, padded(shape, params)),
      )]
      : []
  )],
};
