/** What one instruction is to the hardware: which unit runs it, for how long, and how many multiply-adds it is. */
import type { Instruction } from "./isa.ts";

/** Who runs an instruction. `load` and `store` go through the vector cache, `shared` is workgroup memory. */
export type Unit = "vector" | "scalar" | "load" | "store" | "scalarLoad" | "shared" | "wait" | "barrier" | "none";

/** An instruction's work. */
export interface Work {
  unit: Unit;
  /** Issues of a SIMD, of a wave as wide as its lanes, that a vector instruction takes: 4 where it has a quarter's rate. */
  issues: number;
  /** Multiply-adds of a lane. */
  multiplyAdds: number;
  /** Bytes that a lane moves; of a scalar load, all bytes. */
  bytes: number;
  /** Accesses of a lane to workgroup memory: two in `read2`. */
  accesses: number;
}

const quarterRate = /^v_(exp|log|rcp|rsq|sqrt|sin|cos|rcp_iflag)_f(32|16)|^v_mul_(lo|hi)_[ui]32|^v_mad_[ui]64_[ui]32/;
const multiplyAdd =
  /^v_(fma|fmac|mad|mac|fmamk|fmaak|madmk|madak|fma_mix|mad_mix|fma_mixlo|fma_mixhi|mad_mixlo|mad_mixhi)_(legacy_)?f(32|16)/;

/** Multiply-adds of a lane. A double's are rare here and count as one too. */
function multiplyAddsOf(op: string): number {
  if (/^v_pk_(fma|fmac|mad)_f(16|32)/.test(op) || /^v_dot2c?_f/.test(op)) return 2;
  if (/^v_dot4/.test(op)) return 4;
  return multiplyAdd.test(op) || /^v_(fma|fmac)_f64/.test(op) || /^v_fma_mix/.test(op) || /^v_mad_mix/.test(op) ? 1 : 0;
}

/** Bytes that one access of a load or store moves. */
function bytesOf(op: string): number {
  const [, dwords, bits] = /x(\d+)$|_[bu]?(64|96|128|256|512)$/.exec(op) ?? [];
  if (dwords) return 4 * Number(dwords);
  if (bits) return Number(bits) / 8;
  return /byte|[_ui]8/.test(op) ? 1 : /short|16/.test(op) ? 2 : 4;
}

const none: Work = { unit: "none", issues: 0, multiplyAdds: 0, bytes: 0, accesses: 0 };

/** The work of an instruction. */
export function workOf({ op, paired }: Instruction): Work {
  if (op.startsWith("v_")) {
    const issues = paired ? 0 : quarterRate.test(op) ? 4 : 1;
    return { ...none, unit: "vector", issues, multiplyAdds: multiplyAddsOf(op) };
  }
  if (/^(buffer|tbuffer|global|image|flat|scratch)_(load|gather|sample|atomic)/.test(op)) {
    return { ...none, unit: "load", bytes: bytesOf(op), accesses: 1 };
  }
  if (/^(buffer|tbuffer|global|image|flat|scratch)_store/.test(op)) {
    return { ...none, unit: "store", bytes: bytesOf(op), accesses: 1 };
  }
  if (/^s_(buffer_|scratch_)?load/.test(op)) return { ...none, unit: "scalarLoad", bytes: bytesOf(op) };
  if (op.startsWith("ds_")) {
    return {
      ...none,
      unit: "shared",
      bytes: bytesOf(op),
      accesses: /(read|load|write|store|wrxchg)_?2/.test(op) ? 2 : 1,
    };
  }
  if (/^s_waitcnt/.test(op)) return { ...none, unit: "wait" };
  if (op === "s_barrier") return { ...none, unit: "barrier" };
  return /^s_(clause|inst_prefetch|delay_alu|code_end)/.test(op) ? none : { ...none, unit: "scalar" };
}
