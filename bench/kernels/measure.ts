/**
 * Layers by themselves, their output and their gradient, in every way that the registries have for them: milliseconds, GFLOP/s
 * asked for and executed, GB/s, and all samples.
 *
 * The layers are measured in passes. In each, a layer gets new memory, and its ways take turns with the reference kernel.
 */
import { bytesMoved, executedFlops } from "../../src/gpu/call.ts";
import type { Step } from "../../src/gpu/compile.ts";
import type { Device } from "../../src/gpu/device.ts";
import { free, place, run } from "../../src/gpu/tensor.ts";
import { chooseCheapest, chooseWays, pairings, type Question } from "../../src/net/choose.ts";
import { graphOf } from "../../src/net/graph.ts";
import { subjectsOf } from "../../src/net/outline.ts";
import type { Arithmetic } from "../../src/ops/op.ts";
import { typeOf } from "../../src/ops/table.ts";
import { type Candidate, cheapest, describe, formOf } from "../../src/ops/way.ts";
import { Alone } from "../../src/tune/alone.ts";
import { openReference } from "../reference.ts";
import { type Sampled, takeTurns } from "../samples.ts";
import { stepsTurn, type Stopwatch, stopwatchFor, turnTimes, warmUp } from "../stopwatch.ts";
import type { Measured } from "./subjects.ts";

/** One way to a layer's output or gradient. */
export interface KernelFigures {
  layer: string;
  /** Other layers that are the same. */
  same: string[];
  op: string;
  pass: Question["pass"];
  way: string;
  /** Whether plans use it on this adapter. */
  chosen: boolean;
  dispatches: number;
  /** The shortest of all turns, by the clock. */
  ms: number;
  /** Of the multiplications and additions that the layer asks for. */
  gflops: number;
  /** Of those that are executed. */
  executedGflops: number;
  /** Of the tensors that it reads and writes, each counted once a dispatch. */
  gigabytes: number;
}

/** How layers are measured. */
export interface How {
  /** Whether every size of a way is measured, not only what is predicted to be the best. */
  sizes: boolean;
  /** With f16 the ways that compute in it. */
  arithmetic?: Arithmetic;
  passes: number;
  /** Of a pass. */
  rounds: number;
  /** Ends the measuring after the layer that is being measured. */
  signal?: AbortSignal;
  onProgress?(done: number, total: number, layer: string): void;
}

/** What was measured. */
export interface KernelTimes {
  kernels: KernelFigures[];
  samples: Sampled[];
  /** `Reference.hash`. */
  reference: string;
}

/** A kernel of a layer: what of it stays the same from pass to pass. */
interface Kernel {
  figures: Pick<KernelFigures, "layer" | "same" | "op" | "pass" | "way" | "chosen">;
  sampled: Sampled;
  steps: readonly Step[];
  /** Runs of a turn, and rounds of a pass: 0 until it was timed. */
  times: number;
  rounds: number;
  /** Milliseconds of a run in its shortest turn. */
  least: number;
}

/** Milliseconds of a kernel's turns in one pass at most; of slow kernels there are fewer. */
const MOST_PASS_MS = 300;

/** Passes that run the same machine code. */
const SAME_CODE = 2;

/** Texels of the largest gap that is left before each kernel's memory. */
const MOST_GAP = 1 << 12;

/** Measures layers, in every pass all of them. */
export async function benchKernels(device: Device, layers: readonly Measured[], how: How): Promise<KernelTimes> {
  using stopwatch = await stopwatchFor(device);
  using gaps = new DisposableStack();
  const subjects = layers.map((measured) => ({ measured, known: new Map<string, Kernel>() }));
  const total = how.passes * layers.length;
  let reference = "";
  let order = subjects;
  for (let done = 0; done < total && !how.signal?.aborted; done++) {
    const place = done % layers.length;
    // Freed memory comes back where it was unless something changes: a kernel would be as lucky in every pass.
    if (place === 0 && done > 0) order = shuffled(subjects);
    // And a CPU's machine code lies where it lies until it is made again.
    if (place === 0 && device.caps.software && (done / layers.length) % SAME_CODE === 0) device.cache.clear();
    how.onProgress?.(done, total, order[place].measured.layer.name);
    reference = await onePass(device, stopwatch, order[place], how, gaps);
  }
  how.onProgress?.(total, total, "");
  const all = subjects.map(({ known }) => [...known.values()]);
  return {
    kernels: all.flatMap((own) => own.map(figuresOf).sort(fastestFirst)),
    samples: withOwnKeys(all.flat().map(({ sampled }) => sampled)),
    reference,
  };
}

/** In an order by chance. */
const shuffled = <T>(list: readonly T[]): T[] =>
  list.map((one) => ({ one, place: Math.random() })).sort((a, b) => a.place - b.place).map(({ one }) => one);

/** A layer, and its kernels by what names them, as far as they were measured. */
interface Subject {
  measured: Measured;
  known: Map<string, Kernel>;
}

/** One layer in one pass: all of its kernels, on new memory. Gives the reference kernel's hash. */
async function onePass(
  device: Device,
  stopwatch: Stopwatch,
  subject: Subject,
  how: How,
  gaps: DisposableStack,
): Promise<string> {
  using owned = new DisposableStack();
  const leaveGap = () => {
    const gap = place(device, run("gap", 1 + Math.floor(MOST_GAP * Math.random()), device.storage));
    gaps.defer(() => free(device, gap.memory!));
  };
  const reference = owned.use(await openReference(device));
  const kernels = await compiled(device, subject, how, owned, leaveGap);
  const untimed = kernels.filter(({ times }) => times === 0);
  if (untimed.length > 0) await findTimes(device, stopwatch, untimed, how.rounds);
  const runners = kernels.map((kernel) => ({ ...kernel, ...stepsTurn(device, kernel.steps, kernel.times) }));
  await warmUp(device, [reference.turn, ...runners]);
  const least = await takeTurns(stopwatch, reference, runners, how.rounds);
  for (const [n, kernel] of kernels.entries()) kernel.least = Math.min(kernel.least, least[n]);
  return reference.hash;
}

/** Every way to a layer's output and gradient. */
async function compiled(
  device: Device,
  { measured: { layer, batch, same }, known }: Subject,
  { sizes, arithmetic }: How,
  owned: DisposableStack,
  leaveGap: () => void,
): Promise<Kernel[]> {
  const [about] = subjectsOf(device, {
    graph: graphOf(layer),
    batch,
    wanted: [layer.output],
    gradient: layer.inputs.length ? { of: [layer.output], to: layer.inputs[0] } : undefined,
    arithmetic,
  });
  const narrowed = <C extends Candidate<never, unknown>>(candidates: readonly C[]): C[] =>
    sizes ? [...candidates] : [...Map.groupBy(candidates, ({ way }) => way.name).values()].map(cheapest);
  const chosen = chooseWays(about, chooseCheapest);
  const found: Kernel[] = [];
  leaveGap();
  const alone = owned.use(new Alone(device, about));
  for (const pairing of pairings(about).values()) {
    const ways = { forward: narrowed(pairing.forward), backward: narrowed(pairing.backward) };
    const runs = Math.max(ways.forward.length, ways.backward.length);
    for (let run = 0; run < runs; run++) {
      const own = {
        forward: ways.forward[run % ways.forward.length],
        backward: ways.backward[run % (ways.backward.length || 1)] as typeof ways.backward[0] | undefined,
      };
      leaveGap();
      const built = owned.use(await alone.build(own));
      for (const pass of ["forward", "backward"] as const) {
        const candidate = own[pass];
        const [steps] = built[pass];
        if (run >= ways[pass].length || !candidate || steps.length === 0) continue;
        const way = describe(candidate);
        const key = `${layer.name} ${pass} ${way}`;
        const figures = {
          ...{ layer: layer.name, same, op: typeOf(layer.op), pass, way },
          chosen: formOf(candidate.way) === formOf(chosen[pass]!.way) && way === describe(chosen[pass]!),
        };
        const before = known.get(key) ??
          { sampled: { key, ms: [], reference: [] }, times: 0, rounds: 0, least: Infinity };
        const kernel: Kernel = Object.assign(before, { figures, steps });
        known.set(key, kernel);
        found.push(kernel);
      }
    }
  }
  return found;
}

/** Finds how many runs make a turn, and how many rounds a slow kernel has time for. */
async function findTimes(device: Device, stopwatch: Stopwatch, untimed: readonly Kernel[], rounds: number) {
  const found = await turnTimes(
    device,
    stopwatch,
    untimed.map(({ steps }) => (times) => stepsTurn(device, steps, times)),
  );
  for (const [n, { times, ms }] of found.entries()) {
    untimed[n].times = times;
    untimed[n].rounds = Math.max(1, Math.min(rounds, Math.round(MOST_PASS_MS / (ms * times))));
  }
}

function figuresOf({ figures, steps, least: ms }: Kernel): KernelFigures {
  const sum = (of: (step: Step) => number) => steps.reduce((total, step) => total + of(step), 0);
  const rate = (amount: number) => amount / ms / 1e6;
  return {
    ...figures,
    dispatches: steps.length,
    ms,
    gflops: rate(sum(({ call }) => call.flops)),
    executedGflops: rate(sum(({ call }) => executedFlops(call))),
    gigabytes: rate(sum(({ call }) => bytesMoved(call))),
  };
}

const fastestFirst = (a: KernelFigures, b: KernelFigures): number =>
  a.pass === b.pass ? a.ms - b.ms : a.pass === "forward" ? -1 : 1;

/** Layers of a pair may have the same name: the later ones are numbered. */
function withOwnKeys(samples: readonly Sampled[]): Sampled[] {
  const seen = new Map<string, number>();
  return samples.map((sampled) => {
    const before = seen.get(sampled.key) ?? 0;
    seen.set(sampled.key, before + 1);
    return before ? { ...sampled, key: `${sampled.key} (${before + 1})` } : sampled;
  });
}
