/**
 * A PyTorch state dict in a safetensors file becomes network.json and the tensors of weights.safetensors.
 *
 * Nothing is computed: F32, F16 and BF16 tensors stay the bytes that they are, F64 is rounded to F32, and batch norm is
 * folded by the runtime.
 */
import { fromFloat32, readSafetensors, type StoredTensor, toFloat32 } from "../../../src/formats/safetensors.ts";
import { valueCount } from "../../../src/formats/shape.ts";
import { UserError } from "../../../src/formats/user_error.ts";
import { buildGraph } from "../../../src/net/graph.ts";
import { checkFactors } from "../../../src/net/model.ts";
import { type ImageFormat, parseNetwork } from "../../../src/net/network.ts";
import { networkText } from "../../train/networks.ts";
import { formatOf, inOrder, normalised, type Pixels } from "../pixels.ts";
import { type ArchitectureName, architectures, draw } from "./architectures.ts";

/** A model folder's content. */
export interface ConvertedStateDict {
  /** network.json. */
  text: string;
  /** weights.safetensors; most are views into the file. */
  tensors: Map<string, StoredTensor>;
  layers: number;
  parameters: number;
  /** The classes of the last layer. */
  units: number;
  /** What its numbers are. */
  image: ImageFormat;
}

/** Side of the square pictures that torchvision's weights take, cut out of the middle of larger ones. */
const size = 224;
const resize = 256;

/**
 * Converts the state dict in a safetensors file to one of torchvision's networks.
 * @param file Named in errors.
 * @param pixels As torchvision's published weights want them where it says nothing.
 * @throws UserError where the file is no safetensors file, or `convertStateDict` throws one.
 */
export function convertTorch(
  bytes: Uint8Array,
  file: string,
  name: ArchitectureName,
  pixels: Pixels = {},
): ConvertedStateDict {
  return convertStateDict(readSafetensors(bytes, file), file, name, pixels);
}

/**
 * Converts a state dict; the network gets as many classes as its last layer has.
 * @throws UserError naming the tensor that is missing, unknown, of another shape or not finite.
 */
export function convertStateDict(
  stored: ReadonlyMap<string, StoredTensor>,
  file: string,
  name: ArchitectureName,
  pixels: Pixels = {},
): ConvertedStateDict {
  const { build, last, mean, std, unused } = architectures[name];
  const given = unprefixed(stored, file);
  const units = given.get(`${last}.weight`)?.shape[0] || 1000;
  const image = { ...formatOf({ ...inOrder(normalised(mean, std), pixels.order), ...pixels }, 3), resize };
  const layers = draw((add) => build(add, units));
  const text = networkText({
    name,
    inputs: [{ name: "data", shape: [3, size, size] }],
    image,
    layers,
  });

  const tensors = new Map<string, StoredTensor>();
  const graph = buildGraph({ network: parseNetwork(text, file), where: file, weights: tensors });
  for (const layer of graph.layers) {
    for (const [key, shape] of Object.entries(layer.weightShapes)) {
      const source = `${layer.name}.${stateNames[key] ?? key}`;
      tensors.set(`${layer.name}.${key}`, weight(given.get(source), shape, `${file}: "${source}"`, name));
      given.delete(source);
    }
  }
  for (const source of given.keys()) {
    if (source.endsWith(".num_batches_tracked") || unused?.test(source)) continue;
    throw new UserError(
      `${file}: ${name} has no tensor ${JSON.stringify(source.slice(0, 80))}; is it another network's?`,
    );
  }
  checkFactors(graph, file);
  const parameters = [...tensors.values()].reduce((sum, { shape }) => sum + valueCount(shape), 0);
  return { text, tensors, layers: layers.length, parameters, units, image };
}

/** PyTorch's names of weights, where network.json has others. */
const stateNames: Record<string, string> = { mean: "running_mean", variance: "running_var" };

/** What wrappers put before every name: DataParallel, torch.compile, training loops. */
const prefixes = /^(?:(?:state_dict|model|module|_orig_mod)\.)+/;

/** The tensors by the names that torchvision gives them. */
function unprefixed(stored: ReadonlyMap<string, StoredTensor>, file: string): Map<string, StoredTensor> {
  const result = new Map<string, StoredTensor>();
  for (const [key, tensor] of stored) {
    const name = key.replace(prefixes, "");
    if (result.has(name)) throw new UserError(`${file}: it has ${JSON.stringify(name.slice(0, 80))} with two prefixes`);
    result.set(name, tensor);
  }
  return result;
}

/** A tensor as weights.safetensors keeps it. `what` names it. */
function weight(
  tensor: StoredTensor | undefined,
  shape: readonly number[],
  what: string,
  network: string,
): StoredTensor {
  if (!tensor) throw new UserError(`${what} is missing, expected shape [${shape}]; is it ${network}'s state dict?`);
  if (tensor.shape.join() !== shape.join()) {
    throw new UserError(`${what} has shape [${tensor.shape.slice(0, 8)}], expected [${shape}]`);
  }
  if (!["F64", "F32", "F16", "BF16"].includes(tensor.dtype)) {
    throw new UserError(`${what} is ${tensor.dtype}, expected F32, F16, BF16 or F64`);
  }
  const values = toFloat32(tensor);
  if (!values.every(Number.isFinite)) throw new UserError(`${what} holds NaN or infinity`);
  return tensor.dtype === "F64" ? fromFloat32(values, "F32", tensor.shape) : tensor;
}
