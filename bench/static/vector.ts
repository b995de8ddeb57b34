/**
 * What vector instructions do to a wave's registers: whole-number arithmetic, comparisons and masks, which addresses and
 * loops are made of. Floating-point results are forgotten.
 */
import type { Instruction, Operand } from "./isa.ts";
import {
  EXEC,
  forget,
  inMask,
  isFull,
  laneOf,
  type Lanes,
  lanesOf,
  type Mask,
  maskIn,
  type Registers,
  VCC,
  writeLanes,
} from "./registers.ts";
import { comparisons, type Effect, highProduct } from "./scalar.ts";

type Whole = (a: number, b: number, c: number) => number;

const signed = (a: number) => a | 0;
const bits24 = (a: number) => a & 0xffffff;
const signed24 = (a: number) => a << 8 >> 8;
const middle = (a: number, b: number, c: number) => Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));

/** Results modulo 2³² of up to three numbers. */
const whole: Record<string, Whole> = {
  v_mov_b32: (a) => a,
  v_add_nc_u32: (a, b) => a + b,
  v_add_u32: (a, b) => a + b,
  v_add_nc_i32: (a, b) => a + b,
  v_add_i32: (a, b) => a + b,
  v_sub_nc_u32: (a, b) => a - b,
  v_sub_u32: (a, b) => a - b,
  v_sub_nc_i32: (a, b) => a - b,
  v_sub_i32: (a, b) => a - b,
  v_subrev_nc_u32: (a, b) => b - a,
  v_subrev_u32: (a, b) => b - a,
  v_add3_u32: (a, b, c) => a + b + c,
  v_lshl_add_u32: (a, b, c) => (a << (b & 31)) + c,
  v_add_lshl_u32: (a, b, c) => (a + b) << (c & 31),
  v_lshl_or_b32: (a, b, c) => (a << (b & 31)) | c,
  v_and_or_b32: (a, b, c) => (a & b) | c,
  v_or3_b32: (a, b, c) => a | b | c,
  v_xor3_b32: (a, b, c) => a ^ b ^ c,
  v_xad_u32: (a, b, c) => (a ^ b) + c,
  v_lshlrev_b32: (a, b) => b << (a & 31),
  v_lshrrev_b32: (a, b) => b >>> (a & 31),
  v_ashrrev_i32: (a, b) => b >> (a & 31),
  v_and_b32: (a, b) => a & b,
  v_or_b32: (a, b) => a | b,
  v_xor_b32: (a, b) => a ^ b,
  v_xnor_b32: (a, b) => ~(a ^ b),
  v_not_b32: (a) => ~a,
  v_min_u32: (a, b) => Math.min(a, b),
  v_max_u32: (a, b) => Math.max(a, b),
  v_min_i32: (a, b) => Math.min(signed(a), signed(b)),
  v_max_i32: (a, b) => Math.max(signed(a), signed(b)),
  v_min3_u32: (a, b, c) => Math.min(a, b, c),
  v_max3_u32: (a, b, c) => Math.max(a, b, c),
  v_min3_i32: (a, b, c) => Math.min(signed(a), signed(b), signed(c)),
  v_max3_i32: (a, b, c) => Math.max(signed(a), signed(b), signed(c)),
  v_med3_u32: middle,
  v_med3_i32: (a, b, c) => middle(signed(a), signed(b), signed(c)),
  v_mul_lo_u32: (a, b) => Math.imul(a, b),
  v_mul_hi_u32: highProduct,
  v_mul_u32_u24: (a, b) => Math.imul(bits24(a), bits24(b)),
  v_mul_i32_i24: (a, b) => Math.imul(signed24(a), signed24(b)),
  v_mad_u32_u24: (a, b, c) => Math.imul(bits24(a), bits24(b)) + c,
  v_mad_i32_i24: (a, b, c) => Math.imul(signed24(a), signed24(b)) + c,
  v_bfe_u32: (a, b, c) => (c & 31) === 0 ? 0 : (a >>> (b & 31)) & (2 ** (c & 31) - 1),
  v_bfe_i32: (a, b, c) => (c & 31) === 0 ? 0 : a >>> (b & 31) << (32 - (c & 31)) >> (32 - (c & 31)),
  v_bfi_b32: (a, b, c) => (a & b) | (~a & c),
  v_alignbit_b32: (a, b, c) => (c & 31) === 0 ? b : (a << (32 - (c & 31))) | (b >>> (c & 31)),
  v_mad_u32_u16: (a, b, c) => Math.imul(a & 0xffff, b & 0xffff) + c,
};

/** Sums and differences with a carry: what is added, and whether a carry comes in. */
const carried: Record<string, { sum: Whole; goesIn: boolean }> = {
  v_add_co: { sum: (a, b) => a + b, goesIn: false },
  v_sub_co: { sum: (a, b) => a - b, goesIn: false },
  v_subrev_co: { sum: (a, b) => b - a, goesIn: false },
  v_add_co_ci: { sum: (a, b, c) => a + b + c, goesIn: true },
  v_addc_co: { sum: (a, b, c) => a + b + c, goesIn: true },
  v_sub_co_ci: { sum: (a, b, c) => a - b - c, goesIn: true },
  v_subb_co: { sum: (a, b, c) => a - b - c, goesIn: true },
  v_subrev_co_ci: { sum: (a, b, c) => b - a - c, goesIn: true },
  v_subbrev_co: { sum: (a, b, c) => b - a - c, goesIn: true },
};

const pairOf = (register: number): Operand => ({ kind: "scalar", register, count: 2 });

/** The effect of a vector instruction; of one that is not known here, that nothing is known of its result. */
export function vectorEffect(instruction: Instruction): Effect {
  const { operands, modifiers } = instruction;
  const op = instruction.op.replace(/_sdwa$/, "");
  const [d, ...sources] = operands;
  const small = instruction.op.endsWith("_sdwa");
  const forgets = (r: Registers) => forget(r, d);
  if (op.startsWith("v_cmp")) return comparison(op, operands, small);
  if (small && modifiers.get("dst_sel") !== "DWORD" || modifiers.has("clamp") || [...modifiers.keys()].some(isMoved)) {
    return forgets;
  }
  const selects = small ? [modifiers.get("src0_sel"), modifiers.get("src1_sel")] : [];
  const read = (r: Registers, n: number) => part(lanesOf(r, sources[n]), selects[n]);
  if (whole[op] && d.kind === "vector") {
    const count = sources.length;
    return (r) => {
      const a = read(r, 0);
      const b = count > 1 ? read(r, 1) : 0;
      const c = count > 2 ? read(r, 2) : 0;
      writeLanes(r, d.register, lanewise(r, whole[op], a, b, c));
    };
  }
  const carry = carried[op.replace(/_u32$/, "")];
  if (carry && d.kind === "vector" && !small) {
    const [out, a, b, into] = sources;
    return (r) => {
      const bit = carry.goesIn ? chosenBits(r, maskOf(r, into)) : 0;
      const x = lanesOf(r, a);
      const y = lanesOf(r, b);
      const wide = eachLane(r, carry.sum, x, y, bit);
      writeMask(r, out, maskFrom(r, wide, (sum) => sum < 0 || sum > 0xffffffff));
      writeLanes(r, d.register, lanewise(r, (sum) => sum, wide, 0, 0));
    };
  }
  if (op === "v_cndmask_b32" && d.kind === "vector") {
    return (r) => {
      const a = read(r, 0);
      const b = read(r, 1);
      const known = a !== undefined && b !== undefined;
      const bit = known ? chosenBits(r, maskOf(r, sources[2] ?? pairOf(VCC))) : undefined;
      const value = eachLane(r, (x, y, chosen) => chosen ? y : x, a, b, bit);
      writeLanes(r, d.register, value);
    };
  }
  if (/^v_mbcnt_(lo|hi)_u32_b32$/.test(op) && d.kind === "vector") {
    const from = op.includes("_hi_") ? 32 : 0;
    return (r) => writeLanes(r, d.register, counted(r, lanesOf(r, sources[0]), lanesOf(r, sources[1]), from));
  }
  // How Mesa makes pairs of constants.
  if (/^v_(lshrrev_b64|mov_b64)$/.test(op) && d.kind === "vector") {
    const from = sources.at(-1);
    const plain = op === "v_mov_b64" || sources[0].kind === "literal" && sources[0].value === 0;
    return (r) => {
      const values = [0, 1].map((n) => plain ? lanesOf(r, from, n) : undefined);
      values.forEach((value, n) => writeLanes(r, d.register + n, value));
    };
  }
  if (op === "v_readfirstlane_b32" && d.kind === "scalar") {
    return (r) => {
      const exec = maskIn(r, EXEC);
      const first = exec ? firstLane(r, exec) : undefined;
      const value = first === undefined ? NaN : laneOf(lanesOf(r, sources[0]), first);
      r.scalar[d.register] = Number.isNaN(value) ? undefined : value;
    };
  }
  if (op === "v_swap_b32") {
    return (r) => {
      forget(r, d);
      forget(r, sources[0]);
    };
  }
  return forgets;
}

/** A value that comes from another lane. */
const isMoved = (modifier: string) => /^(row_|quad_perm|dpp|wave_|bank_mask)/.test(modifier);

/** A byte or half of a register. */
function part(value: Lanes, select: string | undefined): Lanes {
  const [, kind, n] = /^(BYTE|WORD)_(\d)$/.exec(select ?? "") ?? [];
  if (!kind || value === undefined) return value;
  const width = kind === "BYTE" ? 8 : 16;
  const cut = (x: number) => (x >>> (width * Number(n))) & (2 ** width - 1);
  return typeof value === "number" ? cut(value) : value.map((x) => Number.isNaN(x) ? NaN : cut(x));
}

/** A function of each lane's numbers, as it is: one number where all lanes have the same. */
function eachLane(r: Registers, f: Whole, a: Lanes, b: Lanes, c: Lanes): Lanes {
  if (a === undefined || b === undefined || c === undefined) return undefined;
  if (typeof a === "number" && typeof b === "number" && typeof c === "number") return f(a, b, c);
  const result = new Float64Array(r.lanes);
  for (let lane = 0; lane < r.lanes; lane++) {
    const x = laneOf(a, lane);
    const y = laneOf(b, lane);
    const z = laneOf(c, lane);
    result[lane] = x === x && y === y && z === z ? f(x, y, z) : NaN;
  }
  return result;
}

/** The same, modulo 2³². */
const lanewise = (r: Registers, f: Whole, a: Lanes, b: Lanes, c: Lanes): Lanes =>
  eachLane(r, (x, y, z) => f(x, y, z) >>> 0, a, b, c);

/** One bit a lane. */
function chosenBits(r: Registers, mask: Mask): Lanes {
  if (!mask) return undefined;
  if (isFull(r, mask)) return 1;
  if (mask[0] === 0 && mask[1] === 0) return 0;
  const bits = new Float64Array(r.lanes);
  for (let lane = 0; lane < r.lanes; lane++) bits[lane] = Number(inMask(mask, lane));
  return bits;
}

const maskOf = (r: Registers, operand: Operand | undefined): Mask =>
  operand?.kind === "scalar" ? maskIn(r, operand.register) : undefined;

/** The mask of those running lanes of which something holds; undefined unless it is known of all of them. */
function maskFrom(r: Registers, value: Lanes, holds: (x: number) => boolean): Mask {
  const exec = maskIn(r, EXEC);
  if (!exec || value === undefined) return undefined;
  if (typeof value === "number") return holds(value) ? exec : [0, 0];
  let low = 0;
  let high = 0;
  for (let lane = 0; lane < r.lanes; lane++) {
    if (!inMask(exec, lane)) continue;
    const x = value[lane];
    if (Number.isNaN(x)) return undefined;
    if (!holds(x)) continue;
    if (lane < 32) low |= 1 << lane;
    else high |= 1 << (lane - 32);
  }
  return [low >>> 0, high >>> 0];
}

function writeMask(r: Registers, operand: Operand | undefined, mask: Mask): void {
  if (operand?.kind !== "scalar") return;
  r.scalar[operand.register] = mask?.[0];
  if (r.lanes === 64) r.scalar[operand.register + 1] = mask?.[1];
}

/** `v_cmp` writes a mask, `v_cmpx` the lanes that run on: both where it has a destination. */
function comparison(op: string, operands: Operand[], small: boolean): Effect {
  const [, x, name, type] = /^v_cmp(x?)_(\w\w)_([iu]32)$/.exec(op) ?? [];
  const into = operands.length > 2 ? operands[0] : undefined;
  const [a, b] = operands.slice(-2);
  const compare = name ? comparisons[name] : undefined;
  const as = type === "i32" ? signed : (value: number) => value;
  return (r) => {
    const value = compare && !small
      ? eachLane(r, (p, q) => Number(compare(as(p), as(q))), lanesOf(r, a), lanesOf(r, b), 0)
      : undefined;
    const mask = maskFrom(r, value, (bit) => bit === 1);
    writeMask(r, into, mask);
    if (x || op.startsWith("v_cmpx")) writeMask(r, pairOf(EXEC), mask);
  };
}

/** How many of a mask's lanes below each lane, of the first or the second 32, are in it, and what is added. */
function counted(r: Registers, mask: Lanes, added: Lanes, from: number): Lanes {
  if (mask === undefined || added === undefined) return undefined;
  return Float64Array.from({ length: r.lanes }, (_, lane) => {
    let count = laneOf(added, lane);
    for (let bit = 0; bit < 32 && bit + from < lane; bit++) count += (laneOf(mask, lane) >>> bit) & 1;
    return count;
  });
}

function firstLane(r: Registers, mask: readonly [number, number]): number {
  for (let lane = 0; lane < r.lanes; lane++) if (inMask(mask, lane)) return lane;
  return 0;
}
