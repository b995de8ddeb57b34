/**
 * What the kernels of both directions compute in: plain floats, half floats (half.ts), or two floats a value (double.ts).
 *
 * A kernel keeps one sum for each block of channels and position of its tile. In floats a long sum is taken in parts, so
 * that rounding grows with the square root of a part and of their number, not of all products. In half floats the parts are
 * short, and only they are half floats.
 */
import { weightBlock, type WeightFormat } from "./blocks.ts";
import { double } from "./double.ts";
import { half } from "./half.ts";
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
  /** What a sum is made of parts in, if it is. */
  parts?: Parts;
  /** A texel of the source, and a block of weights, as `multiplyAdd` wants them. */
  texel: (place: string, r: string, scale?: string) => string;
  weights: (block: string) => string;
  /** The type of a block of weights as it is loaded. */
  block: "mat4x4f" | "mat4x4<f16>";
  /** WGSL of `weightBlock(block)`, which loads one; the arithmetic's `scale`s make up for what it divides by. */
  weightBlock: Record<WeightFormat, string>;
  /** A whole sum, scaled and with a bias where there are any. */
  finished: (sum: string, scale?: string, bias?: string) => string;
  /** Defines `storeTexel(texel, value)` for what is finished. */
  store: string;
}

/** The parts of a sum. */
export interface Parts {
  /** What makes one: a loop trip, or more of them as registers.ts has it. */
  of: "trips" | "rows";
  type: "vec4f" | "vec4<f16>";
  /** Adds a part to its sum. */
  added: (part: string) => string;
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
  parts: { of: "rows", type: "vec4f", added: (part) => part },
  texel: (place, r, scale) => `sourceTexel(${place}, ${r})${scale ? ` * ${scale}` : ""}`,
  weights: (block) => block,
  block: "mat4x4f",
  weightBlock,
  finished: (sum, scale, bias) => `${sum}${scale ? ` * ${scale}` : ""}${bias ? ` + ${bias}` : ""}`,
  store: `
fn storeTexel(texel: u32, value: vec4f) {
  store_y(texel, value);
}`,
};

/** The arithmetic of a kernel. */
export const arithmeticOf = (k: ConvKernel): Arithmetic => k.double ? double(k.double) : k.half ? half : float;
