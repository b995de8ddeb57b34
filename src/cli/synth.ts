/** `deno task synth`: pictures of what units of a classifier want to see. */
import { UserError } from "../formats/user_error.ts";
import { type Device, type Model, objectives, sortInputs } from "../mod.ts";
import {
  checkModels,
  inputsOf,
  type Models,
  type Request,
  type Row,
  settleRequest,
  wantsGenerator,
} from "../record/request.ts";
import { checkRoom } from "./batches.ts";
import { type Command, main, print, printJson, tell, warn } from "./command.ts";
import { generatorWhere, openAdapter, openClassifier } from "./defaults.ts";
import { isFolder } from "./files.ts";
import { type FilmFile, filmFile } from "./film/asked.ts";
import { classifierFolders } from "./film/classifiers.ts";
import { checkFfmpeg } from "./film/ffmpeg.ts";
import { filmLearning } from "./film/learning.ts";
import { abortOnSignal, stopCode } from "./interrupt.ts";
import { isNarrow } from "./memory.ts";
import { narrowing } from "./narrowing.ts";
import { Outputs } from "./outputs/outputs.ts";
import { readOwn } from "./own_kernels.ts";
import { drawOnStderr, terminalColumns } from "./progress.ts";
import { draw, type DrawingJob, type Drawn } from "./synth/draw.ts";
import { allPlaces, type Places, placesOf, renderFiles, roomFor, spaceFor, upTo, withNames } from "./synth/files.ts";
import { animations } from "./synth/frames.ts";
import { synthOptions, type SynthValues } from "./synth/options.ts";
import { costLines, jsonReport, resultLines, warnings } from "./synth/report.ts";
import { readRequest } from "./synth/request.ts";
import { readCodeBounds, readStart } from "./synth/start.ts";
import { halfBlocks, stderrShowsColours } from "./terminal.ts";
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
    ['deno task synth --classifier "snapshots/*" --unit 945 --out learning.gif', "a film of a network that learns"],
    ["deno task synth --from out/fc8_0945_0.png --out again.png", "the same picture once more"],
  ],
  run,
};

/** Everything that can be refused is refused before the GPU starts; everything is saved after it has finished, file by file. */
async function run(values: SynthValues, operands: string[]): Promise<number | void> {
  const animate = oneOf("--animate", values.animate, animations);
  const scale = wholeNumber("--scale", values.scale, { least: 1, most: 32, fallback: 1 });
  const folders = classifierFolders(values.classifier, operands);
  const request = await readRequest(values);
  const film = filmFile(values, request, folders);
  if (film?.kind === "mp4") await checkFfmpeg();
  if (film && folders.length > 1) return await filmLearning(values, request, film, { folders, scale });
  const models = await openModels(folders[0], values.generator, request);
  const job = await settle(values, request, models, film);
  const { rows, places } = job;
  const signal = abortOnSignal();
  using outputs = Outputs.open(allPlaces(places), {
    force: values.force,
    bytes: spaceFor(rows, models.classifier, request.frames),
  });
  using device = await openAdapter(values.adapter);
  warnings(job, device.name).forEach(warn);
  const drawn = await draw(device, job, { values, animate, signal });
  if (drawn.results.length === 0) {
    if (drawn.failure) throw drawn.failure;
    tell("stopped before the first iteration; there is nothing to save");
    return stopCode();
  }
  const planned = upTo(places, drawn.made.length);
  let { failure } = drawn;
  const rendering = {
    ...{ scale, animate, film, shape: job.begins[0].start?.shape },
    onFailure: (text: string) => failure ??= new UserError(text),
  };
  await outputs.saveEach(renderFiles(planned, drawn.made, rendering));
  await tellOf(drawn, withNames(planned, (name) => outputs.where(name)), { values, device, job });
  outputs.finish();
  if (failure) throw failure;
  return stopCode();
}

/** Decides what is drawn and where it goes. @throws UserError where that cannot be, or is more than memory holds. */
async function settle(values: SynthValues, request: Request, models: Models, film?: FilmFile): Promise<DrawingJob> {
  const { classifier } = models;
  checkModels(request, models);
  const { rows } = settleRequest(request, models);
  const begins = await Promise.all(rows.map(async (row) => {
    const coded = { ...row, generator: takingCode(request, row.generator, classifier) };
    return { start: await readStart(request, coded), bounds: readCodeBounds(request, coded) };
  }));
  const own = await readOwn(values);
  const kept = (row: Row) => request.repeats ? [row.items[request.repeats.keep]] : row.items;
  const places = placesOf(rows.map((row) => ({ ...row, items: kept(row) })), isFolder, values, film);
  checkRoom(
    rows.reduce((sum, { items }) => sum + items.length, 0),
    Math.max(...rows.map((row) => roomFor(row, classifier, values, request.frames))),
  );
  return { request, models, rows, begins, own, places, film };
}

/** Tells of what was drawn, and where it is. */
async function tellOf(
  { made, results, verdicts }: Drawn,
  there: Places,
  { values, device, job }: { values: SynthValues; device: Device; job: DrawingJob },
): Promise<void> {
  const { request, rows, places: { pictures: all }, models: { classifier } } = job;
  const { quiet, verbose, json } = values;
  if (made.length === 1 && !quiet && stderrShowsColours()) {
    const columns = Math.min(pictureColumns, terminalColumns() ?? pictureColumns);
    drawOnStderr(`${halfBlocks(made[0].item.picture, columns)}\n`);
  }
  const last = results.at(-1)!;
  const aborted = made.length < all.length || last.aborted;
  const isGiven = Object.keys(request.set).length > 0;
  const plain = !isGiven && request.frames === undefined && classifier.network.inputs.length === 1;
  if (isNarrow(request) && !aborted && !quiet && plain) {
    tell(await narrowing(device, classifier, results[0], rows[0], request));
  }
  if (verbose) results.flatMap(costLines).forEach(tell);
  made.forEach(({ item: { zeroGradient } }, i) => {
    if (zeroGradient) warn(`${there.pictures[i]}: the gradient was zero, so the search had nowhere to go`);
  });
  if (json) printJson(jsonReport(made, results, there, verdicts));
  else resultLines(made, there).forEach(print);
  if (aborted) {
    const pictures = made.length < all.length ? ` (${made.length} of ${all.length} pictures)` : "";
    tell(`stopped after ${last.iterations} of ${last.planned} iterations${pictures}; saved as it was`);
  }
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
  return { classifier, generator: await generatorWhere(wantsGenerator(request, classifier), generator) };
}

if (import.meta.main) await main(command);
