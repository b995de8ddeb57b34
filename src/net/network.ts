/** network.json: its types, and the reader that checks everything that can be checked without weights. */
import { parseJson } from "../formats/json.ts";
import { show, UserError } from "../formats/user_error.ts";
import { MOST_DIMENSIONS } from "../ops/op.ts";
import { ops } from "../ops/table.ts";
import { checkSize } from "./limits.ts";

/** How pixels (0 … 255) become numbers: value = (pixel − mean) · scale, channels in `order`. */
export interface ImageFormat {
  /** The order of the channels of an input [3, height, width]. */
  order: "RGB" | "BGR";
  /** One per channel, in the network's own order. */
  mean: number[];
  /** One for all channels, or one per channel in the same order. */
  scale: number | number[];
  /** Side that a picture's centre square is resized to before the input is cut from its middle; none comes before unless given. */
  resize?: number;
  /** Whether the whole picture is resized so, whatever its sides were, in place of its middle: Caffe's way. */
  warp?: boolean;
}

/** One layer as written; the other fields are the parameters of its type. */
export interface LayerSpec {
  /** Unique within the network. */
  name: string;
  /** An op of docs/model_folder.md. */
  type: string;
  /** Names of the values that it reads. */
  inputs: string[];
  /** The value that it makes; one that it reads is changed in place. */
  output: string;
  /** The op's own fields. */
  params: Record<string, unknown>;
}

/** A network as written in network.json. */
export interface Network {
  /** What messages and records call it. */
  name: string;
  /** Shapes are those of an item, without the batch. */
  inputs: { name: string; shape: readonly number[] }[];
  /** In the order in which they are computed. */
  layers: LayerSpec[];
  /** How pixels become its input; of a generator, how its output becomes pixels. */
  image?: ImageFormat;
  /** [first, last] ranges of the output units that were trained; all when absent. */
  trained?: [number, number][];
  /** Of a generator: what its code is. */
  code?: CodeFormat;
  /** Of a classifier: how it is searched where nobody says (src/synth/settings.ts has the settings). */
  search?: SearchSettings;
}

/** The encoder layer whose features a code is; it is at most mean + sigmas · std, and, where it has a sign, at least mean − sigmas · std. */
export interface CodeFormat {
  /** The layer's name in the encoder. */
  layer: string;
  /** How many standard deviations a code may be from the mean. */
  sigmas: number;
  /** Whether it may be negative. */
  signed?: boolean;
}

/** What suits a classifier: the layer that units are of, and the settings of its search. */
export interface SearchSettings {
  /** What `--layer` would say. */
  layer?: string;
  /** How a step is made. */
  rule?: "paper" | "adam";
  /** How many steps. */
  iterations?: number;
  /** The step's length at the start. */
  lrStart?: number;
  /** And at the end. */
  lrEnd?: number;
  /** What the code is multiplied by after a step. */
  decay?: number;
}

type Json = Record<string, unknown>;

const isObject = (v: unknown): v is Json => typeof v === "object" && v !== null && !Array.isArray(v);
const isName = (v: unknown): v is string => typeof v === "string" && v.length > 0;
const isNumbers = (v: unknown): v is number[] => Array.isArray(v) && v.every((n) => Number.isFinite(n));

const gone = (v: unknown): string => Array.isArray(v) ? "is empty" : "is missing";

/** Pixels along a side that pictures are resized to. */
const MOST_SIDE = 8192;

/** Many times what the deepest networks have. */
const MOST_LAYERS = 20_000;

/** @throws UserError unless `shape` is that of an item, and of sensible size. */
export function checkShape(shape: unknown, where: string): number[] {
  if (
    !isNumbers(shape) || shape.length > MOST_DIMENSIONS || !shape.every((n) => Number.isSafeInteger(n) && n > 0)
  ) {
    throw new UserError(
      `${where}: shape is ${show(shape)}, expected [channels, height, width], [features] or up to five numbers`,
    );
  }
  checkSize(shape, `${where}: an item of shape`);
  return shape;
}

/**
 * Reads network.json.
 * @param where Named in errors: the file's path.
 * @throws UserError naming the layer or field, what was expected and what came.
 */
export function parseNetwork(text: string, where: string): Network {
  const fail = (message: string): never => {
    throw new UserError(`${where}: ${message}`);
  };
  let json: unknown;
  try {
    json = parseJson(text);
  } catch (error) {
    return fail(`not JSON (${(error as Error).message})`);
  }
  if (!isObject(json)) return fail("expected an object");
  const { name, inputs, layers, image, trained, code, search } = json;
  if (!isName(name)) return fail('"name" is missing, expected a string');
  if (!Array.isArray(inputs) || inputs.length === 0) {
    return fail(`"inputs" ${gone(inputs)}, expected a list of name and shape`);
  }
  if (!Array.isArray(layers) || layers.length === 0) {
    return fail(`"layers" ${gone(layers)}, expected a list of layers`);
  }
  if (layers.length > MOST_LAYERS) return fail(`${layers.length} layers, expected at most ${MOST_LAYERS}`);
  return {
    name,
    inputs: inputs.map((input) => {
      if (!isObject(input) || !isName(input.name)) return fail("an input has no name");
      return { name: input.name, shape: checkShape(input.shape, `${where}: input "${input.name}"`) };
    }),
    layers: layers.map((layer, index) => parseLayer(layer, index, where)),
    ...(image === undefined ? {} : { image: parseImage(image, where) }),
    ...(trained === undefined ? {} : { trained: parseTrained(trained, where) }),
    ...(code === undefined ? {} : { code: parseCode(code, where) }),
    ...(search === undefined ? {} : { search: parseSearch(search, where) }),
  };
}

function parseLayer(layer: unknown, index: number, where: string): LayerSpec {
  if (!isObject(layer) || !isName(layer.name)) throw new UserError(`${where}: layer ${index + 1} has no name`);
  const { name, type, input, inputs, output, ...params } = layer;
  const fail = (message: string) => new UserError(`${where}: layer "${name}": ${message}`);
  if (!isName(type)) throw fail('"type" is missing');
  if (output !== undefined && !isName(output)) throw fail('"output" is not a name');
  const names = inputs ?? (input === undefined ? [] : [input]);
  if (!Array.isArray(names) || (names.length === 0 && ops[type]?.inputs !== 0) || !names.every(isName)) {
    throw fail('"input" is missing, expected the name of a blob (or "inputs", several)');
  }
  return { name, type, inputs: names, output: output ?? name, params };
}

function parseImage(image: unknown, where: string): ImageFormat {
  if (
    !isObject(image) || (image.order !== "RGB" && image.order !== "BGR") || !isNumbers(image.mean) ||
    !image.mean.every((n) => Math.abs(n) < 1e30) ||
    !isScale(image.scale, image.mean.length) ||
    !(image.resize === undefined || isSide(image.resize)) ||
    !(image.warp === undefined || typeof image.warp === "boolean")
  ) {
    throw new UserError(
      `${where}: "image" expects "order" ("RGB" or "BGR"), "mean" (one number a channel), ` +
        `"scale" (one number > 0, or one a channel), "resize" (a side up to ${MOST_SIDE}, or nothing), "warp" (true, false or nothing)`,
    );
  }
  const { order, mean, scale, resize, warp } = image;
  return {
    order,
    mean,
    scale,
    ...(resize === undefined ? {} : { resize: resize as number }),
    ...(warp === undefined ? {} : { warp: warp as boolean }),
  };
}

/** A side of pictures that memory holds. */
const isSide = (v: unknown): v is number => Number.isSafeInteger(v) && v as number > 0 && v as number <= MOST_SIDE;

const isScale = (v: unknown, channels: number): v is number | number[] =>
  (Array.isArray(v) ? v.length === channels : typeof v === "number") &&
  [v].flat().every((n: unknown) => typeof n === "number" && n > 1e-30 && n < 1e30);

function parseTrained(trained: unknown, where: string): [number, number][] {
  if (Array.isArray(trained) && trained.every((range) => isNumbers(range) && range.length === 2)) {
    return trained as [number, number][];
  }
  throw new UserError(`${where}: "trained" expects a list of [first, last] ranges`);
}

function parseCode(code: unknown, where: string): CodeFormat {
  const isOptional = (value: unknown, valid: (value: unknown) => boolean) => value === undefined || valid(value);
  if (
    isObject(code) && isName(code.layer) && isOptional(code.sigmas, Number.isFinite) &&
    isOptional(code.signed, (value) => typeof value === "boolean")
  ) {
    const { layer, sigmas, signed } = code as unknown as Partial<CodeFormat> & Pick<CodeFormat, "layer">;
    return { layer, sigmas: sigmas ?? 3, ...(signed === undefined ? {} : { signed }) };
  }
  throw new UserError(
    `${where}: "code" expects "layer" (a name), "sigmas" (a number) and "signed" (true, false or nothing)`,
  );
}

const isPositive = (v: unknown) => Number.isFinite(v) && v as number >= 0;

/** What each entry of "search" may be. */
const searchFields: Record<keyof SearchSettings, [valid: (value: unknown) => boolean, expected: string]> = {
  layer: [isName, "a name"],
  rule: [(v) => v === "paper" || v === "adam", '"paper" or "adam"'],
  iterations: [
    (v) => Number.isSafeInteger(v) && v as number >= 1 && v as number <= 1e6,
    "a whole number from 1 to 1000000",
  ],
  lrStart: [isPositive, "a number of at least 0"],
  lrEnd: [isPositive, "a number of at least 0"],
  decay: [(v) => isPositive(v) && v as number <= 1, "a number from 0 to 1"],
};

function parseSearch(search: unknown, where: string): SearchSettings {
  if (!isObject(search)) throw new UserError(`${where}: "search" expects an object, such as { "lrStart": 2 }`);
  for (const [field, value] of Object.entries(search)) {
    const known = Object.hasOwn(searchFields, field) ? searchFields[field as keyof SearchSettings] : undefined;
    if (!known) {
      throw new UserError(`${where}: "search" has "${field}", expected ${Object.keys(searchFields).join(", ")}`);
    }
    const [valid, expected] = known;
    if (!valid(value)) throw new UserError(`${where}: "search": "${field}" is ${show(value)}, expected ${expected}`);
  }
  return search as SearchSettings;
}
