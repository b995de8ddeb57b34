/**
 * Reads hostile files, as many as the first argument says, in one process, and prints what is wrong: an answer that is no
 * sentence, one that took over five seconds of the processor, a peak of memory (of the process, with the making of the files) over 400 MB.
 */
import process from "node:process";
import { join } from "node:path";
import { readRecord } from "../../src/record/record.ts";
import { parseJson } from "../../src/formats/json.ts";
import { readNpz } from "../../src/formats/npy.ts";
import { decodeImage } from "../../src/formats/png.ts";
import { readSafetensors } from "../../src/formats/safetensors.ts";
import { UserError } from "../../src/formats/user_error.ts";
import { extract } from "../../tools/get/archive.ts";
import { type Bomb, bomb } from "../formats/bombs.ts";
import { randomIntegers } from "../formats/fuzz.ts";

const [count, most, folder] = [Number(Deno.args[0]), Number(Deno.args[1]), Deno.args[2]];

/** Reads one. */
async function read({ kind, reader, bytes }: Bomb): Promise<unknown> {
  switch (reader) {
    case "picture":
      return await decodeImage(bytes, "x");
    case "npz":
      return await readNpz(bytes, "x");
    case "safetensors":
      return readSafetensors(bytes, "x");
    case "json":
      return parseJson(new TextDecoder().decode(bytes));
    case "record":
      return readRecord({ phosphene: new TextDecoder().decode(bytes) }, "x");
    case "archive": {
      const archive = join(folder, kind === "zip" ? "a.zip" : "a.tar.gz");
      Deno.writeFileSync(archive, bytes);
      return await extract(archive, new Map([["generator.prototxt", join(folder, "p")]]));
    }
  }
}

const milliseconds = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const megabytes = () => Math.round(process.resourceUsage().maxRSS / 1024);
const random = randomIntegers(3);
const { gc: collect } = globalThis as { gc?: () => void }; // with --v8-flags=--expose-gc
let slowest = 0;
let refused = 0;
for (let n = 0; n < count; n++) {
  collect?.(); // so that the peak is a file's own, not what many left for the collector
  const hostile = bomb(n, random, most);
  const what = `bomb ${n} (${hostile.kind}, ${hostile.bytes.length} bytes)`;
  const before = megabytes();
  const start = milliseconds();
  try {
    await read(hostile);
  } catch (error) {
    refused++;
    if (!(error instanceof UserError) && hostile.reader !== "json") console.log(`${what}: ${(error as Error).stack}`);
  }
  const took = milliseconds() - start;
  if (took > 5000) console.log(`${what} took ${Math.round(took)} ms`);
  if (megabytes() > 400 && before <= 400) console.log(`${what} brought the process to ${megabytes()} MB`);
  slowest = Math.max(slowest, took);
}
console.log(`${count} bombs, ${refused} refused, slowest ${Math.round(slowest)} ms, peak ${megabytes()} MB`);
