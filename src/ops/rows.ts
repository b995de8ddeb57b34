/**
 * Feature maps as rows of features: an item of [streams, features] is `streams` items of [features]. Layers that work on
 * rows see each as an item of its own; where the texels do not lie so already, one copy brings them there.
 */
import { reshape } from "../../shaders/layout.ts";
import { type Binding, type Call, write } from "../gpu/call.ts";
import { featureMap, type Tensor } from "../gpu/tensor.ts";
import type { Adapter } from "../gpu/adapter.ts";
import { texelCall } from "./calls.ts";
import { show } from "./op.ts";

/** Channels, height, width of a tensor. */
export const map3 = ({ shape: [, c, h, w] }: Tensor): [number, number, number] => [c, h, w];

/** The call that copies x's values into y in (n, c, h, w) order. */
export function regroupCall(label: string, x: Tensor, y: Binding): Call {
  return texelCall(label, { x }, { y }, reshape(map3(x), map3(y.tensor)));
}

const areRows = ({ shape }: Tensor, rows: number, features: number) => show(shape) === show([rows, features, 1, 1]);

/** x as `rows` rows, and the calls that make them. */
export function asRows(
  adapter: Adapter,
  label: string,
  x: Tensor,
  rows: number,
  features: number,
): { tensor: Tensor; calls: Call[] } {
  if (areRows(x, rows, features)) return { tensor: x, calls: [] };
  const tensor = featureMap(adapter, label, [rows, features, 1, 1]);
  return { tensor, calls: [regroupCall(label, x, write(tensor))] };
}

/** Where a layer writes rows that are to become y, and the calls that bring them there afterwards. */
export function intoRows(
  adapter: Adapter,
  label: string,
  y: Binding,
  rows: number,
  features: number,
): { binding: Binding; calls: Call[] } {
  if (areRows(y.tensor, rows, features)) return { binding: y, calls: [] };
  const tensor = featureMap(adapter, label, [rows, features, 1, 1]);
  return { binding: write(tensor), calls: [regroupCall(label, tensor, y)] };
}
