/** The report of a sweep: one page that needs no server, no network and none of the sweep's other files. */
import { type Image, resizeRgb } from "../../formats/image.ts";
import { decodeImage, encodePng } from "../../formats/png.ts";
import { UserError } from "../../formats/user_error.ts";
import { optionOf, quoted, type SettingName } from "../../mod.ts";
import { warn } from "../print.ts";
import { version } from "../defaults.ts";
import { page } from "./page.ts";
import { type Line, pathOf, pictureBytes, type Read } from "./results.ts";

/** Bytes that all pictures of a report take at most, about. */
const mostBytes = 12 * 2 ** 20;

/** Longer sides that pictures are made smaller to, where they would take more. */
const sides = [256, 192, 128, 96, 64, 48, 32, 16];

/** A page's text, and how many pictures it lacks. @param name Of what it reports. */
export async function report(read: Read, name: string): Promise<{ html: string; missing: number }> {
  const pictures: (string | null)[] = [];
  for (const line of read.lines) pictures.push(await embedded(read, line, mostBytes / read.lines.length));
  const data = {
    name,
    version,
    planned: read.pictures,
    varied: variedOf(read.lines),
    lines: read.lines.map(({ adapter: _, named, ...line }, n) => ({
      ...line,
      settings: Object.fromEntries(Object.entries(line.settings).map(([name, value]) => [optionText(name), value])),
      again: ["deno task synth --from", quoted(pathOf(read, line as Line)), named].filter((part) => part).join(" "),
      image: pictures[n],
    })),
    adapters: [...new Set(read.lines.map(({ adapter }) => adapter))],
  };
  return { html: page(`Sweep: ${name}`, data), missing: pictures.filter((picture) => picture === null).length };
}

/** The settings in which pictures differ. */
function variedOf(lines: readonly Line[]): string[] {
  const names = new Set(lines.flatMap(({ settings }) => Object.keys(settings)));
  const valueOf = ({ settings }: Line, name: string) => (settings as unknown as Record<string, unknown>)[name];
  return [...names].filter((name) => lines.some((line) => valueOf(line, name) !== valueOf(lines[0], name)))
    .map(optionText);
}

/** A setting as it is typed. */
const optionText = (name: string): string => `--${optionOf(name as SettingName)}`;

/** A picture as text, without its record and as small as it must be; null where it is not there any more. */
async function embedded(read: Read, line: Line, room: number): Promise<string | null> {
  try {
    const bytes = await pictureBytes(read, line);
    if (!bytes) throw new UserError(`${pathOf(read, line)} is not there as it was made`);
    const image = await decodeImage(bytes, line.file);
    for (const side of [Infinity, ...sides]) {
      const smaller = encodePng(within(image, side));
      if (smaller.length <= room || side === sides.at(-1)) return smaller.toBase64();
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    warn(`shown without its picture: ${error.message}`);
  }
  return null;
}

/** A picture whose longer side is at most so long. */
function within(image: Image, side: number): Image {
  const factor = side / Math.max(image.width, image.height);
  if (factor >= 1) return image;
  return resizeRgb(
    image,
    Math.max(1, Math.round(image.width * factor)),
    Math.max(1, Math.round(image.height * factor)),
  );
}
