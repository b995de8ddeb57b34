/**
 * How much of a layer lies away from its middle: Σ r² a², r the distance from the middle in halves of the height and of the width, so
 * 1 at the middle of an edge; the slope is 2 r² a. Of a picture less its mean, with a negative weight, it leaves the margin empty: a
 * bias to the centre.
 */
import type { Objective } from "./objective.ts";

const distance = `
fn squared_distance(own: u32) -> f32 {
  let x = (2.0 * f32(own % WIDTH) + 1.0) / f32(WIDTH) - 1.0;
  let y = (2.0 * f32(own / WIDTH % HEIGHT) + 1.0) / f32(HEIGHT) - 1.0;
  return x * x + y * y;
}`;

/** The term `centre(LAYER)`. */
export const centre: Objective = {
  syntax: "centre(LAYER)",
  help: "how much of a layer lies away from its middle: of the input, with a negative weight, a bias to the centre",
  takes: "layer",
  slot: () => [0, 0, 0],
  wgsl: {
    part: `${distance}
fn centre_part(item: u32, t: vec4f, part: u32) -> vec4f {
  var sum = vec4f();
  for (var own = part; own < SIZE; own += PARTS) {
    let a = texel(item, own);
    sum += squared_distance(own) * a * a;
  }
  return vec4f(sum.x + sum.y + sum.z + sum.w, 0.0, 0.0, 0.0);
}`,
    value: `
fn centre_value(item: u32, k: u32, t: vec4f) -> vec4f { return sum_of_parts(item, k); }`,
    touches: "true",
    slope: `${distance}
fn centre_slope(item: u32, t: vec4f, m: vec4f, own: u32) -> vec4f {
  return 2.0 * squared_distance(own) * texel(item, own);
}`,
  },
};
