/**
 * Reads damaged files in one process: COUNT copies of small JPEGs, PNGs and ONNX models, by a SEED, and of the .onnx files in FOLDERS.
 * What can be converted is built as a network, with all of its shapes and weights.
 */
import { extname, join } from "node:path";
import { encode } from "fast-png";
import { giveBack } from "../../src/formats/bytes.ts";
import { decodeImage, encodePng } from "../../src/formats/png.ts";
import { buildGraph } from "../../src/net/graph.ts";
import { parseNetwork } from "../../src/net/network.ts";
import { damageChunks } from "../formats/damage.ts";
import { type Damage, damageBytes, randomIntegers } from "../formats/fuzz.ts";
import { damageSegments, jpegFiles } from "../formats/jpeg_files.ts";
import { convert } from "../tools/convert/onnx/converted.ts";
import * as models from "../tools/convert/onnx/models.ts";
import { onnxModel } from "../tools/convert/onnx/writer.ts";
import { type Hostile, readHostile } from "./hostile.ts";

/** A sound file, how copies are damaged, and who reads them. */
interface Sound {
  kind: string;
  file: Uint8Array;
  damages: Damage[];
  read: (bytes: Uint8Array) => unknown;
}

const [count, seed, ...folders] = Deno.args.map((text, n) => n < 2 ? Number(text) : text) as [
  number,
  number,
  ...string[],
];
const random = randomIntegers(seed);

const picture = async (bytes: Uint8Array) => giveBack((await decodeImage(bytes, "x")).rgb);

function model(bytes: Uint8Array): void {
  const { text, tensors } = convert(bytes);
  const { layers } = buildGraph({ network: parseNetwork(text, "net"), weights: tensors, where: "net" });
  for (const { weight, weightShapes } of layers) Object.keys(weightShapes).forEach(weight);
}

const noise = (n: number) => Uint8Array.from({ length: n }, () => random(256));
const pngs = [
  encodePng({ width: 9, height: 9, rgb: noise(243) }, { a: "b", c: "辣" }),
  ...([1, 2, 3, 4] as const).map((channels) => encode({ width: 9, height: 7, data: noise(63 * channels), channels })),
  encode({ width: 9, height: 9, data: noise(243), channels: 3 }, { interlace: "Adam7" }),
];
const own = [models.classifier, models.manyOperators, models.olderOperators, models.pickingOperators].map(onnxModel);
const found = folders.flatMap((folder) =>
  [...Deno.readDirSync(folder)].filter(({ name }) => extname(name) === ".onnx").map(({ name }) => join(folder, name))
);

/** Of each reader's files. */
const sounds: Sound[][] = [
  jpegFiles.map(({ kind, bytes }) => ({ kind, file: bytes, damages: [damageBytes, damageSegments], read: picture })),
  pngs.map((file) => ({ kind: "PNG", file, damages: [damageBytes, damageChunks], read: picture })),
  [
    ...own.map((file) => ({ kind: "ONNX", file })),
    ...found.map((kind) => ({ kind, file: Deno.readFileSync(kind) })),
  ].map((sound) => ({ ...sound, damages: [damageBytes, models.damageModel, models.damageModel], read: model })),
];

await readHostile(count, (n): Hostile => {
  const ofReader = sounds[n % sounds.length];
  const { kind, file, damages, read } = ofReader[random(ofReader.length)];
  const bytes = damages[random(damages.length)](file, random);
  return { kind, bytes, read: () => read(bytes) };
});
