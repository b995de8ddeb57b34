/**
 * One wave followed through a kernel's code, from its workgroup's number to the end: how often every instruction runs, what
 * its loads touch, and how long it takes alone.
 *
 * Whole numbers are computed as the hardware would, so that loops end where they end and addresses are what they are.
 * Where a branch hangs on what is not known (values from memory, floating-point numbers), an `if` is taken, and a loop
 * makes `guess` trips.
 */
import { type Access, accessOf, running, sharedClocks } from "./access.ts";
import type { Chip } from "./chips.ts";
import type { Instruction, Operand, Program } from "./isa.ts";
import { EXEC, forget, maskIn, type Registers, scalarOf, VCC } from "./registers.ts";
import { type Effect, scalarEffect } from "./scalar.ts";
import { startWave, type WaveAt } from "./start.ts";
import { loadVector, meet, startTimeline, waitFor } from "./timeline.ts";
import { vectorEffect } from "./vector.ts";
import { type Work, workOf } from "./work.ts";

/** A kernel, ready to be followed. */
export interface Followed {
  program: Program;
  lanes: number;
  works: Work[];
  effects: Effect[];
}

/** What a wave did. */
export interface WaveFigures {
  instructions: number;
  /** Clocks of its SIMD's vector unit, and of the scalar unit. */
  vector: number;
  scalar: number;
  /** Multiply-adds of all lanes that were on, and those among them that came two or more an instruction. */
  multiplyAdds: number;
  packed: number;
  /** Clocks of the vector cache and of workgroup memory. */
  cache: number;
  shared: number;
  /** Bytes of lines that its loads of weights touched, again and again where they were touched again. */
  weightBytes: number;
  /** Clocks of a workgroup alone: with weights in the second-level cache, and with weights in memory. */
  path: number;
  pathFromMemory: number;
  /** Branches that hung on what is not known and may end a loop. */
  guesses: number;
  barriers: number;
}

/** Instructions after which a wave is given up. */
const MOST = 3e7;

/** Reads code for following; lanes are 32 where the masks are. */
export function prepare(program: Program): Followed {
  const { instructions } = program;
  const narrow = instructions.some(({ op, operands: [d, , b] }) =>
    d?.kind === "scalar" && d.count === 1 && (/^v_cmp_/.test(op) && b || /saveexec_b32$/.test(op))
  );
  return {
    program,
    lanes: narrow ? 32 : 64,
    works: instructions.map(workOf),
    effects: instructions.map(effectOf),
  };
}

/** What an instruction does to registers: nothing is known of what a load brings, and a store changes none. */
function effectOf(instruction: Instruction): Effect {
  const { op, operands: [d] } = instruction;
  switch (workOf(instruction).unit) {
    case "vector":
      return vectorEffect(instruction);
    case "load":
    case "scalarLoad":
      return (r) => forget(r, d);
    case "shared":
      return /^ds_(write|store)/.test(op) ? () => {} : (r) => forget(r, d);
    case "store":
    case "wait":
    case "barrier":
    case "none":
      return () => {};
    default:
      return scalarEffect(instruction);
  }
}

/** Follows a wave; undefined where it does not come to an end. */
export function follow({ program, lanes, works, effects }: Followed, at: WaveAt, chip: Chip): WaveFigures | undefined {
  const { instructions, loops } = program;
  const r = startWave(program, lanes, at);
  const descriptors: (number | undefined)[] = [];
  const waves = Math.ceil(Math.ceil(at.size[0] * at.size[1] * at.size[2] / lanes) / chip.simds);
  const near = startTimeline();
  const far = startTimeline();
  const issue = lanes / chip.lanes;
  const step = chip.lanes === 16 ? 4 : 1;
  const trips = new Map<number, number>();
  const f: WaveFigures = {
    ...{ instructions: 0, vector: 0, scalar: 0, multiplyAdds: 0, packed: 0, cache: 0, shared: 0, weightBytes: 0 },
    ...{ path: 0, pathFromMemory: 0, guesses: 0, barriers: 0 },
  };
  const advance = (clocks: number) => {
    near.clock += clocks;
    far.clock += clocks;
  };
  const load = (access: Access, isWeight: boolean) => {
    f.cache += access.clocks;
    if (isWeight) f.weightBytes += access.bytes;
    loadVector(near, chip.latency.cache, access.clocks);
    loadVector(far, isWeight ? chip.latency.memory : chip.latency.cache, access.clocks);
  };
  const other = (latency: number, farLatency = latency) => {
    near.other.push(near.clock + latency);
    far.other.push(far.clock + farLatency);
  };
  const isWeight = (descriptor: Operand | undefined) =>
    descriptor?.kind === "scalar" && at.weights.has(descriptors[descriptor.register] ?? -1);

  for (let next = 0; next < instructions.length;) {
    const instruction = instructions[next];
    const work = works[next];
    const { op, operands } = instruction;
    if (++f.instructions > MOST) return undefined;
    if (op === "s_endpgm") break;
    switch (work.unit) {
      case "vector": {
        const clocks = work.issues * issue;
        if (work.multiplyAdds > 0) {
          const sum = work.multiplyAdds * running(r);
          f.multiplyAdds += sum;
          if (work.multiplyAdds > 1) f.packed += sum;
        }
        f.vector += clocks;
        near.issued += clocks;
        far.issued += clocks;
        advance(clocks);
        break;
      }
      case "load":
        load(accessOf(r, instruction, work, chip), isWeight(operands[2]));
        advance(step);
        break;
      case "store": {
        const access = accessOf(r, instruction, work, chip);
        f.cache += access.clocks;
        if (chip.storesCount) { for (const t of [near, far]) loadVector(t, chip.latency.cache, access.clocks); }
        advance(step);
        break;
      }
      case "scalarLoad": {
        const buffer = op.startsWith("s_buffer");
        const heavy = buffer && isWeight(operands[1]);
        if (heavy) f.weightBytes += work.bytes;
        if (buffer) other(chip.latency.cache, heavy ? chip.latency.memory : chip.latency.cache);
        else {
          other(chip.latency.scalar);
          noteDescriptors(r, instruction, work, descriptors);
        }
        f.scalar += step;
        advance(step);
        break;
      }
      case "shared": {
        f.shared += work.accesses * sharedClocks(r, instruction, work);
        other(chip.latency.shared);
        advance(step);
        break;
      }
      case "wait": {
        const [vector, rest] = ["vmcnt", "lgkmcnt"].map((name) => countOf(instruction, name));
        for (const t of [near, far]) waitFor(t, vector, rest);
        advance(step);
        break;
      }
      case "barrier":
        f.barriers++;
        for (const t of [near, far]) meet(t, waves);
        advance(step);
        break;
      case "scalar":
        f.scalar += step;
        advance(step);
        break;
    }
    if (instruction.target === undefined) {
      effects[next](r);
      next++;
      continue;
    }
    const taken = takes(r, op);
    if (taken !== undefined) {
      next = taken ? instruction.target : next + 1;
      continue;
    }
    const loop = innermost(loops, next);
    const leaves = loop && instruction.target > loop.end;
    const back = instruction.target <= next;
    if (!leaves && !back) { // both sides of an `if` that not all lanes take; one side of another
      next++;
      continue;
    }
    f.guesses++;
    const made = (trips.get(next) ?? 0) + 1;
    const ends = back ? made >= at.guess : made > at.guess;
    trips.set(next, ends ? 0 : made);
    next = ends === leaves ? instruction.target : next + 1;
  }
  for (const t of [near, far]) meet(t, waves);
  return { ...f, path: near.path, pathFromMemory: far.path };
}

const countOf = ({ modifiers }: Instruction, name: string): number | undefined => {
  const count = modifiers.get(name);
  return count === undefined ? undefined : Number(count);
};

/** Whether a branch is taken, as far as it is known. */
function takes(r: Registers, op: string): boolean | undefined {
  if (op === "s_branch") return true;
  const [, what, sign] = /^s_cbranch_(scc|vcc|exec)(0|1|z|nz)$/.exec(op) ?? [];
  if (what === "scc") return r.scc === undefined ? undefined : r.scc === (sign === "1");
  const mask = what ? maskIn(r, what === "vcc" ? VCC : EXEC) : undefined;
  return mask && (mask[0] === 0 && mask[1] === 0) === (sign === "z");
}

const innermost = (loops: Program["loops"], at: number) =>
  loops.filter(({ start, end }) => start <= at && at <= end)
    .reduce<Program["loops"][number] | undefined>(
      (best, one) => best && best.end - best.start <= one.end - one.start ? best : one,
      undefined,
    );

/** Which bindings' descriptors, of 16 bytes each in the order of the bindings, a scalar load brings. */
function noteDescriptors(
  r: Registers,
  { operands }: Instruction,
  { bytes }: Work,
  descriptors: (number | undefined)[],
): void {
  const [d, , offset] = operands;
  if (d?.kind !== "scalar") return;
  const from = offset?.kind === "none" ? 0 : scalarOf(r, offset);
  for (let n = 0; n < bytes / 16; n++) descriptors[d.register + 4 * n] = from === undefined ? undefined : from / 16 + n;
}
