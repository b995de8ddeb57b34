/**
 * Local response normalisation across channels (Krizhevsky et al. 2012; Caffe and ONNX agree):
 *
 *   s_c = k + α/size · Σ_{j = c − before}^{c + after} x_j²       y_c = x_c · s_c^−β
 *   dx_c = dy_c · s_c^−β − 2αβ/size · x_c · Σ_{j = c − after}^{c + before} dy_j · x_j · s_j^(−β−1)
 *
 * One invocation makes the four channels of a texel from the neighbouring blocks at the same position. Of two values before
 * and two after each channel, three blocks are loaded, and the window of all four is summed as five texels of theirs:
 *
 *   let v0 = neighbour(i, -1);      let v1 = neighbour(i, 0);      let v2 = neighbour(i, 1);
 *   vec4f(v0.z, v0.w, v1.x, v1.y)   vec4f(v0.w, v1.x, v1.y, v1.z)   …   vec4f(v1.z, v1.w, v2.x, v2.y)
 */
import { wgsl } from "wgsl-preprocessor";
import { doubleFloat, doubleLiteral, loadDouble, storeDouble } from "./double_float.ts";
import { channelBlocks, channelsIn, vector } from "./texels.ts";
import { constants, floatConstants, range, unroll } from "./wgsl.ts";

/** One LRN layer over maps of `channels` channels and `area` positions. */
export interface LrnGeometry {
  channels: number;
  area: number;
  size: number;
  alpha: number;
  beta: number;
  k: number;
}

/** How many values of a window of this size lie before its centre. */
export const windowBefore = (size: number): number => Math.floor((size - 1) / 2);

/**
 * WGSL of a layer's formula: K; SHARE, what α has of each of the window's values, `summed` in all; SLOPE, 2αβ of each; and
 * `power(s)`, s^β. The usual exponent takes square roots, which are rounded once; `pow` and `inverseSqrt` are approximations.
 */
export function formula({ k, alpha, beta }: Pick<LrnGeometry, "k" | "alpha" | "beta">, summed: number): string {
  return `
${floatConstants({ K: k, SHARE: alpha / summed, BETA: beta, SLOPE: 2 * alpha * beta / summed })}
fn power(s: vec4f) -> vec4f { return ${beta === 0.75 ? "sqrt(s * sqrt(s))" : "pow(s, vec4f(BETA))"}; }`;
}

/**
 * WGSL `normalised(x, u)`: x · (k + u)^−β. For the usual k and β, values near one get what the power takes of them instead,
 * 1 − q⁻³ = (q − 1)(q⁻¹ + q⁻² + q⁻³) with q = (1 + u)^¼: the power itself would be rounded several times.
 */
export function normalise({ k, beta }: Pick<LrnGeometry, "k" | "beta">): string {
  return wgsl`
fn normalised(x: vec4f, u: vec4f) -> vec4f {
  let s = u + K;
  #if ${k === 1 && beta === 0.75}
  let root = sqrt(s);
  let q = sqrt(root);
  let i = 1.0 / q;
  let taken = u / ((root + 1.0) * (q + 1.0)) * i * (1.0 + i * (1.0 + i));
  return select(x / (root * q), fma(-x, taken, x), s < vec4f(2.0));
  #else
  return x / power(s);
  #endif
}`;
}

/** WGSL `NAME(i, offset)`: what `value` makes of texel `at`, the neighbour of texel i so many blocks on; zero past the channels. */
const neighbours = (value: string, name = "neighbour"): string => `
fn ${name}(i: u32, offset: i32) -> vec4f {
  let block = u32(i32(i / AREA % BLOCKS) + offset);
  let at = u32(i32(i) + offset * i32(AREA));
  var v = vec4f();
  if (block < BLOCKS) { v = select(vec4f(), ${value}, channels_in(block)); }
  return v;
}`;

/** WGSL that loads the blocks that windows over so many channels before and after reach, and that names each of their values. */
function windows(before: number, after: number, load = "neighbour", prefix = "v") {
  const first = -Math.ceil(before / 4);
  const blocks = Math.ceil(after / 4) - first + 1;
  const value = (channel: number) => `${prefix}${Math.floor(channel / 4) - first}.${"xyzw"[channel & 3]}`;
  return {
    loads: unroll({ n: blocks }, ({ n }) => `let ${prefix}${n} = ${load}(i, ${first + n});`),
    texels: range(before + after + 1).map((n) => vector((lane) => value(lane + n - before))),
  };
}

/** WGSL that declares `sum`, the sum of the window of each channel. */
function windowSum(before: number, after: number): string {
  const { loads, texels } = windows(before, after);
  return `${loads}\n  let sum = ${texels.join(" +\n    ")};`;
}

const layout = ({ channels, area }: LrnGeometry): string => `
${constants({ CHANNELS: channels, BLOCKS: channelBlocks(channels), AREA: area })}
${channelsIn(channels)}`;

/** Bindings: x, y, and `scale` (s, kept for the gradient) where `keep`. */
export function lrn(g: LrnGeometry, keep: boolean): string {
  const before = windowBefore(g.size);
  return `${layout(g)}${formula(g, g.size)}${normalise(g)}
fn square(v: vec4f) -> vec4f { return v * v; }
${neighbours("square(load_x(at))")}

fn kernel(i: u32) {
  ${windowSum(before, g.size - 1 - before)}
  let u = sum * SHARE;
  ${keep ? "store_scale(i, u + K);" : ""}
  store_y(i, normalised(load_x(i), u));
}`;
}

/** Whether `lrnDouble` knows the exponent. */
export const isDoubleLrn = ({ beta }: Pick<LrnGeometry, "beta">): boolean => beta === 0.75;

/**
 * In double-float arithmetic, for β = 3/4: with t near s^−β, the power is t · (1 + (1 − (t²s)²s) / 4) but for a square of what is
 * left. Bindings: x, y, y_rest, `scale` where `keep`, and x_rest where `hasRest`.
 */
export function lrnDouble(g: LrnGeometry, keep: boolean, hasRest: boolean, relu?: { slope: number }): string {
  const before = windowBefore(g.size);
  const after = g.size - 1 - before;
  const squares = windows(before, after);
  const rests = windows(before, after, "neighbour_rest", "r");
  return `${doubleFloat}${layout(g)}${formula(g, g.size)}
const DOUBLE_K = ${doubleLiteral(g.k)};
const DOUBLE_SHARE = ${doubleLiteral(g.alpha / g.size)};

fn square(at: u32) -> Double {
  let x = ${loadDouble("x", "at", hasRest)};
  return times(x, x);
}
${neighbours("square(at).main")}
${neighbours("square(at).rest", "neighbour_rest")}

fn kernel(i: u32) {
  hideOnes(load_x(i));
  ${squares.loads}
  ${rests.loads}
  var sum = Double(vec4f(), vec4f());
  ${squares.texels.map((main, n) => `sum = plus(sum, Double(${main}, ${rests.texels[n]}));`).join("\n  ")}
  let s = plus(times(sum, DOUBLE_SHARE), DOUBLE_K);
  ${keep ? "store_scale(i, s.main);" : ""}
  let t = 1.0 / power(s.main);
  let root = times(twoProduct(t, t), s);
  let near = times(times(root, root), s);
  let left = (1.0 - near.main) - near.rest;
  let x = ${loadDouble("x", "i", hasRest)};
  ${storeDouble("i", "times(x, twoSum(t, 0.25 * left * t))", relu)}
}`;
}

/** Bindings: x, scale, dy, dx. */
export function lrnGradient(g: LrnGeometry): string {
  const before = windowBefore(g.size);
  return `${layout(g)}${formula(g, g.size)}

fn ratio(at: u32) -> vec4f {
  let s = load_scale(at);
  return load_dy(at) * load_x(at) / (power(s) * s);
}
${neighbours("ratio(at)")}

fn kernel(i: u32) {
  ${windowSum(g.size - 1 - before, before)}
  let s = load_scale(i);
  store_dx(i, load_dy(i) / power(s) - SLOPE * load_x(i) * sum);
}`;
}
