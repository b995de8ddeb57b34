/**
 * Which ways win. Everybody takes turns: what slows the machine down for a while slows all of them. First heats, after each of
 * which the hopeless leave; then the fastest against the predicted ways alone, with new timings, since the fastest of many
 * is often the luckiest. The predicted ways lose only where they are slower by more than noise explains.
 */

/** Something that runs: milliseconds of one run, taken anew each time. */
export interface Runner {
  time(): Promise<number>;
}

/** The ways to an output, and to a gradient where one is wanted, that go together. */
export interface Field<R extends Runner> {
  forward: readonly R[];
  backward: readonly R[];
}

/** One way to each. */
export interface Pair<R extends Runner> {
  forward: R;
  backward?: R;
}

/** Who won, and how long both pairs took. */
export interface Outcome<R extends Runner> extends Pair<R> {
  ms: number;
  predictedMs: number;
}

/** Rounds of the heats and of the final; of ways that take seconds fewer. */
const HEATS = 3;
const FINAL = 13;
const LEAST_FINAL = 5;

/** Milliseconds that runs of all finalists should take together, and of a pair whose heat is the only one. */
const FINAL_MS = 8000;
const LONG_MS = 1000;

/** Who takes so many times as long as the fastest leaves. */
const HOPELESS = 1.4;

/** A winner takes at most this share of the predicted ways' time in the middle, and less time in most rounds. */
const MOST_SHARE = 0.96;
const MOST_ROUNDS = 0.8;

/** @throws the signal's reason once it is aborted. */
export async function race<R extends Runner>(
  fields: readonly Field<R>[],
  predicted: Pair<R>,
  signal?: AbortSignal,
): Promise<Outcome<R>> {
  const times = new Map<R, number[]>();
  const time = async (runner: R) => {
    signal?.throwIfAborted();
    const own = times.get(runner) ?? [];
    times.set(runner, [...own, await runner.time()]);
  };
  const least = (runner: R) => Math.min(...times.get(runner)!);
  const fastest = (runners: readonly R[]) => runners.reduce((best, one) => least(one) < least(best) ? one : best);
  const bestOf = ({ forward, backward }: Field<R>): Pair<R> => ({
    forward: fastest(forward),
    backward: backward.length ? fastest(backward) : undefined,
  });
  const total = (pair: Pair<R>, of: (runner: R) => number) => runnersOf(pair).reduce((sum, one) => sum + of(one), 0);

  let left = fields;
  let long = false;
  for (let round = 0; round < HEATS && !long; round++) {
    for (const { forward, backward } of left) {
      for (const runner of [...forward, ...backward]) await time(runner);
    }
    const sums = left.map((field) => total(bestOf(field), least));
    const limit = HOPELESS * Math.min(...sums);
    long = Math.min(...sums) > LONG_MS;
    const hopeful = (runners: readonly R[]) =>
      runners.filter((one) => least(one) <= HOPELESS * least(fastest(runners)));
    left = left.filter((_, n) => sums[n] <= limit)
      .map(({ forward, backward }) => ({ forward: hopeful(forward), backward: hopeful(backward) }));
  }
  const pairs = left.map(bestOf);
  const champion = pairs.reduce((best, one) => total(one, least) < total(best, least) ? one : best);

  const finalists = new Set([...runnersOf(predicted), ...runnersOf(champion)]);
  const expected = [...finalists].reduce((sum, one) => sum + least(one), 0);
  const rounds = Math.max(LEAST_FINAL, Math.min(FINAL, Math.floor(FINAL_MS / expected)));
  times.clear();
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 ? [...finalists].reverse() : finalists;
    for (const runner of order) await time(runner);
  }
  const together = fields.some(({ forward }) =>
    forward.includes(champion.forward) && forward.includes(predicted.forward)
  );
  const won = (ours: readonly R[], theirs: readonly R[]) => {
    const sums = (runners: readonly R[]) =>
      Array.from({ length: rounds }, (_, round) => runners.reduce((all, one) => all + times.get(one)![round], 0));
    return beats(sums(ours), sums(theirs));
  };
  // Of the same form each pass is decided by itself; of another one both change or none.
  const pass = (name: "forward" | "backward") => {
    const [ours, theirs] = [champion[name], predicted[name]];
    return ours && theirs && won([ours], [theirs]) ? ours : theirs;
  };
  const winner = together
    ? { forward: pass("forward")!, backward: pass("backward") }
    : won(runnersOf(champion), runnersOf(predicted))
    ? champion
    : predicted;
  const middle = (runner: R) => median(times.get(runner)!);
  return { ...winner, ms: total(winner, middle), predictedMs: total(predicted, middle) };
}

/**
 * Whether one wins, by the times of both in each round: clearly in the middle of all rounds, by the best round of each, and in
 * nearly every round.
 */
export function beats(ours: readonly number[], theirs: readonly number[], most = MOST_SHARE): boolean {
  const shares = ours.map((time, round) => time / theirs[round]);
  return median(shares) <= most && Math.min(...ours) < Math.min(...theirs) &&
    shares.filter((share) => share < 1).length >= MOST_ROUNDS * shares.length;
}

/** The value in the middle, of two the smaller. */
export const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[(values.length - 1) >> 1];

const runnersOf = <R extends Runner>({ forward, backward }: Pair<R>): R[] => backward ? [forward, backward] : [forward];
