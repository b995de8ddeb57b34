/**
 * What the kernels of both directions compute in: plain floats, or two floats a value (double.ts).
 *
 * A kernel keeps one sum for each block of channels and position of its tile. In floats a long sum is taken in parts, so
 * that rounding grows with the square root of a part and of their number, not of all products.
 */
import { double } from "./double.ts";
import type { ConvKernel } from "./shape.ts";

/** Expressions and functions, in WGSL. */
export interface Arithmetic {
  /**
   * Defines `multiplyAdd(sum, weights, texel)`: a texel's four source channels, times a block of weights, added to four
   * target channels.
   */
  functions: string;
  /** The first statement of a kernel. */
  begin: string;
  /** The type of a sum. */
  type: "vec4f" | "Double";
  /** Whether a sum is made of parts. */
  parts: boolean;
  /** A texel of the source, and a block of weights, as `multiplyAdd` wants them. */
  texel: (place: string, r: string, scale?: string) => string;
  weights: (block: string) => string;
  /** A whole sum, scaled and with a bias where there are any. */
  finished: (sum: string, scale?: string, bias?: string) => string;
  /** Defines `storeTexel(texel, value)` for what is finished. */
  store: string;
}

const float: Arithmetic = {
  functions: `
fn multiplyAdd(sum: vec4f, weights: mat4x4f, texel: vec4f) -> vec4f {
  let first = fma(weights[0], vec4f(texel.x), sum);
  let second = fma(weights[1], vec4f(texel.y), first);
  let third = fma(weights[2], vec4f(texel.z), second);
  return fma(weights[3], vec4f(texel.w), third);
}`,
  begin: "",
  type: "vec4f",
  parts: true,
  texel: (place, r, scale) => `sourceTexel(${place}, ${r})${scale ? ` * ${scale}` : ""}`,
  weights: (block) => block,
  finished: (sum, scale, bias) => `${sum}${scale ? ` * ${scale}` : ""}${bias ? ` + ${bias}` : ""}`,
  store: `
fn storeTexel(texel: u32, value: vec4f) {
  store_y(texel, value);
}`,
};

/** The arithmetic of a kernel. */
export const arithmeticOf = (k: ConvKernel): Arithmetic => k.double ? double(k.double) : float;
