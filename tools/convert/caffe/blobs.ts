/** A layer's blobs as the weights that the runtime's op wants, checked. */
import { fromFloat32, type StoredTensor, toFloat32 } from "../../../src/formats/safetensors.ts";
import { UserError } from "../../../src/formats/user_error.ts";
import type { Conversion } from "./rule.ts";

/** The matrices and kernels that may be stored in f16, by type. */
const half: Readonly<Record<string, readonly string[]>> = {
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
  storage: "f32" | "f16",
): [string, StoredTensor][] {
  return Object.entries(layerWeights(conversion, shapes, trained)).map(([key, tensor]) => {
    const narrow = storage === "f16" && half[conversion.type]?.includes(key);
    return [key, fitted(key, tensor, shapes[key], narrow ? "F16" : "F32")];
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
  if (isFinite(stored)) return stored;
  const overflow = dtype === "F16" && isFinite(tensor);
  throw new UserError(`its ${key} holds ${overflow ? "values beyond f16; use --weights f32" : "NaN or infinity"}`);
}

/** Whether all values are finite, by their exponents; bytes at any alignment pass through one small buffer. */
function isFinite({ dtype, bytes }: StoredTensor): boolean {
  const buffer = new ArrayBuffer(1 << 16), piece = new Uint8Array(buffer);
  for (let at = 0; at < bytes.length; at += piece.length) {
    const part = bytes.subarray(at, at + piece.length);
    piece.set(part);
    const finite = dtype === "F16"
      ? new Uint16Array(buffer, 0, part.length / 2).every((bits) => (bits & 0x7c00) !== 0x7c00)
      : dtype === "F32"
      ? new Uint32Array(buffer, 0, part.length / 4).every((bits) => (bits & 0x7f800000) !== 0x7f800000)
      : new Float64Array(buffer, 0, part.length / 8).every(Number.isFinite);
    if (!finite) return false;
  }
  return true;
}
