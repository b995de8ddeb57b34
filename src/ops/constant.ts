/** constant: a weight as a value, the same for every item. */
import { UserError } from "../formats/user_error.ts";
import { toTexels } from "../gpu/map.ts";
import { texelCall } from "./calls.ts";
import { batched, MOST_DIMENSIONS, type Op } from "./op.ts";
import { elements } from "./way.ts";

/** Parameters of constant in network.json: the shape of `NAME.value`. */
export interface ConstantParams {
  shape: number[];
}

/** The layer type `constant`. */
export const constant: Op<ConstantParams> = {
  inputs: 0,
  parse(fields) {
    const shape = fields.numbers("shape");
    if (shape.length > MOST_DIMENSIONS || !shape.every((n) => Number.isSafeInteger(n) && n > 0)) {
      throw new UserError(`"shape" is [${shape}], expected up to ${MOST_DIMENSIONS} whole numbers`);
    }
    return { shape };
  },
  outputShape: (_, { shape }) => shape,
  weightShapes: (_, { shape }) => ({ value: shape }),
  pack({ value }, { params: { shape } }) {
    const texels = toTexels(value.values, batched(1, shape));
    return { value: { texels: texels.length / 4, format: "f32", bytes: new Uint8Array(texels.buffer) } };
  },
  forward: [elements(({ name, weights: { value } }, y) => [
    texelCall(name, { value }, { y }, `fn kernel(i: u32) { store_y(i, load_value(i % ${value.texels}u)); }`),
  ])],
  backward: [elements(() => [])],
};
