/** A layer's blobs as the weights that the runtime's op wants, checked. */
import { fromFloat32, type StoredTensor, toFloat32 } from "../../../src/formats/safetensors.ts";
import { UserError } from "../../../src/formats/user_error.ts";

/** How a layer's blobs become weights. */
export interface Trained {
  /** How many blobs it has; as many as the new layer has weights unless given. */
  blobs?: number;
  /** The new layer's weights by name; its blobs in their order unless given. */
  weights?: (blobs: StoredTensor[]) => Record<string, StoredTensor>;
}

/**
 * The weights of a converted layer, by the name after `LAYER.`.
 * @param shapes What the op wants.
 * @param trained The layer's blobs in the caffemodel.
 * @throws UserError where the caffemodel does not have the layer, or has other blobs for it.
 */
export function trainedWeights(
  { blobs, weights }: Trained,
  shapes: Readonly<Record<string, readonly number[]>>,
  trained: readonly StoredTensor[] | undefined,
): Record<string, StoredTensor> {
  const keys = Object.keys(shapes);
  const expected = blobs ?? keys.length;
  if (!trained) throw new UserError("the caffemodel has no layer of this name; is it another network's?");
  if (trained.length !== expected) {
    throw new UserError(`the caffemodel has ${trained.length} blobs for it, expected ${expected}`);
  }
  const made = weights?.([...trained]) ?? Object.fromEntries(keys.map((key, i) => [key, trained[i]]));
  return Object.fromEntries(keys.map((key) => [key, fitted(key, made[key], shapes[key])]));
}

/** A blob as a weight. Legacy blobs have four dimensions, the first ones 1 where there are fewer; a list may lie along any. */
function fitted(key: string, tensor: StoredTensor, shape: readonly number[]): StoredTensor {
  const inner = (dims: readonly number[]) => dims.slice(dims.findIndex((n) => n !== 1)).join("×") || "1"; // "" for one number
  const longest = ({ shape }: StoredTensor) => shape.filter((n) => n !== 1).join("×") || "1";
  if (inner(tensor.shape) !== inner(shape) && !(shape.length === 1 && longest(tensor) === inner(shape))) {
    throw new UserError(`its ${key} has shape [${tensor.shape}] in the caffemodel, expected [${shape}]`);
  }
  return tensor.dtype === "F32" ? { ...tensor, shape: [...shape] } : fromFloat32(toFloat32(tensor), "F32", [...shape]);
}
