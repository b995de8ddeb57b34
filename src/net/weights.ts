/** Weights as a model folder stores them, checked and made into numbers. */
import { allFinite, fromFloat32, type StoredTensor, toFloat32 } from "../formats/safetensors.ts";
import { UserError } from "../formats/user_error.ts";
import { quantise } from "../ops/conv/weights.ts";
import { type HostTensor, lazyTensor } from "../ops/op.ts";
import { ops } from "../ops/table.ts";

/** A weights file and the folder's name in messages. */
export interface WeightsFile {
  readonly where: string;
  readonly weights: ReadonlyMap<string, StoredTensor>;
}

/**
 * One weight of a model folder, checked and dequantised.
 * @throws UserError when it is missing, has another shape or type, or holds NaN or infinity.
 */
export function hostTensor(model: WeightsFile, name: string, shape: readonly number[]): HostTensor {
  const fail = (message: string) => new UserError(`${model.where}/weights.safetensors: "${name}" ${message}`);
  const stored = model.weights.get(name);
  if (!stored) throw fail(`is missing, expected shape [${shape}]`);
  if (stored.shape.join() !== shape.join()) throw fail(`has shape [${stored.shape}], expected [${shape}]`);
  if (stored.dtype !== "I8") {
    if (!["F32", "F16", "BF16", "F64"].includes(stored.dtype)) {
      throw fail(`is ${stored.dtype}, expected F32, F16, BF16 or I8`);
    }
    if (!allFinite(stored)) throw fail("holds NaN or infinity");
    return lazyTensor({ shape, stored: stored.dtype === "F16" ? "F16" : "F32" }, () => toFloat32(stored));
  }
  const scales = hostTensor(model, `${name}.scale`, [shape[0]]).values;
  const integers = new Int8Array(stored.bytes.buffer, stored.bytes.byteOffset, stored.bytes.byteLength);
  return lazyTensor({ shape, stored: "I8", quantised: { integers, scales } }, () => {
    const values = new Float32Array(integers.length);
    const row = integers.length / shape[0];
    for (let n = 0; n < values.length; n++) values[n] = integers[n] * scales[Math.floor(n / row)];
    return values;
  });
}

/** Those weights of a type of layer that may be stored in fewer bits; all else stays F32. */
export const narrowWeights = (type: string): readonly string[] =>
  (Object.hasOwn(ops, type) ? ops[type].narrows : undefined) ?? [];

/** A weight as an `I8` tensor and its scales, one a row: what `hostTensor` reads back. */
export function quantised(name: string, tensor: StoredTensor): [string, StoredTensor][] {
  const { shape } = tensor;
  const { integers, scales } = quantise(toFloat32(tensor), shape[0]);
  return [
    [name, { dtype: "I8", shape, bytes: new Uint8Array(integers.buffer) }],
    [`${name}.scale`, fromFloat32(scales, "F32", [shape[0]])],
  ];
}
