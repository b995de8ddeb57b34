/** Reads bombs in one process: COUNT of them, of up to MEBIBYTES unpacked, by a FOLDER and a SEED (3). */
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
import { readHostile } from "./hostile.ts";

const [count, most, folder, seed = 3] = Deno.args.map((text, n) => n === 2 ? text : Number(text)) as [
  ...[number, number, string, number?],
];

/** Who reads JSON makes a sentence of what its reader says. */
function readJson(text: string): void {
  try {
    parseJson(text);
  } catch (error) {
    throw new UserError((error as Error).message.replace(/\p{Cc}/gu, " "));
  }
}

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
      return readJson(new TextDecoder().decode(bytes));
    case "record":
      return void readRecord({ phosphene: new TextDecoder().decode(bytes) }, "x");
    case "archive": {
      const archive = join(folder, kind === "zip" ? "a.zip" : "a.tar.gz");
      Deno.writeFileSync(archive, bytes);
      return await extract(archive, new Map([["generator.prototxt", join(folder, "p")]]));
    }
  }
}

const random = randomIntegers(seed);
await readHostile(count, (n) => {
  const hostile = bomb(n, random, most);
  return { ...hostile, read: () => read(hostile) };
});
