/** The squared norm of a layer, or of one unit's map: Σ a², with the slope 2 a. Of a whole layer that is DeepDream's. */
import type { Objective } from "./objective.ts";

/** The term `norm(LAYER)` or `norm(LAYER:UNIT)`; t.y says whether it is one unit's. */
export const norm: Objective = {
  syntax: "norm(LAYER[:UNIT])",
  help: "the squared norm of a layer (DeepDream's), or of a unit's map",
  takes: "channel or layer",
  slot: ({ unit }) => unit === undefined ? [0, 0, 0] : [unit, 1, 0],
  wgsl: {
    part: `
fn norm_part(item: u32, t: vec4f, part: u32) -> vec4f {
  var sum = vec4f();
  if (t.y == 0.0) {
    for (var own = part; own < SIZE; own += PARTS) {
      let a = texel(item, own);
      sum += a * a;
    }
  } else {
    for (var p = part; p < AREA; p += PARTS) {
      let a = activation_at(item, t, p);
      sum.x += a * a;
    }
  }
  return vec4f(sum.x + sum.y + sum.z + sum.w, 0.0, 0.0, 0.0);
}`,
    value: `
fn norm_value(item: u32, k: u32, t: vec4f) -> vec4f { return sum_of_parts(item, k); }`,
    touches: "t.y == 0.0 || own / AREA == u32(t.x) / 4u",
    slope: `
fn norm_slope(item: u32, t: vec4f, m: vec4f, own: u32) -> vec4f {
  return 2.0 * texel(item, own) * select(lane_of(t), vec4f(1.0), t.y == 0.0);
}`,
  },
};
