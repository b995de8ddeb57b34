/** The files of a synth run: their names, which are known before it starts, and their bytes, which are made after it. */
import { join } from "node:path";
import { figure } from "../../formats/figure.ts";
import { contactSheet, enlarge } from "../../formats/image.ts";
import { writeNpy } from "../../formats/npy.ts";
import { encodePng } from "../../formats/png.ts";
import { valueCount } from "../../formats/shape.ts";
import { UserError } from "../../formats/user_error.ts";
import type { Model, SearchItem } from "../../mod.ts";
import { description } from "../../record/making.ts";
import { type PictureRecord, recordText } from "../../record/record.ts";
import { type FilmFile, filmKinds } from "../film/asked.ts";
import { encodeFilm } from "../film/encode.ts";
import { encodeFrames, type Frame, framesPlace, mostTiles, roomForFrames } from "./frames.ts";
import type { SynthValues } from "./options.ts";
import type { Row } from "../../record/request.ts";

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
  frames: Frame[];
  /** The unit's name, or the units' names, or the target. */
  title: string;
}

/** Longest list of numbers in a file name. */
const longestList = 60;

/** What a name keeps of a text. */
export const safe = (text: string) => text.replace(/[^\w.-]+/g, "-");

/** Longest part of a file's name that a target makes. */
const longestTarget = 80;

/** Names the files of a run. @throws UserError when --out names one file for several pictures. */
export function placesOf(
  rows: readonly Row[],
  isFolder: (path: string) => boolean,
  values: SynthValues,
  film?: FilmFile,
): Places {
  const named = values.out ?? "out";
  const out = film ? named.replace(filmEnding, ".png") : named;
  const all = rows.flatMap(({ items }) => items);
  let pictures = rows.flatMap(({ method, layer, items }) =>
    items.map(({ units, target, seed }) => {
      const what = layer && units ? `${safe(layer.name)}_${listText(units, 4)}` : safe(target).slice(0, longestTarget);
      return join(out, `${method ? `${method}_` : ""}${what}_${seed}.png`);
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
      throw new UserError(
        `--out ${out}: pictures are saved as .png, films as ${filmKinds.join(", ")}; a folder's name ends in /`,
      );
    }
    if (all.length > 1) {
      throw new UserError(`--out ${named} is one file and there are ${all.length} pictures; name a folder`);
    }
    pictures = [out];
  }
  return {
    pictures,
    animations: film || values.animate ? pictures.map((path) => framesPlace(path, film?.kind ?? values.animate!)) : [],
    sheet: all.length > 1 && all.length <= mostTiles ? join(out, `${sheetName(rows)}_sheet.png`) : undefined,
    codes: values["save-code"],
    columns: rows.length > 1 && rows[0].items.length <= mostColumns ? rows[0].items.length : undefined,
  };
}

/** How the names of films end. */
const filmEnding = new RegExp(`\\.(${filmKinds.join("|")})$`, "i");

/** Pictures in a row of a sheet that says something by its rows. */
const mostColumns = 12;

/** The first and the last of several names, or both of two. */
const ends = (
  names: readonly string[],
): string => (names.length > 2 ? `${names[0]}..${names.at(-1)}` : names.join(","));

/** What a sheet shows: methods, layers, units and seeds. */
function sheetName(rows: readonly Row[]): string {
  const methods = [...new Set(rows.flatMap(({ method }) => method ?? []))];
  return `${methods.length > 0 ? `${ends(methods)}_` : ""}${targetsName(rows)}`;
}

function targetsName(rows: readonly Row[]): string {
  const all = rows.flatMap(({ items }) => items);
  const layers = [...new Set(rows.map(({ layer }) => layer?.name ?? ""))];
  const seeds = listText([...new Set(all.map(({ seed }) => seed))], 1);
  if (layers[0] === "") {
    return `${
      new Set(all.map(({ target }) => target)).size > 1 && rows.length > 1
        ? "targets"
        : safe(rows[0].items[0].target).slice(0, longestTarget)
    }_${seeds}`;
  }
  const units = listText([...new Set(all.flatMap(({ units }) => units ?? []))], 4);
  return `${ends(layers).split(",").map(safe).join(",")}_${units}_${seeds}`;
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
  { settings, generator }: Row,
  classifier: Model,
  { animate }: SynthValues,
  frames = 1,
): number {
  const code = frames * valueCount(generator.network.inputs[0].shape);
  const picture = pictureBytes(generator, classifier);
  const growing = animate ? roomForFrames(animate, settings, picture) : 0;
  const { iterations, octaves } = settings;
  // A film's frames are there as floats, as pictures and in its file.
  const film = frames > 1 ? filmCopies * frames * picture : 0;
  return 2 * picture + growing + film + 4 * (2 * code + frames * octaves * iterations) + 4096;
}

/** Bytes that a byte of a film's frames takes, the files that are made of them included. */
const filmCopies = 8;

/** About the bytes of a picture: of the classifier's size, or of an image prior's own, which its code has too. */
const pictureBytes = ({ network }: Model, classifier: Model): number =>
  Math.max(valueCount(classifier.network.inputs[0].shape), valueCount(network.inputs[0].shape));

/** About the bytes that a run's files will take: plenty where pictures are as they are, less than that when enlarged. */
export function spaceFor(rows: readonly Row[], classifier: Model, frames = 0): number {
  return rows.reduce(
    (sum, { items, generator }) => sum + items.length * ((2 + frames) * pictureBytes(generator, classifier) + 8192),
    0,
  );
}

/** Numbers as --units takes them, each with so many digits: "0001,0005-0009". Long lists give their ends and length. */
export function listText(numbers: number[], digits: number): string {
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

/** How files are made. */
interface Rendering {
  scale: number;
  shape?: number[];
  /** The kind of the animations, where there are any. */
  animate?: string;
  film?: FilmFile;
  onFailure(sentence: string): void;
}

/**
 * The bytes of every file of a run, one after the other, what cannot be made again from the others first. `shape` is that of
 * the codes' file, where it is given. A film that could not become the file that it should is told of, and has another place then.
 */
export async function* renderFiles(
  places: Places,
  made: Made[],
  { scale, shape, animate = "", film, onFailure }: Rendering,
): AsyncGenerator<[name: string, bytes: Uint8Array]> {
  const textOf = ({ record, title }: Made) => recordText(record, description(record, title));
  for (const [i, one] of made.entries()) {
    yield [places.pictures[i], encodePng(enlarge(one.item.picture, scale), textOf(one))];
  }
  if (places.codes) {
    const frames = made[0].item.film?.frames.length;
    yield [places.codes, codesFile(made.map(({ item }) => item.code), shape, frames)];
  }
  for (const [i, animation] of places.animations.entries()) {
    const { frames, item } = made[i];
    const text = textOf(made[i]);
    if (!item.film || !film) {
      yield [animation, encodeFrames(animate, frames, { picture: item.picture, scale, text })];
      continue;
    }
    const { kind, bytes, failure } = await encodeFilm(item.film.frames.map(({ picture }) => picture), film, {
      scale,
      text,
    });
    places.animations[i] = animation.replace(/\w+$/, kind);
    if (failure !== undefined) onFailure(`${failure}; the film is kept as ${places.animations[i]}`);
    yield [places.animations[i], bytes];
  }
  if (places.sheet) {
    const seeds = new Set(made.map(({ record }) => record.seed)).size;
    const tiles = made.map(({ record: { method, layer, units, seed, result }, item: { picture }, title }) => {
      const where = places.columns === undefined ? [] : [method ?? layer ?? []].flat();
      const what = [...where, ...units ? [units.join("+")] : [], title, ...seeds > 1 ? [`seed ${seed}:`] : []];
      return { image: picture, caption: `${what.join(" ")} ${figure(result.activation, 1)}` };
    });
    // A row for each unit where there are several seeds; else about as many rows as columns.
    const columns = places.columns ?? (seeds > 1 && seeds <= mostColumns ? seeds : Math.ceil(Math.sqrt(tiles.length)));
    const { Software } = recordText(made[0].record, "");
    yield [places.sheet, encodePng(contactSheet(tiles, columns), { Software })];
  }
}

/**
 * The codes as .npy, in the shape that they were given in where that fits: [values], or [codes, values] for several. Those of a film are
 * [frames, values].
 */
function codesFile(codes: Float32Array[], given?: number[], frames?: number): Uint8Array {
  const size = codes[0].length;
  const data = new Float32Array(codes.length * size);
  codes.forEach((code, i) => data.set(code, i * size));
  const fits = given && valueCount(given) === data.length;
  const own = frames === undefined ? [size] : [frames, size / frames];
  return writeNpy({ shape: fits ? given : codes.length === 1 ? own : [codes.length, ...own], data });
}
