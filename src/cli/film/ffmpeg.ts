/** MP4 by ffmpeg, a program of the user's own: H.264 as every browser plays it. */
import { join } from "node:path";
import { printable } from "../../formats/printable.ts";
import { UserError } from "../../formats/user_error.ts";
import type { Image } from "../../formats/image.ts";
import { reasonOf } from "../files.ts";
import { scratchFolder } from "../outputs/scratch.ts";

const notThere = "MP4 is made by the program ffmpeg, which is not installed; --film apng and --film gif need none";

/** Makes sure that there is an ffmpeg. @throws UserError where there is none. */
export async function checkFfmpeg(): Promise<void> {
  try {
    const { success } = await ffmpeg(["-version"], "null", "null").output();
    if (!success) {
      throw new UserError("the program ffmpeg does not run: `ffmpeg -version` fails; --film apng needs none");
    }
  } catch (error) {
    throw error instanceof UserError ? error : new UserError(notThere);
  }
}

/** In a session of its own, where it does not hear the Ctrl-C that ends a search: the film of that is yet to be made. */
const ffmpeg = (args: string[], stdin: "null" | "piped", stderr: "null" | "piped"): Deno.Command =>
  new Deno.Command("ffmpeg", { args, stdin, stdout: "null", stderr, detached: true });

/** A picture with even sides, as H.264's halved colours want them: the last column and row once more. */
export function even({ width, height, rgb }: Image): Image {
  const [wide, high] = [width + width % 2, height + height % 2];
  if (wide === width && high === height) return { width, height, rgb };
  const all = new Uint8Array(3 * wide * high);
  for (let y = 0; y < high; y++) {
    const row = rgb.subarray(3 * width * Math.min(y, height - 1), 3 * width * (Math.min(y, height - 1) + 1));
    all.set(row, 3 * wide * y);
    if (wide > width) all.set(row.subarray(-3), 3 * (wide * y + width));
  }
  return { width: wide, height: high, rgb: all };
}

/** Encodes an MP4. @throws UserError with ffmpeg's last line where it fails. */
export async function encodeMp4(frames: readonly Image[], fps: number, title: string): Promise<Uint8Array> {
  try {
    return await encoded(frames.map(even), fps, title);
  } catch (error) {
    throw error instanceof UserError ? error : new UserError(`ffmpeg failed: ${reasonOf(error)}`);
  }
}

async function encoded(pictures: readonly Image[], fps: number, title: string): Promise<Uint8Array> {
  const [{ width, height }] = pictures;
  using folder = scratchFolder();
  const file = join(folder.path, "film.mp4");
  const child = ffmpeg(
    [
      ...["-hide_banner", "-loglevel", "error", "-y"],
      ...["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", `${width}x${height}`, "-r", `${fps}`, "-i", "-"],
      ...["-an", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "16", "-movflags", "+faststart"],
      ...["-metadata", `title=${printable(title)}`, "-f", "mp4", file],
    ],
    "piped",
    "piped",
  ).spawn();
  const said = new Response(child.stderr).text();
  const writer = child.stdin.getWriter();
  try {
    for (const { rgb } of pictures) await writer.write(rgb);
    await writer.close();
  } catch {
    // It reads no more: what it says of that counts.
  }
  const [{ success, code, signal }, text] = await Promise.all([child.status, said]);
  if (success) return Deno.readFileSync(file);
  const last = text.trim().split("\n").at(-1)?.trim();
  throw new UserError(`ffmpeg failed: ${last || (signal ? `ended by ${signal}` : `exit code ${code}`)}`);
}
