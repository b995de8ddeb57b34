/**
 * What a file may not ask for. A few bytes of network.json can name sizes for which no memory or no time is enough; they are
 * refused here, before anything is allocated or run for them.
 */
import { UserError } from "../formats/user_error.ts";
import { mapTexels } from "../gpu/tensor.ts";
import { type ConvParams, extent, MOST_TAPS } from "../ops/convolution.ts";
import type { LrnParams } from "../ops/lrn.ts";
import type { LstmParams } from "../ops/lstm.ts";
import { batched, chw, type Op, type Shape } from "../ops/op.ts";
import type { PoolParams } from "../ops/pool.ts";
import { ops } from "../ops/table.ts";

/** Values of one item of a blob, those that fill texels up included: 512 MiB on the GPU. */
const MOST_VALUES = 2 ** 27;

/** Loop trips of an invocation: far below the 65,535 after which lavapipe silently ends loops. */
const MOST_TRIPS = 60_000;

/** Inputs of a layer: no adapter binds as many textures or buffers, and compilers take minutes to say so. */
const MOST_INPUTS = 128;

/** A stride that may be larger than its map: gradients visit all positions of one stride by one. */
const FREE_STRIDE = 64;

/** Steps of a sequence: each is a few calls of its own. */
const MOST_STEPS = 10_000;

/** Channels that an LRN sums over: the kernel is written out for each. */
const MOST_SUMMED = 255;

/** @throws UserError, with `what` before the shape, when an item of it is larger than any blob of a network. */
export function checkSize(shape: Shape, what = "its output"): void {
  if (!(4 * mapTexels(batched(1, shape)) <= MOST_VALUES)) {
    throw new UserError(`${what} [${shape}] takes the room of more than ${MOST_VALUES} values`);
  }
}

/** @throws UserError when a layer's output is too large, or what its kernels would have to visit for a value of it. */
export function checkLayer(op: Op, params: unknown, inputs: readonly Shape[], output: Shape): void {
  checkSize(output);
  if (inputs.length > MOST_INPUTS) throw new UserError(`${inputs.length} inputs, expected at most ${MOST_INPUTS}`);
  if (op === ops.lrn) {
    const { size, region } = params as LrnParams;
    if (region === "across" && size > MOST_SUMMED) {
      throw new UserError(`"size" is ${size}, expected at most ${MOST_SUMMED} channels`);
    }
  }
  if (op === ops.lstm && (params as LstmParams).time === "item" && inputs[0][0] > MOST_STEPS) {
    throw new UserError(`${inputs[0][0]} steps in an item, expected at most ${MOST_STEPS}`);
  }
  // Two loops over four channels a trip.
  if ((op === ops.softmax || op === ops.logsoftmax) && output[0] > 2 * MOST_TRIPS) {
    throw new UserError(`${output[0]} channels, expected at most ${2 * MOST_TRIPS}`);
  }
  if (op === ops.conv2d || op === ops.deconv2d) {
    const { kernel, stride, padding } = params as ConvParams, [, ...map] = chw(op === ops.conv2d ? inputs[0] : output);
    if (kernel[0] * kernel[1] > MOST_TAPS) {
      throw new UserError(
        `windows of ${kernel.join("×")} have more than ${MOST_TAPS} positions, which kernels can visit`,
      );
    }
    const padded = map.map((n, a) => n + padding[a] + padding[a + 2]);
    if (stride.some((n, a) => n > Math.max(padded[a], FREE_STRIDE))) {
      throw new UserError(`the stride [${stride}] is larger than the padded map of ${padded.join("×")}`);
    }
  }
  if (op === ops.maxpool || op === ops.avgpool) {
    const [, ...map] = chw(inputs[0]), [, ...out] = chw(output), p = params as PoolParams;
    const { kernel = map, stride, padding, dilation } = p, reach = extent({ kernel, dilation });
    const visits = kernel[0] * Math.ceil(kernel[1] / 4);
    // An input position is in so many windows, which its gradient visits.
    const windows = out.reduce((product, n, a) => product * Math.min(n, Math.ceil(reach[a] / stride[a])), 1);
    if (visits > MOST_TRIPS || windows > MOST_TRIPS) {
      throw new UserError(`windows of ${kernel.join("×")} with padding [${padding}] are larger than kernels can visit`);
    }
  }
}
