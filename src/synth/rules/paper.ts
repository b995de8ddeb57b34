/** The paper's program's rule: rate · g / mean |g|. */
import type { StepRule } from "./rule.ts";

/** The rule `paper`. */
export const paper: StepRule = {
  help: "the gradient over its mean magnitude",
  lrStart: { learned: 8, pixels: 1.5, fourier: 0.05 },
  moments: [],
  wgsl: `
fn change(i: u32, g: vec4f, mean: f32, rate: f32, done: f32) -> vec4f { return rate * (g / mean); }`,
};
