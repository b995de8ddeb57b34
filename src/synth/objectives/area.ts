/** A unit's whole map: its mean, Σ a / (h · w), or its sum. */
import type { Objective } from "./objective.ts";

const area = (name: string, share: string, help: string): Objective => ({
  syntax: `${name}(LAYER:UNIT)`,
  help,
  takes: "channel",
  slot: ({ unit }) => [unit!, 0, 0],
  wgsl: {
    part: `
fn ${name}_part(item: u32, t: vec4f, part: u32) -> vec4f {
  var sum = 0.0;
  for (var p = part; p < AREA; p += PARTS) { sum += activation_at(item, t, p); }
  return vec4f(sum, 0.0, 0.0, 0.0);
}`,
    value: `
fn ${name}_value(item: u32, k: u32, t: vec4f) -> vec4f { return sum_of_parts(item, k) * ${share}; }`,
    touches: "own / AREA == u32(t.x) / 4u",
    slope: `
fn ${name}_slope(item: u32, t: vec4f, m: vec4f, own: u32) -> vec4f { return ${share} * lane_of(t); }`,
  },
});

/** The term `mean(LAYER:UNIT)`. */
export const mean: Objective = area("mean", "(1.0 / f32(AREA))", "the mean of a unit's map");

/** The term `sum(LAYER:UNIT)`. */
export const sum: Objective = area("sum", "1.0", "the whole of a unit's map, summed up");
