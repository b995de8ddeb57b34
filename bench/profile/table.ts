/** A profile as a table: how fast each dispatch is, which roof it is under, and how near to it. */
import { columns } from "../../src/cli/columns.ts";
import { figure } from "../../src/formats/figure.ts";
import { type Peak, share, shareText } from "../../src/gpu/probe.ts";
import type { Profile, ProfiledKernel } from "./measure.ts";

/** What limits a dispatch at the adapter's peak (Williams, Waterman, Patterson 2009: the roofline). */
export interface Bound {
  by: "arithmetic" | "memory";
  /** Milliseconds that it would take at the peak. */
  ms: number;
}

/** The roof over a dispatch: what takes longer at the peak, its arithmetic or its memory. */
export function boundOf({ executedFlops, bytes }: ProfiledKernel, peak: Peak): Bound {
  const arithmetic = executedFlops / peak.gflops / 1e6;
  const memory = bytes / peak.gigabytes / 1e6;
  return arithmetic > memory ? { by: "arithmetic", ms: arithmetic } : { by: "memory", ms: memory };
}

/** Milliseconds of all dispatches. */
export const rowsMs = ({ kernels }: Profile): number => kernels.reduce((sum, { ms }) => sum + ms, 0);

/** Milliseconds that shares are taken of: a whole run's, or the dispatches' where they take longer one by one. */
export const wholeMs = (profile: Profile): number => Math.max(profile.wallMs, rowsMs(profile));

/** How far the dispatches may be from the wall time, which they should come to. */
const MOST_LEFT_OVER = 0.1;

/** The profile in lines. */
export function profileLines(profile: Profile, peak: Peak): string[] {
  const { kernels, wallMs, title, method } = profile;
  const rows = rowsMs(profile);
  const left = wallMs - rows;
  const sums: [name: string, ms: number][] = [
    left < 0 ? ["all of these", rows] : ["left over", left],
    ["a whole run", wallMs],
  ];
  const whole = wholeMs(profile);
  const part = (ms: number) => `${figure(100 * ms / whole, 1)} %`;
  const failed = kernels.map((kernel) => failureOf(kernel, peak)).find((line) => line !== undefined);
  const table = [
    ["kernel", "way", "ms", "of the run", "GFLOP/s", "executed", "GB/s", "bound by", "of that"],
    ...kernels.map((kernel) => {
      const { ms, flops, executedFlops, bytes } = kernel;
      const bound = boundOf(kernel, peak);
      const reached = share(bound.ms, ms).share;
      return [
        kernel.kernel,
        kernel.way ?? "",
        ms.toPrecision(3),
        part(ms),
        ...[flops, executedFlops, bytes].map((amount) => figure(amount / ms / 1e6)),
        bound.by,
        reached === null ? "none" : `${figure(100 * reached, 1)} %`,
      ];
    }),
    ...sums.map(([name, ms]) => [name, "", ms.toPrecision(3), part(ms), "", "", "", "", ""]),
  ];
  return [
    `${title}: ${kernels.length} dispatches, timed by ${method}`,
    ...columns(table, (n) => n < 2 || n === 7),
    "executed: GFLOP/s with padding, without what filtering saves; of that: of the peak's arithmetic or memory, which bounds it",
    ...(failed ? [failed] : []),
    ...(Math.abs(left) > MOST_LEFT_OVER * wallMs ? [disagreement(method, rows, wallMs)] : []),
  ];
}

/** A sentence where a dispatch is faster than the peak, which cannot be. */
function failureOf(kernel: ProfiledKernel, peak: Peak): string | undefined {
  const { ms, executedFlops, bytes } = kernel;
  const [reached, most, unit] = boundOf(kernel, peak).by === "arithmetic"
    ? [executedFlops / ms / 1e6, peak.gflops, "GFLOP/s"]
    : [bytes / ms / 1e6, peak.gigabytes, "GB/s"];
  return share(reached, most).share === null ? `${kernel.kernel}: ${shareText(reached, most, unit)}` : undefined;
}

function disagreement(method: Profile["method"], rows: number, wallMs: number): string {
  const other = method === "timestamps" ? "repetition" : "timestamps";
  const compared = rows > wallMs
    ? `all dispatches take ${figure(rows / wallMs)} times as long as a whole run`
    : `the dispatches come to ${(100 * rows / wallMs).toFixed(0)} % of a whole run`;
  return `${compared}: the machine was busy, or one by one they run otherwise than together; compare with --by ${other}`;
}
