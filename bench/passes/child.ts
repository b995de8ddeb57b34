/**
 * One pass of a benchmark's samples, in a program of its own. The argument is the `Task` as JSON; each line on stdout is an
 * `Answer`. It ends where stdin does, for nobody listens then.
 */
import type { Values } from "../../src/cli/command.ts";
import { openAdapter } from "../../src/cli/defaults.ts";
import { endings } from "../../src/cli/interrupt.ts";
import { ownPlanning, readOwn } from "../../src/cli/own_kernels.ts";
import { printJson } from "../../src/cli/print.ts";
import { chooser } from "../../src/cli/tuned.ts";
import { benchKernels, type How } from "../kernels/measure.ts";
import { subjectsFor, type Wanted } from "../kernels/subjects.ts";
import { dispatchesOf } from "../profile/report.ts";
import { loadRunning } from "../running.ts";
import { type runningOptions, wantedOf } from "../running_options.ts";
import { asOnePass } from "../samples.ts";
import type { Answer, Task } from "./passes.ts";
import { sampleRuns, type Samples, type Sampling } from "./runs.ts";
import { iterationOf } from "./whole_run.ts";

/** How often a pass takes new memory for a plan, and on a CPU makes new machine code: one of them may be unlucky. */
const PLANS = 2;

/** How often it takes new memory for layers, whose turns on one of them soon pass: a busy second lengthens all. */
const MEMORIES = 4;

/** What `bench kernels` measures, and the names of the layers that it came to. */
export interface KernelsValues extends Wanted, Pick<How, "sizes" | "arithmetic" | "rounds"> {
  adapter?: string;
  ways: string[];
  layers: string[];
}

type Told = (done: number, total: number, note?: string) => void;

const samplers = {
  kernels: async ({ layers, ways, adapter, ...values }: KernelsValues, onProgress: Told): Promise<Samples> => {
    await readOwn({ replace: [], ways });
    const subjects = (await subjectsFor(values)).filter(({ layer }) => layers.includes(layer.name));
    return await benchKernels(await openAdapter(adapter), subjects, { ...values, passes: MEMORIES, onProgress });
  },
  profile: (values: RunningValues, told: Told) => ofRunning(values, dispatchesOf, told),
  synth: (values: RunningValues, told: Told) => ofRunning(values, iterationOf, told),
};

type RunningValues = Values<typeof runningOptions> & { adapter?: string };

/** Samples of a plan, compiled anew on each memory. */
async function ofRunning(values: RunningValues, sampling: Sampling, told: Told): Promise<Samples> {
  const { wanted, weights, arithmetic } = wantedOf(values);
  const own = await readOwn(values);
  const device = await openAdapter(values.adapter);
  // The benchmark itself has judged kernels that are somebody's own.
  const { replace } = ownPlanning(device, own, () => {});
  const how = { weights, arithmetic, choose: chooser(device, values.tuned), replace };
  const open = await loadRunning(wanted);
  return await sampleRuns(
    device,
    () => {
      if (device.caps.software) device.cache.clear();
      return open(device, how);
    },
    sampling,
    PLANS,
    told,
  );
}

const say = (answer: Answer) => printJson(answer);

// A signal to all programs of a terminal is the benchmark's to hear, which ends this one.
for (const signal of endings) Deno.addSignalListener(signal, () => {});
Deno.stdin.readable.pipeTo(new WritableStream()).finally(() => Deno.exit(0));
try {
  const { benchmark, values } = JSON.parse(Deno.args[0]) as Task;
  const { samples, reference } = await samplers[benchmark](
    values as KernelsValues & RunningValues,
    (done, total, note = "") => say({ at: { done, total, note } }),
  );
  say({ samples: { reference, samples: asOnePass(samples) } });
} catch (error) {
  say({ sentence: (error as Error).message.split("\n")[0] });
}
Deno.exit(0);
