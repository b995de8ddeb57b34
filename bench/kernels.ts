/**
 * Every layer of the default pair by itself, its output and its gradient, in every way that the registries have for it:
 * milliseconds, GFLOP/s asked for and executed, GB/s, and the share of the peak that the executed ones are.
 */
import { openClassifier, openGenerator, openModel } from "../src/cli/defaults.ts";
import { progress, stderrScreen } from "../src/cli/progress.ts";
import { UserError } from "../src/formats/user_error.ts";
import { executedFlops, traffic } from "../src/gpu/call.ts";
import type { Step } from "../src/gpu/compile.ts";
import type { Device } from "../src/gpu/device.ts";
import { type Peak, share, shareText } from "../src/gpu/probe.ts";
import { timeSteps } from "../src/gpu/timing.ts";
import { TEXEL } from "../src/gpu/tensor.ts";
import { chooseCheapest, type Question } from "../src/net/choose.ts";
import { buildGraph, type Graph, type Layer } from "../src/net/graph.ts";
import { buildPlan, type Plan } from "../src/net/plan.ts";
import { ops } from "../src/ops/table.ts";
import { type Candidate, cheapest, describe, formOf } from "../src/ops/way.ts";
import { join } from "../src/synth/joined.ts";

/** One way to a layer's output or gradient. */
export interface KernelFigures {
  layer: string;
  /** Other layers that are the same. */
  same?: string[];
  op: string;
  pass: Question["pass"];
  way: string;
  /** Whether plans use it on this adapter. */
  chosen: boolean;
  dispatches: number;
  ms: number;
  /** Of the multiplications and additions that the layer asks for. */
  gflops: number;
  /** Of those that are executed. */
  executedGflops: number;
  /** Of the tensors that it reads and writes, each counted once a dispatch. */
  gigabytes: number;
}

const typeOf = (layer: Layer): string => Object.keys(ops).find((type) => ops[type] === layer.op)!;

/**
 * Measures the layers of the default pair, or of a model's folder, or those of one type. Layers that are the same are
 * measured once.
 * @param sizes Whether every size of a way is measured, not only what is predicted to be the best.
 * @throws UserError for a type that no layer has.
 */
export async function benchKernels(
  device: Device,
  model: string | undefined,
  { batch, op, sizes }: { batch: number; op?: string; sizes: boolean },
): Promise<{ kernels: KernelFigures[] }> {
  const graph = model ? buildGraph(await openModel(model)) : join(await openGenerator(), await openClassifier()).graph;
  const running = graph.layers.filter(({ op, inputs, params }) =>
    !op.isView?.(inputs.map(({ shape }) => shape), params)
  );
  const types = [...new Set(running.map(typeOf))];
  if (op !== undefined && !types.includes(op)) {
    throw new UserError(`--op is "${op}", expected ${types.join(", ")}, which are there`);
  }
  const wanted = running.filter((layer) => op === undefined || typeOf(layer) === op);
  const same = Map.groupBy(
    wanted,
    (layer) => JSON.stringify([typeOf(layer), layer.params, layer.inputs.map(({ shape }) => shape)]),
  );
  const kernels: KernelFigures[] = [];
  const line = progress("layer", stderrScreen(false));
  for (const [done, [layer, ...others]] of [...same.values()].entries()) {
    line.show({ done, total: same.size, note: layer.name });
    const figures = await benchLayer(device, layer, batch, sizes);
    kernels.push(...figures.map((one) => ({ ...one, same: others.map(({ name }) => name) })));
  }
  line.end();
  return { kernels };
}

/** A layer's candidates for both passes, of one form of weights. */
interface Candidates {
  forward: Candidate[];
  backward: Candidate[];
}

async function benchLayer(device: Device, layer: Layer, batch: number, sizes: boolean): Promise<KernelFigures[]> {
  const graph: Graph = { inputs: layer.inputs, layers: [layer], output: layer.output, find: () => layer.output };
  const plan = (choose: (question: Question) => Candidate) =>
    buildPlan(device, {
      graph,
      batch,
      wanted: [graph.output],
      gradient: { of: graph.output, to: graph.inputs[0] },
      choose,
    });
  const narrowed = (candidates: readonly Candidate[]) =>
    sizes ? [...candidates] : [...Map.groupBy(candidates, ({ way }) => way.name).values()].map(cheapest);

  const all = await candidatesOf(plan);
  const best = cheapest([...all.values()].flatMap(({ forward }) => forward));
  const figures: KernelFigures[] = [];
  for (const [form, { forward, backward }] of all) {
    const ways = { forward: narrowed(forward), backward: narrowed(backward) };
    const chosen = { forward: best, backward: form === formOf(best.way) ? cheapest(backward) : undefined };
    const runs = Math.max(ways.forward.length, ways.backward.length);
    for (let run = 0; run < runs; run++) {
      const picked = ({ pass }: Question) => ways[pass][run % ways[pass].length];
      using built = await plan(picked);
      for (const pass of ["forward", "backward"] as const) {
        if (run >= ways[pass].length) continue;
        const own = ways[pass][run];
        const isChosen = describe(own) === (chosen[pass] && describe(chosen[pass]));
        figures.push({
          layer: layer.name,
          op: typeOf(layer),
          pass,
          way: describe(own),
          chosen: isChosen,
          ...await timed(device, stepsOf(built, pass)),
        });
      }
    }
  }
  return figures.sort((a, b) => a.pass === b.pass ? a.ms - b.ms : a.pass === "forward" ? -1 : 1);
}

/** What can be chosen from, by the form of weights. */
async function candidatesOf(
  plan: (choose: (question: Question) => Candidate) => Promise<Plan>,
): Promise<Map<string, Candidates>> {
  const all = new Map<string, Candidates>();
  let form: string | undefined;
  const choose = (question: Question): Candidate => {
    if (question.pass === "forward") {
      for (const [form, forward] of Map.groupBy(question.candidates, ({ way }) => formOf(way))) {
        if (!all.has(form)) all.set(form, { forward, backward: [] });
      }
      form = [...all].find(([, { backward }]) => backward.length === 0)![0];
      return cheapest(all.get(form)!.forward);
    }
    all.get(form!)!.backward = [...question.candidates];
    return chooseCheapest(question);
  };
  do {
    using _ = await plan(choose);
  } while ([...all.values()].some(({ backward }) => backward.length === 0));
  return all;
}

const stepsOf = ({ steps, forwardSteps }: Plan, pass: Question["pass"]): readonly Step[] =>
  pass === "forward" ? steps.slice(0, forwardSteps) : steps.slice(forwardSteps);

async function timed(device: Device, steps: readonly Step[]) {
  const ms = await timeSteps(device, steps, 3, 50);
  const sum = (of: (step: Step) => number) => steps.reduce((total, step) => total + of(step), 0);
  const bytes = sum(({ call }) => {
    const { reads, writes } = traffic(call);
    return TEXEL * [...reads, ...writes].reduce((total, { texels }) => total + texels, 0);
  });
  const rate = (amount: number) => amount / ms / 1e6;
  return {
    dispatches: steps.length,
    ms,
    gflops: rate(sum(({ call }) => call.flops)),
    executedGflops: rate(sum(({ call }) => executedFlops(call))),
    gigabytes: rate(bytes),
  };
}

/** The figures as a table; `*` marks the ways that plans use. */
export function kernelLines(kernels: readonly KernelFigures[], peak: Peak): string[] {
  const failed = kernels.find((k) => share(k.executedGflops, peak.gflops).share === null);
  const table = [
    ["layer", "op", "pass", "way", "ms", "GFLOP/s", "executed", "GB/s", "of peak"],
    ...kernels.map((k) => [
      k.layer + (k.same?.length ? ` +${k.same.length}` : ""),
      k.op,
      k.pass,
      `${k.chosen ? "* " : "  "}${k.way}`,
      k.ms.toFixed(3),
      k.gflops.toFixed(2),
      k.executedGflops.toFixed(2),
      k.gigabytes.toFixed(2),
      share(k.executedGflops, peak.gflops).share === null ? "none" : shareText(k.executedGflops, peak.gflops),
    ]),
  ];
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
  return [
    ...table.map((row) =>
      row.map((cell, n) => n < 4 ? cell.padEnd(widths[n]) : cell.padStart(widths[n])).join("  ").trimEnd()
    ),
    "*: what plans take; +N: so many other layers are the same; executed: GFLOP/s with padding, without what filtering saves",
    ...(failed ? [`${failed.layer}, ${failed.way}: ${shareText(failed.executedGflops, peak.gflops)}`] : []),
  ];
}
