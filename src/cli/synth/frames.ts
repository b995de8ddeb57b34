/** How a picture came to be: the frames that are kept on its way, and the animation or the sheet that they become. */
import { encodeApng, encodeGif } from "../../formats/animation.ts";
import { figure } from "../../formats/figure.ts";
import { contactSheet, type Image, resizeRgb } from "../../formats/image.ts";
import { encodePng } from "../../formats/png.ts";
import type { Settings } from "../../mod.ts";

/** A picture on its way: after so many iterations, with the activation that it has. */
export interface Frame {
  picture: Image;
  iteration: number;
  activation: number;
}

/** What `--animate` takes. */
export const animations = ["gif", "apng", "sheet"] as const;

/** Frames of an animation, about; the last one stays a while. */
const frameCount = 40;
const frameMs = 80;
const lastFrameTimes = 12;

/** Pictures on a sheet: more would take a gigabyte and be no use to anyone. */
export const mostTiles = 1000;

/** Frames in a row of a sheet, and about the least bytes that each takes there. */
const columns = 10;
const tileBytes = 1 << 16;

/** Frames come after so many iterations each: on a sheet every iteration that it has room for. */
export const framesEvery = (kind: string, { iterations, octaves }: Settings): number =>
  kind === "sheet" ? Math.ceil(octaves * iterations / mostTiles) : Math.ceil(iterations / frameCount);

/** About the bytes of memory that the frames of a picture of so many bytes take until they are saved. */
export function roomForFrames(kind: string, { iterations, octaves }: Settings, picture: number): number {
  if (kind !== "sheet") return frameCount * picture;
  return Math.min(octaves * iterations, mostTiles) * (picture + Math.max(picture, tileBytes));
}

/** Where the frames of a picture go. */
export const framesPlace = (picture: string, kind: string): string =>
  picture.replace(/\.png$/i, kind === "sheet" ? "_iterations.png" : `.${kind}`);

/** The file of a picture's frames. An APNG has the picture's text. */
export function encodeFrames(
  kind: string,
  frames: readonly Frame[],
  { picture, scale, text }: { picture: Image; scale: number; text: Record<string, string> },
): Uint8Array {
  if (kind === "sheet") {
    const every = Math.ceil(frames.length / mostTiles);
    const shown = frames.filter((_, n) => (n + 1) % every === 0);
    const tiles = shown.map(({ picture, iteration, activation }) => ({
      image: picture,
      caption: `${iteration}: ${figure(activation)}`,
    }));
    return encodePng(contactSheet(tiles, columns), { Software: text.Software });
  }
  const { width, height } = picture;
  const all = [
    ...frames.map((frame) => frame.picture.width === width ? frame.picture : resizeRgb(frame.picture, width, height)),
    ...Array.from({ length: lastFrameTimes }, () => picture),
  ];
  const showing = { delayMs: frameMs, scale };
  return kind === "gif" ? encodeGif(all, showing) : encodeApng(all, showing, text);
}
