/** What the addresses of a wave's lanes cost: lines of the vector cache, and conflicts in the banks of workgroup memory. */
import type { Chip } from "./chips.ts";
import type { Instruction } from "./isa.ts";
import { EXEC, inMask, laneOf, type Lanes, lanesIn, lanesOf, maskIn, type Registers, scalarOf } from "./registers.ts";
import type { Work } from "./work.ts";

/** Banks of workgroup memory, each four bytes wide. */
const BANKS = 32;

/** Distinct lines that the lanes touch. */
export function linesOf(addresses: readonly number[], bytes: number, line: number): number {
  const lines = new Set<number>();
  let last = -1;
  for (const address of addresses) {
    for (let at = Math.floor(address / line); at * line < address + bytes; at++) {
      if (at !== last) lines.add(last = at); // neighbouring lanes mostly share one
    }
  }
  return lines.size;
}

/**
 * Clocks in which workgroup memory serves the lanes: as many lanes go together as fill its banks once, and each group takes
 * as long as its fullest bank has different words.
 */
export function bankClocks(addresses: readonly number[], bytes: number): number {
  const words = Math.max(1, bytes / 4);
  const together = Math.max(1, Math.floor(BANKS / words));
  let clocks = 0;
  for (let from = 0; from < addresses.length; from += together) {
    const wanted = new Set<number>();
    for (const address of addresses.slice(from, from + together)) {
      for (let word = 0; word < words; word++) wanted.add(Math.floor(address / 4) + word);
    }
    const load = new Array<number>(BANKS).fill(0);
    for (const word of wanted) load[word % BANKS]++;
    clocks += Math.max(...load);
  }
  return clocks;
}

/** Lanes that are on; all of them where it is not known. */
export function running(r: Registers): number {
  const exec = maskIn(r, EXEC);
  return exec ? lanesIn(exec) : r.lanes;
}

/** One access through the vector cache: its clocks there, and the bytes of the lines that it touches. */
export interface Access {
  clocks: number;
  bytes: number;
}

/** Addresses of the lanes that are on, `base` added; undefined where they are not all known. */
function addressesOf(r: Registers, value: Lanes, base = 0): number[] | undefined {
  const exec = maskIn(r, EXEC);
  if (value === undefined || !exec) return undefined;
  const addresses: number[] = [];
  for (let lane = 0; lane < r.lanes; lane++) {
    if (!inMask(exec, lane)) continue;
    const address = laneOf(value, lane);
    if (Number.isNaN(address)) return undefined;
    addresses.push(address + base);
  }
  return addresses;
}

/** An access through the vector cache by the lanes that are on. */
export function accessOf(
  r: Registers,
  { op, operands, modifiers }: Instruction,
  { bytes }: Work,
  { line }: Chip,
): Access {
  const plain = Math.ceil(bytes * running(r) / line);
  const buffer = op.startsWith("buffer");
  if (!buffer) return { clocks: plain, bytes: plain * line };
  const vector: Lanes = modifiers.has("offen") ? lanesOf(r, operands[1]) : 0;
  const base = Number(modifiers.get("offset") ?? 0) + (scalarOf(r, operands[3]) ?? 0);
  const addresses = addressesOf(r, vector, base);
  if (!addresses) return { clocks: plain, bytes: plain * line };
  const lines = linesOf(addresses, bytes, line);
  return { clocks: Math.max(plain, lines), bytes: lines * line };
}

/** Clocks of one access to workgroup memory by the lanes that are on. */
export function sharedClocks(r: Registers, { op, operands }: Instruction, { bytes }: Work): number {
  const reads = /^ds_(read|load|bpermute|swizzle)/.test(op);
  const addresses = addressesOf(r, lanesOf(r, operands[reads ? 1 : 0]));
  return addresses ? bankClocks(addresses, bytes) : Math.ceil(bytes * running(r) / 128);
}
