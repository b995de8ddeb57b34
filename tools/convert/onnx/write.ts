/** What was traced of a model, as network.json and weights.safetensors. */
import { fromFloat32, type StoredTensor } from "../../../src/formats/safetensors.ts";
import { valueCount } from "../../../src/formats/shape.ts";
import { UserError } from "../../../src/formats/user_error.ts";
import { buildGraph } from "../../../src/net/graph.ts";
import { checkFactors } from "../../../src/net/model.ts";
import { parseNetwork } from "../../../src/net/network.ts";
import { networkText } from "../../train/networks.ts";
import { Narrowing } from "../narrowing.ts";
import { describes, formatOf, isPicture, type Pixels } from "../pixels.ts";
import type { ConvertedOnnx, OnnxOptions, Traces } from "./network.ts";
import type { OnnxModel, OnnxNode, OnnxValue } from "./proto.ts";
import { floating } from "./tensor.ts";
import { isTraced, type Made, type Operand, type Traced } from "./trace.ts";

/** An output of the model that can be had. */
interface Output {
  name: string;
  value: Traced;
}

/** What goes in or comes out of the network. */
interface Named {
  name: string;
  shape: readonly number[];
}

/** Names the layers that the outputs need, and writes them. */
export function written(
  model: OnnxModel,
  traces: Traces,
  declared: OnnxValue[],
  file: string,
  options: OnnxOptions,
): ConvertedOnnx {
  const { trace, values, turned } = traces;
  const outputs = outputsOf(model, traces);
  if (outputs.length === 0) {
    throw new UserError(`${file}: none of its outputs can be had: they depend on no input, or are not supported`);
  }
  const live = liveFor(outputs, trace.layers);
  const layers = trace.layers.filter(({ output }) => live.has(output));
  const inputs = [...values].flatMap(([name, value]): Named[] =>
    isTraced(value) && value.input === name && live.has(value) ? [{ name, shape: [...value.item] }] : []
  ).sort((a, b) => order(declared, a.name) - order(declared, b.name));
  if (inputs.length === 0) {
    throw new UserError(`${file}: its output does not depend on an input; there is nothing to run`);
  }
  // A batch of one that the model fixes and keeps is left out: each item then runs as the model would.
  const firstOf = (name: string) =>
    (options.shapes?.get(name) ?? declared.find((input) => input.name === name)!.shape!)[0];
  const alone = trace.batch === undefined && outputs.every(({ value }) => value.item[0] === 1) &&
    inputs.every(({ name, shape }) => shape.length > 1 && firstOf(name) === 1);
  const given = alone ? inputs.map(({ name, shape }) => ({ name, shape: shape.slice(1) })) : inputs;

  const narrowing = new Narrowing(options.weights);
  const tensors = new Map<string, StoredTensor>();
  const specs = layersOf(layers, { inputs, outputs, alone }, traces, ({ name, type }, weights) => {
    for (const [key, { shape, values }] of Object.entries(weights)) {
      const what = `${file}: ${key} of ${JSON.stringify(name.slice(0, 60))}`;
      const exact = float32(values, shape);
      for (const [stored, tensor] of narrowing.stored({ type, key, name: `${name}.${key}`, what, exact })) {
        tensors.set(stored, tensor);
      }
    }
  });
  const [{ name, value }] = outputs;
  const picture = pictureOf(options.pixels ?? {}, given[0], { name, shape: itemOf(value, alone) });
  const text = networkText({ name: options.name, inputs: given, image: picture?.image, layers: specs });
  checkFactors(buildGraph({ network: parseNetwork(text, file), where: file, weights: tensors }), file);
  const weights = layers.flatMap(({ weights }) => Object.values(weights));
  const had = outputs.map(({ name }) => name);
  return {
    text,
    tensors,
    layers: specs.length,
    parameters: weights.reduce((sum, { shape }) => sum + valueCount(shape), 0),
    narrowing,
    outputs: had,
    turned,
    dropped: model.outputs.map(({ name }) => name).filter((name) => !had.includes(name)),
    picture,
  };
}

/** The model's outputs that are computed, or known and of floats: then a layer has them as its constant. */
function outputsOf(model: OnnxModel, { trace, values }: Traces): Output[] {
  return model.outputs.flatMap(({ name }) => {
    const value = values.get(name);
    if (value === undefined) return []; // its operator makes others, but not this one
    if (isTraced(value)) return [{ name, value }];
    if (!floating.includes(value.type) || value.values.length === 0) return [];
    const shape = trace.batch === undefined ? value.shape : [1, ...value.shape];
    return [{ name, value: trace.computed({ ...value, shape }, value.shape.length + 1) }];
  });
}

/** Everything that the outputs are computed from, and they. */
function liveFor(outputs: readonly Output[], layers: readonly Made[]): Set<Traced> {
  const live = new Set<Traced>(outputs.map(({ value }) => value));
  for (const { output, inputs } of layers.toReversed()) {
    if (live.has(output)) { for (const input of inputs) live.add(input); }
  }
  return live;
}

/** An item's shape: without the batch of one where that is left out. */
const itemOf = ({ item }: Traced, alone: boolean): readonly number[] => alone ? item.slice(1) : item;

/**
 * The layers as network.json has them, each told to `onLayer` with its weights. Where a batch of one is left out (`alone`), inputs
 * get it back before the first layer reads them. Outputs are there under their own names, and the first is the network's.
 */
function layersOf(
  layers: Made[],
  { inputs, outputs, alone }: { inputs: readonly Named[]; outputs: readonly Output[]; alone: boolean },
  { values, origins }: Traces,
  onLayer: (layer: { name: string; type: string }, weights: Made["weights"]) => void,
): Record<string, unknown>[] {
  const taken = new Set(values.keys());
  const whole = new Map(alone ? inputs.map(({ name }) => [name, free(`${name}.whole`, taken)]) : []);
  const names = namesOf(layers, origins, values, [...whole.values()]);
  const blob = ({ input, maker }: Traced) =>
    input === undefined ? names.get(maker!)!.output : whole.get(input) ?? input;

  const specs: Record<string, unknown>[] = alone
    ? inputs.map(({ name, shape }) => ({ name: whole.get(name), type: "reshape", input: name, shape }))
    : [];
  for (const made of layers) {
    const { type, params, weights } = made;
    const { name, output } = names.get(made)!;
    const sources = made.inputs.map(blob);
    const from = sources.length === 1 ? { input: sources[0] } : sources.length > 0 ? { inputs: sources } : {};
    specs.push({ name, type, ...from, output: output === name ? undefined : output, ...params });
    onLayer({ name, type }, weights);
  }
  // The identity costs nothing.
  const identity = ({ name, value }: Output) => {
    const own = alone ? { type: "reshape", shape: itemOf(value, alone) } : { type: "dropout" };
    specs.push({ name: unused(`${name}.output`, specs), input: blob(value), output: name, ...own });
  };
  const [first, ...others] = outputs;
  for (const output of others) if (alone || blob(output.value) !== output.name) identity(output);
  const isLast = layers.at(-1)?.output === first.value && specs.length === layers.length;
  if (blob(first.value) !== first.name || !isLast) identity(first);
  return specs;
}

/** @throws UserError where pixels are described and neither is a picture, or the numbers are not those of its channels. */
function pictureOf(pixels: Pixels, input: Named, output: Named): ConvertedOnnx["picture"] {
  if (!describes(pixels)) return undefined;
  const said = ({ name, shape }: Named) => `${JSON.stringify(name.slice(0, 60))} of [${shape}]`;
  const picture = [input, output].find(({ shape }) => isPicture(shape));
  if (!picture) {
    throw new UserError(
      `pixels are described, but neither input ${said(input)} nor output ${said(output)} is a picture, ` +
        "of 1 or 3 channels, height and width",
    );
  }
  const of = `of ${picture === input ? "input" : "output"} ${JSON.stringify(picture.name)}`;
  return { of, image: formatOf(pixels, picture.shape[0]) };
}

const order = (declared: OnnxValue[], name: string): number => declared.findIndex((input) => input.name === name);

/** A name that is not taken, to which it is added. */
function free(name: string, taken: Set<string>): string {
  let own = name;
  while (taken.has(own)) own += "_";
  taken.add(own);
  return own;
}

/** A name that no layer has yet. */
function unused(name: string, files: { name?: unknown }[]): string {
  return files.some((file) => file.name === name) ? unused(`${name}_`, files) : name;
}

/** A layer's name is its operator's, with a number where several make one; its blob is the model's value, where it is one. */
function namesOf(
  layers: Made[],
  origins: Map<Made, OnnxNode>,
  values: Map<string, Operand>,
  reserved: string[],
): Map<Made, { name: string; output: string }> {
  const taken = new Set([...values.keys(), ...reserved]);
  const blobs = new Map<Made, string>();
  for (const [name, value] of values) {
    if (isTraced(value) && value.maker && !blobs.has(value.maker)) blobs.set(value.maker, name);
  }
  const used = new Set(reserved);
  const names = new Map<Made, { name: string; output: string }>();
  const counts = new Map<OnnxNode | undefined, number>();
  layers.forEach((made, n) => {
    const node = origins.get(made);
    const own = node?.name || node?.outputs.find((name) => name !== "") || made.type;
    const number = (counts.get(node) ?? 0) + 1;
    const blob = blobs.get(made);
    counts.set(node, number);
    let name = origins.get(layers[n + 1]) !== node && !used.has(own) ? own : `${own}.${number}`;
    while (used.has(name) || blob === undefined && taken.has(name)) name += "_";
    used.add(name);
    names.set(made, { name, output: blob ?? name });
  });
  return names;
}

/** A weight as float32, which is not copied where it is that. */
const float32 = (values: ArrayLike<number>, shape: number[]): StoredTensor =>
  values instanceof Float32Array
    ? { dtype: "F32", shape, bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) }
    : fromFloat32(values, "F32", shape);
