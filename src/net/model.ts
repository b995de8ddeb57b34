/** A model folder in memory: the network, its weights as stored, its labels, and a hash that names exactly these. */
import { giveBack } from "../formats/bytes.ts";
import { type KindName, refuseOthers } from "../formats/kinds.ts";
import { readSafetensors, type StoredTensor } from "../formats/safetensors.ts";
import { UserError } from "../formats/user_error.ts";
import { unitMap } from "../ops/op.ts";
import { told } from "./asked.ts";
import { fetchFile, type OnBytes } from "./fetch_files.ts";
import { buildGraph, endingOf, type Graph, hostWeights, sequenceLayer } from "./graph.ts";
import { LAST, valueOf } from "./naming.ts";
import { type Network, parseNetwork } from "./network.ts";

/** A model, loaded and checked. */
export interface Model {
  /** As its network.json says. */
  readonly name: string;
  /** Where it came from, for messages. */
  readonly where: string;
  /** Its layers, and what its pixels are. */
  readonly network: Network;
  /** By their names in weights.safetensors: `LAYER.WEIGHT`. */
  readonly weights: ReadonlyMap<string, StoredTensor>;
  /** Names of the output units; empty when the folder has none. */
  readonly labels: readonly string[];
  /** SHA-256 of network.json and weights.safetensors, in hexadecimal. */
  readonly hash: string;
}

/** Bytes of network.json and labels.txt: far more than networks of 20,000 layers and a million units take. */
export const MOST_TEXT = 2 ** 25;

/** What labels.txt is. */
export const listOfNames = "a list of the units' names";

/** Bytes of weights that are fetched: more than a page may have. */
const MOST_WEIGHTS = 2 ** 32;

/** Reads one file of a model folder; `undefined` where there is none. @throws UserError when it cannot be read. */
export type ReadFile = (file: string) => Promise<Uint8Array | undefined>;

/**
 * Loads a model folder from the web and checks it.
 *
 * ```ts
 * const classifier = await fetchModel("https://example.org/models/caffenet64/");
 * ```
 * @param folder The folder's address.
 * @param onBytes Told how much of the weights has come.
 * @throws UserError in one sentence.
 */
export function fetchModel(folder: string | URL, onBytes?: OnBytes): Promise<Model> {
  const base = String(folder).replace(/\/?$/, "/");
  return loadModel(
    (file) =>
      file === "weights.safetensors"
        ? fetchFile(base + file, MOST_WEIGHTS, onBytes)
        : fetchFile(base + file, MOST_TEXT),
    base.slice(0, -1),
  );
}

/**
 * Loads a model folder and checks it: every layer, every weight's presence, shape and finiteness.
 * @param read Gets `network.json`, `weights.safetensors` and `labels.txt`, of which only the last may be missing.
 * @param where The folder's name in messages.
 * @throws UserError in one sentence.
 */
export async function loadModel(read: ReadFile, where: string): Promise<Model> {
  const find = async (file: string) => {
    const bytes = await read(file);
    if (bytes === undefined || bytes instanceof Uint8Array) return bytes;
    throw new UserError(`${where}/${file}: expected its bytes, a Uint8Array, got ${told(bytes)}`);
  };
  const need = async (file: string) => {
    const bytes = await find(file);
    if (!bytes) throw new UserError(`${where}/${file} does not exist`);
    return bytes;
  };
  const text = (bytes: Uint8Array, file: string, expected: string, ...own: KindName[]) => {
    if (bytes.length > MOST_TEXT) {
      throw new UserError(`${where}/${file} has ${bytes.length} bytes, expected at most ${MOST_TEXT}`);
    }
    refuseOthers(bytes, `${where}/${file}`, expected, ...own);
    return new TextDecoder().decode(bytes);
  };
  const json = await need("network.json");
  const bytes = await need("weights.safetensors");
  const names = await find("labels.txt");
  const network = parseNetwork(text(json, "network.json", "a network in JSON", "json"), `${where}/network.json`);
  const weights = readSafetensors(bytes, `${where}/weights.safetensors`);
  const labels = names ? linesOf(text(names, "labels.txt", listOfNames), `${where}/labels.txt`) : [];
  const whole = new Uint8Array(json.length + bytes.length);
  whole.set(json);
  whole.set(bytes, json.length);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", whole));
  giveBack(whole); // hundreds of megabytes
  const hash = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const model = { name: network.name, where, network, weights, labels, hash };
  const graph = buildGraph(model);
  for (const layer of graph.layers) for (const name of Object.keys(layer.weightShapes)) layer.weight(name);
  checkFactors(graph, where);
  return model;
}

/** Lines of labels.txt: a million units, and a few empty ones. */
const MOST_LINES = 2 ** 20;

/** A text's lines, without empty ones at its end. @throws UserError where there are more than any network has units. */
function linesOf(text: string, where: string): string[] {
  const trimmed = text.trimEnd();
  let count = 0;
  for (let at = trimmed.indexOf("\n"); at >= 0; at = trimmed.indexOf("\n", at + 1)) count++;
  if (count >= MOST_LINES) throw new UserError(`${where} has ${count + 1} lines, expected at most ${MOST_LINES}`);
  return trimmed === "" ? [] : trimmed.split(/\r?\n/).map((line) => line.trim());
}

/** @throws UserError when the factors or shifts that a batch norm or scale comes to are not finite, with its weights fine. */
export function checkFactors({ layers }: Graph, where: string): void {
  for (const layer of layers) {
    const { name, op, params } = layer;
    if (!op.affine) continue;
    const { a, b } = op.affine(hostWeights(layer), params);
    if ([a, b].every((values) => values?.every((value) => Number.isFinite(Math.fround(value))) ?? true)) continue;
    throw new UserError(`${where}: layer "${name}": its factors are NaN or infinity; is a variance negative?`);
  }
}

/** Whether an output unit was trained. */
export function isTrained(model: Model, unit: number): boolean {
  return model.network.trained?.some(([first, last]) => unit >= first && unit <= last) ?? true;
}

/** The name of an output unit, or its number. */
export function labelOf(model: Model, unit: number): string {
  return model.labels[unit] || `unit ${unit}`;
}

/**
 * The name of the layer that makes a batch one sequence in time, of those that a layer or blob (the last unless given)
 * needs; undefined where the items of a batch are apart. @throws UserError when nothing has that name.
 */
export function sequenceLayerOf(model: Model, layer?: string): string | undefined {
  const graph = buildGraph(model);
  return sequenceLayer(graph, [layer === undefined ? graph.output : graph.find(layer)])?.name;
}

/** The units of a layer or blob. */
export interface UnitLayer {
  /** What `--layer` calls it. */
  name: string;
  /** How many units. */
  channels: number;
  /** Rows of their maps, 1 for a vector. */
  height: number;
  /** Columns, likewise. */
  width: number;
  /** Whether the model's labels name them: they are its output, or the logits of it. */
  labelled: boolean;
}

/**
 * The units of a layer or blob. Unless given, they are the logits: the last layer, or what the softmax that it is is taken
 * of, whose gradient does not vanish where the softmax is sure.
 * @throws UserError when nothing has that name.
 */
export function layerUnits(model: Model, layer?: string): UnitLayer {
  const graph = buildGraph(model);
  const { logits } = endingOf(graph);
  const value = layer === undefined ? logits : graph.find(layer);
  const [channels, height, width] = unitMap(value.shape);
  const labelled = value === logits || value === graph.output;
  return { name: layer ?? value.name, channels, height, width, labelled };
}

/**
 * The same for a search, to which a name means what it means in targets: a blob before its last activation in place, `+last` after
 * it. Unless given, they are those of the layer that suits the model, or the logits.
 * @throws UserError when nothing has that name.
 */
export function searchedUnits(model: Model, layer: string | undefined = model.network.search?.layer): UnitLayer {
  const graph = buildGraph(model);
  const { logits } = endingOf(graph);
  const value = layer === undefined ? logits : valueOf(graph, layer);
  const [channels, height, width] = unitMap(value.shape);
  return {
    name: layer ?? value.name,
    channels,
    height,
    width,
    labelled: value === logits || value === graph.output,
  };
}

/** What a search calls the value that a name means everywhere else: the name, or `NAME+last`. @throws UserError when nothing has it. */
export function lastName(model: Model, layer: string): string {
  const graph = buildGraph(model);
  return valueOf(graph, layer) === graph.find(layer) ? layer : `${layer}+${LAST}`;
}

/** Whether a model's output is a softmax, not logits. */
export function endsInSoftmax(model: Model): boolean {
  return endingOf(buildGraph(model)).softmax?.op.normalises === "softmax";
}
