/**
 * The GPUs that the meter knows: rough figures from data sheets and from what others measured, to be corrected by whoever
 * measures better.
 */

/** One GPU. A SIMD is what holds waves and issues one vector instruction at a time; a compute unit has several. */
export interface Chip {
  /** A card that has it. */
  card: string;
  /** Compute units, their clock in GHz, and the memory's bandwidth in GB/s. */
  units: number;
  ghz: number;
  gbs: number;
  /** SIMDs of a unit, and lanes that a SIMD runs in one clock. */
  simds: number;
  lanes: number;
  /** Bytes of a line of a unit's vector cache, which gives one line a clock. */
  line: number;
  /** Clocks until a load is there: from the second-level cache, from memory, by a scalar load, from workgroup memory. */
  latency: { cache: number; memory: number; scalar: number; shared: number };
  /** Vector registers of a lane, of a wave of 64, that a SIMD has for all its waves. */
  registers: number;
  /** Waves that a SIMD holds at most. */
  slots: number;
  /** Whether stores are waited for like loads. */
  storesCount: boolean;
  /** Whether the invocation's numbers along the dimensions come in one register, ten bits each. */
  packedIds: boolean;
}

const gcn = {
  simds: 4,
  lanes: 16,
  line: 64,
  latency: { cache: 300, memory: 600, scalar: 80, shared: 64 },
  registers: 256,
  slots: 10,
  storesCount: true,
  packedIds: false,
};
const rdna = {
  simds: 2,
  lanes: 32,
  line: 128,
  latency: { cache: 250, memory: 700, scalar: 60, shared: 40 },
  registers: 512,
  slots: 16,
  storesCount: false,
  packedIds: false,
};

/** By the names that Mesa has for them. */
export const chips: Readonly<Record<string, Chip>> = {
  vega10: { card: "Vega 64", units: 64, ghz: 1.5, gbs: 484, ...gcn },
  raven: { card: "Ryzen 2400G", units: 11, ghz: 1.25, gbs: 38, ...gcn },
  navi10: { card: "RX 5700 XT", units: 40, ghz: 1.75, gbs: 448, ...rdna, slots: 20 },
  navi21: { card: "RX 6900 XT", units: 80, ghz: 2.25, gbs: 512, ...rdna },
  rembrandt: { card: "Radeon 680M", units: 12, ghz: 2.4, gbs: 77, ...rdna },
  gfx1100: { card: "RX 7900 XTX", units: 96, ghz: 2.4, gbs: 960, ...rdna, registers: 768, packedIds: true },
};

/** GFLOP/s of multiply-adds of single floats, one instruction a clock, a multiply-add counting two. */
export const peakOf = ({ units, simds, lanes, ghz }: Chip): number => units * simds * lanes * 2 * ghz;

/** Bytes of a unit's workgroup memory. */
export const SHARED = 65536;

/** Microseconds from one dispatch's end to the next one's start. */
export const GAP = 3;
