/** A unit at one position of its map: a; ∂a/∂a = 1. The paper's objective. */
import type { Objective } from "./objective.ts";

/** The term `LAYER:UNIT@X,Y`. */
export const unit: Objective = {
  syntax: "LAYER:UNIT[@X,Y]",
  help: "a unit, at a position of its map (the centre)",
  takes: "place",
  slot: ({ unit, row, column }) => [unit!, row, column],
  wgsl: {
    value: `
fn unit_value(item: u32, k: u32, t: vec4f) -> vec4f { return vec4f(activation(item, t), 0.0, 0.0, 0.0); }`,
    touches: "place(t) == own",
    slope: `
fn unit_slope(item: u32, t: vec4f, m: vec4f, own: u32) -> vec4f { return lane_of(t); }`,
  },
};
