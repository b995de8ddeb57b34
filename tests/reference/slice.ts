/**
 * A run of an item's values along one of its axes; the gradient is zero everywhere else.
 */
import type { Op } from "./op.ts";
import { count, tensor } from "./tensor.ts";

/** The parameters of `slice` in network.json; axis 0 is the first dimension after the batch. */
export interface SliceParameters {
  axis?: number;
  from?: number;
  count: number;
}

/** Values `from` … `from + count − 1` along an axis. */
export const slice: Op<SliceParameters> = {
  forward([x], p) {
    const y = tensor(x.shape.with((p.axis ?? 0) + 1, p.count));
    forEachKept(x.shape, p, (kept, at) => y.data[kept] = x.data[at]);
    return y;
  },
  backward([x], _y, dy, p) {
    const dx = tensor(x.shape);
    forEachKept(x.shape, p, (kept, at) => dx.data[at] = dy.data[kept]);
    return { inputs: [dx], weights: {} };
  },
};

/** Visits what is kept, in order: its number among the kept, and its place in the whole. */
function forEachKept(shape: number[], p: SliceParameters, visit: (kept: number, at: number) => void): void {
  const { axis = 0, from = 0 } = p;
  const inner = count(shape.slice(axis + 2));
  let kept = 0;
  for (let at = 0; at < count(shape); at++) {
    const along = Math.floor(at / inner) % shape[axis + 1];
    if (along >= from && along < from + p.count) visit(kept++, at);
  }
}
