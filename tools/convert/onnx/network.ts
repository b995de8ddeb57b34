/**
 * An ONNX model becomes network.json and the tensors of weights.safetensors.
 *
 * Only what the outputs need is looked at. Operators whose inputs are known are computed here and leave nothing behind; the
 * others become layers, whose shapes the runtime's own ops infer, so that what is written loads.
 */
import type { StoredTensor } from "../../../src/formats/safetensors.ts";
import { UserError } from "../../../src/formats/user_error.ts";
import { checkShape, type ImageFormat } from "../../../src/net/network.ts";
import type { Narrowing, StoredAs } from "../narrowing.ts";
import { describes, type Pixels } from "../pixels.ts";
import { areFirst, areLast, channelsFirst, toFirst, toLast } from "./layout.ts";
import { convertNodes, Scope } from "./nodes.ts";
import { type OnnxModel, type OnnxNode, type OnnxSource, type OnnxValue, readOnnx, readsOf } from "./proto.ts";
import { elementType, type OnnxTensor } from "./tensor.ts";
import { isTraced, type Made, NotBatched, type Operand, Trace, type Traced } from "./trace.ts";
import { written } from "./write.ts";

/** How it is written. */
export interface OnnxOptions {
  /** The network's name. */
  name: string;
  /** Inputs of the model that are known, by name. */
  constants?: ReadonlyMap<string, OnnxTensor>;
  /** Shapes of inputs that the model leaves open, by name. */
  shapes?: ReadonlyMap<string, readonly number[]>;
  /** How the weights of convolutions, fully connected layers and memories are stored; all others stay F32. */
  weights?: StoredAs;
  /** What the numbers of a picture are: the first input's, or else the output's. */
  pixels?: Pixels;
}

/** A model folder's content. */
export interface ConvertedOnnx {
  /** network.json. */
  text: string;
  /** weights.safetensors. */
  tensors: Map<string, StoredTensor>;
  layers: number;
  parameters: number;
  narrowing: Narrowing;
  /** The names of the outputs, the network's own first. */
  outputs: string[];
  /** What has its channels last in the model and first in the network, such as `input x`. */
  turned: string[];
  /** Outputs that are left out: known integers, or such as their operator is supported without. */
  dropped: string[];
  /** Where pixels were described: what is a picture, such as `of input "x"`, and what its numbers are. */
  picture?: { of: string; image: ImageFormat };
}

/** Values by name, and what was made of a model. */
export interface Traces {
  trace: Trace;
  values: Map<string, Operand>;
  /** The operator whose conversion made a layer. */
  origins: Map<Made, OnnxNode>;
  /** What has its channels last in the model and first in the network: such as `input x`. */
  turned: string[];
}

/**
 * Converts an ONNX model.
 * @throws UserError in one sentence that names the file and the operator: where the file is damaged, or an operator is none
 * that the runtime has.
 */
export function convertOnnx(bytes: Uint8Array, source: OnnxSource, options: OnnxOptions): ConvertedOnnx {
  try {
    return converted(bytes, source, options);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    // A file's own names may hold anything, and a message is one line.
    throw new UserError(error.message.replace(/\p{C}+/gu, " ").slice(0, 380));
  }
}

function converted(bytes: Uint8Array, source: OnnxSource, options: OnnxOptions): ConvertedOnnx {
  const model = readOnnx(bytes, source);
  const nodes = neededNodes(model, source.file);
  const read = new Set([...nodes.flatMap((node) => [...readsOf(node)]), ...model.outputs.map(({ name }) => name)]);
  const unknown = [...options.constants?.keys() ?? [], ...options.shapes?.keys() ?? []]
    .find((name) => !model.inputs.some((input) => input.name === name));
  if (unknown !== undefined) {
    const names = model.inputs.map(({ name }) => name).slice(0, 20).join(", ");
    throw new UserError(`${source.file}: it has no input "${unknown}"; its inputs are ${names}`);
  }
  const known = new Map<string, OnnxTensor>([...model.initializers, ...options.constants ?? []]);
  const inputs = model.inputs.filter(({ name }) => read.has(name) && !known.has(name)).map((input): ShapedInput => {
    return { input, shape: inputShape(input, source.file, options.shapes?.get(input.name)) };
  });
  const context = { file: source.file, size: bytes.length, pictures: describes(options.pixels ?? {}) };
  const traces = traced(model, nodes, known, inputs, context);
  return written(model, traces, inputs.map(({ input }) => input), source.file, options);
}

/** The nodes that outputs depend on, in order. */
function neededNodes({ nodes, outputs }: OnnxModel, file: string): OnnxNode[] {
  const needed = new Set(outputs.map(({ name }) => name));
  if (needed.size === 0) throw new UserError(`${file}: the model has no output`);
  const kept = [...nodes].reverse().filter((node) => {
    if (!node.outputs.some((name) => name !== "" && needed.has(name))) return false;
    for (const name of readsOf(node)) if (name !== "") needed.add(name);
    return true;
  });
  return kept.reverse();
}

/** The shape of an input: as given, else as the model has it, an open first dimension being a batch of one. */
function inputShape(
  { name, elementType: code, shape }: OnnxValue,
  file: string,
  given: readonly number[] | undefined,
): readonly number[] {
  const what = `${file}: input ${JSON.stringify(name.slice(0, 60))}`;
  const type = elementType(code ?? 0);
  if (code === undefined || !shape && !given) {
    throw new UserError(
      `${what} is no tensor of a known number of dimensions; give its shape with --shape ${name}=1,3,224,224`,
    );
  }
  if (!type) throw new UserError(`${what} is of ONNX's type ${code}, and networks compute with real numbers alone`);
  const sizes = given ?? shape!.map((n, d) => d === 0 && typeof n === "string" ? 1 : n);
  if (sizes.includes(0)) {
    throw new UserError(
      `${what} of [${sizes}] holds no values; if it is a setting, give its value with --constant ${name}=FILE.npy`,
    );
  }
  const open = sizes.findIndex((n) => typeof n === "string");
  if (open >= 0) {
    const example = sizes.map((n) => typeof n === "string" ? 224 : n).join();
    throw new UserError(`${what} leaves dimension ${open} open; give its shape with --shape ${name}=${example}`);
  }
  if (
    given && shape &&
    (shape.length !== given.length || shape.some((n, d) => d > 0 && typeof n === "number" && n !== given[d]))
  ) {
    throw new UserError(`${what} has shape [${shape}] in the model, --shape gives [${given}]`);
  }
  return sizes as number[];
}

/** An input with its shape in the model. */
interface ShapedInput {
  input: OnnxValue;
  shape: readonly number[];
}

/** The file's name and size, and whether the first input, or else the output, is known to be pictures. */
interface Context {
  file: string;
  size: number;
  pictures: boolean;
}

/** Traces the model with axis 0 as the batch where that may be, else with whole tensors as items. */
function traced(
  model: OnnxModel,
  nodes: OnnxNode[],
  known: ReadonlyMap<string, OnnxTensor>,
  inputs: ShapedInput[],
  { file, size, pictures }: Context,
): Traces {
  const batch = inputs[0]?.shape[0];
  const run = (trace: Trace): Traces => {
    const scope = new Scope(known);
    const origins = new Map<Made, OnnxNode>();
    const turned: string[] = [];
    const given = inputs.map(({ input: { name, elementType: code }, shape }, n) => {
      const turns = n === 0 && pictures && areLast(shape);
      const item = trace.itemOf(turns ? channelsFirst(shape) : shape);
      const value: Traced = { item, input: name };
      checkShape(item, `${file}: input ${JSON.stringify(name.slice(0, 60))}`);
      scope.own.set(name, { value: turns ? toLast(trace, value) : value, type: elementType(code!) });
      if (turns) turned.push(`input ${name}`);
      return [name, value] as const;
    });
    convertNodes(nodes, scope, { file, model, trace, origins });
    const values = new Map([...[...scope.own].map(([name, { value }]) => [name, value] as const), ...given]);
    const [{ name }] = model.outputs;
    const output = values.get(name);
    if (pictures && !areFirst(inputs[0]?.shape ?? []) && isTraced(output) && areLast(trace.shapeOf(output))) {
      values.set(name, toFirst(trace, output));
      turned.push(`output ${name}`);
    }
    const made = new Set(nodes.flatMap(({ outputs }) => outputs));
    const lost = model.outputs.find(({ name }) => !made.has(name) && !values.has(name));
    if (lost) throw new UserError(`${file}: nothing makes its output ${JSON.stringify(lost.name.slice(0, 60))}`);
    return { trace, values, origins, turned };
  };
  if (batch !== undefined && inputs.every(({ shape }) => shape.length > 1)) {
    try {
      return run(new Trace(batch, size));
    } catch (error) {
      if (!(error instanceof NotBatched)) throw error;
    }
  }
  return run(new Trace(undefined, size));
}
