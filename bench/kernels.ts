/**
 * Every layer of the default pair by itself, its output and its gradient, in every way that the registries have for it:
 * milliseconds, GFLOP/s asked for and executed, GB/s, and the share of the peak that the executed ones are.
 */
import { openClassifier, openGenerator, openModel } from "../src/cli/defaults.ts";
import { progress, stderrScreen } from "../src/cli/progress.ts";
import { UserError } from "../src/formats/user_error.ts";
import { bytesMoved, executedFlops } from "../src/gpu/call.ts";
import type { Step } from "../src/gpu/compile.ts";
import type { Device } from "../src/gpu/device.ts";
import { type Peak, share, shareText } from "../src/gpu/probe.ts";
import { timeSteps } from "../src/gpu/timing.ts";
import { chooseCheapest, chooseWays, pairings, type Question } from "../src/net/choose.ts";
import { buildGraph, type Layer } from "../src/net/graph.ts";
import { subjectsOf } from "../src/net/outline.ts";
import type { Arithmetic } from "../src/ops/op.ts";
import { typeOf } from "../src/ops/table.ts";
import { type Candidate, cheapest, describe, formOf } from "../src/ops/way.ts";
import { join } from "../src/synth/joined.ts";
import { Alone } from "../src/tune/alone.ts";

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

/**
 * Measures the layers of the default pair, or of a model's folder, or those of one type. Layers that are the same are
 * measured once.
 * @param how With `sizes` every size of a way is measured, not only what is predicted to be the best; with `arithmetic` f16
 * the ways that compute in it.
 * @throws UserError for a type that no layer has.
 */
export async function benchKernels(
  device: Device,
  model: string | undefined,
  { batch, op, ...how }: { batch: number; op?: string; sizes: boolean; arithmetic?: Arithmetic },
): Promise<{ kernels: KernelFigures[] }> {
  const graph = model ? buildGraph(await openModel(model)) : join(await openGenerator(), await openClassifier()).graph;
  const running = graph.layers.filter(({ op, inputs, params }) =>
    !op.isView?.(inputs.map(({ shape }) => shape), params)
  );
  const types = [...new Set(running.map(({ op }) => typeOf(op)))];
  if (op !== undefined && !types.includes(op)) {
    throw new UserError(`--op is "${op}", expected ${types.join(", ")}, which are there`);
  }
  const wanted = running.filter((layer) => op === undefined || typeOf(layer.op) === op);
  const same = Map.groupBy(
    wanted,
    (layer) => JSON.stringify([typeOf(layer.op), layer.params, layer.inputs.map(({ shape }) => shape)]),
  );
  const kernels: KernelFigures[] = [];
  const line = progress("layer", stderrScreen(false));
  for (const [done, [layer, ...others]] of [...same.values()].entries()) {
    line.show({ done, total: same.size, note: layer.name });
    const figures = await benchLayer(device, layer, batch, how);
    kernels.push(...figures.map((one) => ({ ...one, same: others.map(({ name }) => name) })));
  }
  line.end();
  return { kernels };
}

async function benchLayer(
  device: Device,
  layer: Layer,
  batch: number,
  { sizes, arithmetic }: { sizes: boolean; arithmetic?: Arithmetic },
): Promise<KernelFigures[]> {
  const [about] = subjectsOf(device, {
    graph: {
      inputs: layer.inputs,
      layers: [layer],
      output: layer.output,
      find: () => layer.output,
      historyOf: () => undefined,
    },
    batch,
    wanted: [layer.output],
    gradient: { of: [layer.output], to: layer.inputs[0] },
    arithmetic,
  });
  const narrowed = <C extends Candidate<never, unknown>>(candidates: readonly C[]): C[] =>
    sizes ? [...candidates] : [...Map.groupBy(candidates, ({ way }) => way.name).values()].map(cheapest);
  const chosen = chooseWays(about, chooseCheapest), figures: KernelFigures[] = [];
  using alone = new Alone(device, about);
  for (const pairing of pairings(about).values()) {
    const ways = { forward: narrowed(pairing.forward), backward: narrowed(pairing.backward) };
    const runs = Math.max(ways.forward.length, ways.backward.length);
    for (let run = 0; run < runs; run++) {
      const [forward, backward] = [ways.forward[run % ways.forward.length], ways.backward[run % ways.backward.length]];
      const own = { forward, backward };
      using built = await alone.build(own);
      for (const pass of ["forward", "backward"] as const) {
        if (run >= ways[pass].length) continue;
        const way = describe(own[pass]), [steps] = built[pass];
        figures.push({
          layer: layer.name,
          op: typeOf(layer.op),
          pass,
          way,
          chosen: formOf(own[pass].way) === formOf(chosen[pass]!.way) && way === describe(chosen[pass]!),
          ...await timed(device, steps),
        });
      }
    }
  }
  return figures.sort((a, b) => a.pass === b.pass ? a.ms - b.ms : a.pass === "forward" ? -1 : 1);
}

async function timed(device: Device, steps: readonly Step[]) {
  const ms = await timeSteps(device, steps, 3, 50);
  const sum = (of: (step: Step) => number) => steps.reduce((total, step) => total + of(step), 0);
  const bytes = sum(({ call }) => bytesMoved(call));
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
