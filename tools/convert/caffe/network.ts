/**
 * A prototxt and its caffemodel become network.json and the tensors of weights.safetensors.
 *
 * Shapes are inferred layer by layer with the runtime's own ops, so that what is written loads: every blob is checked
 * against the weight that the op wants.
 */
import type { StoredTensor } from "../../../src/formats/safetensors.ts";
import { valueCount } from "../../../src/formats/shape.ts";
import { UserError } from "../../../src/formats/user_error.ts";
import { buildGraph } from "../../../src/net/graph.ts";
import { checkFactors } from "../../../src/net/model.ts";
import { type ImageFormat, parseNetwork, type SearchSettings } from "../../../src/net/network.ts";
import { networkText } from "../../train/networks.ts";
import { Narrowing, type StoredAs } from "../narrowing.ts";
import { isPicture } from "../pixels.ts";
import { readCaffemodel } from "./caffemodel.ts";
import { imageOf, type ImageOptions } from "./image.ts";
import { dataLayers, declaredInputs, layerInputs } from "./inputs.ts";
import { type CaffeLayer, readLayers } from "./layers.ts";
import { parsePrototxt } from "./prototxt.ts";
import { dropped, rules } from "./rules.ts";
import { type CaffeBlob, type LayerFile, makeTops } from "./tops.ts";

/** How the paper's program searches known networks, by their names in lower case, where that is not how it searches CaffeNet. */
const knownSearches: ReadonlyMap<string, SearchSettings> = new Map([["googlenet", { lrStart: 2 }]]);

/** A file's content and the name that errors call it by. */
export interface CaffeFiles {
  prototxt: { text: string; file: string };
  caffemodel: { bytes: Uint8Array; file: string };
}

/** How it is written. */
export interface CaffeOptions extends ImageOptions {
  /** The network's name where the prototxt has none. */
  name: string;
  /** How the weights of convolutions and fully connected layers are stored; biases stay F32. */
  weights?: StoredAs;
  /** Of a generator: the encoder's layer that it inverts. */
  code?: string;
}

/** A model folder's content. */
export interface ConvertedModel {
  /** network.json. */
  text: string;
  /** weights.safetensors; F32 tensors may be views into the caffemodel. */
  tensors: Map<string, StoredTensor>;
  layers: number;
  parameters: number;
  narrowing: Narrowing;
  /** What a picture's numbers are, and where their mean comes from; absent where nothing is a picture. */
  pixels?: { image: ImageFormat; origin: string; sure: boolean };
}

/**
 * Converts a Caffe network.
 * @throws UserError in one sentence that names the file, the line and the layer: where a file is damaged, they do not
 * belong together, or a layer is none that the runtime has.
 */
export function convertCaffe({ prototxt, caffemodel }: CaffeFiles, options: CaffeOptions): ConvertedModel {
  const net = parsePrototxt(prototxt.text, prototxt.file);
  const name = net.text("name") || options.name;
  const declared = declaredInputs(net);
  const all = readLayers(net, types, settingsOf);
  net.ignore("force_backward", "state", "debug_info");
  net.done("a network");

  const data = all.filter(({ type }) => Object.hasOwn(dataLayers, type));
  const layers = all.filter(({ type }) => !Object.hasOwn(dataLayers, type) && !dropped.includes(type));
  if (layers.length === 0) throw new UserError(`${prototxt.file}: there is no layer in it that computes anything`);
  const read = new Set(layers.flatMap(({ bottoms }) => bottoms));
  const sources = [...declared, ...data.flatMap(layerInputs)].filter((input) => read.has(input.name));
  const inputs = sources.map((input) => {
    if (input.shape) return { name: input.name, shape: input.shape };
    throw new UserError(
      `${input.where}: the size of "${input.name}" is not written; use the deploy prototxt, or declare "input" and ` +
        '"input_shape" in its place',
    );
  });
  if (inputs.length === 0) {
    throw new UserError(
      `${prototxt.file}: it has no input; declare "input" and "input_shape", or use the deploy prototxt`,
    );
  }

  const narrowing = new Narrowing(options.weights);
  const weights = readCaffemodel(caffemodel.bytes, caffemodel.file);
  const blobs = new Map<string, CaffeBlob>(
    inputs.map(({ name, shape }) => [name, { item: shape, streams: 1, whole: false }]),
  );
  const written: LayerFile[] = [];
  const tensors = new Map<string, StoredTensor>();
  const taken = new Set([...layers.map(({ name }) => name), ...blobs.keys(), ...layers.flatMap(({ tops }) => tops)]);
  const surroundings = {
    blobs,
    taken,
    isRead: (top: string) => read.has(top),
    alone: sources.every(({ batch }) => batch === 1),
  };
  const add = (layer: CaffeLayer) => {
    const { files, tops, stored } = makeTops(layer, surroundings, weights.get(layer.name), narrowing);
    written.push(...files);
    for (const [name, blob] of tops) blobs.set(name, blob);
    for (const [key, tensor] of stored) tensors.set(key, tensor);
  };
  for (const layer of layers) within(layer, prototxt.file, () => add(layer));

  const output = blobs.get(layers.at(-1)!.tops[0])!.item;
  const pictures = inputs.find(({ shape }) => isPicture(shape));
  const picture = pictures?.shape ?? [output].find(isPicture);
  const source = data.find(({ tops }) => tops[0] === (pictures ?? inputs[0]).name);
  if (!picture && (options.mean ?? options.scale ?? options.order) !== undefined) {
    throw new UserError(
      `${prototxt.file}: pixels are described, but neither an input nor the output is a picture, of 1 or 3 channels, height and width`,
    );
  }
  const preprocessing = picture && imageOf(picture, name, source, options);
  const code = options.code === undefined ? undefined : { layer: options.code, sigmas: 3 };
  const head = { name, inputs, image: preprocessing?.image, code, search: knownSearches.get(name.toLowerCase()) };
  const text = networkText({ ...head, layers: written });
  const graph = buildGraph({ network: parseNetwork(text, prototxt.file), where: prototxt.file, weights: tensors });
  checkFactors(graph, prototxt.file);
  return {
    text,
    tensors,
    layers: written.length,
    narrowing,
    parameters: [...tensors].filter(([name]) => !/weight\.scale$/i.test(name))
      .reduce((sum, [, { shape }]) => sum + valueCount(shape), 0),
    pixels: preprocessing,
  };
}

const types = [...Object.keys(rules), ...Object.keys(dataLayers), ...dropped];

const settingsOf = (type: string): string | undefined =>
  Object.hasOwn(rules, type) ? rules[type].settings : Object.hasOwn(dataLayers, type) ? dataLayers[type] : undefined;

/** Puts the layer's place before the message where it does not begin with one. */
function within(layer: CaffeLayer, file: string, run: () => void): void {
  try {
    run();
  } catch (error) {
    const { where, label } = layer;
    if (!(error instanceof UserError) || error.message.includes(label)) throw error;
    // A parameter's own place tells its line, not its layer.
    const [own] = error.message.startsWith(`${file}:`) ? /^:\d+: /.exec(error.message.slice(file.length)) ?? [] : [];
    if (own === undefined) throw new UserError(`${where}: ${error.message}`);
    throw new UserError(`${file}${own}${label}: ${error.message.slice(file.length + own.length)}`);
  }
}
