/**
 * Local response normalisation within a channel (Caffe's WITHIN_CHANNEL), over the square of size × size pixels around each:
 *
 *   s_p = k + α/size² · Σ_{q ∈ window of p} x_q²       y_p = x_p · s_p^−β
 *   dx_p = dy_p · s_p^−β − 2αβ/size² · x_p · Σ_{q whose window holds p} dy_q · x_q · s_q^(−β−1)
 *
 * Pixels outside the image count as zeros: the divisor is size² everywhere. A square's sum is the sum over its rows of
 * sums along them, two kernels of `size` trips each.
 */
import { type LrnGeometry, normalise, power, windowBefore } from "./lrn.ts";

/** One layer over maps of `height` × `width`. */
export interface LrnWithinGeometry extends Pick<LrnGeometry, "size" | "alpha" | "beta" | "k"> {
  height: number;
  width: number;
}

/** WGSL that adds `value(at)` along one axis, over the window of each texel or over those that hold it (`mirrored`). */
function windowSum(g: LrnWithinGeometry, axis: "x" | "y", mirrored: boolean): string {
  const [extent, step] = axis === "x" ? [g.width, 1] : [g.height, g.width];
  const before = windowBefore(g.size);
  const sides = [before, g.size - 1 - before].map((side) => Math.min(side, extent));
  const [back, ahead] = mirrored ? sides.toReversed() : sides;
  const last = extent - 1;
  return `
  let p = i32(i / ${step}u % ${extent}u);
  var sum = vec4f();
  for (var q = max(p - ${back}, 0); q <= min(p + ${ahead}, ${last}); q++) { sum += value(u32(i32(i) + (q - p) * ${step})); }`;
}

/** Sums of squares along rows. Bindings: x, sums. */
export function squareRows(g: LrnWithinGeometry): string {
  return `
fn value(at: u32) -> vec4f { let v = load_x(at); return v * v; }
fn kernel(i: u32) {
  ${windowSum(g, "x", false)}
  store_sums(i, sum);
}`;
}

/** Bindings: x, sums, y, and `scale` (s, kept for the gradient) where `keep`. */
export function lrnWithin(g: LrnWithinGeometry, keep: boolean): string {
  return `${normalise(g)}
fn value(at: u32) -> vec4f { return load_sums(at); }
fn kernel(i: u32) {
  ${windowSum(g, "y", false)}
  let u = sum * ${g.alpha / g.size ** 2};
  ${keep ? `store_scale(i, u + ${g.k});` : ""}
  store_y(i, normalised(load_x(i), u));
}`;
}

/** Sums of dy · x · s^(−β−1) along rows. Bindings: x, scale, dy, sums. */
export function ratioRows(g: LrnWithinGeometry): string {
  return `
fn value(at: u32) -> vec4f {
  let s = load_scale(at);
  return load_dy(at) * load_x(at) / (${power("s", g.beta)} * s);
}
fn kernel(i: u32) {
  ${windowSum(g, "x", true)}
  store_sums(i, sum);
}`;
}

/** Bindings: x, scale, dy, sums, dx. */
export function lrnWithinGradient(g: LrnWithinGeometry): string {
  return `
fn value(at: u32) -> vec4f { return load_sums(at); }
fn kernel(i: u32) {
  ${windowSum(g, "y", true)}
  let s = load_scale(i);
  store_dx(i, load_dy(i) / ${power("s", g.beta)} - ${2 * g.alpha * g.beta / g.size ** 2} * load_x(i) * sum);
}`;
}
