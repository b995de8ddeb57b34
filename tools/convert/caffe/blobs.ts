/** A layer's blobs as the weights that the runtime's op wants, checked. */
import { allFinite, fromFloat32, type StoredTensor, toFloat32 } from "../../../src/formats/safetensors.ts";
import { UserError } from "../../../src/formats/user_error.ts";
import { quantised } from "../../../src/net/weights.ts";
import type { Conversion } from "./rule.ts";

/** The matrices and kernels that may be stored narrow, by type. */
const narrowable: Readonly<Record<string, readonly string[]>> = {
  conv2d: ["weight"],
  deconv2d: ["weight"],
  fc: ["weight"],
  lstm: ["inputWeight", "recurrentWeight"],
};

/**
 * The weights of a converted layer, by the name after `LAYER.`.
 * @param shapes What the op wants.
 * @param trained The layer's blobs in the caffemodel.
 * @throws UserError where the caffemodel does not have the layer, or has other blobs for it.
 */
export function storedWeights(
  conversion: Conversion,
  shapes: Readonly<Record<string, readonly number[]>>,
  trained: StoredTensor[] | undefined,
  storage: "f32" | "f16" | "i8",
): [string, StoredTensor][] {
  return Object.entries(layerWeights(conversion, shapes, trained)).flatMap(([key, tensor]) => {
    const narrow = narrowable[conversion.type]?.includes(key);
    const stored = fitted(key, tensor, shapes[key], narrow && storage === "f16" ? "F16" : "F32");
    return narrow && storage === "i8" ? quantised(key, stored) : [[key, stored]];
  });
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
  const core = (dims: readonly number[]) => dims.slice(dims.findIndex((n) => n !== 1)).join("×") || "1"; // "" for one number
  if (core(tensor.shape) !== core(shape)) {
    throw new UserError(`its ${key} has shape [${tensor.shape}] in the caffemodel, expected [${shape}]`);
  }
  const same = tensor.dtype === dtype;
  const stored = same ? { ...tensor, shape: [...shape] } : fromFloat32(toFloat32(tensor), dtype, [...shape]);
  if (allFinite(stored)) return stored;
  const overflow = dtype === "F16" && allFinite(tensor);
  throw new UserError(`its ${key} holds ${overflow ? "values beyond f16; use --weights f32" : "NaN or infinity"}`);
}
