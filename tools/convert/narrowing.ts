/** Weights in fewer bits: which ones, and how far that moves them. */
import { allFinite, fromFloat32, type StoredTensor, toFloat32 } from "../../src/formats/safetensors.ts";
import { UserError } from "../../src/formats/user_error.ts";
import { hostTensor, narrowWeights, quantised } from "../../src/net/weights.ts";

/** How weights may be stored. */
export const storages = ["f32", "f16", "i8"] as const;

/** One of these. */
export type StoredAs = typeof storages[number];

/** One weight of a layer. */
export interface LayerWeight {
  /** The layer's type, and the weight's name after `LAYER.`. */
  type: string;
  key: string;
  /** Its name in the file, and in messages. */
  name: string;
  what: string;
  /** Its numbers, F32. */
  exact: StoredTensor;
}

/** A kind of storage, and what it has changed so far. */
export class Narrowing {
  /** The largest change of a number, over the largest magnitude in its tensor. */
  error = 0;

  constructor(readonly storage: StoredAs = "f32") {}

  /** The tensors that a weight becomes. @throws UserError where one of its numbers is none, or beyond what can be stored. */
  stored({ type, key, name, what, exact }: LayerWeight): [string, StoredTensor][] {
    if (!allFinite(exact)) throw new UserError(`${what} holds NaN or infinity`);
    if (this.storage === "f32" || !narrowWeights(type).includes(key)) return [[name, exact]];
    const values = toFloat32(exact);
    const tensors: [string, StoredTensor][] = this.storage === "i8"
      ? quantised(name, exact)
      : [[name, fromFloat32(values, "F16", exact.shape)]];
    if (!allFinite(tensors[0][1])) throw new UserError(`${what} holds values beyond f16; use --weights f32`);
    const narrow = hostTensor({ where: "", weights: new Map(tensors) }, name, exact.shape).values;
    let peak = 0;
    let change = 0;
    for (let n = 0; n < values.length; n++) {
      peak = Math.max(peak, Math.abs(values[n]));
      change = Math.max(change, Math.abs(values[n] - narrow[n]));
    }
    if (change > 0) this.error = Math.max(this.error, change / peak);
    return tensors;
  }
}
