/** The files of a synth run: their names, which are known before it starts, and their bytes, which are made after it. */
import { join } from "node:path";
import { encodeApng, encodeGif } from "../formats/animation.ts";
import { contactSheet, enlarge, type Image } from "../formats/image.ts";
import { writeNpy } from "../formats/npy.ts";
import { encodePng } from "../formats/png.ts";
import { valueCount } from "../formats/shape.ts";
import { UserError } from "../formats/user_error.ts";
import type { Model, SearchItem } from "../mod.ts";
import { description } from "../record/making.ts";
import { type PictureRecord, recordText } from "../record/record.ts";
import type { SynthValues } from "./synth_options.ts";
import type { Row } from "../record/request.ts";

/** Where everything goes. */
export interface Places {
  /** One for each target. */
  pictures: string[];
  animations: string[];
  sheet?: string;
  codes?: string;
  /** Pictures in each row of the sheet, where rows say more than the sheet's shape. */
  columns?: number;
}

/** What a run has made of one target. */
export interface Made {
  record: PictureRecord;
  /** What the search gave. */
  item: SearchItem;
  /** The picture as it grew; empty unless asked for. */
  frames: Image[];
  /** The unit's name, or the units' names, or the target. */
  title: string;
}

/** Frames of an animation, about; the last one stays a while. */
export const frameCount = 40;
const frameMs = 80;
const lastFrameTimes = 12;

/** Pictures on a sheet: more would take a gigabyte and be no use to anyone. */
const mostTiles = 1000;

/** Longest list of numbers in a file name. */
const longestList = 60;

/** What a name keeps of a text. */
const safe = (text: string) => text.replace(/[^\w.-]+/g, "-");

/** Longest part of a file's name that a target makes. */
const longestTarget = 80;

/** Names the files of a run. @throws UserError when --out names one file for several pictures. */
export function placesOf(
  rows: readonly Row[],
  isFolder: (path: string) => boolean,
  values: SynthValues,
): Places {
  const out = values.out ?? "out", all = rows.flatMap(({ items }) => items);
  let pictures = rows.flatMap(({ layer, items }) =>
    items.map(({ units, target, seed }) => {
      const what = layer && units ? `${safe(layer.name)}_${listText(units, 4)}` : safe(target).slice(0, longestTarget);
      return join(out, `${what}_${seed}.png`);
    })
  );
  // Targets may differ in what names leave out.
  const times = new Map<string, number>();
  pictures = pictures.map((path) => {
    const time = (times.get(path) ?? 0) + 1;
    times.set(path, time);
    return time === 1 ? path : path.replace(/\.png$/, `_${time}.png`);
  });
  if (/\.\w+$/.test(out) && !isFolder(out)) {
    if (!/\.png$/i.test(out)) {
      throw new UserError(`--out ${out}: pictures are saved as .png; a folder's name ends in /`);
    }
    if (all.length > 1) {
      throw new UserError(`--out ${out} is one file and there are ${all.length} pictures; name a folder`);
    }
    pictures = [out];
  }
  return {
    pictures,
    animations: values.animate ? pictures.map((path) => path.replace(/\.png$/i, `.${values.animate}`)) : [],
    sheet: all.length > 1 && all.length <= mostTiles ? join(out, `${sheetName(rows)}_sheet.png`) : undefined,
    codes: values["save-code"],
    columns: rows.length > 1 && rows[0].items.length <= mostColumns ? rows[0].items.length : undefined,
  };
}

/** Pictures in a row of a sheet that says something by its rows. */
const mostColumns = 12;

/** What a sheet shows: layers, units and seeds. */
function sheetName(rows: readonly Row[]): string {
  const all = rows.flatMap(({ items }) => items), layers = rows.map(({ layer }) => layer?.name);
  const seeds = listText([...new Set(all.map(({ seed }) => seed))], 1);
  if (layers[0] === undefined) {
    return `${rows.length > 1 ? "targets" : safe(rows[0].items[0].target).slice(0, longestTarget)}_${seeds}`;
  }
  const units = listText([...new Set(all.flatMap(({ units }) => units ?? []))], 4);
  const names = layers.length > 2 ? `${layers[0]}..${layers.at(-1)}` : layers.join(",");
  return `${names.split(",").map(safe).join(",")}_${units}_${seeds}`;
}

/** The places of the first so many pictures, where a run has ended before it made all. */
export const upTo = (places: Places, count: number): Places => ({
  ...places,
  pictures: places.pictures.slice(0, count),
  animations: places.animations.slice(0, count),
});

/** All of these places. */
export const allPlaces = ({ pictures, animations, sheet, codes }: Places): string[] =>
  [...pictures, ...animations, sheet, codes].filter((path) => path !== undefined);

/** The places with what each name has become. */
export function withNames(places: Places, become: (name: string) => string): Places {
  const { pictures, animations, sheet, codes } = places;
  return {
    ...places,
    pictures: pictures.map(become),
    animations: animations.map(become),
    sheet: sheet && become(sheet),
    codes: codes && become(codes),
  };
}

/** About the bytes of memory that a picture takes until it is saved: itself, its code, its trace, its frames, its file. */
export function roomFor(
  iterations: number,
  { classifier, generator }: { classifier: Model; generator: Model },
  { animate }: SynthValues,
): number {
  const picture = valueCount(classifier.network.inputs[0].shape), code = valueCount(generator.network.inputs[0].shape);
  return (2 + (animate ? frameCount : 0)) * picture + 4 * (2 * code + iterations) + 4096;
}

/** About the bytes that a run's files will take: plenty where pictures are as they are, less than that when enlarged. */
export function spaceFor({ pictures }: Places, { network }: Model): number {
  const picture = valueCount(network.inputs[0].shape);
  return pictures.length * (2 * picture + 8192);
}

/** Numbers as --units takes them, each with so many digits: "0001,0005-0009". Long lists give their ends and length. */
function listText(numbers: number[], digits: number): string {
  const runs: number[][] = [];
  for (const n of numbers) {
    const run = runs.at(-1);
    if (run && n === run.at(-1)! + 1) run.push(n);
    else runs.push([n]);
  }
  const text = (n: number) => String(n).padStart(digits, "0");
  const list = runs.map((run) => run.length === 1 ? text(run[0]) : `${text(run[0])}-${text(run.at(-1)!)}`).join(",");
  return list.length <= longestList ? list : `${text(numbers[0])}..${text(numbers.at(-1)!)}x${numbers.length}`;
}

/**
 * The bytes of every file of a run, one after the other, what cannot be made again from the others first. `shape` is that of
 * the codes' file, where it is given.
 */
export function* renderFiles(
  places: Places,
  made: Made[],
  { scale, shape }: { scale: number; shape?: number[] },
): Generator<[name: string, bytes: Uint8Array]> {
  const textOf = ({ record, title }: Made) => recordText(record, description(record, title));
  for (const [i, one] of made.entries()) {
    yield [places.pictures[i], encodePng(enlarge(one.item.picture, scale), textOf(one))];
  }
  if (places.codes) yield [places.codes, codesFile(made.map(({ item }) => item.code), shape)];
  for (const [i, animation] of places.animations.entries()) {
    const { frames, item: { picture } } = made[i];
    const all = [...frames, ...Array.from({ length: lastFrameTimes }, () => picture)],
      showing = { delayMs: frameMs, scale };
    yield [animation, animation.endsWith("gif") ? encodeGif(all, showing) : encodeApng(all, showing, textOf(made[i]))];
  }
  if (places.sheet) {
    const seeds = new Set(made.map(({ record }) => record.seed)).size;
    const tiles = made.map(({ record: { layer, units, seed, result }, item: { picture }, title }) => {
      const where = places.columns !== undefined && layer !== undefined ? [layer] : [];
      const what = [...where, ...units ? [units.join("+")] : [], title, ...seeds > 1 ? [`seed ${seed}:`] : []];
      return { image: picture, caption: `${what.join(" ")} ${result.activation.toFixed(1)}` };
    });
    // A row for each unit where there are several seeds; else about as many rows as columns.
    const columns = places.columns ?? (seeds > 1 && seeds <= mostColumns ? seeds : Math.ceil(Math.sqrt(tiles.length)));
    const { Software } = recordText(made[0].record, "");
    yield [places.sheet, encodePng(contactSheet(tiles, columns), { Software })];
  }
}

/** The codes as .npy, in the shape that they were given in where that fits: [values], or [codes, values] for several. */
function codesFile(codes: Float32Array[], given?: number[]): Uint8Array {
  const size = codes[0].length, data = new Float32Array(codes.length * size);
  codes.forEach((code, i) => data.set(code, i * size));
  const fits = given && valueCount(given) === data.length;
  return writeNpy({ shape: fits ? given : codes.length === 1 ? [size] : [codes.length, size], data });
}
