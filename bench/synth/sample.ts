/** Samples of an iteration of the search. */
import type { Device } from "../../src/gpu/device.ts";
import { sampleRuns, type Samples } from "../passes/runs.ts";
import { wholeRun } from "../passes/whole_run.ts";
import type { Running } from "../running.ts";

/** Samples of an iteration, in so many passes. */
export const sampleIteration = (
  device: Device,
  open: () => Promise<Running>,
  passes: number,
  onPass?: (done: number, total: number) => void,
): Promise<Samples> =>
  sampleRuns(
    device,
    async () => {
      const running = await open();
      return {
        submits: { [`an iteration of ${running.title}`]: wholeRun(running) },
        [Symbol.dispose]: () => running[Symbol.dispose](),
      };
    },
    passes,
    onPass,
  );
