/** `deno task synth`: pictures of what units of a classifier want to see. */
import { fieldBox, type Loss, type Model, objectives, sortInputs } from "../mod.ts";
import { type Image, part } from "../formats/image.ts";
import { UserError } from "../formats/user_error.ts";
import type { Verdict } from "../lab/judge.ts";
import { searchAgain } from "./again.ts";
import { type BatchResult, checkRoom, searchInBatches } from "./batches.ts";
import { type Command, main, print, printJson, tell, warn } from "./command.ts";
import { openAdapter, openClassifier, openGenerator, version } from "./defaults.ts";
import { isFolder } from "./files.ts";
import { abortOnSignal, stopCode } from "./interrupt.ts";
import { isNarrow } from "./memory.ts";
import { narrowing } from "./narrowing.ts";
import { Outputs } from "./outputs/outputs.ts";
import { ownPlanning, readOwn } from "./own_kernels.ts";
import { drawOnStderr, progress, stderrScreen, terminalColumns } from "./progress.ts";
import { allPlaces, type Made, placesOf, renderFiles, roomFor, spaceFor, upTo, withNames } from "./synth_files.ts";
import { animations, type Frame, framesEvery } from "./synth_frames.ts";
import { synthOptions, type SynthValues } from "./synth_options.ts";
import { recordOf, titleOf } from "../record/making.ts";
import {
  checkModels,
  inputsOf,
  type Models,
  type Request,
  type Row,
  searchOf,
  settleRequest,
  wantsGenerator,
} from "../record/request.ts";
import { costLines, jsonReport, lossLine, progressNote, resultLines, uncut, warnings } from "./synth_report.ts";
import { classifierFolders } from "./film/classifiers.ts";
import { filmLearning } from "./film/learning.ts";
import { filmFile, shuffleTimes } from "./film/asked.ts";
import { checkFfmpeg } from "./film/ffmpeg.ts";
import { readRequest } from "./synth_request.ts";
import { readCodeBounds, readStart, startCodes } from "./synth_start.ts";
import { halfBlocks, stderrShowsColours } from "./terminal.ts";
import { planning } from "./tuned.ts";
import { oneOf, wholeNumber } from "./values.ts";

/** Columns of the picture in the terminal. */
const pictureColumns = 64;

/** What a target may hold, in lines. */
function termLines(): string[] {
  const pair = { syntax: "pair(TERM, TERM, ...)", help: "the squared differences of each two of them" };
  const all = [...Object.values(objectives), pair];
  const width = Math.max(...all.map(({ syntax }) => syntax.length));
  return all.map(({ syntax, help }) => `  ${syntax.padEnd(width)}  ${help}`);
}

/** The command. */
export const command: Command<typeof synthOptions> = {
  name: "synth",
  summary: "Draws what a unit of a classifier wants to see (DGN-AM, Nguyen et al. 2016).\n" +
    "With --weights or --arithmetic, the first picture is also computed with the weights as stored and in f32, and the\n" +
    "largest differences are told. A gradient's are those at units near zero and at maxima, which decide otherwise.\n\n" +
    `A --target is a sum of these, with factors:\n${termLines().join("\n")}`,
  options: synthOptions,
  operands: "[DIR ...]",
  examples: [
    ["deno task synth --unit 945", "the bell pepper, in out/fc8_0945_0.png"],
    ["deno task synth --units 1,5-9 --seeds 0-3", "24 pictures at the same time, and a sheet of them all"],
    ["deno task synth --layer conv3 --unit 7 --xy 3,3", "a unit inside the network, before its activation"],
    ["deno task synth --layer conv3 --layer fc6 --units 0-4", "units of two layers, and a sheet with a row for each"],
    ['deno task synth --target "945 - 0.001*variation(data)"', "a smoother pepper: a prior on the picture"],
    ["deno task synth --units 9,945 --together --gamma 0.01", "one picture that two units like"],
    ["deno task synth --unit 945 --init cat.jpg --animate gif", "from a picture, as it changes"],
    [
      "deno task synth --unit 945 --generator models/deepsim-fc6 --classifier models/caffenet --bounds act_range/3x/fc6.txt",
      "the paper's networks, with the paper's bounds",
    ],
    ["deno task synth --unit 945 --method fft", "without a generator, as is today's practice"],
    ["deno task synth --units 9,945 --method all", "a sheet with a row for each published method"],
    [
      "deno task synth --classifier models/lrcn64 --unit 5 --frames 160 --out film.mp4",
      "a film for a network that reads films",
    ],
    ['deno task synth --classifier "snapshots/*" --unit 9 --out learning.gif', "a film of a network that learns"],
    ["deno task synth --from out/fc8_0945_0.png --out again.png", "the same picture once more"],
  ],
  run,
};

/** Everything that can be refused is refused before the GPU starts; everything is saved after it has finished, file by file. */
async function run(values: SynthValues, operands: string[]): Promise<number | void> {
  const animate = oneOf("--animate", values.animate, animations);
  const scale = wholeNumber("--scale", values.scale, { least: 1, most: 32, fallback: 1 });
  const folders = classifierFolders(values.classifier, operands);
  const several = folders.length > 1;
  const request = await readRequest(values);
  const film = filmFile(values, request, several);
  const { frames: filmFrames } = request;
  if (film?.kind === "mp4") await checkFfmpeg();
  if (film && several) return await filmLearning(values, request, film, { folders, scale });
  const models = await openModels(folders[0], values.generator, request);
  const { classifier } = models;
  checkModels(request, models);
  const job = settleRequest(request, models);
  const { rows } = job;
  const begins = await Promise.all(rows.map(async (row) => {
    const coded = takingCode(request, row.generator, classifier);
    return { start: await readStart(request, row, coded), bounds: readCodeBounds(request, coded, row.settings.lowest) };
  }));
  const own = await readOwn(values);
  const verdicts: Verdict[] = [];
  const kept = (row: Row) => request.repeats ? [row.items[request.repeats.keep]] : row.items;
  const places = placesOf(rows.map((row) => ({ ...row, items: kept(row) })), isFolder, values, film);
  checkRoom(
    rows.reduce((sum, { items }) => sum + items.length, 0),
    Math.max(...rows.map((row) => roomFor(row, classifier, values, filmFrames))),
  );
  const signal = abortOnSignal();
  using outputs = Outputs.open(allPlaces(places), {
    force: values.force,
    bytes: spaceFor(rows, classifier, filmFrames),
  });

  using device = await openAdapter(values.adapter);
  warnings(request, job, classifier, device.name, own.files).forEach(warn);
  const how = {
    ...planning(device, {
      ...values,
      sum: (filmFrames !== undefined || rows.some(({ settings }) => settings.prior !== "learned")) && !values.quiet,
    }),
    ...ownPlanning(device, own, (line, verdict) => {
      verdicts.push(verdict);
      if (!values.quiet) tell(line);
    }),
  };
  const { repeats } = request;
  const searchAll = repeats && own.files.length === 0 ? searchAgain(repeats.record) : searchInBatches;
  const made: Made[] = [];
  const results: BatchResult[] = [];
  let failure: unknown;
  const bar = progress("iteration", stderrScreen(values.quiet));
  for (const [n, row] of rows.entries()) {
    if (signal.aborted) break;
    const { method, layer, items, settings, generator } = row;
    const { start, bounds } = begins[n];
    const { free: { name: picture } } =
      sortInputs({ generator, classifier }, inputsOf(request), request.frames).classifier;
    uncut(request, row, classifier, picture).forEach(warn);
    const codes = start && await startCodes(start, device, classifier, row, request);
    const frames: Frame[][] = items.map(() => []);
    const searching = searchAll(device, {
      ...searchOf(request, row, classifier, codes),
      bounds: bounds?.values,
      ...how,
      signal,
      shuffles: values.shuffle ? shuffleTimes : undefined,
      onWindow: (size) =>
        values.quiet || tell(`${filmFrames} frames are too many at a time: they are drawn in windows of ${size}`),
      onLost: (loss) => warn(lossLine(loss, device.name)),
      every: animate && framesEvery(animate, settings),
      async onProgress(state) {
        const { iteration, iterations, first, activations } = state;
        const of = rows.length > 1 ? `${method ?? layer?.name ?? items[0].target}  ` : "";
        const shown = filmFrames === undefined ? items.slice(first) : Array(filmFrames).fill(items[first]);
        bar.show({ done: iteration, total: iterations, note: of + progressNote(state, shown) });
        if (!animate) return;
        const pictures = await state.pictures();
        pictures.forEach((picture, i) => frames[first + i].push({ picture, iteration, activation: activations[i] }));
      },
    }).finally(bar.end);
    const result = await searching.catch((error) => {
      if (!signal.aborted || error !== signal.reason) failure = error;
    });
    if (!result) break;
    for (const { first, size, losses } of batchesOf(result)) {
      const together = {
        row,
        items: items.slice(first, first + size),
        bounds,
        own: own.files,
        version,
        device,
        losses,
      };
      const starting = start && codes && { file: start.file, codes: codes.slice(first, first + size) };
      for (const [place, item] of result.items.slice(first, first + size).entries()) {
        const i = first + place;
        if (request.repeats && i !== request.repeats.keep) continue;
        const box = request.crop && fieldBox(classifier, items[i].target, picture);
        const cut = <P extends { picture: Image }>(of: P): P => box ? { ...of, picture: part(of.picture, box) } : of;
        made.push({
          item: { ...cut(item), film: item.film && { ...item.film, frames: item.film.frames.map(cut) } },
          frames: frames[i].map(cut),
          title: layer ? titleOf(items[i].units!, layer, classifier) : items[i].target,
          record: recordOf(request, models, { ...together, place, start: starting, item, fps: film?.fps }),
        });
      }
    }
    results.push(result);
    failure = result.failure;
    if (failure) break;
  }
  if (results.length === 0) {
    if (failure) throw failure;
    tell("stopped before the first iteration; there is nothing to save");
    return stopCode();
  }
  const planned = upTo(places, made.length);
  const [result] = results;
  const last = results.at(-1)!;
  const rendering = {
    scale,
    animate,
    shape: begins[0].start?.shape,
    film,
    onFailure: (text: string) => failure ??= new UserError(text),
  };
  await outputs.saveEach(renderFiles(planned, made, rendering));
  const there = withNames(planned, (name) => outputs.where(name));

  if (made.length === 1 && !values.quiet && stderrShowsColours()) {
    const columns = Math.min(pictureColumns, terminalColumns() ?? pictureColumns);
    drawOnStderr(`${halfBlocks(made[0].item.picture, columns)}\n`);
  }
  const aborted = made.length < places.pictures.length || last.aborted;
  const plain = values.set.length === 0 && filmFrames === undefined && classifier.network.inputs.length === 1;
  if (isNarrow(request) && !aborted && !values.quiet && plain) {
    tell(await narrowing(device, classifier, result, rows[0], request));
  }
  if (values.verbose) results.flatMap(costLines).forEach(tell);
  made.forEach(({ item: { zeroGradient } }, i) => {
    if (zeroGradient) warn(`${there.pictures[i]}: the gradient was zero, so the search had nowhere to go`);
  });
  if (values.json) printJson(jsonReport(made, results, there, verdicts));
  else resultLines(made, there).forEach(print);
  if (aborted) {
    const all = places.pictures.length;
    const pictures = made.length < all ? ` (${made.length} of ${all} pictures)` : "";
    tell(`stopped after ${last.iterations} of ${last.planned} iterations${pictures}; saved as it was`);
  }
  outputs.finish();
  if (failure) throw failure;
  return stopCode();
}

/** The batches of a search: the first of each, and how many there are in it. */
function batchesOf({ batches }: BatchResult): { first: number; size: number; losses: Loss[] }[] {
  let next = 0;
  return batches.map(({ size, losses }) => {
    next += size;
    return { first: next - size, size, losses };
  });
}

/** The generator as it is when all its inputs but the code are given. */
function takingCode(request: Request, generator: Model, classifier: Model): Model {
  const { free } = sortInputs({ generator, classifier }, inputsOf(request), request.frames).generator;
  return { ...generator, network: { ...generator.network, inputs: [free] } };
}

/** Opens the models that the rows want. @throws UserError where a generator is named and none is wanted. */
async function openModels(
  folder: string | undefined,
  generator: string | undefined,
  request: Request,
): Promise<Models> {
  const classifier = await openClassifier(folder);
  const learned = wantsGenerator(request, classifier);
  if (!learned && generator !== undefined) {
    throw new UserError(`--generator ${generator} is of no use: the pictures are made without one`);
  }
  return { classifier, generator: learned ? await openGenerator(generator) : undefined };
}

if (import.meta.main) await main(command);
