/** The drawing of a synth run: one search after another, row by row, and what is made of their results. */
import { type Image, part } from "../../formats/image.ts";
import type { Verdict } from "../../lab/judge.ts";
import { type Device, fieldBox, type Loss, sortInputs } from "../../mod.ts";
import { recordOf, titleOf } from "../../record/making.ts";
import { inputsOf, type Models, type Request, type Row, searchOf } from "../../record/request.ts";
import { searchAgain } from "../again.ts";
import { type BatchOptions, type BatchResult, searchInBatches } from "../batches.ts";
import { version } from "../defaults.ts";
import { type FilmFile, shuffleTimes } from "../film/asked.ts";
import { type Own, ownPlanning } from "../own_kernels.ts";
import { tell, warn } from "../print.ts";
import { progress, stderrScreen } from "../progress.ts";
import { planning } from "../tuned.ts";
import type { Made, Places } from "./files.ts";
import { type animations, type Frame, framesEvery } from "./frames.ts";
import type { SynthValues } from "./options.ts";
import { lossLine, progressNote, uncut } from "./report.ts";
import { type readCodeBounds, type Start, startCodes } from "./start.ts";

/** Where a row's pictures start, and how far their codes may go. */
export interface Begin {
  start?: Start;
  bounds: ReturnType<typeof readCodeBounds>;
}

/** What is drawn, decided. */
export interface DrawingJob {
  request: Request;
  models: Models;
  rows: Row[];
  /** One for each row. */
  begins: Begin[];
  own: Own;
  places: Places;
  film?: FilmFile;
}

/** What came of it: of each picture and of each row that was begun. */
export interface Drawn {
  made: Made[];
  results: BatchResult[];
  verdicts: Verdict[];
  /** Why it ended before its time, where nobody asked for that. */
  failure?: unknown;
}

/** How it is drawn. */
interface Drawing {
  values: SynthValues;
  /** The kind of the animations, where there are any. */
  animate?: typeof animations[number];
  signal: AbortSignal;
}

/** Draws all rows, or as many as come before an end. */
export async function draw(device: Device, job: DrawingJob, { values, animate, signal }: Drawing): Promise<Drawn> {
  const { request, models: { classifier }, rows, begins, own } = job;
  const { repeats, frames: filmFrames } = request;
  const drawn: Drawn = { made: [], results: [], verdicts: [] };
  const unseen = filmFrames !== undefined || rows.some(({ settings }) => settings.prior !== "learned");
  const how = {
    ...planning(device, { ...values, sum: unseen && !values.quiet }),
    ...ownPlanning(device, own, (line, verdict) => {
      drawn.verdicts.push(verdict);
      if (!values.quiet) tell(line);
    }),
    signal,
    shuffles: values.shuffle ? shuffleTimes : undefined,
    onWindow: (size: number) =>
      values.quiet || tell(`${filmFrames} frames are too many at a time: they are drawn in windows of ${size}`),
    onLost: (loss: Loss) => warn(lossLine(loss, device.name)),
  };
  const searchAll = repeats && own.files.length === 0 ? searchAgain(repeats.record) : searchInBatches;
  const bar = progress("iteration", stderrScreen(values.quiet));
  for (const [n, row] of rows.entries()) {
    if (signal.aborted) break;
    const { method, layer, items, settings } = row;
    uncut(request, row, classifier, pictureInput(job, row)).forEach(warn);
    const { start, bounds } = begins[n];
    const codes = start && await startCodes(start, device, classifier, row, request);
    const frames: Frame[][] = items.map(() => []);
    const onProgress: BatchOptions["onProgress"] = async (state) => {
      const { iteration, iterations, first, activations } = state;
      const of = rows.length > 1 ? `${method ?? layer?.name ?? items[0].target}  ` : "";
      const shown = filmFrames === undefined ? items.slice(first) : Array(filmFrames).fill(items[first]);
      bar.show({ done: iteration, total: iterations, note: of + progressNote(state, shown) });
      if (!animate) return;
      const pictures = await state.pictures();
      pictures.forEach((picture, i) => frames[first + i].push({ picture, iteration, activation: activations[i] }));
    };
    const searching = searchAll(device, {
      ...searchOf(request, row, classifier, codes),
      ...how,
      bounds: bounds?.values,
      every: animate && framesEvery(animate, settings),
      onProgress,
    }).finally(bar.end);
    const result = await searching.catch((error) => {
      if (!signal.aborted || error !== signal.reason) drawn.failure = error;
    });
    if (!result) break;
    drawn.made.push(...madeOf(result, frames, job, { row, device, begin: begins[n], codes }));
    drawn.results.push(result);
    drawn.failure = result.failure;
    if (drawn.failure) break;
  }
  return drawn;
}

/** The name of the classifier's input that pictures go to. */
const pictureInput = ({ request, models: { classifier } }: DrawingJob, { generator }: Row): string =>
  sortInputs({ generator, classifier }, inputsOf(request), request.frames).classifier.free.name;

/** What a row's search has made, cut to what is wanted, with its records. */
function madeOf(
  result: BatchResult,
  frames: readonly Frame[][],
  job: DrawingJob,
  { row, device, begin: { start, bounds }, codes }: { row: Row; device: Device; begin: Begin; codes?: Float32Array[] },
): Made[] {
  const { request, models, own, film } = job;
  const { classifier } = models;
  const { layer, items } = row;
  return batchesOf(result).flatMap(({ first, size, losses }) => {
    const batch = { row, items: items.slice(first, first + size), bounds, own: own.files, version, device, losses };
    const starting = start && codes && { file: start.file, codes: codes.slice(first, first + size) };
    return result.items.slice(first, first + size).flatMap((item, place): Made[] => {
      const i = first + place;
      if (request.repeats && i !== request.repeats.keep) return [];
      const box = request.crop && fieldBox(classifier, items[i].target, pictureInput(job, row));
      const cut = <P extends { picture: Image }>(of: P): P => box ? { ...of, picture: part(of.picture, box) } : of;
      return [{
        item: { ...cut(item), film: item.film && { ...item.film, frames: item.film.frames.map(cut) } },
        frames: frames[i].map(cut),
        title: layer ? titleOf(items[i].units!, layer, classifier) : items[i].target,
        record: recordOf(request, models, { ...batch, place, start: starting, item, fps: film?.fps }),
      }];
    });
  });
}

/** The batches of a search: the first of each, and how many there are in it. */
function batchesOf({ batches }: BatchResult): { first: number; size: number; losses: Loss[] }[] {
  let next = 0;
  return batches.map(({ size, losses }) => {
    next += size;
    return { first: next - size, size, losses };
  });
}
