/** What the doctor says to the page. */

/** A dispatch of an iteration. */
export interface DispatchRow {
  kernel: string;
  way: string;
  ms: number;
  /** GFLOP/s that are executed, GB/s, and the share of the peak of what bounds it. */
  gflops: number;
  gigabytes: number;
  bound: "arithmetic" | "memory";
  share: number;
}

/** What it has found. */
export interface Findings {
  adapter: string;
  software: boolean;
  peak: { gflops: number; gigabytes: number };
  /** Cases whose kernels were compared with float64, and what was wrong. */
  checked: number;
  wrong: { case: string; error: string }[];
  /** An iteration of the search with the embedded pair. */
  milliseconds: number;
  rows: DispatchRow[];
  /** The roofline, as an SVG file. */
  roofline: string;
  /** What `bench profile --json` writes, with what was checked. */
  json: string;
}

/** How far it is, or what it has found, or why it could not. */
export type Word =
  | { kind: "at"; what: string; done: number; total: number }
  | { kind: "found"; findings: Findings }
  | { kind: "failed"; sentence: string };
