/**
 * The clock of a wave that has a SIMD for itself: instructions in order, loads in flight until they are waited for.
 *
 * At a barrier the wave waits for the others of its workgroup, so that from one barrier to the next a workgroup takes as
 * long as a wave alone, or as its waves on one SIMD take to issue, whichever is longer.
 */
export interface Timeline {
  clock: number;
  /** When the loads in flight are there: those through the vector cache, and the scalar and shared ones. */
  vector: number[];
  other: number[];
  /** Clocks up to the last barrier, of a workgroup; where that was, and vector instructions issued since. */
  path: number;
  barrier: number;
  issued: number;
}

/** A clock at zero. */
export const startTimeline = (): Timeline => ({ clock: 0, vector: [], other: [], path: 0, barrier: 0, issued: 0 });

/** A load through the vector cache: it comes after those before it, at the pace of the cache. */
export function loadVector(t: Timeline, latency: number, clocks: number): void {
  t.vector.push(Math.max(t.clock + latency, (t.vector.at(-1) ?? 0) + clocks));
}

/** Waits until so many loads at most are still in flight. */
export function waitFor(t: Timeline, vector: number | undefined, other: number | undefined): void {
  while (vector !== undefined && t.vector.length > vector) t.clock = Math.max(t.clock, t.vector.shift()!);
  while (other !== undefined && t.other.length > other) t.clock = Math.max(t.clock, t.other.shift()!);
}

/** A barrier, or the end, of a workgroup that has so many waves on a SIMD. */
export function meet(t: Timeline, waves: number): void {
  t.path += Math.max(t.clock - t.barrier, waves * t.issued);
  t.barrier = t.clock;
  t.issued = 0;
}
