/** The files of a synth run: their names, which are known before it starts, and their bytes, which are made after it. */
import { join } from "node:path";
import { encodeApng, encodeGif } from "../formats/animation.ts";
import { contactSheet, enlarge, type Image } from "../formats/image.ts";
import { writeNpy } from "../formats/npy.ts";
import { encodePng } from "../formats/png.ts";
import { valueCount } from "../formats/shape.ts";
import { UserError } from "../formats/user_error.ts";
import type { Model } from "../mod.ts";
import { type PictureRecord, recordText } from "./record.ts";
import type { Request, SynthValues } from "./synth_request.ts";

/** Where everything goes. */
export interface Places {
  /** One for each target. */
  pictures: string[];
  animations: string[];
  sheet?: string;
  codes?: string;
}

/** What a run has made of one target. */
export interface Made {
  record: PictureRecord;
  picture: Image;
  code: Float32Array;
  /** The picture as it grew; empty unless asked for. */
  frames: Image[];
  /** The unit's name, or the units' names. */
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

/** Names the files of a run. @throws UserError when --out names one file for several pictures. */
export function placesOf(
  { targets }: Request,
  layer: string,
  isFolder: (path: string) => boolean,
  values: SynthValues,
): Places {
  const out = values.out ?? "out", safeLayer = layer.replace(/[^\w.-]+/g, "-");
  let pictures = targets.map(({ units, seed }) => join(out, `${safeLayer}_${listText(units, 4)}_${seed}.png`));
  if (/\.\w+$/.test(out) && !isFolder(out)) {
    if (!/\.png$/i.test(out)) {
      throw new UserError(`--out ${out}: pictures are saved as .png; a folder's name ends in /`);
    }
    if (targets.length > 1) {
      throw new UserError(`--out ${out} is one file and there are ${targets.length} pictures; name a folder`);
    }
    pictures = [out];
  }
  const units = [...new Set(targets.flatMap((target) => target.units))];
  const seeds = [...new Set(targets.map(({ seed }) => seed))];
  return {
    pictures,
    animations: values.animate ? pictures.map((path) => path.replace(/\.png$/i, `.${values.animate}`)) : [],
    sheet: targets.length > 1 && targets.length <= mostTiles
      ? join(out, `${safeLayer}_${listText(units, 4)}_${listText(seeds, 1)}_sheet.png`)
      : undefined,
    codes: values["save-code"],
  };
}

/** All of these places. */
export const allPlaces = ({ pictures, animations, sheet, codes }: Places): string[] =>
  [...pictures, ...animations, sheet, codes].filter((path) => path !== undefined);

/** The places with what each name has become. */
export function withNames(places: Places, become: (name: string) => string): Places {
  const { pictures, animations, sheet, codes } = places;
  return {
    pictures: pictures.map(become),
    animations: animations.map(become),
    sheet: sheet && become(sheet),
    codes: codes && become(codes),
  };
}

/** The places of a run that was stopped after so many pictures. */
export const placesOfMade = ({ pictures, animations, ...places }: Places, made: number): Places => ({
  pictures: pictures.slice(0, made),
  animations: animations.slice(0, made),
  ...places,
});

/** About the bytes of memory that a picture takes until it is saved: itself, its code, its trace, its frames, its file. */
export function roomFor(
  { iterations }: Request,
  { classifier, generator }: { classifier: Model; generator: Model },
  { animate }: SynthValues,
): number {
  const picture = valueCount(classifier.network.inputs[0].shape), code = valueCount(generator.network.inputs[0].shape);
  return (2 + (animate ? frameCount : 0)) * picture + 4 * (2 * code + iterations) + 4096;
}

/** About the bytes that a run's files will take: plenty where pictures are as they are, less than that when enlarged. */
export function spaceFor({ targets }: Request, { network }: Model): number {
  const picture = valueCount(network.inputs[0].shape);
  return targets.length * (2 * picture + 8192);
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
  for (const [i, item] of made.entries()) {
    yield [places.pictures[i], encodePng(enlarge(item.picture, scale), textOf(item))];
  }
  if (places.codes) yield [places.codes, codesFile(made.map(({ code }) => code), shape)];
  for (const [i, animation] of places.animations.entries()) {
    const { frames, picture } = made[i], all = [...frames, ...Array.from({ length: lastFrameTimes }, () => picture)];
    const showing = { delayMs: frameMs, scale };
    yield [animation, animation.endsWith("gif") ? encodeGif(all, showing) : encodeApng(all, showing, textOf(made[i]))];
  }
  if (places.sheet) {
    const seeds = new Set(made.map(({ record }) => record.seed)).size;
    const tiles = made.map(({ record: { units, seed, result }, picture, title }) => ({
      image: picture,
      caption: `${units.join("+")} ${title} ${seeds > 1 ? `seed ${seed}: ` : ""}${result.activation.toFixed(1)}`,
    }));
    // A row for each unit where there are several seeds; else about as many rows as columns.
    const columns = seeds > 1 && seeds <= 12 ? seeds : Math.ceil(Math.sqrt(tiles.length));
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

/** What a picture shows, in a sentence for people. */
function description({ units, layer, classifier, generator }: PictureRecord, title: string): string {
  const what = units.length > 1 ? `units ${units.join(", ")} (${title}) want` : `unit ${units[0]} (${title}) wants`;
  return `What ${what} to see: ${layer} of ${classifier.name}, drawn by ${generator.name}`;
}
