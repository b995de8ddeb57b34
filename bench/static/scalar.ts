/** What scalar instructions do to a wave's registers, as far as loops and addresses need it; the rest forgets its result. */
import type { Instruction, Operand } from "./isa.ts";
import { EXEC, forget, type Registers, scalarOf } from "./registers.ts";

/** Result and condition of two numbers; the condition is left as it was where there is none. */
type Binary = (a: number, b: number, scc: number) => readonly [result: number, scc?: boolean];

const signed = (a: number) => a | 0;
const notZero = (result: number) => [result >>> 0, result !== 0] as const;
const overflow = (result: number) => [result >>> 0, result !== (result | 0)] as const;
const field = (b: number) => ({ at: b & 31, width: Math.min(32, (b >>> 16) & 127) });
const low = (width: number) => width >= 32 ? 0xffffffff : 2 ** width - 1;
const shiftedAdd = (shift: number): Binary => (a, b) => {
  const sum = (a << shift >>> 0) + b;
  return [sum >>> 0, a * 2 ** shift + b > 0xffffffff];
};

/** The high 32 bits of a product. */
export const highProduct = (a: number, b: number): number => Number((BigInt(a) * BigInt(b)) >> 32n);

const binary: Record<string, Binary> = {
  s_add_u32: (a, b) => [(a + b) >>> 0, a + b > 0xffffffff],
  s_add_i32: (a, b) => overflow(signed(a) + signed(b)),
  s_addc_u32: (a, b, scc) => [(a + b + scc) >>> 0, a + b + scc > 0xffffffff],
  s_sub_u32: (a, b) => [(a - b) >>> 0, b > a],
  s_sub_i32: (a, b) => overflow(signed(a) - signed(b)),
  s_subb_u32: (a, b, scc) => [(a - b - scc) >>> 0, b + scc > a],
  s_mul_i32: (a, b) => [Math.imul(a, b) >>> 0],
  s_mul_hi_u32: (a, b) => [highProduct(a, b)],
  s_lshl_b32: (a, b) => notZero(a << (b & 31)),
  s_lshr_b32: (a, b) => notZero(a >>> (b & 31)),
  s_ashr_i32: (a, b) => notZero(a >> (b & 31)),
  s_lshl1_add_u32: shiftedAdd(1),
  s_lshl2_add_u32: shiftedAdd(2),
  s_lshl3_add_u32: shiftedAdd(3),
  s_lshl4_add_u32: shiftedAdd(4),
  s_min_u32: (a, b) => [Math.min(a, b), a < b],
  s_max_u32: (a, b) => [Math.max(a, b), a > b],
  s_min_i32: (a, b) => [signed(a) < signed(b) ? a : b, signed(a) < signed(b)],
  s_max_i32: (a, b) => [signed(a) > signed(b) ? a : b, signed(a) > signed(b)],
  s_bfe_u32: (a, b) => notZero(((a >>> field(b).at) & low(field(b).width)) >>> 0),
  s_bfe_i32: (a, b) => {
    const { at, width } = field(b);
    return notZero(width === 0 ? 0 : a << Math.max(0, 32 - at - width) >> Math.max(0, 32 - width));
  },
  s_bfm_b32: (a, b) => [(low(a & 31) << (b & 31)) >>> 0],
  s_pack_ll_b32_b16: (a, b) => [((a & 0xffff) | (b << 16)) >>> 0],
};

/** Bit by bit, of registers or pairs of them. */
const bitwise: Record<string, (a: number, b: number) => number> = {
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  andn2: (a, b) => a & ~b,
  and_not1: (a, b) => a & ~b,
  orn2: (a, b) => a | ~b,
  or_not1: (a, b) => a | ~b,
  nand: (a, b) => ~(a & b),
  nor: (a, b) => ~(a | b),
  xnor: (a, b) => ~(a ^ b),
};

/** The comparisons that scalar and vector instructions have, by their names. */
export const comparisons: Record<string, (a: number, b: number) => boolean> = {
  lt: (a, b) => a < b,
  le: (a, b) => a <= b,
  gt: (a, b) => a > b,
  ge: (a, b) => a >= b,
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
  lg: (a, b) => a !== b,
};

/** What an instruction does to registers. */
export type Effect = (r: Registers) => void;

function write(r: Registers, operand: Operand, value: number | undefined, part = 0): void {
  if (operand.kind === "scalar") r.scalar[operand.register + part] = value === undefined ? undefined : value >>> 0;
}

/** Sixteen bits behind an instruction are a signed number; Mesa prints them without their sign. */
const immediate = (value: number): number => (value << 16 >> 16) >>> 0;

/** The effect of a scalar instruction; of one that is not known here, that nothing is known of its result. */
export function scalarEffect({ op, operands }: Instruction): Effect {
  const [d, a, b] = operands;
  const parts = op.endsWith("64") ? [0, 1] : [0];
  const [, short] = /^s_(\w+)_[bu](?:32|64)$/.exec(op) ?? [];
  if (binary[op]) return (r) => apply(r, binary[op], d, scalarOf(r, a), scalarOf(r, b));
  if (/^s_mov_b(32|64)$/.test(op)) {
    return (r) => {
      const values = parts.map((part) => scalarOf(r, a, part));
      values.forEach((value, part) => write(r, d, value, part));
    };
  }
  if (op === "s_movk_i32" && a.kind === "literal") return (r) => write(r, d, immediate(a.value));
  if (op === "s_addk_i32" || op === "s_mulk_i32") {
    const by = a.kind === "literal" ? immediate(a.value) : undefined;
    const change = binary[op === "s_addk_i32" ? "s_add_i32" : "s_mul_i32"];
    return (r) => apply(r, change, d, scalarOf(r, d), by);
  }
  if (bitwise[short]) return (r) => bits(r, d, parts, (part) => both(r, a, b, part, bitwise[short]));
  if (short === "not") return (r) => bits(r, d, parts, (part) => both(r, a, a, part, (x) => ~x));
  const [, combine] = /^(\w+)_saveexec$/.exec(short ?? "") ?? [];
  if (bitwise[combine]) {
    const exec: Operand = { kind: "scalar", register: EXEC, count: parts.length };
    return (r) => {
      const old = parts.map((part) => scalarOf(r, exec, part));
      bits(r, exec, parts, (part) => both(r, a, exec, part, bitwise[combine]));
      old.forEach((value, part) => write(r, d, value, part));
    };
  }
  if (short === "cselect") {
    return (r) => {
      const chosen = r.scc === undefined ? undefined : r.scc ? a : b;
      const values = parts.map((part) => scalarOf(r, chosen, part));
      values.forEach((value, part) => write(r, d, value, part));
    };
  }
  const [, short16, name, type] = /^s_cmp(k?)_(\w\w)_([iu](?:32|64))$/.exec(op) ?? [];
  if (name && type !== "u64") {
    const as = type === "i32" ? signed : (x: number) => x;
    const compare = comparisons[name];
    return (r) => {
      const x = scalarOf(r, d);
      const y = scalarOf(r, a);
      const right = y !== undefined && short16 && type === "i32" ? immediate(y) : y;
      r.scc = x === undefined || right === undefined ? undefined : compare(as(x), as(right));
    };
  }
  if (name) {
    return (r) => {
      const same = [0, 1].map((part) => both(r, d, a, part, (x, y) => x ^ y));
      const equal = same.includes(undefined) ? undefined : same.every((difference) => difference === 0);
      r.scc = equal === undefined ? undefined : equal === (name === "eq");
    };
  }
  const [, wanted] = /^s_bitcmp([01])_b32$/.exec(op) ?? [];
  if (wanted) {
    return (r) => {
      const bit = both(r, d, a, 0, (x, y) => (x >>> (y & 31)) & 1);
      r.scc = bit === undefined ? undefined : bit === Number(wanted);
    };
  }
  if (/^s_(nop|sleep|setprio|sendmsg|endpgm)/.test(op)) return () => {};
  return (r) => {
    forget(r, d);
    r.scc = undefined;
  };
}

function apply(r: Registers, change: Binary, d: Operand, x: number | undefined, y: number | undefined): void {
  if (x === undefined || y === undefined) {
    write(r, d, undefined);
    r.scc = undefined;
    return;
  }
  const carry = r.scc === undefined ? NaN : Number(r.scc);
  const [result, scc] = change(x, y, carry);
  write(r, d, result);
  if (scc !== undefined) r.scc = scc;
}

function both(
  r: Registers,
  a: Operand,
  b: Operand,
  part: number,
  combine: (x: number, y: number) => number,
): number | undefined {
  const x = scalarOf(r, a, part);
  const y = scalarOf(r, b, part);
  return x === undefined || y === undefined ? undefined : combine(x, y) >>> 0;
}

function bits(r: Registers, d: Operand, parts: number[], valueOf: (part: number) => number | undefined): void {
  const values = parts.map(valueOf);
  values.forEach((value, part) => write(r, d, value, part));
  r.scc = values.includes(undefined) ? undefined : values.some((value) => value !== 0);
}
