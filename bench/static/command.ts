/**
 * `deno task bench static`: what AMD's open compiler makes of a plan's kernels, for GPUs that are not there, and how long
 * a model of the hardware thinks that they take. On Linux.
 */
import { basename, join, resolve } from "node:path";
import { type Command, print } from "../../src/cli/command.ts";
import { version } from "../../src/cli/defaults.ts";
import { filesBelow, isFolder, modelFolder, readBytes } from "../../src/cli/files.ts";
import { arithmeticOption, weightsOption } from "../../src/cli/memory.ts";
import { Outputs } from "../../src/cli/outputs/outputs.ts";
import { scratchFolder } from "../../src/cli/outputs/scratch.ts";
import { progress, stderrScreen } from "../../src/cli/progress.ts";
import { numberList, oneOf, wholeNumber } from "../../src/cli/values.ts";
import { UserError } from "../../src/formats/user_error.ts";
import { chips } from "./chips.ts";
import { type CompiledPlan, compileFor, type Task } from "./compile.ts";
import { buildDriver, findDriver } from "./driver.ts";
import { recordOf, type Report, reportLines, reportOf } from "./report.ts";
import { arithmetics, formats } from "../../src/mod.ts";

const options = {
  chip: { value: "LIST", help: `GPUs (navi21,gfx1100,vega10), of ${Object.keys(chips).join(", ")}` },
  batch: { value: "LIST", help: "pictures made at once, one table for each number (1)" },
  generator: { value: "DIR", help: "the generator of the search (the embedded one)" },
  classifier: { value: "DIR", help: "the classifier of the search (the embedded one)" },
  model: { value: "DIR", help: "this network, forward and gradient, in place of a search" },
  weights: weightsOption,
  arithmetic: arithmeticOption,
  kernel: { value: "TEXT", help: "shows the kernels alone whose names have this text" },
  isa: { value: "DIR", help: "also writes each kernel's machine code into this folder" },
  wgsl: { value: "FILE", help: "this file's main in place of a plan" },
  groups: { value: "N", help: "with --wgsl: workgroups that it is dispatched in (1)" },
  "multiply-adds": { value: "N", help: "with --wgsl: multiply-adds that it executes, where its loops do not tell" },
  json: { value: "FILE", help: "also writes everything to a JSON file" },
  force: { help: "overwrites files" },
};

/** The command. */
export const staticCommand: Command<typeof options> = {
  name: "bench static",
  summary:
    "Estimates a search's kernels on AMD GPUs that are not there: Mesa's compiler makes their code, a model of the\n" +
    "hardware follows some of its waves. Registers, spills and instructions are exact, times are rough: compare\n" +
    "variants of a kernel with it, not GPUs. A model folder without weights.safetensors gets zeros.\n" +
    "In the table, waves are those of a SIMD, of how many it holds at once; µs leave the gap to the next dispatch out.",
  options,
  examples: [
    ["deno task bench static --chip navi21 --batch 1,20", "the search's kernels on a Radeon RX 6900 XT, at two sizes"],
    [
      "deno task bench static --model models/caffenet --kernel conv",
      "convolutions of one network, forward and backward",
    ],
    ["deno task bench static --wgsl gemm.wgsl --groups 256", "a kernel that is still being tried out"],
  ],
  async run(values) {
    const names = chipsOf(values.chip ?? "navi21,gfx1100,vega10");
    const { kernel, isa, json, force } = values;
    const batches = numberList("--batch", values.batch ?? "1");
    if (batches.includes(0)) throw new UserError(`--batch expects numbers from 1, got "${values.batch}"`);
    const weights = oneOf("--weights", values.weights, formats);
    const arithmetic = oneOf("--arithmetic", values.arithmetic, arithmetics);
    const { generator, classifier, model, wgsl } = values;
    if (model && (generator || classifier)) {
      throw new UserError("--model takes the place of --generator and --classifier");
    }
    if (wgsl && (model || generator || classifier)) throw new UserError("--wgsl takes the place of a model");
    if (!wgsl && (values.groups ?? values["multiply-adds"]) !== undefined) {
      throw new UserError("--groups and --multiply-adds go with --wgsl");
    }
    findDriver();
    for (const folder of [generator, classifier, model]) if (folder) modelFolder(folder);
    if (isa) checkCodeFolder(isa, force);
    if (wgsl && (values.batch ?? values.weights ?? values.arithmetic ?? kernel) !== undefined) {
      throw new UserError("--wgsl is one kernel: --batch, --weights, --arithmetic and --kernel do not go with it");
    }
    if (json && [wgsl, isa].some((path) => path && resolve(path) === resolve(json))) {
      throw new UserError(`--json names ${json}, which is another option's`);
    }
    const places = [...json ? [json] : [], ...isa ? [join(isa, "kernel.s")] : []];
    using outputs = Outputs.open(places, { force, bytes: 1 << 20 });
    const file = wgsl && {
      file: wgsl,
      groups: wholeNumber("--groups", values.groups, { least: 1, most: 65535, fallback: 1 }),
      multiplyAdds: values["multiply-adds"]
        ? wholeNumber("--multiply-adds", values["multiply-adds"], { fallback: 0 })
        : undefined,
    };
    if (wgsl) await readBytes(wgsl);
    const tasks = (file ? [1] : batches).map((batch): Task => ({
      ...{ batch, generator, classifier, model, weights, arithmetic },
      ...(file ? { wgsl: file } : {}),
    }));
    const jobs = names.flatMap((name) => tasks.map((task): Job => ({ name, task })));
    const code = new Map<string, Uint8Array>();
    const records: unknown[] = [];
    await compileAll(jobs, ({ name, task }, plan) => {
      const report = reportOf(name, chips[name], plan, file ? undefined : task.batch);
      if (kernel && !report.rows.some(({ dispatch }) => dispatch.label.includes(kernel))) {
        throw new UserError(`no kernel has "${kernel}" in its name`);
      }
      if (records.length > 0) print("");
      reportLines(report, kernel).forEach(print);
      records.push(recordOf(report));
      if (isa) codeOf(report, isa).forEach((bytes, path) => code.set(path, bytes));
    });
    if (json) code.set(json, new TextEncoder().encode(JSON.stringify({ version, plans: records }, null, 2) + "\n"));
    if (code.size > 0) outputs.save(code);
    outputs.finish();
  },
};

/** What is compiled at a time. */
interface Job {
  name: string;
  task: Task;
}

/** Compiles the jobs, two side by side, and hands each over in their order. */
async function compileAll(jobs: readonly Job[], use: (job: Job, plan: CompiledPlan) => void): Promise<void> {
  using folder = scratchFolder();
  const line = progress("plan", stderrScreen(false));
  const env = await buildDriver(folder.path);
  const started: Promise<CompiledPlan>[] = [];
  for (const [n, job] of jobs.entries()) {
    line.show({ done: n, total: jobs.length, note: job.name });
    for (const { name, task } of jobs.slice(started.length, n + 2)) {
      const plan = compileFor(name, task, env);
      plan.catch(() => {}); // it is thrown when its turn comes
      started.push(plan);
    }
    const plan = await started[n];
    line.end();
    use(job, plan);
  }
}

/** @throws UserError that lists the chips there are. */
function chipsOf(list: string): string[] {
  const names = list.split(",");
  const unknown = names.find((name) => !Object.hasOwn(chips, name));
  if (unknown !== undefined) {
    throw new UserError(`--chip expects some of ${Object.keys(chips).join(", ")}, got "${unknown}"`);
  }
  return [...new Set(names)];
}

/** @throws UserError where a folder for machine code has something in it that nobody wants overwritten. */
function checkCodeFolder(folder: string, force: boolean): void {
  if (force || !isFolder(folder)) return;
  const [first] = filesBelow(folder);
  if (first !== undefined) throw new UserError(`${folder} holds ${basename(first)}; --force overwrites what is there`);
}

/** The machine code of a report's kernels, one file each. */
function codeOf({ name, batch, rows }: Report, folder: string): Map<string, Uint8Array> {
  const plan = batch === undefined ? name : `${name}_batch${batch}`;
  return new Map(rows.map(({ dispatch, kernel }) => {
    const label = dispatch.label.replace(/\W+/g, "_").replace(/^_|_$/g, "");
    return [join(folder, `${plan}_${label}.s`), new TextEncoder().encode(kernel.code + "\n")];
  }));
}
