/** What the frames of a search come to as a film. */
import type { Climb } from "../climb.ts";
import type { Journey } from "../journey.ts";
import { strongest } from "../result.ts";
import type { SearchItem } from "../search.ts";
import { mean, tryOrders } from "./order.ts";

/**
 * The film of these frames.
 * @param answers What the classifier says at each of them.
 */
export async function filmOf(
  { device, asked, options, settings: { windowSize = 1 }, classifier }: Journey,
  climb: Climb,
  frames: readonly SearchItem[],
  answers: readonly Float32Array[],
): Promise<SearchItem> {
  const { shuffles = 0, signal } = options;
  const [target] = asked.targets;
  const [{ picture, trace, topOf, redirected }] = frames;
  const orders = shuffles > 0 && !signal?.aborted
    ? await tryOrders(device, climb, { seed: target.seed, frames: frames.length, times: shuffles })
    : undefined;
  const together = (values: (frame: SearchItem) => Float32Array) =>
    Float32Array.from(frames.flatMap((f) => [...values(f)]));
  return {
    target,
    picture,
    code: together(({ code }) => code),
    next: together(({ next }) => next),
    trace: trace.map((_, n) => mean(frames.map(({ trace }) => trace[n]))),
    activation: mean(frames.map(({ activation }) => activation)),
    top: strongest(classifier, answers[0].map((_, unit) => mean(answers.map((answer) => answer[unit]))), 5),
    topOf,
    zeroGradient: frames.every(({ zeroGradient }) => zeroGradient),
    redirected,
    film: { frames: frames.map(({ picture, activation }) => ({ picture, activation })), windowSize, orders },
  };
}
