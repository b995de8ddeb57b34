/**
 * A film of a network that learns: what a unit of one classifier after another wants to see, from the same seed (Nguyen et al. 2016,
 * supplement S6). One classifier is in memory at a time, and one search.
 */
import { basename } from "node:path";
import { figure } from "../../formats/figure.ts";
import { captioned, enlarge, type Image } from "../../formats/image.ts";
import { encodePng } from "../../formats/png.ts";
import { UserError } from "../../formats/user_error.ts";
import type { Device, Model, SearchItem } from "../../mod.ts";
import { description, recordOf, titleOf } from "../../record/making.ts";
import { type PictureRecord, recordText } from "../../record/record.ts";
import { idleLines } from "../../record/idle.ts";
import { type Request, searchOf, settleRequest, wantsGenerator } from "../../record/request.ts";
import { searchInBatches } from "../batches.ts";
import { generatorWhere, openAdapter, openClassifier, version } from "../defaults.ts";
import { isFolder } from "../files.ts";
import { abortOnSignal, stopCode } from "../interrupt.ts";
import { Outputs } from "../outputs/outputs.ts";
import { print, printJson, tell, warn } from "../print.ts";
import { progress, stderrScreen } from "../progress.ts";
import { allPlaces, placesOf, spaceFor, withNames } from "../synth/files.ts";
import type { SynthValues } from "../synth/options.ts";
import { lossLine, progressNote, rankedText, repeatLines, untrainedLines } from "../synth/report.ts";
import { readCodeBounds, readStart, startCodes } from "../synth/start.ts";
import { planning } from "../tuned.ts";
import type { FilmFile } from "./asked.ts";
import { encodeFilm } from "./encode.ts";

/** What came of one classifier. */
interface Frame {
  folder: string;
  item: SearchItem;
  aborted: boolean;
  title: string;
  record: PictureRecord;
}

/** Makes the film. @throws UserError where not every classifier can have a frame, before the GPU starts. */
export async function filmLearning(
  values: SynthValues,
  request: Request,
  film: FilmFile,
  { folders, scale }: { folders: readonly string[]; scale: number },
): Promise<number | void> {
  checkAlone(values, request);
  const generator = await generatorOf(values, request, folders[0]);
  const classifiers: { name: string; hash: string }[] = [];
  const first = await frameOf(folders[0], request, generator, 0);
  for (const [n, folder] of folders.entries()) {
    const { classifier, picture } = await frameOf(folder, request, generator, n);
    if (picture !== first.picture) {
      throw new UserError(`${folder} takes pictures of ${picture}, ${folders[0]} of ${first.picture}`);
    }
    classifiers.push({ name: classifier.name, hash: classifier.hash });
  }
  const places = placesOf([first.row], isFolder, values, film);
  const signal = abortOnSignal();
  using outputs = Outputs.open(allPlaces(places), {
    force: values.force,
    bytes: spaceFor([first.row], first.classifier, folders.length),
  });
  using device = await openAdapter(values.adapter);
  const { repeats } = request;
  const surprises = repeats ? repeatLines(repeats, device.name) : idleLines(request, [first], first.classifier);
  surprises.forEach(warn);
  const frames: Frame[] = [];
  const bar = progress("iteration", stderrScreen(values.quiet));
  let failure: unknown;
  for (const [n, folder] of folders.entries()) {
    if (signal.aborted) break;
    try {
      frames.push(await drawn(device, folder, n));
    } catch (error) {
      if (!signal.aborted || error !== signal.reason) failure = error;
      break;
    }
  }
  bar.end();
  const reached = frames.length;
  // Beside finished ones, a picture that has hardly begun would look as if this classifier had unlearned.
  if (reached > 1 && frames[reached - 1].aborted) frames.pop();
  const last = frames.at(-1);
  if (!last) {
    if (failure) throw failure;
    tell("stopped before the first iteration; there is nothing to save");
    return stopCode();
  }
  const whole = frames.length === folders.length;
  const stopped = last.aborted || !whole;
  const result = { ...last.record.result, frames: whole ? undefined : frames.length };
  const record: PictureRecord = { ...last.record, classifiers, result };
  const text = recordText(record, `${description(record, last.title)}, after ${frames.length - 1} before it`);
  const pictures = captioned(
    frames.map(({ folder, item: { picture, activation } }): { image: Image; caption: string } => ({
      image: enlarge(picture, scale),
      caption: `${basename(folder)} ${figure(activation, 1)}`,
    })),
  );
  const [still] = places.pictures;
  outputs.save([[still, encodePng(enlarge(last.item.picture, scale), text)]]); // whatever comes of the film
  const encoded = await encodeFilm(pictures, film, { scale: 1, text });
  const planned = { ...places, animations: [places.animations[0].replace(/\w+$/, encoded.kind)] };
  if (encoded.failure) failure ??= new UserError(`${encoded.failure}; the film is kept as ${planned.animations[0]}`);
  outputs.save([[planned.animations[0], encoded.bytes]]);
  const there = withNames(planned, (name) => outputs.where(name));
  const [file] = there.pictures;
  const [animation] = there.animations;
  if (values.json) {
    const told = frames.map(({ folder, record: { classifier, result } }) => ({ folder, classifier, result }));
    printJson({ file, animation, aborted: stopped, frames: told });
  } else {
    for (const { folder, item: { activation, top } } of frames) {
      print(`${folder}  activation ${figure(activation)}  top ${top.length}: ${top.map(rankedText).join(", ")}`);
    }
    [file, animation].forEach(print);
  }
  if (signal.aborted && stopped) {
    const left = reached > frames.length ? ", whose frame is left out" : "";
    tell(`stopped at ${reached} of ${folders.length} classifiers${left}; saved as it was`);
  }
  outputs.finish();
  if (failure) throw failure;
  return stopCode();

  /** The frame of one classifier. */
  async function drawn(device: Device, folder: string, n: number): Promise<Frame> {
    const { classifier, row, start, bounds } = await frameOf(folder, request, generator, n);
    const { items } = row;
    if (row.layer?.labelled) untrainedLines(classifier, items[0].units ?? []).forEach(warn);
    const codes = start && await startCodes(start, device, classifier, row, request);
    const result = await searchInBatches(device, {
      ...searchOf(request, row, classifier, codes),
      ...planning(device, { ...values, sum: n === 0 && !values.quiet }),
      bounds: bounds?.values,
      signal,
      onLost: (loss) => warn(lossLine(loss, device.name)),
      onProgress: (state) => {
        const { iteration, iterations } = state;
        const note = `${basename(folder)}  ${progressNote(state, items)}`;
        bar.show({ done: n * iterations + iteration, total: folders.length * iterations, note });
      },
    });
    const [item] = result.items;
    if (item.zeroGradient) warn(`${folder}: the gradient was zero, so the search had nowhere to go`);
    const making = { row, items, place: 0, item, bounds, own: [], version, device, fps: film.fps };
    return {
      folder,
      item,
      aborted: result.aborted,
      title: row.layer ? titleOf(items[0].units!, row.layer, classifier) : items[0].target,
      record: recordOf(request, { classifier, generator }, {
        ...making,
        start: start && codes && { file: start.file, codes },
        losses: result.losses,
      }),
    };
  }
}

/** @throws UserError where more is asked than a film over several classifiers is. */
function checkAlone(values: SynthValues, { rows: [{ items }, ...rows], frames, crop, repeats }: Request): void {
  if (items.length + rows.length > 1) {
    throw new UserError("a film over several classifiers is of one unit and one seed");
  }
  if (frames !== undefined) throw new UserError("--frames makes a film for one classifier; several have a frame each");
  const other = crop ? "--crop" : values["save-code"] !== undefined ? "--save-code" : undefined;
  if (other) throw new UserError(`${other} is of single pictures, not of a film over several classifiers`);
  if (repeats && !repeats.record.classifiers) {
    throw new UserError(`${repeats.file} was made with one classifier; --classifier gives several`);
  }
}

/** The generator, where one is wanted. @throws UserError where it is another than that of the film that this repeats. */
async function generatorOf({ generator }: SynthValues, request: Request, folder: string): Promise<Model | undefined> {
  const model = await generatorWhere(wantsGenerator(request, await openClassifier(folder)), generator);
  return model && same(model, request.repeats?.record.generator, request, "generator");
}

/** The n-th classifier, what it shall draw, and how that begins. @throws UserError naming its folder. */
async function frameOf(folder: string, request: Request, generator: Model | undefined, n: number) {
  const expected = request.repeats?.record.classifiers?.[n];
  const classifier = same(await openClassifier(folder), expected, request, "classifier");
  try {
    const { rows: [row] } = settleRequest(request, { classifier, generator });
    const picture = classifier.network.inputs[0].shape.join("×");
    return { classifier, row, picture, start: await readStart(request, row), bounds: readCodeBounds(request, row) };
  } catch (error) {
    if (!(error instanceof UserError) || error.message.startsWith(`${folder}:`)) throw error;
    throw new UserError(`${folder}: ${error.message}`);
  }
}

/** The model, where it is the one that was used before. @throws UserError */
function same(
  model: Model,
  made: { name: string; hash: string } | undefined,
  { repeats }: Request,
  role: "generator" | "classifier",
): Model {
  if (!made || made.hash === model.hash) return model;
  throw new UserError(
    `${repeats!.file} was made with ${role} ${made.name}, ${model.where} is another; --${role} names others`,
  );
}
