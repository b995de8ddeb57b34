/** Samples of things that a benchmark runs as a whole, such as an iteration of a search, or each of its dispatches. */
import type { Device } from "../../src/gpu/device.ts";
import type { Submit } from "../../src/gpu/timing.ts";
import { openReference } from "../reference.ts";
import type { Running } from "../running.ts";
import { type Sampled, takeTurns } from "../samples.ts";
import { stopwatchFor, submitTurn, turnTimes, warmUp } from "../stopwatch.ts";

/** What a file keeps of them. */
export interface Samples {
  samples: Sampled[];
  /** `Reference.hash`. */
  reference: string;
}

/** Rounds of a pass. */
const ROUNDS = 3;

/** What is sampled of a search or a network, by what names it in the file. */
export type Sampling = (running: Running, device: Device) => Readonly<Record<string, Submit>>;

/** Samples for the file that `bench compare` reads, of what is compiled anew, on memory of its own, for each pass. */
export async function sampleRuns(
  device: Device,
  open: () => Promise<Running>,
  sampling: Sampling,
  passes: number,
  onPass?: (done: number, total: number) => void,
): Promise<Samples> {
  const sampled = new Map<string, Sampled & { times: number }>();
  let hash = "";
  await withOpen(stopwatchFor(device), async (stopwatch) => {
    for (let pass = 0; pass < passes; pass++) {
      onPass?.(pass, passes);
      await withOpen(openReference(device), (reference) =>
        withOpen(open(), async (running) => {
          const all = Object.entries(sampling(running, device));
          const turns = all.map(([, submit]) => (times: number) => submitTurn(submit, times));
          const found = pass === 0 ? await turnTimes(device, stopwatch, turns) : [];
          const runners = all.map(([key, submit], n) => {
            const own = sampled.get(key) ?? { key, ms: [], reference: [], times: found[n].times };
            sampled.set(key, own);
            return { ...submitTurn(submit, own.times), sampled: own };
          });
          await warmUp(device, [reference.turn, ...runners]);
          await takeTurns(stopwatch, reference, runners, ROUNDS);
          hash = reference.hash;
        }));
    }
  });
  const samples = [...sampled.values()].map(({ key, ms, reference }) => ({ key, ms, reference }));
  return { samples, reference: hash };
}

/** What `using` does, which the oldest browsers with WebGPU do not know. */
async function withOpen<T extends Disposable>(opening: Promise<T>, use: (opened: T) => Promise<void>): Promise<void> {
  const opened = await opening;
  try {
    await use(opened);
  } finally {
    opened[Symbol.dispose]();
  }
}
