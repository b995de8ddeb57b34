/** What Mesa makes of a plan for one chip, by a program of its own for each: the driver reads its chip once. */
import { join } from "node:path";
import { UserError } from "../../src/formats/user_error.ts";
import type { Arithmetic, WeightStorage } from "../../src/ops/op.ts";
import { type Compiled, parseListing } from "./listing.ts";

/** What to compile: the search of a generator and a classifier (embedded unless given), a model, or one file. */
export interface Task {
  batch: number;
  generator?: string;
  classifier?: string;
  /** One network, forward and gradient. */
  model?: string;
  weights?: WeightStorage;
  arithmetic?: Arithmetic;
  /** The WGSL of a kernel, `main`, the workgroups that it is dispatched in, and the multiply-adds that it executes. */
  wgsl?: { file: string; groups: number; multiplyAdds?: number };
}

/** One dispatch of a plan. */
export interface Dispatch {
  label: string;
  /** Which of the compiled kernels. */
  kernel: number;
  grid: readonly [number, number, number];
  /** Multiplications and additions of a plain convolution. */
  flops: number;
  /** Multiply-adds that it executes, by its own account. */
  multiplyAdds?: number;
  /** Bytes of weights behind the bindings that hold any. */
  weights: [binding: number, bytes: number][];
}

/** A plan compiled for a chip. */
export interface CompiledPlan {
  dispatches: Dispatch[];
  kernels: Compiled[];
}

/** Compiles a task for a chip, with the driver's environment. @throws UserError in one sentence where the task cannot be done. */
export async function compileFor(chip: string, task: Task, env: Record<string, string>): Promise<CompiledPlan> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "--no-prompt",
      "--allow-read",
      join(import.meta.dirname!, "child.ts"),
      JSON.stringify(task),
    ],
    env: { ...env, RADV_FORCE_FAMILY: chip },
    stdin: "null",
  });
  const { success, stdout, stderr } = await child.output();
  const [said, printed] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  if (!success) throw new Error(`the compiling program failed: ${printed.slice(-2000)}`);
  const { sentence, dispatches } = JSON.parse(said);
  if (sentence !== undefined) throw new UserError(sentence);
  return { dispatches, kernels: parseListing(printed) };
}
