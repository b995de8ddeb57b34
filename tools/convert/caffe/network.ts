/**
 * A prototxt and its caffemodel become network.json and the tensors of weights.safetensors.
 *
 * Shapes are inferred layer by layer with the runtime's own ops, so that what is written loads: every blob is checked
 * against the weight that the op wants.
 */
import { allFinite, fromFloat32, type StoredTensor, toFloat32 } from "../../../src/formats/safetensors.ts";
import { UserError } from "../../../src/formats/user_error.ts";
import { buildGraph, makeLayer, type Value } from "../../../src/net/graph.ts";
import { parseNetwork } from "../../../src/net/network.ts";
import { quantised } from "../../../src/net/weights.ts";
import { networkText } from "../../train/networks.ts";
import { readCaffemodel } from "./caffemodel.ts";
import { imageOf, type ImageOptions } from "./image.ts";
import { dataLayers, declaredInputs, layerInputs } from "./inputs.ts";
import { type CaffeLayer, readLayers } from "./layers.ts";
import { parsePrototxt } from "./prototxt.ts";
import type { Conversion } from "./rule.ts";
import { advice, dropped, rules } from "./rules.ts";

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
  weights?: "f32" | "f16" | "i8";
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
  /** The mean that pictures lose, and where it comes from; absent where nothing is a picture. */
  mean?: { values: number[]; origin: string; sure: boolean };
}

/** A layer of network.json. */
interface LayerFile {
  name: string;
  type: string;
  [parameter: string]: unknown;
}

/**
 * Converts a Caffe network.
 * @throws UserError in one sentence that names the file, the line and the layer: where a file is damaged, they do not
 * belong together, or a layer is none that the runtime has.
 */
export function convertCaffe({ prototxt, caffemodel }: CaffeFiles, options: CaffeOptions): ConvertedModel {
  const net = parsePrototxt(prototxt.text, prototxt.file), name = net.text("name") || options.name;
  const declared = declaredInputs(net), all = readLayers(net, types, settingsOf);
  net.ignore("force_backward", "state", "debug_info");
  net.done("a network");

  const data = all.filter(({ type }) => Object.hasOwn(dataLayers, type));
  const layers = all.filter(({ type }) => !Object.hasOwn(dataLayers, type) && !dropped.includes(type));
  if (layers.length === 0) throw new UserError(`${prototxt.file}: there is no layer in it that computes anything`);
  const read = new Set(layers.flatMap(({ bottoms }) => bottoms));
  const inputs = [...declared, ...data.flatMap(layerInputs)].filter((input) => read.has(input.name)).map((input) => {
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

  const weights = readCaffemodel(caffemodel.bytes, caffemodel.file);
  const blobs = new Map<string, Value>(inputs.map((input) => [input.name, input]));
  const written: LayerFile[] = [], tensors = new Map<string, StoredTensor>();
  const add = (layer: CaffeLayer) => {
    for (const one of layer.type === "Split" ? branches(layer) : [layer]) {
      const { file, output, stored } = convertLayer(one, blobs, weights.get(layer.name), options.weights);
      written.push(file);
      blobs.set(one.tops[0], output);
      for (const [key, tensor] of stored) tensors.set(`${one.name}.${key}`, tensor);
    }
  };
  for (const layer of layers) within(layer, prototxt.file, () => add(layer));

  const output = blobs.get(layers.at(-1)!.tops[0])!.shape, picture = [inputs[0].shape, output].find(isPicture);
  const source = data.find(({ tops }) => tops[0] === inputs[0].name);
  const preprocessing = picture && imageOf(picture, name, source, options);
  const code = options.code === undefined ? undefined : { layer: options.code, sigmas: 3 };
  const text = networkText({ name, inputs, image: preprocessing?.image, code, layers: written });
  buildGraph({ network: parseNetwork(text, prototxt.file), where: prototxt.file, weights: tensors });
  return {
    text,
    tensors,
    layers: written.length,
    parameters: [...tensors].filter(([name]) => !name.endsWith(".weight.scale"))
      .reduce((sum, [, { shape }]) => sum + shape.reduce((a, b) => a * b, 1), 0),
    mean: preprocessing && { ...preprocessing, values: preprocessing.image.mean },
  };
}

const types = [...Object.keys(rules), ...Object.keys(dataLayers), ...dropped];

const settingsOf = (type: string): string | undefined =>
  Object.hasOwn(rules, type) ? rules[type].settings : Object.hasOwn(dataLayers, type) ? dataLayers[type] : undefined;

const isPicture = (shape: readonly number[]) =>
  shape.length === 3 && [1, 3].includes(shape[0]) && shape[1] * shape[2] > 1;

/** Puts the layer's place before the message where it does not begin with one. */
function within(layer: CaffeLayer, file: string, run: () => void): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof UserError) || error.message.startsWith(`${file}:`)) throw error;
    throw new UserError(`${layer.where}: ${error.message}`);
  }
}

/** A Split as one layer for each top. */
const branches = (layer: CaffeLayer): CaffeLayer[] =>
  layer.tops.map((top, i) => ({ ...layer, name: i === 0 ? layer.name : `${layer.name}_${i}`, tops: [top] }));

function convertLayer(
  layer: CaffeLayer,
  blobs: ReadonlyMap<string, Value>,
  trained: StoredTensor[] | undefined,
  storage: CaffeOptions["weights"] = "f32",
): { file: LayerFile; output: Value; stored: (readonly [string, StoredTensor])[] } {
  const { name, type, bottoms, tops, settings } = layer;
  if (!Object.hasOwn(rules, type)) throw new UserError(`this type is not supported: ${advice(type)}`);
  if (bottoms.length === 0 || tops.length !== 1) {
    throw new UserError(
      `it has ${bottoms.length} bottoms and ${tops.length} tops, expected at least one and exactly one`,
    );
  }
  const values = bottoms.map((bottom) => {
    const value = blobs.get(bottom);
    if (!value) throw new UserError(`no layer before it makes its bottom ${JSON.stringify(bottom.slice(0, 60))}`);
    return value;
  });
  const conversion = rules[type].convert(settings, values.map(({ shape }) => shape));
  settings.done(layer.label);

  const count = conversion.reads ?? bottoms.length, { params = {} } = conversion;
  const made = makeLayer(name, conversion.type, params, values.slice(0, count), () => {
    throw new Error("weights are read by the runtime only");
  });
  const source = count === 1 ? { input: bottoms[0] } : { inputs: bottoms.slice(0, count) };
  return {
    file: { name, type: conversion.type, ...source, output: tops[0] === name ? undefined : tops[0], ...params },
    output: made.output,
    stored: Object.entries(layerWeights(conversion, made.weightShapes, trained)).flatMap(([key, tensor]) => {
      const narrow = key === "weight" && ["conv2d", "deconv2d", "fc"].includes(conversion.type);
      const stored = fitted(key, tensor, made.weightShapes[key], narrow && storage === "f16" ? "F16" : "F32");
      return narrow && storage === "i8" ? quantised(key, stored) : [[key, stored] as const];
    }),
  };
}

/** @throws UserError where the caffemodel does not have the layer or has other blobs for it. */
function layerWeights(
  { blobs, weights }: Conversion,
  shapes: Readonly<Record<string, readonly number[]>>,
  trained: StoredTensor[] | undefined,
): Record<string, StoredTensor> {
  const keys = Object.keys(shapes), expected = blobs ?? keys.length;
  if (expected > 0 && !trained) {
    throw new UserError("the caffemodel has no layer of this name; is it another network's?");
  }
  if (expected > 0 && trained!.length !== expected) {
    throw new UserError(`the caffemodel has ${trained!.length} blobs for it, expected ${expected}`);
  }
  return weights?.(trained ?? []) ?? Object.fromEntries(keys.map((key, i) => [key, trained![i]]));
}

/** A blob as a weight. Legacy blobs have four dimensions, the first ones 1 where there are fewer. */
function fitted(key: string, tensor: StoredTensor, shape: readonly number[], dtype: "F32" | "F16"): StoredTensor {
  const core = (dims: readonly number[]) => dims.slice(dims.findIndex((n) => n !== 1)).join("×");
  if (core(tensor.shape) !== core(shape)) {
    throw new UserError(`its ${key} has shape [${tensor.shape}] in the caffemodel, expected [${shape}]`);
  }
  const same = tensor.dtype === dtype;
  const stored = same ? { ...tensor, shape: [...shape] } : fromFloat32(toFloat32(tensor), dtype, [...shape]);
  if (allFinite(stored)) return stored;
  const overflow = dtype === "F16" && allFinite(tensor);
  throw new UserError(`its ${key} holds ${overflow ? "values beyond f16; use --weights f32" : "NaN or infinity"}`);
}
