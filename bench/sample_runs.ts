/** Samples of one thing that a benchmark runs as a whole, such as an iteration of a search. */
import type { Device } from "../src/gpu/device.ts";
import type { Submit } from "../src/gpu/timing.ts";
import { openReference } from "./reference.ts";
import { type Sampled, takeTurns } from "./samples.ts";
import { stopwatchFor, submitTurn, turnMs } from "./stopwatch.ts";

/** Something that runs, on memory of its own. */
export interface Runs extends Disposable {
  submit: Submit;
}

/** Passes, rounds of each, and runs of a turn at most. */
const PASSES = 6, ROUNDS = 3, MOST_RUNS = 1000;

/**
 * Samples of something, made anew for each pass, for the file that `bench compare` reads.
 * @param key Names it in the file.
 */
export async function sampleRuns(
  device: Device,
  key: string,
  open: () => Promise<Runs>,
): Promise<{ samples: Sampled[]; reference: string }> {
  using stopwatch = await stopwatchFor(device);
  const sampled: Sampled = { key, ms: [], reference: [] };
  let times = 0, hash = "";
  for (let pass = 0; pass < PASSES; pass++) {
    using reference = await openReference(device);
    using runs = await open();
    const once = submitTurn(runs.submit, 1);
    await stopwatch.time([reference.turn, once]); // the first run on new memory is slow
    if (times === 0) {
      const [{ own }] = await stopwatch.time([once]);
      times = Math.max(1, Math.min(MOST_RUNS, Math.round(turnMs(device) / own)));
    }
    await takeTurns(stopwatch, reference, [{ ...submitTurn(runs.submit, times), sampled }], ROUNDS);
    hash = reference.hash;
  }
  return { samples: [sampled], reference: hash };
}
