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

/** Names the layers that the outputs need, and writes them. */
export function written(
  model: OnnxModel,
  { trace, values, origins, turned }: Traces,
  declared: OnnxValue[],
  file: string,
  options: OnnxOptions,
): ConvertedOnnx {
  const outputs = model.outputs.flatMap(({ name }) => {
    const value = values.get(name);
    if (value === undefined) return []; // its operator makes others, but not this one
    if (isTraced(value)) return [{ name, value }];
    return floating.includes(value.type) && value.values.length > 0
      ? [{
        name,
        value: trace.computed(
          { ...value, shape: trace.batch === undefined ? value.shape : [1, ...value.shape] },
          value.shape.length + 1,
        ),
      }]
      : [];
  });
  const dropped = model.outputs.map(({ name }) => name).filter((name) =>
    outputs.every((output) => output.name !== name)
  );
  if (outputs.length === 0) {
    throw new UserError(`${file}: none of its outputs can be had: they depend on no input, or are not supported`);
  }
  const live = new Set<Traced>(outputs.map(({ value }) => value));
  for (const made of [...trace.layers].reverse()) {
    if (live.has(made.output)) { for (const input of made.inputs) live.add(input); }
  }
  const layers = trace.layers.filter(({ output }) => live.has(output));
  const inputs = [...values].flatMap(([name, value]) =>
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
  const taken = new Set(values.keys()), whole = new Map<string, string>();
  for (const { name } of alone ? inputs : []) whole.set(name, free(`${name}.whole`, taken));

  const names = namesOf(layers, origins, values, [...whole.values()]),
    tensors = new Map<string, StoredTensor>(),
    narrowing = new Narrowing(options.weights);
  const blob = ({ input, maker }: Traced) =>
    input === undefined ? names.get(maker!)!.output : whole.get(input) ?? input;
  const files: Record<string, unknown>[] = [...whole].map(([input, name]) => {
    return { name, type: "reshape", input, shape: [...inputs.find((one) => one.name === input)!.shape] };
  });
  for (const made of layers) {
    const { name, output } = names.get(made)!, sources = made.inputs.map(blob);
    for (const [key, { shape, values }] of Object.entries(made.weights)) {
      const what = `${file}: ${key} of ${JSON.stringify(name.slice(0, 60))}`, exact = float32(values, shape);
      const stored = narrowing.stored({ type: made.type, key, name: `${name}.${key}`, what, exact });
      for (const [name, tensor] of stored) tensors.set(name, tensor);
    }
    const from = sources.length === 1 ? { input: sources[0] } : sources.length ? { inputs: sources } : {};
    files.push({ name, type: made.type, ...from, output: output === name ? undefined : output, ...made.params });
  }
  // An output under its own name, and the first as the network's: the identity costs nothing.
  const identity = (name: string, value: Traced) => {
    const own = alone ? { type: "reshape", shape: value.item.slice(1) } : { type: "dropout" };
    files.push({ name: unused(`${name}.output`, files), input: blob(value), output: name, ...own });
  };
  for (const { name, value } of outputs.slice(1)) if (alone || blob(value) !== name) identity(name, value);
  const [first] = outputs;
  if (blob(first.value) !== first.name || layers.at(-1)?.output !== first.value || files.length > layers.length) {
    identity(first.name, first.value);
  }
  if (alone) { for (const input of inputs) input.shape.shift(); }
  const output = { name: first.name, shape: alone ? first.value.item.slice(1) : first.value.item };
  const picture = pictureOf(options.pixels ?? {}, inputs[0], output);
  const text = networkText({ name: options.name, inputs, image: picture?.image, layers: files });
  checkFactors(buildGraph({ network: parseNetwork(text, file), where: file, weights: tensors }), file);
  return {
    text,
    tensors,
    layers: files.length,
    parameters: layers.flatMap(({ weights }) => Object.values(weights)).reduce(
      (sum, { shape }) => sum + valueCount(shape),
      0,
    ),
    narrowing,
    outputs: outputs.map(({ name }) => name),
    turned,
    dropped,
    picture,
  };
}

interface Named {
  name: string;
  shape: readonly number[];
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
  const taken = new Set([...values.keys(), ...reserved]), blobs = new Map<Made, string>();
  for (const [name, value] of values) {
    if (isTraced(value) && value.maker && !blobs.has(value.maker)) blobs.set(value.maker, name);
  }
  const used = new Set(reserved), names = new Map<Made, { name: string; output: string }>();
  const counts = new Map<OnnxNode | undefined, number>();
  layers.forEach((made, n) => {
    const node = origins.get(made), own = node?.name || node?.outputs.find((name) => name !== "") || made.type;
    const number = (counts.get(node) ?? 0) + 1, blob = blobs.get(made);
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
