/**
 * The weights of a model folder as float64, exactly the numbers that are stored.
 */
import { readSafetensors, toFloat32 } from "../../src/formats/safetensors.ts";
import { type Tensor, tensor } from "./tensor.ts";

/** All tensors of a weights.safetensors by name; each I8 tensor already times its `NAME.scale`, row by row. */
export function readWeights(bytes: Uint8Array, name: string): Map<string, Tensor> {
  const stored = readSafetensors(bytes, name);
  const values = new Map([...stored].map(([key, item]) => [key, tensor(item.shape, toFloat32(item))]));
  for (const [key, { dtype, shape }] of stored) {
    if (dtype !== "I8") continue;
    const { data } = values.get(key)!;
    const { data: scales } = values.get(`${key}.scale`)!;
    const rowLength = data.length / shape[0];
    for (let i = 0; i < data.length; i++) data[i] *= scales[Math.floor(i / rowLength)];
  }
  return values;
}
