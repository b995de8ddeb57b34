/**
 * Trained arrays → the tensors of weights.safetensors: convolutions F16, fully connected I8 with one scale per output
 * row, biases F32.
 *
 * An I8 row is w ≈ s · q with integers |q| ≤ 127. For a given clip point the integers are round(w · 127 / clip), and the
 * scale of least squared error for them is s = Σwq / Σq², which leaves Σw² − (Σwq)² / Σq². So the best clip point is the
 * one with the largest (Σwq)² / Σq²: a few outliers clipped often cost less than coarse steps for all the others.
 */
import type { NpyArray } from "../../src/formats/npy.ts";
import { fromFloat32, type StoredTensor, toFloat32 } from "../../src/formats/safetensors.ts";
import { UserError } from "../../src/formats/user_error.ts";
import type { LayerFile } from "./networks.ts";

/** How one layer's weight was stored; `error` is the relative RMS error √(Σ(w − ŵ)² / Σw²). */
export interface StoredLayer {
  name: string;
  dtype: string;
  shape: number[];
  bytes: number;
  error: number;
}

/** Clip points tried, as a share of the row's largest magnitude: 1 down to 0.39. */
const clips = Array.from({ length: 32 }, (_, i) => 0.97 ** i);

/**
 * Quantises `rows` rows of equal length to I8. A row of zeros gets scale 1.
 * Returns the integers in the order of `weights` and a scale per row.
 */
export function quantiseRows(weights: Float32Array, rows: number): { values: Int8Array; scales: Float32Array } {
  const length = weights.length / rows;
  const values = new Int8Array(weights.length);
  const scales = new Float32Array(rows).fill(1);
  for (let r = 0; r < rows; r++) {
    const row = weights.subarray(r * length, (r + 1) * length);
    const largest = row.reduce((m, w) => Math.max(m, Math.abs(w)), 0);
    if (largest === 0) continue;
    let best = { gain: -1, step: 0, scale: 0 };
    for (const clip of clips) {
      const step = clip * largest / 127;
      let wq = 0;
      let qq = 0;
      for (const w of row) {
        const q = toInteger(w, step);
        wq += w * q;
        qq += q * q;
      }
      const gain = wq * wq / qq;
      if (gain > best.gain) best = { gain, step, scale: wq / qq };
    }
    row.forEach((w, i) => values[r * length + i] = toInteger(w, best.step));
    scales[r] = best.scale;
  }
  return { values, scales };
}

const toInteger = (w: number, step: number) => Math.max(-127, Math.min(127, Math.round(w / step)));

/**
 * The tensors of the layers that have weights. Fully connected layers named in `halves` are stored F16 instead of I8.
 * Throws UserError where an array is missing, has a wrong shape or holds what is not finite.
 */
export function storeWeights(
  layers: LayerFile[],
  arrays: Map<string, NpyArray>,
  halves: string[],
): { tensors: Map<string, StoredTensor>; report: StoredLayer[] } {
  const tensors = new Map<string, StoredTensor>();
  const report: StoredLayer[] = [];
  for (const { name, type, channels } of layers) {
    if (channels === undefined) continue;
    const output = type === "deconv2d" ? 1 : 0; // the axis of output channels
    const rank = type === "fc" ? 2 : 4;
    const { shape, values } = take(
      arrays,
      `${name}.weight`,
      ({ length, ...s }) => length === rank && s[output] === channels,
      `${rank} axes, axis ${output} of ${channels}`,
    );
    const bias = take(arrays, `${name}.bias`, (s) => s.length === 1 && s[0] === channels, `[${channels}]`);
    const weight = `${name}.weight`;
    let stored: Float32Array;
    if (type === "fc" && !halves.includes(name)) {
      const { values: integers, scales } = quantiseRows(values, channels);
      tensors.set(weight, { dtype: "I8", shape, bytes: new Uint8Array(integers.buffer) });
      tensors.set(`${weight}.scale`, fromFloat32(scales, "F32", [channels]));
      stored = Float32Array.from(integers, (q, i) => q * scales[Math.floor(i * channels / integers.length)]);
    } else {
      tensors.set(weight, fromFloat32(values, "F16", shape));
      stored = toFloat32(tensors.get(weight)!);
      if (!stored.every(Number.isFinite)) throw new UserError(`${weight}: a value is too large for float16 (65504)`);
    }
    tensors.set(`${name}.bias`, fromFloat32(bias.values, "F32", [channels]));
    const { dtype, bytes } = tensors.get(weight)!;
    report.push({ name, dtype, shape, bytes: bytes.length, error: relativeError(values, stored) });
  }
  return { tensors, report };
}

/** An array as float32, checked. `expected` says in words what `fits` tests. */
export function take(
  arrays: Map<string, NpyArray>,
  name: string,
  fits: (shape: number[]) => boolean,
  expected: string,
): { shape: number[]; values: Float32Array } {
  const array = arrays.get(name);
  if (!array) throw new UserError(`${name}: not among the trained arrays (${[...arrays.keys()].join(", ")})`);
  const { shape, data } = array;
  if (!fits(shape)) throw new UserError(`${name}: expected ${expected}, got [${shape}]`);
  const values = Float32Array.from(data as ArrayLike<number>);
  const bad = values.findIndex((v) => !Number.isFinite(v));
  if (bad >= 0) throw new UserError(`${name}: element ${bad} is ${values[bad]}, expected finite numbers`);
  return { shape, values };
}

function relativeError(values: Float32Array, stored: Float32Array): number {
  let error = 0;
  let power = 0;
  for (let i = 0; i < values.length; i++) {
    error += (values[i] - stored[i]) ** 2;
    power += values[i] ** 2;
  }
  return power === 0 ? 0 : Math.sqrt(error / power);
}

/**
 * The rows of a layer that training touched, as [first, last] ranges: train.py leaves the others at exactly zero.
 * `weight` is (rows, features), `bias` (rows).
 */
export function trainedRanges(weight: Float32Array, bias: Float32Array): [number, number][] {
  const features = weight.length / bias.length;
  const ranges: [number, number][] = [];
  bias.forEach((b, row) => {
    if (b === 0 && weight.subarray(row * features, (row + 1) * features).every((w) => w === 0)) return;
    const last = ranges.at(-1);
    if (last && last[1] === row - 1) last[1] = row;
    else ranges.push([row, row]);
  });
  return ranges;
}
