/**
 * Local response normalisation across channels (Krizhevsky et al. 2012; Caffe and ONNX agree):
 *
 *   s_c = k + α/size · Σ_{j = c − before}^{c + after} x_j²       y_c = x_c · s_c^−β
 *   dx_c = dy_c · s_c^−β − 2αβ/size · x_c · Σ_{j = c − after}^{c + before} dy_j · x_j · s_j^(−β−1)
 *
 * One invocation makes the four channels of a texel from the neighbouring blocks at the same position.
 */
import { wgsl } from "wgsl-preprocessor";
import { doubleFloat, doubleLiteral, loadDouble, storeDouble } from "./double_float.ts";
import { channelBlocks } from "./texels.ts";

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

/** s^β. The usual exponent takes square roots, which are rounded once; `pow` and `inverseSqrt` are approximations. */
export function power(s: string, beta: number): string {
  return beta === 0.75 ? `sqrt(${s} * sqrt(${s}))` : `pow(${s}, vec4f(${beta}))`;
}

/**
 * WGSL `normalised(x, u)`: x · (k + u)^−β. For the usual k and β, values near one get what the power takes of them instead,
 * 1 − q⁻³ = (q − 1)(q⁻¹ + q⁻² + q⁻³) with q = (1 + u)^¼: the power itself would be rounded several times.
 */
export function normalise({ k, beta }: Pick<LrnGeometry, "k" | "beta">): string {
  return wgsl`
fn normalised(x: vec4f, u: vec4f) -> vec4f {
  let s = u + ${k};
  #if ${k === 1 && beta === 0.75}
  let root = sqrt(s);
  let q = sqrt(root);
  let i = 1.0 / q;
  let taken = u / ((root + 1.0) * (q + 1.0)) * i * (1.0 + i * (1.0 + i));
  return select(x / (root * q), fma(-x, taken, x), s < vec4f(2.0));
  #else
  return x / ${power("s", beta)};
  #endif
}`;
}

/**
 * WGSL that declares `PREFIX0`, `PREFIX1` … for the neighbouring blocks, each made by `block` from texel `at`, and the terms of
 * the windowed sum of their lanes.
 */
function windowTerms(g: LrnGeometry, before: number, after: number, block: string, prefix = "v") {
  const blocks = channelBlocks(g.channels);
  const from = -Math.ceil(before / 4);
  const to = Math.ceil(after / 4);
  const rest = g.channels % 4;
  const name = (offset: number) => `${prefix}${offset - from}`;
  const tail = rest ? `vec4f(1.0, ${[1, 2, 3].map((lane) => lane < rest ? "1.0" : "0.0").join(", ")})` : "";
  const lines: string[] = [];
  for (let offset = from; offset <= to; offset++) {
    lines.push(`var ${name(offset)} = vec4f();
  if (block + ${offset} >= 0 && block + ${offset} < ${blocks}) {
    let at = u32(i32(i) + ${offset * g.area});
    ${name(offset)} = ${block};
    ${rest ? `if (block + ${offset} == ${blocks - 1}) { ${name(offset)} *= ${tail}; }` : ""}
  }`);
  }
  const terms: string[] = [];
  for (let step = -before; step <= after; step++) {
    const lanes = [0, 1, 2, 3].map((lane) => lane + step);
    terms.push(`vec4f(${lanes.map((j) => `${name(Math.floor(j / 4))}.${"xyzw"[((j % 4) + 4) % 4]}`).join(", ")})`);
  }
  return { declarations: lines.join("\n  "), terms };
}

/** WGSL that declares `sum`, the windowed sum of `block` over the neighbouring channels. */
function windowSum(g: LrnGeometry, before: number, after: number, block: string): string {
  const { declarations, terms } = windowTerms(g, before, after, block);
  return `${declarations}\n  let sum = ${terms.join(" + ")};`;
}

const head = (g: LrnGeometry) => `let block = i32(i / ${g.area}u % ${channelBlocks(g.channels)}u);`;

/** Bindings: x, y, and `scale` (s, kept for the gradient) where `keep`. */
export function lrn(g: LrnGeometry, keep: boolean): string {
  const before = windowBefore(g.size);
  return `${normalise(g)}
fn square(v: vec4f) -> vec4f { return v * v; }
fn kernel(i: u32) {
  ${head(g)}
  ${windowSum(g, before, g.size - 1 - before, "square(load_x(at))")}
  let u = sum * ${g.alpha / g.size};
  ${keep ? `store_scale(i, u + ${g.k});` : ""}
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
  const x = (at: string) => loadDouble("x", at, hasRest);
  const window = (block: string, prefix: string) => windowTerms(g, before, g.size - 1 - before, block, prefix);
  const squares = window("square(at).main", "v");
  const rests = window("square(at).rest", "r");
  return `${doubleFloat}
fn square(at: u32) -> Double { let x = ${x("at")}; return times(x, x); }
fn kernel(i: u32) {
  hideOnes(load_x(i));
  ${head(g)}
  ${squares.declarations}
  ${rests.declarations}
  var sum = Double(vec4f(), vec4f());
  ${squares.terms.map((term, n) => `sum = plus(sum, Double(${term}, ${rests.terms[n]}));`).join("\n  ")}
  let s = plus(times(sum, ${doubleLiteral(g.alpha / g.size)}), ${doubleLiteral(g.k)});
  ${keep ? "store_scale(i, s.main);" : ""}
  let t = 1.0 / ${power("s.main", g.beta)};
  let root = times(twoProduct(t, t), s);
  let near = times(times(root, root), s);
  let left = (1.0 - near.main) - near.rest;
  ${storeDouble("i", `times(${x("i")}, twoSum(t, 0.25 * left * t))`, relu)}
}`;
}

/** Bindings: x, scale, dy, dx. */
export function lrnGradient(g: LrnGeometry): string {
  const before = windowBefore(g.size);
  return `
fn ratio(at: u32) -> vec4f {
  let s = load_scale(at);
  return load_dy(at) * load_x(at) / (${power("s", g.beta)} * s);
}
fn kernel(i: u32) {
  ${head(g)}
  ${windowSum(g, g.size - 1 - before, before, "ratio(at)")}
  let s = load_scale(i);
  store_dx(i, load_dy(i) / ${power("s", g.beta)} - ${2 * g.alpha * g.beta / g.size} * load_x(i) * sum);
}`;
}
