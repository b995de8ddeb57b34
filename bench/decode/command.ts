/** `deno task bench decode`: how long pictures take to decode, each in turn, from memory. */
import { columns } from "../../src/cli/columns.ts";
import { type Command, print, required, warn } from "../../src/cli/command.ts";
import { version } from "../../src/cli/defaults.ts";
import { readBytes } from "../../src/cli/files.ts";
import { picturesBelow } from "../../src/cli/picture_set.ts";
import { progress, stderrScreen } from "../../src/cli/progress.ts";
import { isPng } from "../../src/formats/png_chunks.ts";
import { decodeImage } from "../../src/formats/png.ts";
import { UserError } from "../../src/formats/user_error.ts";
import { jsonOptions, openFiles, saveFiles, today } from "../report.ts";
import { processorMs } from "../stopwatch.ts";

const options = {
  images: { value: "DIR", help: "a folder of PNG and JPEG pictures, and of folders of them (needed)" },
  ...jsonOptions,
};

/** What a picture took. */
interface Decoded {
  file: string;
  kind: "JPEG" | "PNG";
  width: number;
  height: number;
  bytes: number;
  /** By the clock. */
  ms: number;
  /** So long this program's threads ran, which other programs lengthen far less. */
  own: number;
}

/** Pictures that are decoded before any is timed: the first ones also compile what decodes. */
const WARM_UP = 20;

/** The command. */
export const decodeCommand: Command<typeof options> = {
  name: "bench decode",
  summary: "Measures how long each picture of a folder takes to decode, without the reading of its file.",
  options,
  examples: [
    ["deno task bench decode --images photos", "milliseconds a picture, by kind"],
    ["deno task bench decode --images photos --json decode.json", "every picture's in a file, too"],
  ],
  async run(values) {
    const files = picturesBelow(required("--images", values.images));
    using outputs = openFiles(values);
    for (const file of files.slice(0, WARM_UP)) await timed(file).catch(() => {}); // what is wrong is told below
    const pictures: Decoded[] = [];
    const bar = progress("picture", stderrScreen(false));
    for (const [n, file] of files.entries()) {
      bar.show({ done: n + 1, total: files.length, note: "" });
      try {
        pictures.push(await timed(file));
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        warn(`left out: ${error.message}`);
      }
    }
    bar.end();
    table(pictures).forEach(print);
    if (values.json) saveFiles(outputs, values, { version, date: today(), kind: "decode", pictures });
    return pictures.length < files.length ? 1 : 0;
  },
};

/** Decodes a picture. @throws UserError where it cannot be read. */
async function timed(file: string): Promise<Decoded> {
  const bytes = await readBytes(file);
  const start = performance.now();
  const before = processorMs();
  const { width, height } = await decodeImage(bytes, file);
  const own = processorMs() - before;
  const ms = performance.now() - start;
  return { file, kind: isPng(bytes) ? "PNG" : "JPEG", width, height, bytes: bytes.length, ms, own };
}

/** The figures, a row a kind. */
function table(pictures: Decoded[]): string[] {
  const rows = (["JPEG", "PNG"] as const).flatMap((kind) => {
    const some = pictures.filter((picture) => picture.kind === kind);
    if (some.length === 0) return [];
    const sum = (of: (picture: Decoded) => number) => some.reduce((sum, picture) => sum + of(picture), 0);
    const middle = some.map(({ ms }) => ms).sort((a, b) => a - b)[some.length >> 1];
    const pixels = sum(({ width, height }) => width * height);
    const ms = sum((picture) => picture.ms);
    const figures = [
      pixels / some.length / 1e6,
      sum(({ bytes }) => bytes) / some.length / 1e3,
      middle,
      ms / some.length,
      sum(({ own }) => own) / some.length,
      pixels / ms / 1e3,
    ];
    return [[kind, String(some.length), ...figures.map((figure) => figure.toPrecision(3))]];
  });
  const heads = ["", "pictures", "megapixels", "kB", "ms, middle", "ms, mean", "ms of the processor", "megapixels/s"];
  return columns([heads, ...rows], (column) => column === 0);
}
