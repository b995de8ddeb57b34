/** `deno task neighbours`: the pictures that are nearest to one, in pixels and in the spaces of layers. */
import { basename, extname, join } from "node:path";
import { contactSheet, type Image } from "../formats/image.ts";
import { encodePng } from "../formats/png.ts";
import { UserError } from "../formats/user_error.ts";
import { distances, fitted, lastName, layerUnits, type Model } from "../mod.ts";
import { Best } from "./best.ts";
import { type Command, main, print, printJson, required, tell, type Values } from "./command.ts";
import { adapterOption, openAdapter, openClassifier, version } from "./defaults.ts";
import { abortOnSignal, stopCode } from "./interrupt.ts";
import { Outputs } from "./outputs/outputs.ts";
import { fittedOf, imagesHelp, type PictureSet, pictureSet } from "./picture_set.ts";
import { runPictures } from "./pictures.ts";
import { picturesIn } from "./reading.ts";
import { planning, tunedOption } from "./tuned.ts";
import { safe } from "./synth/files.ts";
import { oneOf, wholeNumber } from "./values.ts";

const options = {
  images: { value: "PLACE", help: `the pictures among which neighbours are sought: ${imagesHelp} (needed)` },
  layer: {
    value: "NAME",
    repeats: true,
    help:
      "a layer or blob whose values are a space, its last as infer has them; several are rows of the sheet (the classifier's last)",
  },
  top: { value: "K", help: "neighbours in each space (9)" },
  distance: {
    value: "KIND",
    help:
      "euclidean, or cosine: 1 less the cosine of the angle, whose order is that of vectors of length 1 (euclidean)",
  },
  out: { value: "FILE", help: "the sheet, *.png (out/neighbours_PICTURE.png)" },
  model: { value: "DIR", alias: "classifier", help: "the model's folder (the embedded classifier)" },
  adapter: adapterOption,
  tuned: tunedOption,
  force: { help: "overwrites files that exist" },
  json: { help: "prints one JSON document" },
  verbose: { help: "tells each layer's way and what GPU memory will be taken, before it is" },
};

/** Most neighbours in a space: what a sheet holds in a row. */
const mostKept = 100;

/** Bytes of a sheet for each picture on it, about. */
const tileBytes = 1 << 16;

/** What the pixels' space is called; it is the first. */
const pixels = "pixels";

/** The command. */
export const command: Command<typeof options> = {
  name: "neighbours",
  summary:
    "Finds the pictures that are nearest to one, in pixels (0 to 255, as fitted to the model's input) and to layers: whether a\n" +
    "network has memorised, and what it takes for alike. All spaces take one pass over the pictures, and any number of these\n" +
    "the same memory. Of equally near pictures the earlier comes first. What cannot be read is left out and named, and the exit\n" +
    "code is 1. Ctrl-C shows what has been found so far.",
  operands: "PICTURE",
  options,
  examples: [
    [
      "deno task neighbours out/fc8_0945_0.png --images photos --layer conv5 --layer fc6 --layer fc8",
      "photos like a synthetic pepper, in pixels and to three layers: a sheet with a row for each",
    ],
    ["deno task neighbours cat.jpg --images photos.npz --top 20 --distance cosine --json", "distances for a program"],
  ],
  run,
};

async function run(values: Values<typeof options>, operands: string[]): Promise<number> {
  const [file, ...more] = operands;
  if (file === undefined || more.length > 0) throw new UserError("expected one picture; --help has examples");
  const images = required("--images", values.images);
  const sheet = values.out ?? join("out", `neighbours_${stemOf(file)}.png`);
  if (!/\.png$/i.test(sheet)) throw new UserError(`--out ${sheet}: the sheet is saved as .png`);
  const keep = wholeNumber("--top", values.top, { least: 1, most: mostKept, fallback: 9 });
  const kind = oneOf("--distance", values.distance, ["euclidean", "cosine"]) ?? "euclidean";
  const model = await openClassifier(values.model);
  const layers = values.layer.length > 0 ? [...new Set(values.layer)] : [layerUnits(model).name];
  const spaces = [pixels, ...layers];
  const names = layers.map((layer) => lastName(model, layer));
  const picture = await picturesIn([file]).read(0);
  const set = await pictureSet(images);
  using outputs = Outputs.open([sheet], { force: values.force, bytes: tileBytes * spaces.length * keep });
  const signal = abortOnSignal();

  using device = await openAdapter(values.adapter);
  const best = new Best(spaces.length, keep);
  const distance = distances[kind];
  let own: ArrayLike<number>[] = [];
  let seen = 0;
  const all = {
    count: 1 + set.count,
    read: (n: number) => n === 0 ? picture : set.read(n - 1),
    files: set.files && [file, ...set.files],
  };
  const how = { values: names, total: set.count, signal, ...planning(device, values) };
  const leftOut = await runPictures(device, model, all, how, (_, n, { outputs, picture }) => {
    const vectors = [picture.rgb, ...outputs];
    if (n === 0) own = vectors.map((vector) => vector.slice());
    else {
      seen++;
      vectors.forEach((vector, space) => best.offer(space, -distance(own[space], vector), n - 1));
    }
  });
  if (signal.aborted) tell(`stopped after ${seen} of ${set.count} pictures`);
  if (seen === 0) {
    if (signal.aborted) return stopCode()!;
    throw new UserError(`${images}: none of its ${set.count} pictures can be used`);
  }
  const rows = spaces.map((space, n) => ({
    space,
    neighbours: best.row(n).map(({ picture, score }) => ({ picture, file: set.name(picture), distance: -score })),
  }));
  outputs.save([[sheet, encodePng(await sheetOf(model, picture, rows, set), { Software: `Phosphene ${version}` })]]);
  const saved = outputs.where(sheet);
  if (values.json) {
    printJson({
      ...{ model: model.name, hash: model.hash, picture: file, distance: kind, pictures: seen, leftOut, sheet: saved },
      spaces: rows.map(({ space, neighbours }) => ({
        space,
        neighbours: neighbours.map(({ file, distance }) => ({ file, distance })),
      })),
    });
  } else {
    for (const { space, neighbours } of rows) {
      print(space);
      for (const { file, distance } of neighbours) print(`  ${distance.toPrecision(6).padStart(10)}  ${file}`);
    }
    print(saved);
  }
  outputs.finish();
  return stopCode() ?? (leftOut.length > 0 ? 1 : 0);
}

/** A file's name without its ending, as another file's name takes it. */
const stemOf = (file: string) => safe(basename(file, extname(file)));

/** What is near in one space. */
interface Row {
  space: string;
  neighbours: { picture: number; distance: number }[];
}

/** A sheet with a row for each space: the picture, then its neighbours. */
async function sheetOf(model: Model, picture: Image, rows: readonly Row[], set: PictureSet): Promise<Image> {
  const wanted = new Set(rows.flatMap(({ neighbours }) => neighbours.map(({ picture }) => picture)));
  const images = await fittedOf(model, wanted, set);
  const own = fitted(model, picture);
  const tiles = rows.flatMap(({ space, neighbours }) => [
    { image: own, caption: space },
    ...neighbours.map(({ picture, distance }) => ({ image: images.get(picture)!, caption: distance.toPrecision(4) })),
  ]);
  return contactSheet(tiles, tiles.length / rows.length);
}

if (import.meta.main) await main(command);
