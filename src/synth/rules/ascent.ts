/** Plain gradient ascent: rate · g. */
import type { StepRule } from "./rule.ts";

/** The rule `ascent`. */
export const ascent: StepRule = {
  help: "plain gradient ascent",
  lrStart: { learned: 1, pixels: 1, fourier: 1 },
  moments: [],
  wgsl: `
fn change(i: u32, g: vec4f, mean: f32, rate: f32, done: f32) -> vec4f { return rate * g; }`,
};
