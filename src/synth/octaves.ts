/**
 * A picture that grows: searched small, enlarged, searched on, and so on (Mordvintsev et al. 2015). Where it starts from a picture,
 * each size adds what it changed in that: start_n = base_n + enlarged(result − base), base_n the picture in size n.
 */
import { UserError } from "../formats/user_error.ts";
import { chw } from "../ops/op.ts";
import type { Size } from "./images/image.ts";
import { images } from "./images/table.ts";
import type { Loss } from "./losses.ts";
import { type SearchOptions, suitable } from "./options.ts";
import type { Progress, SearchItem, SearchResult } from "./search.ts";
import { sizeOf } from "./stages.ts";

/** The sizes of a search's octaves, the smallest first; none of a learned prior. */
export function octaveSizes(options: SearchOptions): Size[] {
  const { classifier } = options;
  const { prior, octaves, octaveScale, size } = suitable(options, classifier);
  if (prior === "learned") return [];
  const whole = sizeOf(classifier, size);
  const sides = (n: number) => whole.map((side) => Math.max(2, Math.round(side / octaveScale ** n)));
  return Array.from(
    { length: octaves },
    (_, n) => n === octaves - 1 ? whole : sides(octaves - 1 - n) as unknown as Size,
  );
}

/**
 * Runs a search through its octaves.
 * @param run Searches in one size.
 */
export async function throughOctaves(
  options: SearchOptions,
  run: (options: SearchOptions, size: Size) => Promise<SearchResult>,
): Promise<SearchResult> {
  const { classifier, targets } = options;
  const { prior } = suitable(options, classifier);
  if (prior === "learned") throw new UserError("octaves are of pictures without a generator");
  const sizes = octaveSizes(options);
  const whole = sizes.at(-1)!;
  const { resized } = images[prior];
  const [channels] = chw(classifier.network.inputs[0].shape);
  const done: SearchResult[] = [];
  const base = (n: number, code: Float32Array) => resized(code, channels, whole, sizes[n]);
  const start = (n: number, item: number): Float32Array | undefined => {
    const { code } = targets[item];
    if (n === 0) return code && base(0, code);
    const grown = (values: Float32Array) => resized(values, channels, sizes[n - 1], sizes[n]);
    const code0 = done[n - 1].items[item].next;
    if (!code) return grown(code0);
    const before = base(n - 1, code);
    const now = base(n, code);
    return grown(code0.map((value, j) => value - before[j])).map((value, j) => value + now[j]);
  };
  const { onPlan, onProgress, onLost } = options;
  let asked = options;
  for (const [n, size] of sizes.entries()) {
    const stage = targets.map((target, item) => ({ ...target, code: start(n, item) }));
    const before = done.reduce((sum, { iterations }) => sum + iterations, 0);
    const told = async (progress: Progress) => {
      const { iteration, iterations } = progress;
      const all = before + (sizes.length - n) * iterations;
      const change = await onProgress!({ ...progress, iteration: before + iteration, iterations: all });
      const { codes: _, ...others } = change ?? {};
      asked = { ...asked, ...others };
      return change;
    };
    const later = (loss: Loss): Loss => ({ ...loss, iteration: before + loss.iteration });
    const result = await run({
      ...asked,
      targets: stage,
      onPlan: onPlan && ((pieces) => onPlan(pieces, size)),
      onProgress: onProgress && told,
      onLost: onLost && ((loss) => onLost(later(loss))),
    }, size);
    done.push({ ...result, losses: result.losses.map(later) });
    if (done[n].aborted) break;
  }
  return joint(done, targets, sizes);
}

/** The last octave's result, with what all of them did. */
function joint(done: readonly SearchResult[], targets: SearchOptions["targets"], sizes: readonly Size[]): SearchResult {
  const last = done.at(-1)!;
  const sum = (of: (result: SearchResult) => number) => done.reduce((all, one) => all + of(one), 0);
  const items = last.items.map((item, n): SearchItem => ({
    ...item,
    target: targets[n],
    trace: Float32Array.from(done.flatMap(({ items }) => [...items[n].trace])),
    zeroGradient: done.every(({ items }) => items[n].zeroGradient),
    redirected: sum(({ items }) => items[n].redirected),
  }));
  const losses = done.flatMap(({ losses }) => losses);
  return {
    ...last,
    items,
    losses,
    octaves: done.map(({ memory }, n) => ({ size: sizes[n], memory })),
    iterations: sum(({ iterations }) => iterations),
    seconds: sum(({ seconds }) => seconds),
  };
}
