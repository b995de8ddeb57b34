/**
 * Local response normalisation within a channel (Caffe's WITHIN_CHANNEL), over the square of size × size pixels around each:
 *
 *   s_p = k + α/size² · Σ_{q ∈ window of p} x_q²       y_p = x_p · s_p^−β
 *   dx_p = dy_p · s_p^−β − 2αβ/size² · x_p · Σ_{q whose window holds p} dy_q · x_q · s_q^(−β−1)
 *
 * Pixels outside the image count as zeros: the divisor is size² everywhere. A square's sum is the sum over its rows of
 * sums along them, two kernels of `size` trips each.
 */
import { formula, type LrnGeometry, normalise, windowBefore } from "./lrn.ts";
import { constants, signedConstants } from "./wgsl.ts";

/** One layer over maps of `height` × `width`. */
export interface LrnWithinGeometry extends Pick<LrnGeometry, "size" | "alpha" | "beta" | "k"> {
  height: number;
  width: number;
}

/** WGSL `window_sum(i)`: `value` along one axis, over the window of each texel or over those that hold it (`mirrored`). */
function windowSum(g: LrnWithinGeometry, axis: "x" | "y", mirrored: boolean, value: string): string {
  const [extent, step] = axis === "x" ? [g.width, 1] : [g.height, g.width];
  const before = windowBefore(g.size);
  const sides = [before, g.size - 1 - before].map((side) => Math.min(side, extent));
  const [back, ahead] = mirrored ? sides.toReversed() : sides;
  return `
${constants({ EXTENT: extent, STEP: step })}
${signedConstants({ BACK: back, AHEAD: ahead })}
fn value(at: u32) -> vec4f {
  ${value}
}

fn window_sum(i: u32) -> vec4f {
  let p = i32(i / STEP % EXTENT);
  var sum = vec4f();
  for (var q = max(p - BACK, 0); q <= min(p + AHEAD, i32(EXTENT) - 1); q++) {
    sum += value(u32(i32(i) + (q - p) * i32(STEP)));
  }
  return sum;
}`;
}

const layerFormula = (g: LrnWithinGeometry): string => formula(g, g.size ** 2);

/** Sums of squares along rows. Bindings: x, sums. */
export function squareRows(g: LrnWithinGeometry): string {
  return `${windowSum(g, "x", false, "let v = load_x(at);\n  return v * v;")}

fn kernel(i: u32) { store_sums(i, window_sum(i)); }`;
}

/** Bindings: x, sums, y, and `scale` (s, kept for the gradient) where `keep`. */
export function lrnWithin(g: LrnWithinGeometry, keep: boolean): string {
  return `${layerFormula(g)}${normalise(g)}${windowSum(g, "y", false, "return load_sums(at);")}

fn kernel(i: u32) {
  let u = window_sum(i) * SHARE;
  ${keep ? "store_scale(i, u + K);" : ""}
  store_y(i, normalised(load_x(i), u));
}`;
}

/** Sums of dy · x · s^(−β−1) along rows. Bindings: x, scale, dy, sums. */
export function ratioRows(g: LrnWithinGeometry): string {
  const ratio = "let s = load_scale(at);\n  return load_dy(at) * load_x(at) / (power(s) * s);";
  return `${layerFormula(g)}${windowSum(g, "x", true, ratio)}

fn kernel(i: u32) { store_sums(i, window_sum(i)); }`;
}

/** Bindings: x, scale, dy, sums, dx. */
export function lrnWithinGradient(g: LrnWithinGeometry): string {
  return `${layerFormula(g)}${windowSum(g, "y", true, "return load_sums(at);")}

fn kernel(i: u32) {
  let s = load_scale(i);
  store_dx(i, load_dy(i) / power(s) - SLOPE * load_x(i) * window_sum(i));
}`;
}
