/**
 * How different the pictures of a batch are to a layer: −1/(N − 1) Σ_m cos(a_n, a_m) over the others of picture n, a being all
 * values of the layer. `dots` holds a_n · a_m for each two of them.
 *
 *   ∂ cos(a_n, a_m) / ∂a_n = a_m / (|a_n| |a_m|) − cos · a_n / |a_n|²
 */
import type { Objective } from "./objective.ts";

/** WGSL of cos(a_n, a_m) and 1 / (|a_n| |a_m|), zero where one of them is. */
export const diversityHelpers = `
fn cosine_of(n: u32, m: u32) -> vec2f {
  let lengths = sqrt(load_dots(n * ITEMS + n).x) * sqrt(load_dots(m * ITEMS + m).x);
  if (lengths == 0.0) { return vec2f(); }
  return vec2f(load_dots(n * ITEMS + m).x, 1.0) / lengths;
}`;

/** The term `diversity(LAYER)`. */
export const diversity: Objective = {
  syntax: "diversity(LAYER)",
  help: "how different the pictures made together are to a layer: minus the mean cosine with the others",
  takes: "layer",
  slot: () => [0, 0, 0],
  meets: true,
  wgsl: {
    value: `
fn diversity_value(item: u32, k: u32, t: vec4f) -> vec4f {
  var sum = 0.0;
  for (var m = 0u; m < ITEMS; m++) { sum += select(cosine_of(item, m).x, 0.0, m == item); }
  return vec4f(-sum / f32(max(ITEMS, 2u) - 1u), 0.0, 0.0, 0.0);
}`,
    touches: "true",
    slope: `
fn diversity_slope(item: u32, t: vec4f, m: vec4f, own: u32) -> vec4f {
  let a = texel(item, own);
  let squared = load_dots(item * ITEMS + item).x;
  var sum = vec4f();
  for (var other = 0u; other < ITEMS; other++) {
    let c = cosine_of(item, other);
    if (other != item && squared > 0.0) { sum += texel(other, own) * c.y - a * (c.x / squared); }
  }
  return -sum / f32(max(ITEMS, 2u) - 1u);
}`,
  },
};
