/** Ops that move or rename values: reshape, flatten, crop, dropout (the identity at inference). */
import { shift } from "../../shaders/layout.ts";
import { UserError } from "../formats/user_error.ts";
import { texelCall } from "./calls.ts";
import { haveRests, moveCalls } from "./double_float.ts";
import { chw, count, MOST_DIMENSIONS, needMap, type Op, type Shape, show } from "./op.ts";
import { readsAll } from "./reach.ts";
import { map3, regroupCall } from "./rows.ts";
import { elements } from "./way.ts";

/** Parameters of reshape in network.json: the new shape of an item; one entry may be −1. */
export interface ReshapeParams {
  shape: number[];
}

/** Values in (c, h, w) order under another shape; a view where the texels stay where they are. */
function reshaping<P>(parse: Op<P>["parse"], outputShape: Op<P>["outputShape"]): Op<P> {
  return {
    inputs: 1,
    parse,
    outputShape,
    keepsValues: true,
    isView: (inputs, params) => show(chw(inputs[0])) === show(chw(outputShape(inputs, params))),
    keepsRest: haveRests,
    reads: (position, inputs, output) =>
      show(chw(inputs[0])) === show(chw(output)) ? [[position.at]] : readsAll(position, inputs),
    forward: [elements((node, y) => moveCalls(node, y, (label, [x], y) => regroupCall(label, x, y)))],
    backward: [elements(({ name }, dy, [dx]) => dx ? [regroupCall(`${name} gradient`, dy, dx)] : [])],
  };
}

/** The layer type `reshape`. */
export const reshape: Op<ReshapeParams> = reshaping(
  (fields) => {
    const shape = fields.numbers("shape");
    const known = shape.filter((n) => n !== -1);
    if (
      shape.length > MOST_DIMENSIONS || shape.length - known.length > 1 ||
      !known.every((n) => Number.isSafeInteger(n) && n > 0)
    ) {
      throw new UserError(
        `"shape" is [${shape}], expected up to ${MOST_DIMENSIONS} whole numbers, at most one of them −1`,
      );
    }
    return { shape };
  },
  ([input], { shape }) => {
    const known = shape.reduce((product, n) => n === -1 ? product : product * n, 1);
    const rest = count(input) / known;
    const result = shape.map((n) => n === -1 ? rest : n);
    if (count(result) !== count(input) || !Number.isInteger(rest)) {
      throw new UserError(`${show(input)} = ${count(input)} values do not fit into [${shape}]`);
    }
    return result;
  },
);

/** The layer type `flatten`: [c, h, w] to [c · h · w]. */
export const flatten: Op<null> = reshaping<null>(() => null, ([input]) => [count(input)]);

/** The layer type `dropout`: the identity. */
export const dropout: Op<null> = reshaping<null>(() => null, ([input]) => input);

/** Parameters of crop in network.json; without an offset the centre is kept. */
export interface CropParams {
  size: readonly [number, number];
  offset?: readonly [number, number];
}

/** Top left corner of what a crop keeps: floor of half the difference unless given. */
function cropOffset([, h, w]: Shape, { size, offset }: CropParams): readonly [number, number] {
  return offset ?? [Math.floor((h - size[0]) / 2), Math.floor((w - size[1]) / 2)];
}

/** The layer type `crop`. */
export const crop: Op<CropParams> = {
  inputs: 1,
  parse: (fields) => ({
    size: fields.pair("size", 1),
    offset: fields.has("offset") ? fields.pair("offset", 0) : undefined,
  }),
  outputShape([input], p) {
    const [c, h, w] = needMap(input);
    const [top, left] = cropOffset(input, p);
    if (top < 0 || left < 0 || top + p.size[0] > h || left + p.size[1] > w) {
      throw new UserError(`a crop of ${show(p.size)} at [${top}, ${left}] does not fit into ${h}×${w}`);
    }
    return [c, ...p.size];
  },
  keepsRest: haveRests,
  reads: ({ axis, at }, [input], _, p) => [[at + cropOffset(input, p)[axis]]],
  forward: [elements((node, y) => {
    const { inputs: [x], params } = node;
    const code = shift([x.shape[2], x.shape[3]], params.size, cropOffset(map3(x), params));
    return moveCalls(node, y, (label, [x], y) => texelCall(label, { x }, { y }, code));
  })],
  backward: [elements(({ name, inputs: [x], params }, dy, [dx]) => {
    if (!dx) return [];
    const [top, left] = cropOffset(map3(x), params);
    return [
      texelCall(`${name} gradient`, { x: dy }, { y: dx }, shift(params.size, [x.shape[2], x.shape[3]], [-top, -left])),
    ];
  })],
};
