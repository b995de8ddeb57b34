/**
 * The passes of a benchmark's samples, each in a program of its own: where code and memory lie, which makes a kernel up to twice
 * as slow on a CPU, stays for the most part as it is until a program ends.
 */
import { join } from "node:path";
import { Program } from "../../src/cli/program.ts";
import { progress, stderrScreen } from "../../src/cli/progress.ts";
import { wholeNumber } from "../../src/cli/values.ts";
import { UserError } from "../../src/formats/user_error.ts";
import { joined } from "../samples.ts";
import type { Samples } from "./runs.ts";

/** What is sampled, in which benchmark: its options as they were given, and what they do not say. */
export interface Task {
  benchmark: "kernels" | "profile" | "synth";
  values: object;
}

/** What a pass says: how far it is, then its samples, or why there are none. */
export interface Answer {
  at?: { done: number; total: number; note: string };
  samples?: Samples;
  sentence?: string;
}

/** Passes unless another number is wanted, and more than anyone waits for. */
const PASSES = 5;
const MOST_PASSES = 1000;

/** The option of commands that sample. */
export const passesOption = {
  value: "N",
  help: `with --json: how often everything is sampled, each time in a process of its own (${PASSES})`,
};

/**
 * What the option says.
 * @param without How many passes there may be where no file is written.
 * @throws UserError where more are asked for.
 */
export function passesOf({ passes, json }: { passes?: string; json?: string }, without = 0): number {
  const wanted = wholeNumber("--passes", passes, { least: 1, most: MOST_PASSES, fallback: PASSES });
  if (passes === undefined || json !== undefined || wanted <= without) return wanted;
  const most = without > 0 ? `; the table alone has at most ${without}` : "";
  throw new UserError(`--passes ${wanted} needs the file that keeps the samples: --json FILE${most}`);
}

/** Milliseconds in which a pass says something. */
const LIMIT_MS = 3_600_000;

const root = join(import.meta.dirname!, "../..");

/** How a pass is started: it may do what the benchmark itself needs to measure. */
const start = {
  file: join(import.meta.dirname!, "child.ts"),
  lock: join(root, "deno.lock"),
  words: [
    ...[`--config=${join(root, "deno.json")}`, "--allow-read", "--allow-sys=systemMemoryInfo"],
    "--allow-env=PHOSPHENE_ADAPTER,XDG_RUNTIME_DIR,PHOSPHENE_TUNED,XDG_CACHE_HOME,HOME,LOCALAPPDATA",
  ],
  // On one thread Mesa's driver takes the time that the work takes: several wait for each other, longer or shorter by what else
  // the machine does.
  env: { LP_NUM_THREADS: "0" },
  fetches: false,
};

/**
 * Samples in so many passes, and tells how far they are.
 * @param signal Ends it; the passes that are done count, if there are any.
 * @throws UserError where a pass comes to nothing.
 */
export async function samplePasses(
  task: Task,
  passes: number,
  signal?: AbortSignal,
): Promise<Samples | undefined> {
  let all: Samples | undefined;
  const line = progress("pass", stderrScreen(false));
  for (let pass = 0; pass < passes && !signal?.aborted; pass++) {
    const tell = (note: string) => line.show({ done: pass, total: passes, note });
    tell("");
    const own = await onePass(task, ({ note }) => tell(note), signal);
    if (own) all = { ...own, samples: joined(all?.samples ?? [], own.samples) };
  }
  line.end();
  return all;
}

/** One pass, where no signal ends it. @throws UserError */
async function onePass(
  task: Task,
  onProgress: (at: Required<Answer>["at"]) => void,
  signal?: AbortSignal,
): Promise<Samples | undefined> {
  using program = new Program({ ...start, args: [JSON.stringify(task)] });
  const end = () => program[Symbol.dispose]();
  signal?.addEventListener("abort", end);
  try {
    while (true) {
      const { at, samples, sentence } = await program.answer(LIMIT_MS) as Answer;
      if (sentence !== undefined) throw new Error(sentence);
      if (samples) return samples;
      onProgress(at!);
    }
  } catch (error) {
    if (signal?.aborted) return undefined;
    throw new UserError(`the samples of a pass: ${(error as Error).message}`);
  } finally {
    signal?.removeEventListener("abort", end);
  }
}
