/** What every benchmark says of the machine, and how its figures are kept. */
import { version } from "../src/cli/defaults.ts";
import { Outputs } from "../src/cli/outputs/outputs.ts";
import type { Device } from "../src/gpu/device.ts";
import { type Peak, probe } from "../src/gpu/probe.ts";

/** Pictures or items at once, more than any memory holds. */
export const MOST_BATCH = 100_000;

/** The options of all benchmarks that keep their figures. */
export const jsonOptions = {
  json: { value: "FILE", help: "also writes the figures to a JSON file, with all samples" },
  force: { help: "overwrites the file" },
};

/** Opens the files of a benchmark before anything is measured. @throws UserError where one cannot be written. */
export function openFiles({ json, force }: { json?: string; force: boolean }, others: readonly string[] = []): Outputs {
  return Outputs.open([...json ? [json] : [], ...others], { force, bytes: 1 << 16 });
}

/** What every file says of where and when it was measured. */
export interface Header {
  version: string;
  adapter: string;
  software: boolean;
  date: string;
  peak: Peak;
}

/**
 * Measures, and the adapter's peak before and after: the better one counts, so that a busy machine flatters nobody.
 * @returns The figures, the peak, and the adapter, version and date that belong into a file.
 */
export async function besidePeak<Figures extends object>(
  device: Device,
  measure: () => Promise<Figures>,
): Promise<{ figures: Figures; peak: Peak; header: Header }> {
  const before = await probe(device);
  const figures = await measure();
  const peak = better(before, await probe(device, before.winners));
  return {
    figures,
    peak,
    header: { version, adapter: device.name, software: device.caps.software, date: today(), peak },
  };
}

/** The line above all figures. */
export const peakLine = ({ name }: Device, { gflops, gigabytes }: Peak): string =>
  `${name}: peak ${gflops.toFixed(1)} GFLOP/s, ${gigabytes.toFixed(1)} GB/s`;

/** Saves the figures where a file is named, and other files; says what is not where it belongs. */
export function saveFiles(
  outputs: Outputs,
  { json }: { json?: string },
  report: object,
  others: ReadonlyMap<string, string> = new Map(),
): void {
  const encoder = new TextEncoder();
  const texts = new Map(others);
  if (json) texts.set(json, JSON.stringify(report, null, 2) + "\n");
  outputs.save([...texts].map(([file, text]) => [file, encoder.encode(text)] as const));
  outputs.finish();
}

const better = (a: Peak, b: Peak): Peak => ({
  gflops: Math.max(a.gflops, b.gflops),
  gigabytes: Math.max(a.gigabytes, b.gigabytes),
});

/** The date, as files have it. */
export const today = (): string => new Date().toISOString().slice(0, 10);
