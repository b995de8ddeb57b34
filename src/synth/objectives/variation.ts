/**
 * The total variation of a layer, squared: Σ (a_{y+1,x} − a_{y,x})² + (a_{y,x+1} − a_{y,x})². Of the classifier's input, with a
 * negative weight, it is the prior of smooth pictures (Mahendran and Vedaldi 2015, β = 2).
 */
import type { Objective } from "./objective.ts";

/** The term `variation(LAYER)`. */
export const variation: Objective = {
  syntax: "variation(LAYER)",
  help: "how much neighbours differ, squared: of the input, with a negative weight, a prior of smooth pictures",
  takes: "layer",
  slot: () => [0, 0, 0],
  wgsl: {
    part: `
fn variation_part(item: u32, t: vec4f, part: u32) -> vec4f {
  var sum = vec4f();
  for (var own = part; own < SIZE; own += PARTS) {
    let a = texel(item, own);
    if (own % WIDTH + 1u < WIDTH) {
      let right = texel(item, own + 1u) - a;
      sum += right * right;
    }
    if (own / WIDTH % HEIGHT + 1u < HEIGHT) {
      let below = texel(item, own + WIDTH) - a;
      sum += below * below;
    }
  }
  return vec4f(sum.x + sum.y + sum.z + sum.w, 0.0, 0.0, 0.0);
}`,
    value: `
fn variation_value(item: u32, k: u32, t: vec4f) -> vec4f { return sum_of_parts(item, k); }`,
    touches: "true",
    slope: `
fn variation_slope(item: u32, t: vec4f, m: vec4f, own: u32) -> vec4f {
  let a = texel(item, own);
  let x = own % WIDTH;
  let y = own / WIDTH % HEIGHT;
  var slope = vec4f();
  if (x > 0u) { slope += a - texel(item, own - 1u); }
  if (x + 1u < WIDTH) { slope += a - texel(item, own + 1u); }
  if (y > 0u) { slope += a - texel(item, own - WIDTH); }
  if (y + 1u < HEIGHT) { slope += a - texel(item, own + WIDTH); }
  return 2.0 * slope;
}`,
  },
};
