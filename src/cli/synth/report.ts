/** What synth says: while it runs, about what it made, and what the user should know. */
import { figure } from "../../formats/figure.ts";
import {
  fieldBox,
  isTrained,
  labelOf,
  type Loss,
  type Model,
  type Orders,
  type Progress,
  type Ranked,
  type SearchMemory,
  type SearchResult,
} from "../../mod.ts";
import type { Verdict } from "../../lab/judge.ts";
import type { BatchResult } from "../batches.ts";
import { sizeText } from "../memory.ts";
import type { OwnFile } from "../own_kernels.ts";
import type { Made, Places } from "./files.ts";
import type { BatchItem } from "../../record/record.ts";
import { idleLines } from "../../record/idle.ts";
import type { Request, Row } from "../../record/request.ts";
import type { DrawingJob } from "./draw.ts";

/** A warning where some of these units of the classifier's last layer were never trained. */
export function untrainedLines(classifier: Model, units: readonly number[]): string[] {
  const untrained = units.filter((unit) => !isTrained(classifier, unit));
  if (untrained.length === 0) return [];
  const [what, it] = untrained.length === 1 ? ["unit", "was"] : ["units", "were"];
  const names = untrained.slice(0, 5).map((unit) => `${unit} (${labelOf(classifier, unit)})`).join(", ");
  const more = untrained.length > 5 ? ` and ${untrained.length - 5} more` : "";
  return [`${what} ${names}${more} of ${classifier.name} ${it} not trained; expect no likeness`];
}

/** What may surprise the user about a run that is about to start. */
export function warnings(
  { request, rows, begins, models: { classifier }, own: { files } }: DrawingJob,
  adapter: string,
): string[] {
  const labelled = rows.filter(({ layer }) => layer?.labelled).flatMap(({ items }) => items);
  const units = [...new Set(labelled.flatMap(({ units }) => units ?? []))];
  const surprises = request.repeats
    ? repeatLines(request.repeats, adapter, files)
    : idleLines(request, rows.map((row, n) => ({ row, ...begins[n] })), classifier);
  return [...untrainedLines(classifier, units), ...surprises];
}

/** What may surprise about a picture that is made again. */
export function repeatLines(
  { file, record }: NonNullable<Request["repeats"]>,
  adapter: string,
  own: readonly OwnFile[] = [],
): string[] {
  const { adapter: before, iterations = 0, result, own: theirs = [], classifiers = [] } = record;
  const missing = theirs.filter((one) =>
    !own.some(({ kernel, sha256 }) => kernel === one.kernel && sha256 === one.sha256)
  );
  const lines = missing.map(({ kernel, file: missed }) => {
    const what = kernel === undefined ? `ways of ${missed}` : `${missed} as ${kernel}`;
    return `${file} was made with ${what}, which is not given now; details may differ`;
  });
  if (before !== adapter) lines.push(`${file} was made on ${before}, this is ${adapter}; details may differ`);
  if (result.frames !== undefined) {
    lines.push(`${file} was stopped at ${result.frames} of ${classifiers.length} classifiers; this is the whole film`);
  } else if (result.iterations < iterations) {
    lines.push(`${file} was interrupted after ${result.iterations} of ${iterations} iterations; this is the whole run`);
  }
  return lines;
}

/** The targets that see all of the classifier's `picture`, of which --crop field cuts nothing, for a warning. */
export function uncut({ crop }: Request, { items }: Row, classifier: Model, picture: string): string[] {
  if (!crop) return [];
  const [, height, width] = classifier.network.inputs.find(({ name }) => name === picture)!.shape;
  const whole = [...new Set(items.map(({ target }) => target))].filter((target) => {
    const box = fieldBox(classifier, target, picture);
    return box.width === width && box.height === height;
  });
  if (whole.length === 0) return [];
  const more = whole.length > 5 ? ` and ${whole.length - 5} more` : "";
  return [`--crop field cuts nothing where a target sees the whole picture: ${whole.slice(0, 5).join(", ")}${more}`];
}

/** One picture's activation and what it looks like; of many, their mean and how many look like their unit. */
export function progressNote({ activations, top }: Progress, targets: readonly BatchItem[]): string {
  const mean = activations.reduce((sum, activation) => sum + activation, 0) / activations.length;
  if (activations.length === 1) return `activation ${figure(mean)}${top ? `  ${top[0].name}` : ""}`;
  const right = top?.filter(({ unit }, i) => targets[i].units?.includes(unit)).length;
  return `mean activation ${figure(mean)}${
    right === undefined ? "" : `  ${right} of ${activations.length} recognised`
  }`;
}

/** A device that was lost, and that the search goes on. */
export function lossLine({ iteration, adapter }: Loss, now: string): string {
  const on = now === adapter ? "" : ` on ${now}`;
  const from = iteration === 0 ? "begins anew" : `goes on from iteration ${iteration}`;
  return `${adapter} was lost; the search ${from}${on}`;
}

/** What a run cost. */
export function costLines({ iterations, seconds, dispatches, flops, memory, octaves }: SearchResult): string[] {
  const each = seconds / iterations;
  const memoryLine = (where: string, { device, total, weights, activations }: SearchMemory) =>
    `GPU memory in use${where}: ${device} bytes; planned: ${total} bytes (weights ${weights}, activations ${activations})`;
  return [
    ...octaves?.map(({ size, memory }) => memoryLine(` for ${sizeText(size)}`, memory)) ?? [memoryLine("", memory)],
    `${iterations} iterations in ${figure(seconds)} s: ${figure(1000 * each, 1)} ms, ${dispatches} dispatches and ` +
    `${figure(flops / 1e9)} GFLOP each, ${figure(flops / each / 1e9, 1)} GFLOP/s`,
  ];
}

/** A line for each file. */
export function resultLines(made: Made[], { pictures, animations, sheet, codes }: Places): string[] {
  const lines = made.map(({ record: { result } }, i) => {
    const top = result.top.map(rankedText).join(", ");
    return `${pictures[i]}  activation ${figure(result.activation)}  top ${result.top.length}: ${top}`;
  });
  const orders = made.flatMap(({ item: { film } }) => film?.orders ? [orderLine(film.orders)] : []);
  return [...lines, ...orders, ...[...animations, sheet, codes].filter((path) => path !== undefined)];
}

/** What a unit makes of a film's frames in other orders. */
function orderLine({ inOrder, shuffled, reversed }: Orders): string {
  const mean = shuffled.reduce((sum, one) => sum + one, 0) / shuffled.length;
  const spread = Math.sqrt(shuffled.reduce((sum, one) => sum + (one - mean) ** 2, 0) / shuffled.length);
  return `frames in order ${figure(inOrder, 3)}, shuffled ${figure(mean, 3)} ± ${figure(spread, 3)} ` +
    `(${shuffled.length} orders), reversed ${figure(reversed, 3)}`;
}

/** A unit with its name and activation. */
export const rankedText = ({ unit, name, activation }: Ranked) => `${unit} ${name} ${figure(activation)}`;

/** Everything about a run, for a program. */
export function jsonReport(
  made: Made[],
  results: readonly BatchResult[],
  { pictures, animations, sheet, codes }: Places,
  verdicts: readonly Verdict[],
): object {
  const { dispatches, flops, memory } = results[0];
  const last = results.at(-1)!;
  return {
    iterations: last.iterations,
    aborted: last.aborted,
    seconds: results.reduce((sum, { seconds }) => sum + seconds, 0),
    dispatches,
    flops,
    memory,
    sheet,
    codes,
    own: verdicts.length > 0 ? verdicts : undefined,
    pictures: made.map(({ record, title, item: { zeroGradient, trace, film } }, i) => ({
      file: pictures[i],
      animation: animations[i],
      title,
      ...record,
      start: record.start?.file,
      bounds: record.bounds?.file,
      directions: record.directions && Object.keys(record.directions),
      set: record.set && Object.fromEntries(Object.entries(record.set).map(([name, { file }]) => [name, file])),
      beside: undefined,
      zeroGradient,
      trace: Array.from(trace),
      film: film && { activations: film.frames.map(({ activation }) => activation), orders: film.orders },
    })),
  };
}
