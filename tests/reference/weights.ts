/**
 * The weights of a model folder as float64, exactly the numbers that are stored.
 */
import { readSafetensors, toFloat32 } from "../../src/formats/safetensors.ts";
import { map, type Tensor, tensor } from "./tensor.ts";

/** All tensors of a weights.safetensors by name; each I8 tensor already times its `NAME.scale`, row by row. */
export function readWeights(bytes: Uint8Array, name: string): Map<string, Tensor> {
  const stored = readSafetensors(bytes, name);
  const values = new Map([...stored].map(([key, item]) => [key, tensor(item.shape, toFloat32(item))]));
  for (const [key, { dtype, shape }] of stored) {
    if (dtype !== "I8") continue;
    const { data: scales } = values.get(`${key}.scale`)!;
    const rowLength = values.get(key)!.data.length / shape[0];
    values.set(key, map(values.get(key)!, (value, i) => value * scales[Math.floor(i / rowLength)]));
  }
  return values;
}
