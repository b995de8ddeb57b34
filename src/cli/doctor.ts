/**
 * `deno task doctor`: what this machine's adapter is, grants and reaches, whether every kernel computes on it what the
 * float64 reference does, and how the embedded models run.
 */
import { valueCount } from "../formats/shape.ts";
import { UserError } from "../formats/user_error.ts";
import { allCases } from "../../tests/cases/all.ts";
import type { Case } from "../../tests/cases/case.ts";
import { checkCase } from "../../tests/ops/check_case.ts";
import { checkDoubleFloat, doubleCases } from "../../tests/ops/check_double_float.ts";
import { checkWays, formatOfTurn, smallWayCases } from "../../tests/ops/check_ways.ts";
import { type Device, measurePeak, Net, type Peak } from "../mod.ts";
import { columns } from "./columns.ts";
import { type Command, main, print, printJson, warn } from "./command.ts";
import { progress, stderrScreen } from "./progress.ts";
import { adapterOption, openAdapter, openClassifier, openGenerator, version } from "./defaults.ts";

const options = {
  adapter: adapterOption,
  quick: { help: "leaves the kernels unchecked" },
  all: {
    help:
      "checks every way over every case, not only over the small ones, in its best sizes and others in turn; takes many minutes",
  },
  case: { value: "TEXT", help: 'checks only the cases whose name has this text, such as "fc: batch 3"' },
  json: { help: "prints one JSON document" },
};

/** The command. */
export const command: Command<typeof options> = {
  name: "doctor",
  summary: "Looks at the WebGPU adapter: its limits, its speed, and whether every kernel computes the right numbers.",
  options,
  examples: [
    ["deno task doctor", "the adapter that synth uses"],
    ["deno task doctor --case lrn", "only the layers of one type"],
    ["deno task doctor --all", "every way to compute a layer, in every case and storage of weights"],
    ["deno task doctor --quick --adapter low-power --json", "another one, for a program, without the kernel checks"],
  ],
  async run(values) {
    if (values.quick && (values.all || values.case !== undefined)) {
      throw new UserError("--quick leaves the kernels unchecked; give it, or --all and --case");
    }
    using device = await openAdapter(values.adapter);
    const kernels = values.quick ? undefined : await checkKernels(device, values.all, values.case ?? "");
    const report = {
      version,
      deno: Deno.version.deno,
      ...adapterFacts(device),
      peak: await measurePeak(device),
      models: await modelFacts(device),
      kernels,
    };
    if (values.json) printJson(report);
    else textOf(report).forEach(print);
    return kernels && kernels.wrong.length > 0 ? 1 : 0;
  },
};

/** What is checked of a kernel, and what was wrong. */
interface Checked {
  checked: number;
  /** Of each way, in how many of the cases it was checked. */
  ways: Record<string, number>;
  wrong: { case: string; error: string }[];
}

/**
 * Every case of the tests' tables on this very adapter; the small ones, or with `all` every one, in every way that there is;
 * and some in double-float arithmetic, which a compiler could undo.
 */
async function checkKernels(device: Device, all: boolean, text: string): Promise<Checked> {
  const wrong: Checked["wrong"] = [];
  const ways: Checked["ways"] = {};
  const everyWay = async (testCase: Case, turn: number) => {
    const found = await checkWays(device, testCase, turn, all ? "f32" : undefined);
    if (all && formatOfTurn(turn) !== "f32") found.push(...await checkWays(device, testCase, turn));
    const names = found.map(({ way }) => `${testCase.type} ${way}`);
    for (const way of new Set(names)) ways[way] = (ways[way] ?? 0) + 1;
  };
  const checks: { testCase: Case; check: (device: Device, testCase: Case) => Promise<void> }[] = [
    ...allCases.map((testCase) => ({ testCase, check: checkCase })),
    ...(all ? allCases : smallWayCases).map((testCase, turn) => ({ testCase, check: () => everyWay(testCase, turn) })),
    ...doubleCases.map((testCase) => ({ testCase, check: checkDoubleFloat })),
  ].filter(({ testCase: { type, name } }) => `${type}: ${name}`.startsWith(text) || name.includes(text));
  if (checks.length === 0) throw new UserError(`no case has "${text}" in its name`);
  const line = progress("check", stderrScreen(false));
  for (const [done, { testCase, check }] of checks.entries()) {
    line.show({ done, total: checks.length, note: `${testCase.type}: ${testCase.name}` });
    try {
      await check(device, testCase);
    } catch (error) {
      const [line] = (error as Error).message.split("\n");
      wrong.push({ case: `${testCase.type}: ${testCase.name}`, error: line });
      warn(`${testCase.type}: ${testCase.name}: ${line}`);
    }
  }
  line.end();
  return { checked: checks.length, ways, wrong };
}

/** The adapter as it presents itself. Limits are those that the device was opened with. */
function adapterFacts({ name, caps, gpu }: Device) {
  const limits: Record<string, number> = {};
  for (const limit in gpu.limits) limits[limit] = gpu.limits[limit as keyof GPUSupportedLimits] as number;
  return { adapter: name, caps, features: [...gpu.features].sort(), limits };
}

/** Each embedded model, run once on zeros with its gradient: what it takes of the GPU, and how long. */
async function modelFacts(device: Device) {
  const facts = [];
  for (const model of [await openClassifier(), await openGenerator()]) {
    using net = await Net.create(device, model, { gradient: true });
    const x = new Float32Array(valueCount(net.inputShape));
    await net.gradient(x, 0); // the first run also warms up
    const start = performance.now();
    await net.gradient(x, 0);
    const milliseconds = performance.now() - start;
    facts.push({
      model: model.name,
      milliseconds,
      dispatches: net.dispatches,
      memory: net.memory,
      inUse: device.memory,
    });
  }
  return facts;
}

type Report = ReturnType<typeof adapterFacts> & {
  version: string;
  deno: string;
  peak: Peak;
  models: Awaited<ReturnType<typeof modelFacts>>;
  kernels?: Awaited<ReturnType<typeof checkKernels>>;
};

function textOf({ version, deno, adapter, caps, features, limits, peak, models, kernels }: Report): string[] {
  const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  const rows = [
    ["Phosphene", `${version}, Deno ${deno}`],
    ["adapter", `${adapter}${caps.software ? " (software: the CPU runs the kernels)" : ""}`],
    [
      "peak",
      `${peak.gflops.toFixed(1)} GFLOP/s of multiply-adds, ${peak.gigabytes.toFixed(1)} GB/s of reads and writes`,
    ],
    ...(kernels ? [["kernels", `${kernels.checked} checks against float64, ${kernels.wrong.length} wrong`]] : []),
    ...Object.entries(kernels?.ways ?? {}).map(([way, cases]) => [`way of ${way}`, `right in ${cases} cases`]),
    ["features", features.join(", ") || "none"],
    ...models.map(({ model, milliseconds, dispatches, memory, inUse }) => [
      model,
      `forward and gradient ${milliseconds.toFixed(1)} ms, ${dispatches} dispatches; ${mebibytes(inUse)} in use, ` +
      `planned: weights ${mebibytes(memory.weights)}, activations ${mebibytes(memory.activations)}`,
    ]),
    ...Object.entries(limits).map(([limit, value]) => [limit, String(value)]),
  ];
  return columns(rows);
}

if (import.meta.main) await main(command);
