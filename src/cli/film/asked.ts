/** What is asked of a film beside its frames: its file, its speed, and whether its order is tried. */
import { UserError } from "../../formats/user_error.ts";
import { mostFps } from "../../record/record.ts";
import type { Request } from "../../record/request.ts";
import type { SynthValues } from "../synth/options.ts";
import { oneOf, wholeNumber } from "../values.ts";

/** The kinds of files that films are saved as. */
export const filmKinds = ["gif", "apng", "mp4"] as const;
export type FilmKind = typeof filmKinds[number];

/** How a film is saved. */
export interface FilmFile {
  kind: FilmKind;
  /** Frames a second. */
  fps: number;
}

/** Frames a second unless anyone says otherwise. */
const usualFps = 12;

/** Random orders that --shuffle tries. */
export const shuffleTimes = 10;

/** The kind that a file's name says. */
export const kindOf = (name: string | undefined): FilmKind | undefined =>
  filmKinds.find((kind) => name?.toLowerCase().endsWith(`.${kind}`));

/**
 * How the film is saved; undefined where none is made.
 * @param folders Those of the classifiers; the pictures of several are one film.
 * @throws UserError where something is asked that films do not have, or that only they have.
 */
export function filmFile(
  values: SynthValues,
  { frames, fps, repeats }: Request,
  folders: readonly string[],
): FilmFile | undefined {
  const several = folders.length > 1;
  const before = repeats?.record.classifiers?.length;
  if (before && before !== Math.max(folders.length, 1)) {
    const got = `expected them all after --classifier, got ${folders.length}`;
    throw new UserError(`${repeats!.file} is a film over ${before} classifiers; ${got}`);
  }
  const named = kindOf(values.out);
  const said = oneOf("--film", values.film, filmKinds);
  const rate = wholeNumber("--fps", values.fps, { least: 1, most: mostFps, fallback: fps ?? usualFps });
  if (values.shuffle && (frames ?? 1) === 1) {
    throw new UserError("--shuffle tries the frames of a film in other orders; --frames N makes one of several");
  }
  if (frames === undefined && !several) {
    if (said || named || values.fps !== undefined) {
      const what = said ? "--film" : named ? `--out ${values.out}` : "--fps";
      const pattern = folders.length > 0 && folders[0] !== values.classifier;
      const alone = pattern ? `, and ${values.classifier} fits ${folders[0]} alone` : "";
      throw new UserError(`${what} is for a film: --frames N makes one, or several folders after --classifier${alone}`);
    }
    return undefined;
  }
  if (values.animate) throw new UserError("--animate shows how a picture came to be; a film moves already");
  if (values.replace?.length || values.ways?.length) {
    throw new UserError("--replace and --ways try kernels on single pictures, not on films");
  }
  if (said && named && said !== named) throw new UserError(`--film ${said}, but --out ${values.out} is ${named}`);
  return { kind: said ?? named ?? "apng", fps: rate };
}
