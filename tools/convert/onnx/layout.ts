/**
 * Pictures whose channels come last, [N, H, W, C], as Keras and TensorFlow have them. Networks here have them first: they take
 * and make [C, H, W], and the transposition that the model begins or ends with meets its opposite and is gone.
 */
import type { Trace, Traced } from "./trace.ts";

const isFew = (channels: number): boolean => channels === 1 || channels === 3;

/** Whether a shape of the model is that of pictures with their channels first. */
export const areFirst = (shape: readonly number[]): boolean => shape.length === 4 && isFew(shape[1]);

/** Whether it is that of pictures with their channels last; a code of [N, 100, 1, 1] is none. */
export const areLast = (shape: readonly number[]): boolean =>
  shape.length === 4 && isFew(shape[3]) && !isFew(shape[1]) && shape[1] > 1 && shape[2] > 1;

/** The shape with its channels first. */
export const channelsFirst = ([n, h, w, c]: readonly number[]): number[] => [n, c, h, w];

/** A value whose channels come first with them last; axis 0 of the model's value may be the batch. */
export const toLast = (trace: Trace, x: Traced): Traced =>
  trace.transpose(x, trace.batch === undefined ? [0, 2, 3, 1] : [1, 2, 0]);

/** A value whose channels come last with them first. */
export const toFirst = (trace: Trace, x: Traced): Traced =>
  trace.transpose(x, trace.batch === undefined ? [0, 3, 1, 2] : [2, 0, 1]);
