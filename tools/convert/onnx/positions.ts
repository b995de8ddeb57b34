/** Positions along one axis of a value: some of them, in any order, or sums of some. */
import { UserError } from "../../../src/formats/user_error.ts";
import type { Term } from "./interpolation.ts";
import type { Trace, Traced } from "./trace.ts";

/** Positions that network.json may list for a layer. */
const MOST_POSITIONS = 2 ** 18;

/** @throws UserError where network.json would list more than it may. */
function checkCount(count: number): void {
  if (count <= MOST_POSITIONS) return;
  throw new UserError(`it takes ${count} positions one by one; up to ${MOST_POSITIONS} are supported`);
}

/** `count` positions of an axis of the item, from `first` on in steps. @throws UserError where they are too many to list. */
export function run(trace: Trace, x: Traced, axis: number, first: number, count: number, step = 1): Traced {
  if (step !== 1 && count > 1) {
    checkCount(count);
    const positions = Array.from({ length: count }, (_, n) => first + n * step);
    return trace.add("resample", { axis, positions }, [x]);
  }
  return count === x.item[axis] ? x : trace.add("slice", { axis, from: first, count }, [x]);
}

/** These positions of an axis of the item. @throws UserError where they are too many to list. */
export function picked(trace: Trace, x: Traced, axis: number, positions: readonly number[]): Traced {
  const [first] = positions;
  if (positions.every((at, n) => at === first + n)) return run(trace, x, axis, first, positions.length);
  checkCount(positions.length);
  return trace.add("resample", { axis, positions: [...positions] }, [x]);
}

/** A weighted sum of positions of an axis of the item for each of the new one. */
export function positioned(trace: Trace, x: Traced, axis: number, sums: readonly (readonly Term[])[]): Traced {
  if (sums.every((terms) => terms.length === 1 && terms[0][1] === 1)) {
    return picked(trace, x, axis, sums.map(([[position]]) => position));
  }
  // Shorter sums are filled up with nothing of a position that they have.
  const taps = Math.max(1, ...sums.map(({ length }) => length));
  const filled = sums.flatMap((terms): readonly Term[] =>
    Array.from({ length: taps }, (_, k) => terms[k] ?? [terms[0]?.[0] ?? 0, 0])
  );
  checkCount(filled.length);
  const positions = filled.map(([position]) => position);
  const weight = filled.map(([, weight]) => weight);
  return trace.add("resample", { axis, positions, taps, weighted: true }, [x], { weight });
}
