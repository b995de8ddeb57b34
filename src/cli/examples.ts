/** `deno task examples`: the pictures that excite units most, beside what these want to see. */
import { join } from "node:path";
import { encodePng } from "../formats/png.ts";
import { type Image, part } from "../formats/image.ts";
import { UserError } from "../formats/user_error.ts";
import {
  type Device,
  fieldBox,
  type Model,
  type NetOptions,
  searchedUnits,
  settings,
  suitable,
  type UnitLayer,
} from "../mod.ts";
import { searchInBatches } from "./batches.ts";
import { type Command, main, print, printJson, required, tell, type Values, warn } from "./command.ts";
import { adapterOption, openAdapter, openClassifier, openGenerator, version } from "./defaults.ts";
import { type Row, rowsOf, sheetOf, targetOf } from "./example_rows.ts";
import { nothingKnown, recall, seeAll } from "./example_search.ts";
import { abortOnSignal, stopCode } from "./interrupt.ts";
import { Outputs } from "./outputs/outputs.ts";
import { fittedOf, imagesHelp, pictureSet } from "./picture_set.ts";
import { progress, stderrScreen } from "./progress.ts";
import { regionsOf } from "./region.ts";
import { listText, safe } from "./synth/files.ts";
import { mostTiles } from "./synth/frames.ts";
import { lossLine, untrainedLines } from "./synth/report.ts";
import { checkUnits } from "../record/request.ts";
import { settingHelp } from "./synth/options.ts";
import { planning, tunedOption } from "./tuned.ts";
import { numberList, wholeNumber } from "./values.ts";

const options = {
  images: { value: "PLACE", help: `${imagesHelp} (needed)` },
  units: { value: "LIST", help: "the units, such as 945 or 1,5-9 (needed)" },
  layer: {
    value: "NAME",
    help:
      "the layer or blob that the units are in (the classifier's last; of a softmax, what it is taken of), before its last " +
      "activation in place; NAME+relu is after it",
  },
  top: { value: "K", help: "pictures of each unit (9)" },
  index: {
    value: "DIR",
    help: "keeps in this folder which pictures excite every unit of the layer: later calls run none of them again",
  },
  beside: { help: "also draws what each unit wants to see, at the left of its row" },
  iterations: { value: "N", help: `with --beside: ${settingHelp("iterations")}` },
  region: {
    help: "shows whole pictures, and marks what of each excites the unit: where hiding it makes the activation drop",
  },
  window: { value: "N", help: "with --region: side of what hides, in pixels of the model's input (an eighth of it)" },
  out: { value: "FILE", help: "the sheet, *.png (out/examples_LAYER_UNITS.png)" },
  model: { value: "DIR", alias: "classifier", help: "the classifier's model folder (the embedded one)" },
  generator: { value: "DIR", help: "with --beside: the image generator's model folder (the embedded one)" },
  adapter: adapterOption,
  tuned: tunedOption,
  force: { help: "overwrites files that exist" },
  json: { help: "prints one JSON document" },
  verbose: { help: "tells each layer's ways and what GPU memory will be taken, before it is" },
};

/** Pictures of a unit: more are no examples. */
const mostKept = 100;

/** Bytes of a sheet for each picture on it, about. */
const tileBytes = 1 << 16;

/** The command. */
export const command: Command<typeof options> = {
  name: "examples",
  summary:
    "Finds the pictures that excite units most. They are fitted to the model's input as classify does, and run as a stream: any\n" +
    "number takes the same memory. For a unit with a map the largest value counts, and the picture is cut to what the unit\n" +
    "sees there. Of equal pictures the earlier comes first. A sheet has a row for each unit. What cannot be read is left out and\n" +
    "named, and the exit code is 1. Ctrl-C shows what has been found so far; with --index the next call goes on there.",
  options,
  examples: [
    ["deno task examples --images photos --units 945,950", "nine photos for each of two units, in a sheet"],
    [
      "deno task examples --images photos --layer conv5 --units 0-9 --top 5 --index seen",
      "what ten units of conv5 see in their five best; other units then take no time",
    ],
    ["deno task examples --images photos --units 945 --beside --iterations 50", "and the synthetic pepper at the left"],
    ["deno task examples --images photo.jpg --units 945 --region", "what of a photo the unit answers to"],
  ],
  run,
};

async function run(values: Values<typeof options>): Promise<number> {
  const images = required("--images", values.images);
  const units = numberList("--units", required("--units", values.units));
  const keep = wholeNumber("--top", values.top, { least: 1, most: mostKept, fallback: 9 });
  const model = await openClassifier(values.model);
  const layer = searchedUnits(model, values.layer);
  checkUnits(layer, units, model);
  const beside = await readBeside(values);
  const size = windowSize(values, model);
  const set = await pictureSet(images);
  const indexed = { model, layer, keep };
  const index = values.index === undefined ? undefined : join(values.index, "examples.safetensors");
  const known = index !== undefined ? await recall(index, set, indexed) : nothingKnown(set, indexed);
  const sheet = placeOf(values, layer, units, Math.min(keep, set.count));
  const tiles = units.length * (keep + 1);
  using outputs = Outputs.open(sheet === undefined ? [] : [sheet], { force: values.force, bytes: tileBytes * tiles });
  const signal = abortOnSignal();

  using device = await openAdapter(values.adapter);
  if (layer.labelled) untrainedLines(model, units).forEach(warn);
  const how = { ...planning(device, values), signal };
  const leftOut = await seeAll(device, model, set, indexed, known, { index, ...how });
  const seen = known.seen.reduce((sum, is) => sum + is, 0);
  const stopped = signal.aborted;
  if (stopped) {
    tell(
      `stopped after ${seen} of ${set.count} pictures${
        index === undefined || seen === 0 ? "" : `; ${index} knows them`
      }`,
    );
  }
  if (seen === 0) {
    if (stopped) return stopCode()!;
    throw new UserError(`${images}: none of its ${set.count} pictures can be used`);
  }
  const rows = rowsOf(model, layer, units, { best: known.best, top: keep }, set);
  let failure: unknown;
  try {
    if (sheet === undefined) warn(`the sheet would have more than ${mostTiles} pictures, so there is none`);
    else {
      const wanted = new Set(rows.flatMap(({ examples }) => examples.map(({ picture }) => picture)));
      const pictures = await fittedOf(model, wanted, set);
      if (size !== undefined && !stopped) await mark(device, model, layer, rows, pictures, size, how);
      if (beside && !signal.aborted) await draw(device, { classifier: model, ...beside }, layer, rows, how);
      outputs.save([[sheet, encodePng(sheetOf(rows, pictures), { Software: `Phosphene ${version}` })]]);
    }
  } catch (error) {
    failure = error; // what was found is told all the same
  }
  const saved = sheet !== undefined && failure === undefined ? outputs.where(sheet) : undefined;
  if (values.json) {
    printJson({
      ...{ model: model.name, hash: model.hash, layer: layer.name, pictures: seen, leftOut, index, sheet: saved },
      units: rows.map(reported),
    });
  } else linesOf(rows, saved).forEach(print);
  outputs.finish();
  if (failure !== undefined) throw failure;
  return stopCode() ?? (leftOut.length > 0 ? 1 : 0);
}

/** What --beside asks for. @throws UserError where its options come without it. */
async function readBeside({ beside, generator, iterations }: Values<typeof options>) {
  if (!beside) {
    if (generator ?? iterations) throw new UserError("--generator and --iterations go with --beside");
    return undefined;
  }
  const { least, most } = settings.iterations as { least: number; most: number };
  const steps = wholeNumber("--iterations", iterations, { least, most, fallback: 0 });
  return { generator: await openGenerator(generator), iterations: iterations === undefined ? undefined : steps };
}

/** The side of the window that --region hides with; undefined where it is not asked for. @throws UserError */
function windowSize({ region, window }: Values<typeof options>, { network }: Model): number | undefined {
  if (!region && window !== undefined) throw new UserError("--window goes with --region");
  const [, ...sides] = network.inputs[0].shape;
  const most = Math.min(...sides);
  const size = wholeNumber("--window", window, { least: 1, most, fallback: Math.max(1, Math.round(most / 8)) });
  return region ? size : undefined;
}

/** Where the sheet goes; undefined where it would be too large for anyone. @throws UserError where it would and is asked for. */
function placeOf(
  { out, beside, region }: Values<typeof options>,
  { name }: UnitLayer,
  units: number[],
  pictures: number,
): string | undefined {
  if (out !== undefined && !/\.png$/i.test(out)) throw new UserError(`--out ${out}: the sheet is saved as .png`);
  const tiles = units.length * (pictures + (beside ? 1 : 0));
  if (tiles <= mostTiles) return out ?? join("out", `examples_${safe(name)}_${listText(units, 4)}.png`);
  if (out === undefined && !beside && !region) return undefined;
  throw new UserError(
    `a sheet of ${tiles} pictures is asked for, expected at most ${mostTiles}; give fewer --units or --top`,
  );
}

/** How examples run on. */
type How = Pick<NetOptions, "choose" | "onPlan"> & { signal: AbortSignal };

/** Finds the region of each example that excites its unit; of none where it is stopped. */
async function mark(
  device: Device,
  model: Model,
  { name, width, height }: UnitLayer,
  rows: readonly Row[],
  pictures: ReadonlyMap<number, Image>,
  size: number,
  how: How,
): Promise<void> {
  const all = rows.flatMap(({ unit, examples }) => examples.map((example) => ({ unit, example })));
  const excited = all.map(({ unit, example: { picture, activation, at: [x, y] = [0, 0], field } }) => ({
    image: pictures.get(picture)!,
    activation,
    value: (unit * height + y) * width + x,
    field,
  }));
  const regions = await regionsOf(device, model, name, excited, size, how);
  if (!how.signal.aborted) all.forEach(({ example }, n) => example.region = regions[n]);
}

/** Draws what each unit wants to see, cut to what it sees of it; nothing where it is stopped. */
async function draw(
  device: Device,
  { iterations, ...models }: { classifier: Model; generator: Model; iterations?: number },
  layer: UnitLayer,
  rows: readonly Row[],
  how: How,
): Promise<void> {
  const targets = rows.map(({ unit }) => ({ target: targetOf(layer, unit), seed: 0 }));
  const bar = progress("iteration", stderrScreen(false));
  const searching = searchInBatches(device, {
    ...models,
    ...suitable({ iterations }, models.classifier),
    targets,
    ...how,
    onLost: (loss) => warn(lossLine(loss, device.name)),
    onProgress: ({ iteration, iterations }) => bar.show({ done: iteration, total: iterations, note: "" }),
  }).finally(bar.end);
  const result = await searching.catch((error) => {
    if (!how.signal.aborted) throw error;
  });
  if (result?.failure !== undefined) throw result.failure;
  if (!result || result.aborted) return;
  result.items.forEach(({ picture, activation }, n) => {
    rows[n].drawn = { image: part(picture, fieldBox(models.classifier, targets[n].target)), activation };
  });
}

/** A row for a program. */
const reported = ({ unit, name, examples, drawn }: Row) => ({
  unit,
  name,
  examples: examples.map(({ file, activation, at, field, region }) => ({
    ...{ file, activation, at, field },
    region: region && (region.box ?? null),
  })),
  drawn: drawn && { activation: drawn.activation },
});

/** Rows for people. */
function linesOf(rows: readonly Row[], sheet: string | undefined): string[] {
  const box = ({ left, top, width, height }: { left: number; top: number; width: number; height: number }) =>
    `${width} × ${height} at ${left},${top}`;
  const lines = rows.flatMap(({ unit, name, examples, drawn }) => [
    `${name === `unit ${unit}` ? name : `${unit}  ${name}`}${
      drawn ? `  (drawn: ${drawn.activation.toPrecision(4)})` : ""
    }`,
    ...examples.map(({ file, activation, at, field, region }) => {
      const sees = at && field ? `  @${at}, sees ${box(field)}` : "";
      const excited = region ? `  region ${region.box ? box(region.box) : "none"}` : "";
      return `  ${activation.toPrecision(4).padStart(9)}  ${file}${sees}${excited}`;
    }),
  ]);
  return sheet === undefined ? lines : [...lines, sheet];
}

if (import.meta.main) await main(command);
