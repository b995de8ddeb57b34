/** Gradient ascent with momentum, of a gradient over its mean magnitude: m ← 0.9 m + rate · g / mean |g|. */
import type { StepRule } from "./rule.ts";

/** The rule `momentum`. */
export const momentum: StepRule = {
  help: "the same with nine tenths of the step before",
  lrStart: { learned: 1, pixels: 0.5, fourier: 0.01 },
  moments: ["m"],
  wgsl: `
fn change(i: u32, g: vec4f, mean: f32, rate: f32, done: f32) -> vec4f {
  let m = 0.9 * load_m(i) + rate * (g / mean);
  store_m(i, m);
  return m;
}`,
};
