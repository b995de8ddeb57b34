/** What a Caffe layer becomes: the layers of network.json that make its tops, and their weights. */
import { fromFloat32, type StoredTensor } from "../../../src/formats/safetensors.ts";
import { UserError } from "../../../src/formats/user_error.ts";
import type { Made, Traced } from "../onnx/trace.ts";
import type { Narrowing } from "../narrowing.ts";
import type { CaffeLayer } from "./layers.ts";
import { Conversion, type Place, type Rule } from "./rule.ts";
import { ruleOf } from "./rules.ts";

/** A layer of network.json. */
export interface LayerFile {
  name: string;
  type: string;
  [parameter: string]: unknown;
}

/** A layer that is converted. */
export interface MadeTops {
  files: LayerFile[];
  /** Its tops by their names. */
  tops: [string, CaffeBlob][];
  /** Weights by their names in the file. */
  stored: [string, StoredTensor][];
}

/** What the layers before have left, and what is around: blobs, and the names that are taken, to which new ones are added. */
export interface Surroundings extends Pick<Place, "isRead" | "alone"> {
  blobs: ReadonlyMap<string, CaffeBlob>;
  taken: Set<string>;
}

/** A blob's item, how many streams take turns in its batch, and whether its items hold axis 0 too. */
export interface CaffeBlob {
  item: readonly number[];
  streams: number;
  whole: boolean;
}

/**
 * Converts a layer.
 * @param trained Its blobs in the caffemodel.
 * @throws UserError without the layer's place.
 */
export function makeTops(
  layer: CaffeLayer,
  surroundings: Surroundings,
  trained: StoredTensor[] | undefined,
  narrowing: Narrowing,
): MadeTops {
  const { type, bottoms, tops } = layer;
  const rule = ruleOf(type);
  const [least, most] = rule.bottoms ?? [1, 1];
  const fail = (expected: number) => {
    const range = least === most ? `${least}` : most === Infinity ? `at least ${least}` : `${least} to ${most}`;
    return new UserError(`it has ${bottoms.length} bottoms and ${tops.length} tops, expected ${range} and ${expected}`);
  };
  if (bottoms.length < least || bottoms.length > most || tops.length === 0) throw fail(1);
  const conversion = begin(layer, rule, surroundings, trained);
  const made = [rule.convert(conversion)].flat();
  layer.settings.done(layer.label);
  if (made.length !== tops.length) throw fail(made.length);
  const overwritten = tops.find((top) => tops.length > 1 && bottoms.includes(top));
  if (overwritten !== undefined) {
    throw new UserError(`its bottom ${JSON.stringify(overwritten.slice(0, 60))} is one of its ${tops.length} tops too`);
  }
  return written(layer, conversion, made, surroundings.taken, narrowing);
}

/** The layer with its bottoms as its type takes them. */
function begin(
  { bottoms, tops, settings }: CaffeLayer,
  rule: Rule,
  { blobs, isRead, alone }: Surroundings,
  trained: StoredTensor[] | undefined,
): Conversion {
  const sources = bottoms.map((name) => {
    const blob = blobs.get(name);
    if (!blob) throw new UserError(`no layer before it makes its bottom ${JSON.stringify(name.slice(0, 60))}`);
    return blob;
  });
  const [{ streams }] = sources;
  const whole = sources.some((source) => source.whole);
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
  const place = { trained, tops, isRead, streams, whole: whole && rule.whole === true, alone };
  const conversion = new Conversion(settings, bottoms.map((input, n) => ({ item: sources[n].item, input })), place);
  sources.forEach((source, n) => {
    if (source.whole === place.whole) return;
    const { item } = source;
    const x = conversion.xs[n];
    if (source.whole && item[0] !== 1) {
      throw new UserError(`its bottom is [${item}], axis 0 included; this type wants a batch of one there`);
    }
    conversion.xs[n] = conversion.trace.reshape(x, source.whole ? item.slice(1) : [1, ...item]);
  });
  return conversion;
}

/** A name that nothing has yet. */
function fresh(name: string, taken: Set<string>): string {
  let own = name;
  while (taken.has(own)) own += "_";
  taken.add(own);
  return own;
}

/** The layers that the tops depend on. */
function needed(layers: readonly Made[], outputs: (Traced | undefined)[]): Made[] {
  const live = new Set(outputs);
  return layers.toReversed().filter(({ output, inputs }) => {
    if (!live.has(output)) return false;
    for (const input of inputs) live.add(input);
    return true;
  }).reverse();
}

/** What makes a top has its layer's name, and a number from the second on; what comes before has that of its type too. */
function written(
  { name, tops }: CaffeLayer,
  { trace, weights, streams, whole }: Conversion,
  made: (Traced | undefined)[],
  taken: Set<string>,
  narrowing: Narrowing,
): MadeTops {
  // A top that is its bottom, or another top, is the identity of it.
  const outputs = made.map((y, n) => y && (!y.maker || made.indexOf(y) < n) ? trace.add("dropout", {}, [y]) : y);
  const names = new Map<Made, { own: string; output: string }>();
  const stored: [string, StoredTensor][] = [];
  const files = needed(trace.layers, outputs).map((layer): LayerFile => {
    const { type, params, inputs, output } = layer;
    const n = outputs.indexOf(output);
    const own = n === 0 ? name : fresh(n > 0 ? `${name}_${n}` : `${name}_${type}`, taken);
    names.set(layer, { own, output: n < 0 ? own : tops[n] });
    const known = Object.entries(layer.weights).map(([key, { shape, values }]) =>
      [key, fromFloat32(values, "F32", shape)] as const
    );
    for (const [key, exact] of [...known, ...Object.entries(weights.get(layer) ?? {})]) {
      stored.push(...narrowing.stored({ type, key, name: `${own}.${key}`, what: `its ${key}`, exact }));
    }
    const blobs = inputs.map(({ input, maker }) => input ?? names.get(maker!)!.output);
    const source = blobs.length === 1 ? { input: blobs[0] } : blobs.length > 0 ? { inputs: blobs } : {};
    return { name: own, type, ...source, output: n < 0 || tops[n] === own ? undefined : tops[n], ...params };
  });
  const blobs = outputs.flatMap((y, n): [string, CaffeBlob][] =>
    y ? [[tops[n], { item: y.item, streams, whole }]] : []
  );
  return { files, tops: blobs, stored };
}
