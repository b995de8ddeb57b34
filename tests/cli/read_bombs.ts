/**
 * Reads hostile files in one process: COUNT of them, of up to MEBIBYTES unpacked, by a FOLDER and a SEED (3). Prints what is wrong: an
 * answer that is no sentence, one that took over five seconds of the processor, a peak of memory (of the whole process) over 400 MB.
 */
import process from "node:process";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { join } from "node:path";
import { readRecord } from "../../src/record/record.ts";
import { giveBack } from "../../src/formats/bytes.ts";
import { parseJson } from "../../src/formats/json.ts";
import { readNpz } from "../../src/formats/npy.ts";
import { decodeImage } from "../../src/formats/png.ts";
import { readSafetensors } from "../../src/formats/safetensors.ts";
import { UserError } from "../../src/formats/user_error.ts";
import { extract } from "../../tools/get/archive.ts";
import { type Bomb, bomb } from "../formats/bombs.ts";
import { randomIntegers } from "../formats/fuzz.ts";

const [count, most, folder, seed = 3] = Deno.args.map((text, n) => n === 2 ? text : Number(text)) as [
  ...[number, number, string, number?],
];

/** Reads one; what is large of it is given back, for nobody wants it. */
async function read({ kind, reader, bytes }: Bomb): Promise<void> {
  switch (reader) {
    case "picture":
      return giveBack((await decodeImage(bytes, "x")).rgb);
    case "npz":
      for (const { data } of (await readNpz(bytes, "x")).values()) giveBack(data);
      return;
    case "safetensors":
      return void readSafetensors(bytes, "x");
    case "json":
      return void parseJson(new TextDecoder().decode(bytes));
    case "record":
      return void readRecord({ phosphene: new TextDecoder().decode(bytes) }, "x");
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
const random = randomIntegers(seed);
setFlagsFromString("--expose-gc");
const collect: () => void = runInNewContext("gc");
const many = 150e6;
let slowest = 0;
let refused = 0;
for (let n = 0; n < count; n++) {
  const hostile = bomb(n, random, most);
  if (process.memoryUsage().rss > many) collect(); // so that the peak is a file's own, not what others left for the collector
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
  giveBack(hostile.bytes);
  if ((n + 1) % 1000 === 0) {
    console.error(`${n + 1} of ${count}, slowest ${Math.round(slowest)} ms, peak ${megabytes()} MB`);
  }
}
console.log(`${count} bombs, ${refused} refused, slowest ${Math.round(slowest)} ms, peak ${megabytes()} MB`);
