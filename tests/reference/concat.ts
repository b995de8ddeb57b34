/**
 * Concatenation along channels. In memory that is, image by image, one block of each input after the other.
 */
import type { NoParameters, Op } from "./op.ts";
import { count, type Tensor, tensor } from "./tensor.ts";

/** Concatenation along channels. */
export const concat: Op<NoParameters> = {
  forward(inputs) {
    const [n, , ...space] = inputs[0].shape;
    const y = tensor([n, inputs.reduce((sum, x) => sum + x.shape[1], 0), ...space]);
    forEachBlock(inputs, (length, i, from, to) => y.data.set(inputs[i].data.subarray(from, from + length), to));
    return y;
  },
  backward(inputs, _y, dy) {
    const gradients = inputs.map((x) => tensor(x.shape));
    forEachBlock(inputs, (length, i, from, to) => gradients[i].data.set(dy.data.subarray(to, to + length), from));
    return { inputs: gradients, weights: {} };
  },
};

/** Visits the blocks in the output's order: their length, their input, and where they start in input and output. */
function forEachBlock(inputs: Tensor[], visit: (length: number, input: number, from: number, to: number) => void) {
  let to = 0;
  for (let image = 0; image < inputs[0].shape[0]; image++) {
    inputs.forEach((x, input) => {
      const length = count(x.shape.slice(1));
      visit(length, input, image * length, to);
      to += length;
    });
  }
}
