/** What a Caffe layer becomes: for each of its tops the layers of network.json that make it, and their weights. */
import type { StoredTensor } from "../../../src/formats/safetensors.ts";
import { UserError } from "../../../src/formats/user_error.ts";
import { makeLayer, type Value } from "../../../src/net/graph.ts";
import type { Narrowing } from "../narrowing.ts";
import { storedWeights } from "./blobs.ts";
import type { CaffeLayer } from "./layers.ts";
import type { Conversion, Step } from "./rule.ts";
import { advice, rules } from "./rules.ts";

/** A layer of network.json. */
export interface LayerFile {
  name: string;
  type: string;
  [parameter: string]: unknown;
}

/** One top. */
export interface MadeTop {
  name: string;
  /** The last of these writes it. */
  files: LayerFile[];
  blob: CaffeBlob;
  /** Weights by their names in the file. */
  stored: [string, StoredTensor][];
}

/** What the layers before have left: blobs, and the names that are taken, to which new ones are added. */
export interface Surroundings {
  blobs: ReadonlyMap<string, CaffeBlob>;
  taken: Set<string>;
}

/** A blob's item, and how many streams take turns in its batch. */
export interface CaffeBlob {
  value: Value;
  streams: number;
}

/**
 * Converts a layer.
 * @param trained Its blobs in the caffemodel.
 * @throws UserError without the layer's place.
 */
export function makeTops(
  layer: CaffeLayer,
  { blobs, taken }: Surroundings,
  trained: StoredTensor[] | undefined,
  narrowing: Narrowing,
): MadeTop[] {
  const { type, bottoms, tops, settings } = layer;
  if (!Object.hasOwn(rules, type)) throw new UserError(`this type is not supported: ${advice(type)}`);
  const fail = (expected: string) =>
    new UserError(`it has ${bottoms.length} bottoms and ${tops.length} tops, expected at least one and ${expected}`);
  if (bottoms.length === 0 || tops.length === 0) throw fail("at least one");
  const sources = bottoms.map((name) => {
    const blob = blobs.get(name);
    if (!blob) throw new UserError(`no layer before it makes its bottom ${JSON.stringify(name.slice(0, 60))}`);
    return { name, ...blob };
  });
  const [{ streams }] = sources, rule = rules[type];
  if (sources.some((source) => source.streams !== streams)) {
    throw new UserError(
      `its bottoms have ${sources.map(({ streams }) => streams).join(" and ")} streams, expected as many`,
    );
  }
  if (streams > 1 && !rule.streams) {
    throw new UserError(
      `its bottom has ${streams} streams that take turns in the batch, which this type does not know`,
    );
  }
  const converted = rule.convert(settings, sources.map(({ value }) => value.shape), { tops: tops.length, streams });
  settings.done(layer.label);
  const conversions = Array.isArray(converted) ? converted : [converted];
  if (conversions.length !== tops.length) throw fail("exactly one");
  const overwritten = tops.find((top) => tops.length > 1 && bottoms.includes(top));
  if (overwritten !== undefined) {
    throw new UserError(`its bottom ${JSON.stringify(overwritten.slice(0, 60))} is one of its ${tops.length} tops too`);
  }
  return conversions.map((conversion, n) => {
    const name = n === 0 ? layer.name : fresh(`${layer.name}_${n}`, taken);
    const { files, made, value } = writeLayers(name, tops[n], sources, conversion, taken);
    const stored = storedWeights(conversion, made.weightShapes, trained, narrowing);
    const blob = { value, streams: conversion.streams ?? streams };
    return { name: tops[n], files, blob, stored: stored.map(([key, tensor]) => [`${name}.${key}`, tensor]) };
  });
}

/** A name that nothing has yet. */
function fresh(name: string, taken: Set<string>): string {
  let own = name;
  while (taken.has(own)) own += "_";
  taken.add(own);
  return own;
}

/** A blob that a layer reads. */
interface Source {
  name: string;
  value: Value;
}

/** The layer itself, between the steps that its bottoms and its top go through. */
function writeLayers(name: string, top: string, bottoms: Source[], conversion: Conversion, taken: Set<string>) {
  const { type, params = {}, reads = bottoms.length, before = [], after } = conversion, files: LayerFile[] = [];
  const write = (own: string, { type, params }: Step, sources: Source[], output: string) => {
    const blobs = sources.map(({ name }) => name);
    const source = blobs.length === 1 ? { input: blobs[0] } : { inputs: blobs };
    files.push({ name: own, type, ...source, output: output === own ? undefined : output, ...params });
    return makeLayer(own, type, params, sources.map(({ value }) => value), () => {
      throw new Error("weights are read by the runtime only");
    });
  };
  const seen = bottoms.slice(0, reads).map((bottom, n): Source => {
    const step = before[n];
    if (!step) return bottom;
    const own = fresh(`${name}_from`, taken);
    return { name: own, value: write(own, step, [bottom], own).output };
  });
  const output = after ? fresh(`${name}_of`, taken) : top, made = write(name, { type, params }, seen, output);
  if (!after) return { files, made, value: made.output };
  const { output: value } = write(fresh(`${name}_to`, taken), after, [{ name: output, value: made.output }], top);
  return { files, made, value };
}
