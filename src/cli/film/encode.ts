/** A film as a file. */
import { encodeApng, encodeGif } from "../../formats/animation.ts";
import { enlarge, type Image } from "../../formats/image.ts";
import { UserError } from "../../formats/user_error.ts";
import type { FilmFile, FilmKind } from "./asked.ts";
import { encodeMp4 } from "./ffmpeg.ts";

/** What a film became, and why that is another kind than it should be, where it is. */
export interface EncodedFilm {
  kind: FilmKind;
  bytes: Uint8Array;
  failure?: string;
}

/** Encodes a film: an APNG with its text, a GIF, or an MP4, which is an APNG where ffmpeg fails. */
export async function encodeFilm(
  frames: Image[],
  { kind, fps }: FilmFile,
  { scale, text }: { scale: number; text: Record<string, string> },
): Promise<EncodedFilm> {
  const showing = { delayMs: 1000 / fps, scale };
  const apng = (failure?: string): EncodedFilm => ({ kind: "apng", bytes: encodeApng(frames, showing, text), failure });
  if (kind === "apng") return apng();
  if (kind === "gif") return { kind, bytes: encodeGif(frames, showing) };
  try {
    return { kind, bytes: await encodeMp4(frames.map((frame) => enlarge(frame, scale)), fps, text.Description) };
  } catch (error) {
    if (error instanceof UserError) return apng(error.message);
    throw error;
  }
}
