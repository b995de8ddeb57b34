/**
 * A convolution's sums in half-float arithmetic, which GPUs with packed f16 do two at a time.
 *
 *   part  =   Σ w · x            all three f16: eleven bits, below 2⁻¹⁴ fewer, past 65504 infinite
 *   sum  +=   part               f32, after every loop trip: 4 · UNROLL products
 *
 * Texels are rounded to f16 as they are loaded, and weights where they are not stored so: two roundings a product, half an
 * ulp each. A part of n products rounds n times, each time half an ulp of what it has come to, about √k products after k of
 * them. Of N products of size p, the sum is so off by some
 *
 *   2⁻¹¹ · 0.4 · p · √N · √(2 + n / 2)        n = 16: 0.06 % of what such a sum comes to, √N · p
 *
 * A trip takes MOST_UNROLLED blocks of the source where their number allows it, for adding a part to its sum takes as long as
 * two of its multiply-adds. No part lives from one trip to the next: compilers keep what a loop carries in f16 one by one.
 *
 * Nothing is scaled. A source beyond f16's range, or a part that leaves it, is infinite or NaN in the output; products below
 * 2⁻²⁵ are zero. Activations keep clear of both, gradients do not: they stay in floats.
 *
 * Integer weights, up to 127, would take products past the range before their scale makes them small. They are multiplied as
 * parts of 128, which is exact, and their scales by 128.
 */
import type { Arithmetic } from "./arithmetic.ts";
import { type ConvKernel, type ConvTile, sourceSpans, type TiledConv } from "./shape.ts";

/** Blocks of the source that one trip takes, at most. */
const MOST_UNROLLED = 4;

/** A tile in this arithmetic: its trips take several blocks of the source where all of them do, for parts of a sum are so long. */
export function unrolledHalves(k: TiledConv & Pick<ConvKernel, "group">): ConvTile {
  const { tile, group } = k;
  const trips = sourceSpans(k).count / (group?.slices ?? 1);
  let unroll = MOST_UNROLLED;
  while (unroll > 1 && trips % unroll !== 0) unroll /= 2;
  return { ...tile, unroll: Math.max(unroll, tile.unroll) };
}

const scaled = (value: string, scale?: string) => scale ? `${value} * (128.0 * ${scale})` : value;

const f32 = `
fn weightBlock(block: u32) -> mat4x4<f16> {
  let at = block * 4u;
  return mat4x4<f16>(
    vec4<f16>(load_w(at)),
    vec4<f16>(load_w(at + 1u)),
    vec4<f16>(load_w(at + 2u)),
    vec4<f16>(load_w(at + 3u)),
  );
}`;

/** As halves of texels: `readHalves`. */
const f16 = `
fn weightBlock(block: u32) -> mat4x4<f16> {
  let at = block * 4u;
  return mat4x4<f16>(load_w(at), load_w(at + 1u), load_w(at + 2u), load_w(at + 3u));
}`;

const i8 = `
fn unpacked(bytes: u32) -> vec4<f16> {
  return vec4<f16>(vec4i(vec4u(bytes) << vec4u(24u, 16u, 8u, 0u)) >> vec4u(24u)) * 0.0078125h;
}

fn weightBlock(block: u32) -> mat4x4<f16> {
  let packed = load_w(block);
  return mat4x4<f16>(unpacked(packed.x), unpacked(packed.y), unpacked(packed.z), unpacked(packed.w));
}`;

/** The arithmetic. */
export const half: Arithmetic = {
  functions: `
fn multiplyAdd(sum: vec4<f16>, weights: mat4x4<f16>, texel: vec4<f16>) -> vec4<f16> {
  let first = fma(weights[0], vec4<f16>(texel.x), sum);
  let second = fma(weights[1], vec4<f16>(texel.y), first);
  let third = fma(weights[2], vec4<f16>(texel.z), second);
  return fma(weights[3], vec4<f16>(texel.w), third);
}`,
  begin: "",
  type: "vec4f",
  parts: { of: "trips", type: "vec4<f16>", added: (part) => `vec4f(${part})` },
  texel: (place, r, scale) => `vec4<f16>(${scaled(`sourceTexel(${place}, ${r})`, scale)})`,
  weights: (block) => block,
  block: "mat4x4<f16>",
  weightBlock: { f32, f16, i8 },
  finished: (sum, scale, bias) => `${scaled(sum, scale)}${bias ? ` + ${bias}` : ""}`,
  store: `
fn storeTexel(texel: u32, value: vec4f) {
  store_y(texel, value);
}`,
};
