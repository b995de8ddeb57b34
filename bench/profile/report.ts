/** What `bench profile --json` keeps of a profile, for people, programs and `bench compare`. */
import type { Device } from "../../src/gpu/device.ts";
import type { Peak } from "../../src/gpu/probe.ts";
import { type Submit, submitSteps } from "../../src/gpu/timing.ts";
import { sampleRuns, type Samples, type Sampling } from "../passes/runs.ts";
import { wholeRun } from "../passes/whole_run.ts";
import type { Running } from "../running.ts";
import type { Profile } from "./measure.ts";
import { boundOf, rowsMs } from "./table.ts";

/** The profile with what bounds each dispatch; of other profiles than `kind` nothing is compared. */
export const reportOf = (figures: Profile, peak: Peak) => ({
  kind: `profile of ${figures.title}`,
  profile: {
    ...figures,
    kernels: figures.kernels.map((kernel) => ({ ...kernel, bound: boundOf(kernel, peak) })),
    rowsMs: rowsMs(figures),
    leftOverMs: figures.wallMs - rowsMs(figures),
  },
});

/** Each dispatch by itself, and a whole run. */
export const dispatchesOf: Sampling = (running, device) => {
  const { plan } = running;
  const dispatches = plan.kernels.map(({ name }, n): [string, Submit] => [
    name,
    (times, writes) => submitSteps(device, [plan.steps[n]], times, writes),
  ]);
  return { "a whole run": wholeRun(running), ...Object.fromEntries(dispatches) };
};

/** Samples of these, in so many passes of one program. */
export const sampleDispatches = (
  device: Device,
  open: () => Promise<Running>,
  passes: number,
  onPass: (done: number, total: number) => void,
): Promise<Samples> => sampleRuns(device, open, dispatchesOf, passes, onPass);
