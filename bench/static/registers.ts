/**
 * What is known of a wave's registers while it is followed through its code: whole numbers of 32 bits, or nothing, as of
 * whatever comes from memory or from floating-point arithmetic.
 *
 * A vector register holds one number where all lanes have the same, else one a lane, NaN for a lane of which nothing is
 * known. What is written under a mask leaves the other lanes as they were.
 */
import type { Operand } from "./isa.ts";

/** A register of all lanes; undefined where nothing is known of any. */
export type Lanes = number | Float64Array | undefined;

/** The mask of a comparison, as operands number it. */
export const VCC = 106;

/** The mask of the lanes that are on. */
export const EXEC = 126;

/** What is known of a wave. */
export interface Registers {
  /** Lanes of the wave: 32 or 64. */
  readonly lanes: number;
  readonly scalar: (number | undefined)[];
  readonly vector: Lanes[];
  scc: boolean | undefined;
}

/** A wave's registers before its first instruction: its vectors are zero, of its scalars nothing is known. */
export function freshRegisters(lanes: number): Registers {
  const scalar = new Array<number | undefined>(128).fill(undefined);
  scalar[EXEC] = 0xffffffff;
  scalar[EXEC + 1] = lanes === 64 ? 0xffffffff : 0;
  return { lanes, scalar, vector: new Array<Lanes>(512).fill(0), scc: undefined };
}

/** A mask of lanes, or undefined. */
export type Mask = readonly [low: number, high: number] | undefined;

/** The mask in a pair of scalar registers, one of them for 32 lanes. */
export function maskIn({ scalar, lanes }: Registers, register: number): Mask {
  const low = scalar[register];
  const high = lanes === 64 ? scalar[register + 1] : 0;
  return low === undefined || high === undefined ? undefined : [low, high];
}

/** Whether a lane is in a mask. */
export const inMask = ([low, high]: readonly [number, number], lane: number): boolean =>
  ((lane < 32 ? low >>> lane : high >>> (lane - 32)) & 1) === 1;

/** Lanes in a mask. */
export const lanesIn = ([low, high]: readonly [number, number]): number => bitsIn(low) + bitsIn(high);

/** Bits that are set, summed in pairs, fours and bytes. */
function bitsIn(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Whether a mask has all lanes. */
export const isFull = ({ lanes }: Registers, mask: readonly [number, number]): boolean =>
  mask[0] === 0xffffffff && (lanes === 32 || mask[1] === 0xffffffff);

/** The number that a scalar operand, or its `part`-th register, holds. */
export function scalarOf(r: Registers, operand: Operand | undefined, part = 0): number | undefined {
  switch (operand?.kind) {
    case "scalar":
      return r.scalar[operand.register + part];
    case "literal":
      return part === 0 ? operand.value : operand.high;
    case "scc":
      return part > 0 ? 0 : r.scc === undefined ? undefined : Number(r.scc);
    default:
      return undefined;
  }
}

/** What an operand holds for all lanes. */
export function lanesOf(r: Registers, operand: Operand | undefined, part = 0): Lanes {
  return operand?.kind === "vector" ? r.vector[operand.register + part] : scalarOf(r, operand, part);
}

/** Writes a vector register for the lanes that are on. */
export function writeLanes(r: Registers, register: number, value: Lanes): void {
  const old = r.vector[register];
  const exec = maskIn(r, EXEC);
  if (exec && isFull(r, exec)) r.vector[register] = value;
  else if (!exec) r.vector[register] = typeof value === "number" && value === old ? old : undefined;
  else if (exec[0] !== 0 || exec[1] !== 0) {
    const merged = new Float64Array(r.lanes);
    for (let lane = 0; lane < r.lanes; lane++) merged[lane] = laneOf(inMask(exec, lane) ? value : old, lane);
    r.vector[register] = merged;
  }
}

/** The number of one lane, NaN where it is not known. */
export const laneOf = (value: Lanes, lane: number): number =>
  value === undefined ? NaN : typeof value === "number" ? value : value[lane];

/** Forgets every register of an operand. */
export function forget(r: Registers, operand: Operand | undefined): void {
  if (operand?.kind === "vector") r.vector.fill(undefined, operand.register, operand.register + operand.count);
  if (operand?.kind === "scalar") r.scalar.fill(undefined, operand.register, operand.register + operand.count);
}
