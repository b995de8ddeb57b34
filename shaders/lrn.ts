/**
 * Local response normalisation across channels (Krizhevsky et al. 2012; Caffe and ONNX agree):
 *
 *   s_c = k + α/size · Σ_{j = c − before}^{c + after} x_j²       y_c = x_c · s_c^−β
 *   dx_c = dy_c · s_c^−β − 2αβ/size · x_c · Σ_{j = c − after}^{c + before} dy_j · x_j · s_j^(−β−1)
 *
 * One invocation makes the four channels of a texel from the neighbouring blocks at the same position.
 */
import { wgsl } from "wgsl-preprocessor";

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

/** WGSL that declares `name_B` for the neighbouring blocks and `sum`, the windowed sum of their lanes. */
function windowSum(g: LrnGeometry, before: number, after: number, block: (offset: number) => string): string {
  const blocks = Math.ceil(g.channels / 4),
    from = -Math.ceil(before / 4),
    to = Math.ceil(after / 4),
    rest = g.channels % 4;
  const name = (offset: number) => `v${offset - from}`;
  const tail = rest ? `vec4f(1.0, ${[1, 2, 3].map((lane) => lane < rest ? "1.0" : "0.0").join(", ")})` : "";
  const lines: string[] = [];
  for (let offset = from; offset <= to; offset++) {
    lines.push(`var ${name(offset)} = vec4f();
  if (block + ${offset} >= 0 && block + ${offset} < ${blocks}) {
    let at = u32(i32(i) + ${offset * g.area});
    ${name(offset)} = ${block(offset)};
    ${rest ? `if (block + ${offset} == ${blocks - 1}) { ${name(offset)} *= ${tail}; }` : ""}
  }`);
  }
  const lanes = [0, 1, 2, 3].map((lane) => {
    const terms: string[] = [];
    for (let j = lane - before; j <= lane + after; j++) {
      terms.push(`${name(Math.floor(j / 4))}.${"xyzw"[((j % 4) + 4) % 4]}`);
    }
    return terms.join(" + ");
  });
  return `${lines.join("\n  ")}\n  let sum = vec4f(${lanes.join(", ")});`;
}

const head = (g: LrnGeometry) => `let block = i32(i / ${g.area}u % ${Math.ceil(g.channels / 4)}u);`;

/** Bindings: x, y, and `scale` (s, kept for the gradient) where `keep`. */
export function lrn(g: LrnGeometry, keep: boolean): string {
  const before = windowBefore(g.size);
  return `${normalise(g)}
fn square(v: vec4f) -> vec4f { return v * v; }
fn kernel(i: u32) {
  ${head(g)}
  ${windowSum(g, before, g.size - 1 - before, () => "square(load_x(at))")}
  let u = sum * ${g.alpha / g.size};
  ${keep ? `store_scale(i, u + ${g.k});` : ""}
  store_y(i, normalised(load_x(i), u));
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
  ${windowSum(g, g.size - 1 - before, before, () => "ratio(at)")}
  let s = load_scale(i);
  store_dx(i, load_dy(i) / ${power("s", g.beta)} - ${2 * g.alpha * g.beta / g.size} * load_x(i) * sum);
}`;
}
