/** What a step rule is: how far the code goes along its gradient. */

import type { Prior } from "../images/image.ts";

/** A step rule. */
export interface StepRule {
  readonly help: string;
  /** The first learning rate unless given, for each prior: of codes, of levels of 255, of Fourier coefficients. */
  readonly lrStart: Readonly<Record<Prior, number>>;
  /** What it keeps of each value between steps; zero at the start. */
  readonly moments: readonly string[];
  /**
   * WGSL `fn change(i: u32, g: vec4f, mean: f32, rate: f32, done: f32) -> vec4f`: the step at texel i from its gradient and the mean
   * magnitude of all; `load_NAME` and `store_NAME` of its moments.
   */
  readonly wgsl: string;
}
