/** The figures of kernels as a table. */
import { columns } from "../../src/cli/columns.ts";
import { figure } from "../../src/formats/figure.ts";
import { type Peak, share, shareText } from "../../src/gpu/probe.ts";
import type { KernelFigures } from "./measure.ts";

/** The figures as a table; `*` marks the ways that plans use. */
export function kernelLines(kernels: readonly KernelFigures[], peak: Peak): string[] {
  const failed = kernels.find((k) => share(k.executedGflops, peak.gflops).share === null);
  const table = [
    ["layer", "op", "pass", "way", "ms", "GFLOP/s", "executed", "GB/s", "of peak"],
    ...kernels.map((k) => [
      k.layer + (k.same.length ? ` +${k.same.length}` : ""),
      k.op,
      k.pass,
      `${k.chosen ? "* " : "  "}${k.way}`,
      figure(k.ms, 3),
      figure(k.gflops),
      figure(k.executedGflops),
      figure(k.gigabytes),
      share(k.executedGflops, peak.gflops).share === null ? "none" : shareText(k.executedGflops, peak.gflops),
    ]),
  ];
  return [
    ...columns(table, (n) => n < 4),
    "*: what plans take; +N: so many other layers are the same; executed: GFLOP/s with padding, without what filtering saves",
    ...(failed ? [`${failed.layer}, ${failed.way}: ${shareText(failed.executedGflops, peak.gflops)}`] : []),
  ];
}
