/**
 * What a file may not ask for. A few bytes of network.json can name sizes for which no memory or no time is enough; they are
 * refused here, before anything is allocated or run for them.
 */
import { UserError } from "../formats/user_error.ts";
import { mapTexels } from "../gpu/tensor.ts";
import { batched, type Op, type Shape } from "../ops/op.ts";

/** Values of one item of a blob, those that fill texels up included: 512 MiB on the GPU. */
const MOST_VALUES = 2 ** 27;

/** Inputs of a layer: no adapter binds as many textures or buffers, and compilers take minutes to say so. */
const MOST_INPUTS = 128;

/** @throws UserError, with `what` before the shape, when an item of it is larger than any blob of a network. */
export function checkSize(shape: Shape, what = "its output"): void {
  if (!(4 * mapTexels(batched(1, shape)) <= MOST_VALUES)) {
    throw new UserError(`${what} [${shape}] takes the room of more than ${MOST_VALUES} values`);
  }
}

/** @throws UserError when a layer reads too many inputs, its output is too large, or it is past what its op allows. */
export function checkLayer(op: Op, params: unknown, inputs: readonly Shape[], output: Shape): void {
  checkSize(output);
  if (inputs.length > MOST_INPUTS) throw new UserError(`${inputs.length} inputs, expected at most ${MOST_INPUTS}`);
  op.checkLimits?.(inputs, output, params);
}
