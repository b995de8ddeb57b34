/** Kingma and Ba's rule (2015): rate · m̂ / (√v̂ + 1e-8), with β₁ = 0.9 and β₂ = 0.999. */
import type { StepRule } from "./rule.ts";

/** The rule `adam`. */
export const adam: StepRule = {
  help: "Kingma and Ba's, 2015",
  lrStart: { learned: 0.5, pixels: 2, fourier: 0.05 },
  moments: ["m", "v"],
  wgsl: `
fn change(i: u32, g: vec4f, mean: f32, rate: f32, done: f32) -> vec4f {
  let m = 0.9 * load_m(i) + 0.1 * g;
  let v = 0.999 * load_v(i) + 0.001 * g * g;
  store_m(i, m);
  store_v(i, v);
  let seen = done + 1.0;
  return rate * (m / (1.0 - pow(0.9, seen))) / (sqrt(v / (1.0 - pow(0.999, seen))) + 1e-8);
}`,
};
