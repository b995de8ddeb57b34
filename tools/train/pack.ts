/**
 * deno task pack: what train.py left in a directory → the model folders caffenet64 and deepsim64.
 *
 * Everything is read and built before anything is written, and each file takes its place whole; so a bad array leaves the
 * old models as they were.
 */
import { type Command, main, print, required, type Values } from "../../src/cli/command.ts";
import { writeFiles } from "../../src/cli/outputs/place.ts";
import { type NpyArray, readNpz } from "../../src/formats/npy.ts";
import { fromFloat32, type StoredTensor, writeSafetensors } from "../../src/formats/safetensors.ts";
import { UserError } from "../../src/formats/user_error.ts";
import { classifierCard, generatorCard, type Measured, readMeasured } from "./card.ts";
import { classifier, generator, type ModelName, type NetworkFile, networkText } from "./networks.ts";
import { storeWeights, take, trainedRanges } from "./weights.ts";

const options = {
  in: {
    value: "DIR",
    help: "caffenet64.npz, deepsim64.npz (or their parts NAME.f16.0.npz, NAME.f16.1.npz …) and code_stats.npz (needed)",
  },
  out: { value: "DIR", help: "where the two folders go; their files are replaced (needed)" },
  labels: { value: "FILE", help: "names of the 1000 units, one a line (models/caffenet64/labels.txt)" },
  f16: { value: "A,B", help: "fully connected layers to store as F16 instead of I8" },
  accuracy: { value: "FILE", help: "figures for the model cards: the JSON of tools/train/check.py" },
  note: { value: "TEXT", help: "a sentence for the cards on how this pair was trained" },
};

/** The command. */
export const command: Command<typeof options> = {
  name: "pack",
  summary: "Turns the output of tools/train/train.py into the model folders caffenet64 and deepsim64.",
  options,
  examples: [
    ["deno task pack --in out/train --out models", "the embedded models anew"],
    [
      'deno task pack --in out/train --out models --accuracy out/accuracy.json --note "Trained for 20 minutes on a GPU."',
      "with figures and a note in their cards",
    ],
  ],
  run,
};

/** What train.py left, its arrays by name. */
export interface Trained {
  arrays: Record<ModelName, Map<string, NpyArray>>;
  /** `mean` and `std` of every code unit. */
  code: Map<string, NpyArray>;
}

/** `labels`: the text of labels.txt; `halves`: fully connected layers to keep in F16; the rest is for the cards. */
export interface PackOptions {
  labels: string;
  halves: string[];
  measured?: Measured;
  note?: string;
}

/**
 * Builds the two folders: their files' bytes by path, e.g. `caffenet64/network.json`. `layout` gives the networks where
 * they are not the embedded pair's. Throws UserError where an array or a label is missing, misshapen or not finite.
 */
export async function pack(
  { arrays, code }: Trained,
  { labels, halves, measured, note }: PackOptions,
  layout = { classifier, generator },
): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const phi = withTrainedUnits(layout.classifier, arrays.caffenet64);
  const g = layout.generator();
  const units = phi.layers.at(-1)!;
  const names = labels.trimEnd().split("\n");
  if (names.length !== units.channels) {
    throw new UserError(`labels: ${names.length} names for the ${units.channels} units of "${units.name}"`);
  }
  const full = [...phi.layers, ...g.layers].filter(({ type }) => type === "fc").map(({ name }) => name);
  const stranger = halves.find((name) => !full.includes(name));
  if (stranger !== undefined) throw new UserError(`--f16 ${stranger}: not one of ${full.join(", ")}`);

  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const [network, card] of [[phi, classifierCard], [g, generatorCard]] as const) {
    const folder = network.name as ModelName;
    const { tensors, report } = storeWeights(network.layers, arrays[folder], halves);
    if (network.code) addCodeStatistics(tensors, code, network.inputs[0].shape[0]);
    const text = encode(networkText(network));
    const weights = writeSafetensors(tensors) as Uint8Array<ArrayBuffer>;
    const hash = await sha256(new Blob([text, weights]));
    files.set(`${folder}/network.json`, text);
    files.set(`${folder}/weights.safetensors`, weights);
    if (network === phi) files.set(`${folder}/labels.txt`, encode(labels));
    files.set(`${folder}/README.md`, encode(card({ network, report, hash, labels: names, measured, note })));
  }
  return files;
}

/** The classifier with `trained` as its last layer's weights tell. */
function withTrainedUnits(build: typeof classifier, arrays: Map<string, NpyArray>): NetworkFile {
  const { name, channels } = build([]).layers.at(-1)!;
  const fits = (shape: number[]) => shape[0] === channels;
  const weight = take(arrays, `${name}.weight`, fits, `${channels} rows`);
  const bias = take(arrays, `${name}.bias`, fits, `[${channels}]`);
  return build(trainedRanges(weight.values, bias.values));
}

function addCodeStatistics(tensors: Map<string, StoredTensor>, code: Map<string, NpyArray>, length: number): void {
  for (const name of ["mean", "std"]) {
    const { shape, values } = take(code, name, (s) => s.length === 1 && s[0] === length, `[${length}]`);
    tensors.set(`code.${name}`, fromFloat32(values, "F32", shape));
  }
}

const encode = (text: string) => new TextEncoder().encode(text);

async function sha256(blob: Blob): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer())).toHex();
}

/** Reads a file; the error says what it was wanted for. */
async function read(path: string, wanted: string): Promise<Uint8Array> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    throw new UserError(`${path}: cannot be read (${(error as Error).message}); expected ${wanted}`);
  }
}

/** The arrays of DIR/NAME.npz or, where there is none, of its float16 parts DIR/NAME.f16.N.npz. */
async function readArrays(directory: string, name: ModelName): Promise<Map<string, NpyArray>> {
  const present = new Set<string>();
  try {
    for await (const entry of Deno.readDir(directory)) present.add(entry.name);
  } catch (error) {
    throw new UserError(`${directory}: cannot be read (${(error as Error).message}); expected train.py's output`);
  }
  const parts = [...present].filter((file) => new RegExp(`^${name}\\.f16\\.\\d+\\.npz$`).test(file));
  const files = present.has(`${name}.npz`) ? [`${name}.npz`] : parts;
  if (files.length === 0) throw new UserError(`${directory}: holds neither ${name}.npz nor ${name}.f16.0.npz`);
  const arrays = new Map<string, NpyArray>();
  for (const file of files) {
    const path = `${directory}/${file}`;
    for (const [key, array] of await readNpz(await read(path, "trained arrays"), path)) arrays.set(key, array);
  }
  return arrays;
}

async function run(values: Values<typeof options>): Promise<void> {
  const directory = required("--in", values.in);
  const out = required("--out", values.out);
  const { f16, accuracy, note } = values;
  const codePath = `${directory}/code_stats.npz`;
  const labelsPath = values.labels ?? new URL("../../models/caffenet64/labels.txt", import.meta.url).pathname;
  const text = async (path: string, wanted: string) => new TextDecoder().decode(await read(path, wanted));
  const trained = {
    arrays: {
      caffenet64: await readArrays(directory, "caffenet64"),
      deepsim64: await readArrays(directory, "deepsim64"),
    },
    code: await readNpz(await read(codePath, "the code's mean and std"), codePath),
  };
  const files = await pack(trained, {
    labels: await text(labelsPath, "a unit's name a line"),
    halves: f16?.split(",") ?? [],
    measured: accuracy ? readMeasured(await text(accuracy, "check.py's figures"), accuracy) : undefined,
    note,
  });
  for (const [path, bytes] of files) {
    writeFiles(new Map([[`${out}/${path}`, bytes]]), { force: true });
    print(`${out}/${path}  ${bytes.length.toLocaleString("en")} bytes`);
  }
}

if (import.meta.main) await main(command);
