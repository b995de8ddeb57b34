/** The gradient that a peer's is compared with: in double-float arithmetic, which takes every kink as exact numbers do. */
import type { Device } from "../../src/gpu/device.ts";
import { readMap, writeMap } from "../../src/gpu/map.ts";
import { buildPlan } from "../../src/net/plan.ts";
import { count } from "../../src/ops/op.ts";
import type { Climb } from "../../src/synth/climb.ts";
import { iterationOf } from "../../src/synth/joined.ts";
import type { SearchSubject } from "../synth/search.ts";

/** The gradient at the codes that a search starts from, [batch × code values], in double-float arithmetic. */
export async function exactGradient(device: Device, subject: SearchSubject): Promise<Float32Array> {
  const { joined, batch, settings: { codes } } = subject;
  using plan = await buildPlan(device, { ...iterationOf(joined, [joined.logits]), batch, doubleFloat: true });
  const { code, logits: layer } = joined;
  const { tensors } = plan;
  const units = count(layer.shape);
  const dy = new Float32Array(batch * units);
  const unit = subject.unit;
  for (let item = 0; item < batch; item++) dy[item * units + unit] = 1;
  writeMap(device, tensors.of(code), codes);
  writeMap(device, tensors.dy![0], dy);
  plan.submit();
  return await readMap(device, tensors.dx!);
}

/** The gradient that an iteration of ours takes at the same codes. */
export async function ownGradient(climb: Climb): Promise<Float32Array> {
  climb.restart();
  climb.submit(1);
  return await climb.gradient();
}

/** |a − exact| / |exact|, as Euclid measures; NaN where values are missing or are no numbers. */
export function errorOf(values: ArrayLike<number>, exact: ArrayLike<number>): number {
  if (values.length !== exact.length) return NaN;
  let difference = 0;
  let size = 0;
  for (let at = 0; at < exact.length; at++) {
    difference += (values[at] - exact[at]) ** 2;
    size += exact[at] ** 2;
  }
  return Math.sqrt(difference / size);
}

/** The codes after the first step along a gradient, in double precision. */
export function stepped(gradient: ArrayLike<number>, { settings, batch }: SearchSubject): Float64Array {
  const { codes, lrStart, decay } = settings;
  const size = codes.length / batch;
  const result = Float64Array.from(codes);
  for (let from = 0; from < codes.length; from += size) {
    let sum = 0;
    for (let at = from; at < from + size; at++) sum += Math.abs(gradient[at]);
    for (let at = from; at < from + size; at++) {
      if (sum > 0) result[at] = (result[at] + lrStart * gradient[at] * size / sum) * decay;
    }
  }
  return result;
}
