/**
 * What vectors.ts does with one texel of weights, which holds one column of a 4×4 block in f32, two in f16 and four in i8
 * (blocks.ts): a column is one input to four outputs.
 *
 *   direct        each column times its input, added to four outputs
 *   transposed    each column times four outputs: a sum of four parts, of one input in f32, two in f16 and four in i8
 */
import type { WeightFormat } from "./blocks.ts";
import { LANE } from "../texels.ts";

/** Functions for the weights of a texel. */
export interface TexelFunctions {
  /** Defines `Values` and `valuesFor(texel, part)`: of a source texel those that meet texel `part` of a block of weights. */
  values: string;
  /** Defines `addDirect(sum, weights, values)`: values times weights, added to four outputs. */
  direct: string;
  /** Defines `addTransposed(sum, weights, outputs)`, and `whole(first)`, which puts together the sums of a block. */
  transposed: string;
}

const half = `
fn unpacked(halves: vec2u) -> vec4f {
  return vec4f(unpack2x16float(halves.x), unpack2x16float(halves.y));
}
`;

/** For each format. */
export const texelFunctions: Record<WeightFormat, TexelFunctions> = {
  f32: {
    values: `
alias Values = f32;
${LANE}

fn valuesFor(texel: vec4f, part: u32) -> f32 {
  return lane(texel, part);
}`,
    direct: `
fn addDirect(sum: vec4f, weights: vec4f, value: f32) -> vec4f {
  return fma(weights, vec4f(value), sum);
}`,
    transposed: `
fn addTransposed(sum: vec4f, weights: vec4f, outputs: vec4f) -> vec4f {
  return fma(weights, outputs, sum);
}

fn total(place: u32) -> f32 {
  let sum = slice_sums[place];
  return (sum.x + sum.y) + (sum.z + sum.w);
}

fn whole(first: u32) -> vec4f {
  return vec4f(total(first), total(first + 1u), total(first + 2u), total(first + 3u));
}`,
  },
  f16: {
    values: `
alias Values = vec2f;

fn valuesFor(texel: vec4f, part: u32) -> vec2f {
  return select(texel.xy, texel.zw, part == 1u);
}`,
    direct: `${half}
fn addDirect(sum: vec4f, weights: vec4u, values: vec2f) -> vec4f {
  let first = fma(unpacked(weights.xy), vec4f(values.x), sum);
  return fma(unpacked(weights.zw), vec4f(values.y), first);
}`,
    // A sum has two parts for each of two inputs.
    transposed: `${half}
fn addTransposed(sum: vec4f, weights: vec4u, outputs: vec4f) -> vec4f {
  let a = unpacked(weights.xy);
  let b = unpacked(weights.zw);
  let first = fma(vec4f(a.x, b.x, a.y, b.y), outputs.xxyy, sum);
  return fma(vec4f(a.z, b.z, a.w, b.w), outputs.zzww, first);
}

fn whole(first: u32) -> vec4f {
  let a = slice_sums[first];
  let b = slice_sums[first + 1u];
  return vec4f(a.xy + a.zw, b.xy + b.zw);
}`,
  },
  i8: {
    values: `
alias Values = vec4f;

fn valuesFor(texel: vec4f, part: u32) -> vec4f {
  return texel;
}`,
    direct: `
fn unpacked(bytes: u32) -> vec4f {
  return vec4f(vec4i(vec4u(bytes) << vec4u(24u, 16u, 8u, 0u)) >> vec4u(24u));
}

fn addDirect(sum: vec4f, weights: vec4u, values: vec4f) -> vec4f {
  let first = fma(unpacked(weights.x), vec4f(values.x), sum);
  let second = fma(unpacked(weights.y), vec4f(values.y), first);
  let third = fma(unpacked(weights.z), vec4f(values.z), second);
  return fma(unpacked(weights.w), vec4f(values.w), third);
}`,
    // The weights of one output to four inputs are the same byte of each component.
    transposed: `
fn unpacked(bytes: vec4u, above: u32) -> vec4f {
  return vec4f(vec4i(bytes << vec4u(above)) >> vec4u(24u));
}

fn addTransposed(sum: vec4f, weights: vec4u, outputs: vec4f) -> vec4f {
  let first = fma(unpacked(weights, 24u), outputs.xxxx, sum);
  let second = fma(unpacked(weights, 16u), outputs.yyyy, first);
  let third = fma(unpacked(weights, 8u), outputs.zzzz, second);
  return fma(unpacked(weights, 0u), outputs.wwww, third);
}

fn whole(first: u32) -> vec4f {
  return slice_sums[first];
}`,
  },
};
