/**
 * How long a dispatch takes: some of its waves are followed (wave.ts), and the slowest of these bounds all of them:
 *
 *   vector    the vector instructions of the waves of one SIMD
 *   scalar    their scalar instructions
 *   cache     what the waves of a unit ask of its vector cache: bytes, or lines where lanes touch many
 *   LDS       what they ask of its workgroup memory, bank conflicts too
 *   waiting   a workgroup's own clocks (instructions in order, loads, barriers) over the workgroups that run side by side
 *   memory    weights, once, at the memory's bandwidth
 *
 * Nothing of it was ever compared with a GPU: take ratios of 1.5 and more seriously.
 */
import { MOST_SHARE } from "../../src/gpu/probe.ts";
import { type Chip, peakOf, SHARED } from "./chips.ts";
import type { Dispatch } from "./compile.ts";
import { parseProgram } from "./isa.ts";
import type { Compiled } from "./listing.ts";
import { follow, type Followed, prepare, type WaveFigures } from "./wave.ts";

/** What the model says of a dispatch. */
export interface Estimate {
  groups: number;
  /** Waves for each SIMD of the chip, and those that a SIMD holds at most at once. */
  waves: number;
  occupancy: number;
  /** Microseconds, the gap before the next dispatch included. */
  us: number;
  bound: string;
  /** Multiply-adds that it executes, as it declares and as the code says. */
  multiplyAdds: number;
  counted: number;
  /** Those multiply-adds' share of the chip's peak; undefined where there are none, or where the model fails. */
  share?: number;
  /** What went wrong in the model, or what it had to guess. */
  doubts: string[];
  /** Clocks of one wave on average, by what they are spent on. */
  clocks: Record<string, number>;
}

/** Waves of a dispatch that are followed. */
const FOLLOWED = 8;

/** Waves of one workgroup that are followed: the first, which often does what one has to do for all, and another. */
const OF_GROUP = 2;

/** Declared and counted multiply-adds that differ by more than this factor are a doubt. */
const MOST_RATIO = 1.15;

const product = (sizes: readonly number[]) => sizes.reduce((all, n) => all * n, 1);

/** So many whole numbers below `all`, spread evenly, each `place` of the way from one to the next. */
function spread(all: number, most: number, place = 0.5): number[] {
  const count = Math.min(all, most);
  return Array.from({ length: count }, (_, n) => Math.floor((n + place) * all / count));
}

/** Follows some waves of a dispatch. Undefined where one does not come to an end. */
function followSome(
  followed: Followed,
  { grid, weights }: Dispatch,
  size: Compiled["size"],
  chip: Chip,
  guess: number,
): WaveFigures[] | undefined {
  const inGroup = Math.ceil(product(size) / followed.lanes);
  const [columns, rows] = grid;
  const some = spread(inGroup, OF_GROUP, 0);
  const bindings = new Set(weights.map(([binding]) => binding));
  const figures: WaveFigures[] = [];
  for (const n of spread(product(grid), Math.ceil(FOLLOWED / some.length))) {
    const group = [n % columns, Math.floor(n / columns) % rows, Math.floor(n / columns / rows)] as const;
    for (const wave of some) {
      const at = { group, size, wave, packed: chip.packedIds, weights: bindings, guess };
      const one = follow(followed, at, chip);
      if (!one) return undefined;
      figures.push(one);
    }
  }
  return figures;
}

/** Waves that a SIMD holds at once, by registers, workgroup memory and slots. */
function occupancyOf({ vectorRegisters, shared }: Compiled, lanes: number, inGroup: number, chip: Chip): number {
  const byRegisters = chip.registers * 64 / lanes / Math.max(1, vectorRegisters);
  const byShared = shared ? Math.floor(SHARED / shared) * inGroup / chip.simds : Infinity;
  return Math.max(1, Math.floor(Math.min(chip.slots, byRegisters, byShared)));
}

/** What a kernel's waves do, its loops of unknown length made so long that they execute what the kernel declares. */
function figuresOf(followed: Followed, dispatch: Dispatch, kernel: Compiled, chip: Chip, waves: number) {
  const doubts: string[] = [];
  const once = followSome(followed, dispatch, kernel.size, chip, 1);
  if (!once) return { doubts: ["its waves are too long to be followed to their end; it is left out of the sums"] };
  if (!once.some(({ guesses }) => guesses > 0)) return { figures: once, doubts };
  const sumOf = (figures: WaveFigures[]) => waves * mean(figures, ({ multiplyAdds }) => multiplyAdds);
  const twice = followSome(followed, dispatch, kernel.size, chip, 2);
  const { multiplyAdds = 0 } = dispatch;
  const first = sumOf(once);
  const more = twice ? sumOf(twice) - first : 0;
  if (more <= 0 || multiplyAdds <= first) return { figures: once, doubts: ["loops of unknown length are taken once"] };
  const guess = Math.round(1 + (multiplyAdds - first) / more);
  const figures = followSome(followed, dispatch, kernel.size, chip, guess);
  return { figures: figures ?? once, doubts: [`loops of unknown length make ${guess} trips`] };
}

const mean = <T>(list: readonly T[], of: (one: T) => number): number =>
  list.reduce((sum, one) => sum + of(one), 0) / list.length;

/** Estimates a dispatch on a chip. */
export function estimate(dispatch: Dispatch, kernel: Compiled, chip: Chip): Estimate {
  const followed = prepare(parseProgram(kernel.code));
  const { lanes } = followed;
  const inGroup = Math.ceil(product(kernel.size) / lanes);
  const groups = product(dispatch.grid);
  const waves = groups * inGroup;
  const ofUnit = Math.ceil(groups / chip.units) * inGroup;
  const ofSimd = Math.ceil(ofUnit / chip.simds);
  const occupancy = Math.max(occupancyOf(kernel, lanes, inGroup, chip), Math.ceil(inGroup / chip.simds));
  const { figures, doubts } = figuresOf(followed, dispatch, kernel, chip, waves);
  const plain = { groups, waves: waves / chip.units / chip.simds, occupancy };
  if (!figures) {
    return {
      ...plain,
      us: NaN,
      bound: "?",
      multiplyAdds: dispatch.multiplyAdds ?? 0,
      counted: NaN,
      doubts,
      clocks: {},
    };
  }
  const average = (of: (one: WaveFigures) => number) => mean(figures, of);
  const bytes = dispatch.weights.reduce((sum, [, size]) => sum + size, 0);
  const touched = waves * average(({ weightBytes }) => weightBytes);
  const fresh = touched > 0 ? Math.min(1, bytes / touched) : 0;
  const alone = (one: WaveFigures) => one.path + fresh * (one.pathFromMemory - one.path);
  const clocks = {
    vector: average(({ vector }) => vector),
    scalar: average(({ scalar }) => scalar),
    cache: average(({ cache }) => cache),
    LDS: average(({ shared }) => shared),
    waiting: average(alone),
  };
  const total: Record<string, number> = {
    vector: clocks.vector * ofSimd,
    scalar: clocks.scalar * ofSimd,
    cache: clocks.cache * ofUnit,
    LDS: clocks.LDS * ofUnit,
    waiting: Math.max(clocks.waiting * ofSimd / Math.min(occupancy, ofSimd), ...figures.map(alone)),
    memory: bytes / chip.gbs * chip.ghz,
  };
  const [bound, longest] = Object.entries(total).reduce((a, b) => b[1] > a[1] ? b : a);
  const us = longest / chip.ghz / 1e3;
  const counted = waves * average(({ multiplyAdds }) => multiplyAdds);
  const multiplyAdds = dispatch.multiplyAdds ?? counted;
  const ratio = counted / multiplyAdds;
  if (multiplyAdds > 0 && (ratio > MOST_RATIO || ratio < 1 / MOST_RATIO)) {
    doubts.push(`its code has ${ratio.toFixed(2)} of the multiply-adds that it declares`);
  }
  // Packed ones come two an instruction; the peak is of those that come alone.
  const packed = counted > 0 ? waves * average(({ packed }) => packed) / counted : 0;
  const share = 2 * multiplyAdds * (1 - packed / 2) / (us * 1e3 * peakOf(chip));
  if (share > MOST_SHARE) doubts.push(`the model fails: it comes to ${Math.round(100 * share)} % of the peak`);
  return {
    ...plain,
    us,
    bound: (bound === "waiting" || bound === "vector") && waves < chip.units * chip.simds ? "few waves" : bound,
    multiplyAdds,
    counted,
    share: share > 0 && share <= MOST_SHARE ? share : undefined,
    doubts,
    clocks,
  };
}
