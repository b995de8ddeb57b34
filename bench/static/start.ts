/** Where a wave starts: which of a dispatch it is, and what Mesa has put into its registers by then. */
import type { Program } from "./isa.ts";
import { EXEC, freshRegisters, type Registers } from "./registers.ts";

/** Which wave. */
export interface WaveAt {
  group: readonly [number, number, number];
  /** Invocations of a workgroup along each dimension, and which of its waves. */
  size: readonly [number, number, number];
  wave: number;
  /** Whether the invocation's numbers along the dimensions come in one register, ten bits each. */
  packed: boolean;
  /** Bindings that hold weights. */
  weights: ReadonlySet<number>;
  /** Trips of a loop whose end is not known. */
  guess: number;
}

/** The first scalar register that Mesa fills for a workgroup: after its scratch memory's and its descriptors' addresses. */
const FIRST = 3;

/** A wave's registers at its start: the numbers of its workgroup and of its invocations. */
export function startWave({ instructions }: Program, lanes: number, { group, size, wave, packed }: WaveAt): Registers {
  const r = freshRegisters(lanes);
  const written = new Set<number>();
  const dimensions = [...group];
  const given = new Map<number, boolean>(); // whether it holds the wave's number in its workgroup
  for (const { op, operands } of instructions) {
    const writes = !/^(s_cmp|s_bitcmp|.*_store|ds_write|ds_store)/.test(op);
    const [d] = operands;
    const wave = operands.some((one) => one.kind === "literal" && (one.value === 0xfc0 || one.value === 0x60006));
    const reads = writes && !/^s_(add|mul)k_/.test(op) ? operands.slice(1) : operands;
    for (const one of reads) {
      if (one.kind !== "scalar" || one.register < FIRST || one.register > FIRST + 5) continue;
      for (let n = 0; n < one.count; n++) {
        const register = one.register + n;
        if (!written.has(register) && !given.has(register)) given.set(register, wave);
      }
    }
    if (writes && d?.kind === "scalar") { for (let n = 0; n < d.count; n++) written.add(d.register + n); }
  }
  for (const [register, isWave] of [...given].sort(([a], [b]) => a - b)) {
    r.scalar[register] = isWave ? wave << 6 : dimensions.shift();
  }
  const ids = Array.from({ length: lanes }, (_, lane) => {
    const index = wave * lanes + lane;
    return [index % size[0], Math.floor(index / size[0]) % size[1], Math.floor(index / size[0] / size[1])];
  });
  if (packed) r.vector[0] = Float64Array.from(ids, ([x, y, z]) => x | y << 10 | z << 20);
  else for (let n = 0; n < 3; n++) r.vector[n] = Float64Array.from(ids, (id) => id[n]);
  // Lanes behind the end of a workgroup that does not fill its last wave are off.
  const on = Math.min(lanes, size[0] * size[1] * size[2] - wave * lanes);
  r.scalar[EXEC] = on >= 32 ? 0xffffffff : 2 ** on - 1;
  r.scalar[EXEC + 1] = on <= 32 ? 0 : on >= 64 ? 0xffffffff : 2 ** (on - 32) - 1;
  return r;
}
