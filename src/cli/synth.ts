/** `deno task synth`: pictures of what units of a classifier want to see. */
import { type Device, type Model, pictureToInput, type SearchResult, type UnitLayer } from "../mod.ts";
import type { Image } from "../formats/image.ts";
import type { Verdict } from "../lab/judge.ts";
import { checkRoom, searchInBatches } from "./batches.ts";
import { type Command, main, print, printJson, tell, warn } from "./command.ts";
import { openAdapter, openClassifier, openGenerator, version } from "./defaults.ts";
import { isFolder } from "./files.ts";
import { abortOnSignal, stopCode } from "./interrupt.ts";
import { isNarrow, narrowingError, narrowingLine } from "./memory.ts";
import { Outputs } from "./outputs/outputs.ts";
import { ownPlanning, readOwn } from "./own_kernels.ts";
import { drawOnStderr, progress, stderrScreen, terminalColumns } from "./progress.ts";
import { encodeCode } from "./record.ts";
import {
  allPlaces,
  frameCount,
  type Made,
  placesOf,
  placesOfMade,
  renderFiles,
  roomFor,
  spaceFor,
  withNames,
} from "./synth_files.ts";
import { costLines, jsonReport, progressNote, resultLines, titleOf, warnings } from "./synth_report.ts";
import {
  checkModels,
  checkUnits,
  readCodeBounds,
  readRequest,
  readStart,
  type Request,
  startCodes,
  synthOptions,
  type SynthValues,
} from "./synth_request.ts";
import { halfBlocks, stderrShowsColours } from "./terminal.ts";
import { planning } from "./tuned.ts";
import { oneOf, wholeNumber } from "./values.ts";

/** Columns of the picture in the terminal. */
const pictureColumns = 64;

/** The command. */
export const command: Command<typeof synthOptions> = {
  name: "synth",
  summary: "Draws what a unit of a classifier wants to see (DGN-AM, Nguyen et al. 2016).\n" +
    "With --weights or --arithmetic, the first picture is also computed with the weights as stored and in f32, and the\n" +
    "largest differences are told. A gradient's are those at units near zero and at maxima, which decide otherwise.",
  options: synthOptions,
  examples: [
    ["deno task synth --unit 945", "the bell pepper, in out/fc8_0945_0.png"],
    ["deno task synth --units 1,5-9 --seeds 0-3", "24 pictures at the same time, and a sheet of them all"],
    ["deno task synth --layer conv3 --unit 7 --xy 3,3", "a unit inside the network"],
    ["deno task synth --units 9,945 --together --gamma 0.01", "one picture that two units like"],
    ["deno task synth --unit 945 --init cat.jpg --animate gif", "from a picture, as it changes"],
    [
      "deno task synth --unit 945 --generator models/deepsim-fc6 --classifier models/caffenet --bounds act_range/3x/fc6.txt",
      "the paper's networks, with the paper's bounds",
    ],
    ["deno task synth --from out/fc8_0945_0.png --out again.png", "the same picture once more"],
  ],
  run,
};

/** Everything that can be refused is refused before the GPU starts; everything is saved after it has finished, file by file. */
async function run(values: SynthValues): Promise<number | void> {
  oneOf("--animate", values.animate, ["gif", "apng"]);
  const scale = wholeNumber("--scale", values.scale, { least: 1, most: 32, fallback: 1 });
  const request = await readRequest(values);
  const models = await openModels(values);
  checkModels(request, models);
  const layer = checkUnits(request, models.classifier), start = await readStart(request, models.generator);
  const bounds = readCodeBounds(request, models.generator);
  const own = await readOwn(values), verdicts: Verdict[] = [];
  const all = placesOf(request, layer.name, isFolder, values);
  checkRoom(request.targets.length, roomFor(request, models, values));
  const signal = abortOnSignal();
  using outputs = Outputs.open(allPlaces(all), { force: values.force, bytes: spaceFor(request, models.classifier) });

  using device = await openAdapter(values.adapter);
  warnings(request, layer, models.classifier, device.name, own.files).forEach(warn);
  const { targets, xy, iterations, rule, lrStart, lrEnd, decay, gamma, weights, arithmetic } = request;
  const settings = { iterations, rule, lrStart, lrEnd, decay, gamma, weights, arithmetic };
  const codes = start && await startCodes(start, device, models, targets.length);
  if (signal.aborted) return stopCode();

  const bar = progress("iteration", stderrScreen(values.quiet));
  const frames: Image[][] = targets.map(() => []);
  const searching = searchInBatches(device, {
    ...models,
    ...settings,
    layer: request.layer,
    targets: targets.map((target, i) => ({ ...target, xy, code: codes?.[i] })),
    bounds: bounds?.values,
    ...planning(device, values),
    ...ownPlanning(device, own, (line, verdict) => {
      verdicts.push(verdict);
      if (!values.quiet) tell(line);
    }),
    signal,
    every: values.animate ? Math.ceil(iterations / frameCount) : undefined,
    async onProgress(state) {
      const { iteration, iterations, first } = state, note = progressNote(state, targets.slice(first));
      bar.show({ done: iteration, total: iterations, note });
      if (values.animate) (await state.pictures()).forEach((picture, i) => frames[first + i].push(picture));
    },
  }).finally(bar.end);
  const result = await searching.catch((error) => {
    if (signal.aborted && error === signal.reason) return undefined;
    throw error;
  });
  if (!result) {
    tell("stopped before the first iteration; there is nothing to save");
    return stopCode();
  }

  const made = result.items.map(({ picture, code, trace, activation, top }, i): Made => ({
    picture,
    code,
    frames: frames[i],
    title: titleOf(targets[i].units, layer, models.classifier),
    record: {
      version,
      classifier: nameOf(models.classifier),
      generator: nameOf(models.generator),
      layer: layer.name,
      ...targets[i],
      xy,
      start: start && codes && { file: start.file, code: encodeCode(codes[i]) },
      ...settings,
      bounds: bounds && { file: bounds.file, code: encodeCode(bounds.values) },
      own: own.files.length > 0 ? own.files : undefined,
      adapter: device.name,
      result: { iterations: trace.length, activation, top },
    },
  }));
  const planned = placesOfMade(all, made.length);
  await outputs.saveEach(renderFiles(planned, made, { scale, shape: start?.shape }));
  const places = withNames(planned, (name) => outputs.where(name));

  if (made.length === 1 && !values.quiet && stderrShowsColours()) {
    const columns = Math.min(pictureColumns, terminalColumns() ?? pictureColumns);
    drawOnStderr(`${halfBlocks(made[0].picture, columns)}\n`);
  }
  if (isNarrow(request) && !result.aborted && !values.quiet) {
    tell(await narrowing(device, models, result, layer, request));
  }
  if (values.verbose) costLines(result).forEach(tell);
  result.items.forEach(({ zeroGradient }, i) => {
    if (zeroGradient) warn(`${places.pictures[i]}: the gradient was zero, so the search had nowhere to go`);
  });
  if (values.json) printJson(jsonReport(made, result, places, verdicts));
  else resultLines(made, places).forEach(print);
  if (result.aborted) {
    const pictures = made.length < targets.length ? ` (${made.length} of ${targets.length} pictures)` : "";
    tell(`stopped after ${result.iterations} of ${result.planned} iterations${pictures}; saved as it was`);
  }
  outputs.finish();
  return stopCode();
}

/**
 * What narrower weights and arithmetic change in the first picture and in the classifier's view of it; arithmetic also in
 * the gradient of its first unit, where units near zero and maxima decide otherwise.
 */
async function narrowing(
  device: Device,
  { generator, classifier }: Models,
  { items: [{ code, picture }] }: SearchResult,
  { name: layer }: UnitLayer,
  { weights, arithmetic, targets: [{ units: [unit] }], xy }: Request,
): Promise<string> {
  const narrow = { weights, arithmetic };
  const input = pictureToInput(classifier.network, picture);
  const gradient = async () => {
    const options = { ...narrow, layer, gradient: true };
    return await narrowingError(device, classifier, options, async (net) => {
      return (await net.gradient(input, unit, xy)).gradient;
    });
  };
  return narrowingLine(narrow, {
    "the picture": await narrowingError(device, generator, narrow, (net) => net.forward(code)),
    [layer]: await narrowingError(device, classifier, { ...narrow, layer }, (net) => net.forward(input)),
    ...(isNarrow({ arithmetic }) ? { [`the gradient of ${layer}'s unit ${unit}`]: await gradient() } : {}),
  });
}

interface Models {
  classifier: Model;
  generator: Model;
}

async function openModels({ classifier, generator }: SynthValues): Promise<Models> {
  return { classifier: await openClassifier(classifier), generator: await openGenerator(generator) };
}

const nameOf = ({ name, hash }: Model) => ({ name, hash });

if (import.meta.main) await main(command);
