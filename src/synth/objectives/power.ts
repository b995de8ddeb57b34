/**
 * A power norm of a layer: Σ |a|^α, with the slope α sign(a) |a|^(α − 1). Of a picture less its mean, with a negative weight and
 * α = 6, it keeps values within a range (Mahendran and Vedaldi 2015).
 */
import type { Objective } from "./objective.ts";

/** The term `power(LAYER, ALPHA)`. */
export const power: Objective = {
  syntax: "power(LAYER, ALPHA)",
  help: "the sum of a layer's |a|^ALPHA: of the input, with a negative weight, it keeps values within a range",
  takes: "power",
  slot: ({ power }) => [power!, 0, 0],
  wgsl: {
    part: `
fn power_part(item: u32, t: vec4f, part: u32) -> vec4f {
  var sum = vec4f();
  for (var own = part; own < SIZE; own += PARTS) { sum += pow(abs(texel(item, own)), vec4f(t.x)); }
  return vec4f(sum.x + sum.y + sum.z + sum.w, 0.0, 0.0, 0.0);
}`,
    value: `
fn power_value(item: u32, k: u32, t: vec4f) -> vec4f { return sum_of_parts(item, k); }`,
    touches: "true",
    slope: `
fn power_slope(item: u32, t: vec4f, m: vec4f, own: u32) -> vec4f {
  let a = texel(item, own);
  return select(t.x * sign(a) * pow(abs(a), vec4f(t.x - 1.0)), vec4f(), a == vec4f());
}`,
  },
};
