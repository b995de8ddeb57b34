/** A plan's estimates as a table to read and as a record to keep. */
import { MOST_SHARE } from "../../src/gpu/probe.ts";
import { type Chip, GAP, peakOf } from "./chips.ts";
import type { CompiledPlan, Dispatch } from "./compile.ts";
import { type Estimate, estimate } from "./estimate.ts";
import type { Compiled } from "./listing.ts";

/** One dispatch: what it is, what the compiler made of it, what the model says. */
export interface Row {
  dispatch: Dispatch;
  kernel: Compiled;
  estimate: Estimate;
}

/** A plan on a chip. */
export interface Report {
  name: string;
  chip: Chip;
  batch?: number;
  rows: Row[];
}

/** Estimates every dispatch of a plan. */
export function reportOf(name: string, chip: Chip, plan: CompiledPlan, batch?: number): Report {
  const known = new Map<string, Estimate>();
  const rows = plan.dispatches.map((dispatch): Row => {
    const kernel = plan.kernels[dispatch.kernel];
    const { label: _, ...same } = dispatch;
    const key = JSON.stringify(same);
    if (!known.has(key)) known.set(key, estimate(dispatch, kernel, chip));
    return { dispatch, kernel, estimate: known.get(key)! };
  });
  return { name, chip, batch, rows };
}

/**
 * Sums over the dispatches that the model could time: time in microseconds, gaps included, and shares of the chip's peak,
 * which are undefined where they come to what cannot be.
 */
export function totalsOf({ chip, rows }: Report) {
  const timed = rows.filter(({ estimate }) => estimate.us > 0);
  const sum = (of: (row: Row) => number) => timed.reduce((all, row) => all + of(row), 0);
  const us = sum(({ estimate }) => estimate.us + GAP);
  const flops = sum(({ dispatch }) => dispatch.flops);
  const multiplyAdds = sum(({ estimate }) => estimate.multiplyAdds);
  const peak = us * 1e3 * peakOf(chip);
  const shareOf = (operations: number) => operations <= MOST_SHARE * peak ? operations / peak : undefined;
  return {
    ...{ dispatches: timed.length, us, flops, multiplyAdds },
    share: shareOf(2 * multiplyAdds),
    useful: shareOf(flops),
  };
}

const percent = (share: number | undefined) =>
  share === undefined || Number.isNaN(share) ? "no possible share" : `${(100 * share).toFixed(1)} %`;

/** Widths of the table's columns; the first is as wide as its labels. */
const columns = [
  ["mul-adds", 9],
  ["groups", 7],
  ["waves", 6],
  ["of", 3],
  ["VGPRs", 6],
  ["spills", 7],
  ["instr", 6],
  ["µs", 8],
  ["of peak", 8],
] as const;

/** Fewer multiply-adds than these are not worth a figure in the table. */
const FEW = 5e3;

/** Millions, of which three digits matter. */
const millions = (n: number) => `${(n / 1e6).toFixed(n < 9.995e6 ? 2 : n < 99.95e6 ? 1 : 0)} M`;

/** The report as lines; `only` keeps the kernels whose labels have this text. */
export function reportLines(report: Report, only = ""): string[] {
  const { name, chip, batch, rows } = report;
  const shown = rows.filter(({ dispatch }) => dispatch.label.includes(only));
  const width = Math.max(10, ...shown.map(({ dispatch }) => dispatch.label.length));
  const line = (label: string, cells: readonly string[], bound: string) =>
    `${label.padEnd(width)}${cells.map((cell, n) => cell.padStart(columns[n][1])).join(" ")}  ${bound}`.trimEnd();
  const t = totalsOf(report);
  const { card, units, ghz, gbs } = chip;
  return [
    `${name}${batch ? `, batch ${batch}` : ""} (${card}: ${units} compute units, ${ghz} GHz, ${gbs} GB/s)`,
    line("kernel", columns.map(([head]) => head), "bound by"),
    ...shown.map(({ dispatch, kernel, estimate: e }) =>
      line(dispatch.label, [
        e.multiplyAdds < FEW ? "" : millions(e.multiplyAdds),
        String(e.groups),
        e.waves < 99.95 ? e.waves.toFixed(2) : e.waves.toFixed(0),
        String(e.occupancy),
        String(kernel.vectorRegisters),
        kernel.spills + kernel.scratch ? `${kernel.spills}+${kernel.scratch}` : "",
        String(kernel.instructions),
        Number.isNaN(e.us) ? "?" : e.us.toFixed(1),
        e.share === undefined || e.multiplyAdds < FEW ? "" : percent(e.share),
      ], e.bound + (e.doubts.length > 0 ? " *" : ""))
    ),
    ...shown.flatMap(({ dispatch, estimate: { doubts } }) => doubts.map((doubt) => `* ${dispatch.label}: ${doubt}`)),
    `${t.dispatches} dispatches, about ${(t.us / 1e3).toPrecision(3)} ms, ${
      (t.dispatches * GAP / 1e3).toPrecision(2)
    } ms of it gaps between them`,
    `${millions(t.multiplyAdds)} multiply-adds executed, ${percent(t.share)} of the peak` +
    (t.flops > 0 ? `; ${(t.flops / 1e9).toPrecision(3)} GFLOP asked for, ${percent(t.useful)} of the peak` : ""),
  ];
}

/** The report as a record for a file, without the code. */
export function recordOf(report: Report) {
  const { name, batch, rows } = report;
  const kernels = rows.map(({ dispatch, kernel, estimate }) => {
    const { code: _, ...compiled } = kernel;
    const { label, grid, flops } = dispatch;
    return { label, grid, flops, ...compiled, ...estimate };
  });
  return { chip: name, batch, totals: totalsOf(report), kernels };
}
