/** A layer's blobs as the weights that the runtime's op wants, checked. */
import { fromFloat32, type StoredTensor, toFloat32 } from "../../../src/formats/safetensors.ts";
import { UserError } from "../../../src/formats/user_error.ts";
import type { Narrowing } from "../narrowing.ts";
import type { Conversion } from "./rule.ts";

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
  narrowing: Narrowing,
): [string, StoredTensor][] {
  return Object.entries(layerWeights(conversion, shapes, trained)).flatMap(([key, tensor]) => {
    const exact = fitted(key, tensor, shapes[key]);
    return narrowing.stored({ type: conversion.type, key, name: key, what: `its ${key}`, exact });
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
function fitted(key: string, tensor: StoredTensor, shape: readonly number[]): StoredTensor {
  const core = (dims: readonly number[]) => dims.slice(dims.findIndex((n) => n !== 1)).join("×") || "1"; // "" for one number
  if (core(tensor.shape) !== core(shape)) {
    throw new UserError(`its ${key} has shape [${tensor.shape}] in the caffemodel, expected [${shape}]`);
  }
  return tensor.dtype === "F32" ? { ...tensor, shape: [...shape] } : fromFloat32(toFloat32(tensor), "F32", [...shape]);
}
