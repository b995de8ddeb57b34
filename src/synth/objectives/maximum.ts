/** The largest value of a unit's map; its slope is at the first of equals, row by row. */
import type { Objective } from "./objective.ts";

/** The term `max(LAYER:UNIT)`. */
export const max: Objective = {
  syntax: "max(LAYER:UNIT)",
  help: "the largest value of a unit's map",
  takes: "channel",
  slot: ({ unit }) => [unit!, 0, 0],
  wgsl: {
    part: `
fn max_part(item: u32, t: vec4f, part: u32) -> vec4f {
  var best = vec4f(-3.4e38, f32(min(part, AREA - 1u)), 0.0, 0.0);
  for (var p = part; p < AREA; p += PARTS) {
    let a = activation_at(item, t, p);
    if (a > best.x) { best = vec4f(a, f32(p), 0.0, 0.0); }
  }
  return best;
}`,
    value: `
fn max_value(item: u32, k: u32, t: vec4f) -> vec4f {
  var best = load_parts(part_at(item, k));
  for (var part = 1u; part < PARTS; part++) {
    let other = load_parts(part_at(item, k) + part);
    if (other.x > best.x || (other.x == best.x && other.y < best.y)) { best = other; }
  }
  return best;
}`,
    touches: "own / AREA == u32(t.x) / 4u",
    slope: `
fn max_slope(item: u32, t: vec4f, m: vec4f, own: u32) -> vec4f {
  return select(vec4f(), lane_of(t), own % AREA == u32(m.y));
}`,
  },
};
