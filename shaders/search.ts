/**
 * The search's own kernels: the objective's gradient, the mean magnitude of the code's gradient, and the step.
 *
 * What changes between iterations lies in `state`, two texels an item that never leave the GPU:
 *   0: iteration, iterations, first learning rate, last learning rate        1: decay, lowest code value, γ, –
 */
import { wgsl } from "wgsl-preprocessor";

/** A batch of `items` searches, each for `units` units of a layer's map. */
export interface ObjectiveGeometry {
  items: number;
  units: number;
  /** Channels, height and width of the layer. */
  map: readonly [number, number, number];
}

/** WGSL of what the objective and its spots have in common: where a unit is, and its activation. */
const unitsOf = ({ map: [c, h, w] }: ObjectiveGeometry) => `
fn place(t: vec4f) -> u32 { return (u32(t.x) / 4u * ${h}u + u32(t.y)) * ${w}u + u32(t.z); }
fn activation(item: u32, t: vec4f) -> f32 {
  let v = load_y(item * ${Math.ceil(c / 4) * h * w}u + place(t));
  let n = u32(t.x) & 3u;
  return select(select(v.x, v.y, n == 1u), select(v.z, v.w, n == 3u), n >= 2u);
}`;

/**
 * dy of Σ_k a_k − γ Σ_{k<l} (a_k − a_l)², which is 1 − 2 γ (n a_k − Σ_l a_l) for the k-th of n, and Σ_k a_k into the trace.
 * Bindings: y, targets (one texel a unit: channel, row, column; channel −1 for none), state, dy, trace (one texel an item
 * and iteration). One invocation a texel of dy.
 */
export function objective(geometry: ObjectiveGeometry): string {
  const { items, units, map: [c, h, w] } = geometry;
  const size = Math.ceil(c / 4) * h * w;
  return `${unitsOf(geometry)}
fn kernel(i: u32) {
  let item = i / ${size}u;
  let own = i % ${size}u;
  var sum = 0.0;
  var count = 0.0;
  for (var k = 0u; k < ${units}u; k++) {
    let t = load_targets(item * ${units}u + k);
    if (t.x >= 0.0) {
      sum += activation(item, t);
      count += 1.0;
    }
  }
  let gamma = load_state(2u * item + 1u).z;
  var dy = vec4f();
  for (var k = 0u; k < ${units}u; k++) {
    let t = load_targets(item * ${units}u + k);
    if (t.x >= 0.0 && place(t) == own) {
      let slope = 1.0 - 2.0 * gamma * (count * activation(item, t) - sum);
      dy += select(vec4f(), vec4f(slope), vec4u(0u, 1u, 2u, 3u) == vec4u(u32(t.x) & 3u));
    }
  }
  store_dy(i, dy);
  if (own == 0u) { store_trace(u32(load_state(2u * item).x) * ${items}u + item, vec4f(sum, 0.0, 0.0, 0.0)); }
}`;
}

/**
 * The same as spots (src/ops/spots.ts), each invocation finding them for itself: the gradient's first kernel needs no dy in memory.
 * Bindings but dy the same.
 */
export function objectiveSpots(geometry: ObjectiveGeometry): string {
  const { items, units } = geometry;
  return `${unitsOf(geometry)}

var<private> together: f32;
var<private> others: f32;

fn beginSpots(item: u32, first: bool) {
  together = 0.0;
  others = 0.0;
  for (var k = 0u; k < ${units}u; k++) {
    let t = load_targets(item * ${units}u + k);
    if (t.x >= 0.0) {
      together += activation(item, t);
      others += 1.0;
    }
  }
  if (first) { store_trace(u32(load_state(2u * item).x) * ${items}u + item, vec4f(together, 0.0, 0.0, 0.0)); }
}

fn spot(item: u32, k: u32) -> Spot {
  let t = load_targets(item * ${units}u + k);
  if (t.x < 0.0) { return Spot(0u, 0.0); }
  let gamma = load_state(2u * item + 1u).z;
  let slope = 1.0 - 2.0 * gamma * (others * activation(item, t) - together);
  return Spot(4u * place(t) + (u32(t.x) & 3u), slope);
}`;
}

/** How a step uses the gradient: `paper` divides by its mean magnitude, `adam` is Kingma and Ba's rule (2015). */
export type Rule = "paper" | "adam";

/** The codes of a batch: texels and values of one. */
export interface CodeGeometry {
  texels: number;
  values: number;
}

/** Σ |g| of an item in `parts` pieces; the first one of each counts the iteration. Bindings: g, partial, state. */
export function magnitude({ texels }: CodeGeometry, parts: number): string {
  return `
fn kernel(i: u32) {
  let item = i / ${parts}u;
  var sum = vec4f();
  for (var k = i % ${parts}u; k < ${texels}u; k += ${parts}u) { sum += abs(load_g(item * ${texels}u + k)); }
  store_partial(i, sum);
  if (i % ${parts}u == 0u) { store_state(2u * item, load_state(2u * item) + vec4f(1.0, 0.0, 0.0, 0.0)); }
}`;
}

/**
 * WGSL `advance(i, mean, done, schedule, limits)`: code ← clip(code + step, lowest, bound) · decay for a texel, unless the gradient
 * is zero everywhere.
 */
const advance = (rule: Rule, texels: number) =>
  wgsl`
fn advance(i: u32, mean: f32, done: f32, schedule: vec4f, limits: vec4f) {
  let rate = schedule.z + (schedule.w - schedule.z) * done / schedule.y;
  let g = load_g(i);
  var code = load_code(i);
  if (mean > 0.0 && mean < 3e38) {
    #if ${rule === "paper"}
    code += rate * (g / mean);
    #else
    let m = 0.9 * load_m(i) + 0.1 * g;
    let v = 0.999 * load_v(i) + 0.001 * g * g;
    store_m(i, m);
    store_v(i, v);
    let seen = done + 1.0;
    code += rate * (m / (1.0 - pow(0.9, seen))) / (sqrt(v / (1.0 - pow(0.999, seen))) + 1e-8);
    #endif
    code = clamp(code, vec4f(limits.y), load_bound(i % ${texels}u)) * limits.x;
  }
  store_code(i, code);
  store_input(i, code);
}`;

/**
 * The step after `magnitude`. Bindings: g, partial, state, bound, code (kept here), input (the generator's copy), and for adam `m`
 * and `v`. One invocation a texel of the code.
 */
export function step(rule: Rule, { texels, values }: CodeGeometry, parts: number): string {
  return `
${advance(rule, texels)}
fn kernel(i: u32) {
  let item = i / ${texels}u;
  var sums = vec4f();
  for (var p = 0u; p < ${parts}u; p++) { sums += load_partial(item * ${parts}u + p); }
  let mean = (sums.x + sums.y + sums.z + sums.w) / ${values}.0;
  let schedule = load_state(2u * item);
  advance(i, mean, schedule.x - 1.0, schedule, load_state(2u * item + 1u));
}`;
}

/**
 * Magnitude and step in one, which counts the iteration too: a workgroup an item, whose lanes sum up every `lanes`-th texel
 * each, then add their sums as a tree. Bindings as those of `step`, without `partial`; `state` is updated.
 */
export function groupStep(rule: Rule, { texels, values }: CodeGeometry, lanes: number): string {
  return `
const LANES = ${lanes}u;
const TEXELS = ${texels}u;

var<workgroup> sums: array<vec4f, LANES>;

${advance(rule, texels)}

fn kernel(group: vec3u, lane: u32) {
  let first = group.x * TEXELS;
  let schedule = load_state(2u * group.x);
  let limits = load_state(2u * group.x + 1u);
  var sum = vec4f();
  for (var k = lane; k < TEXELS; k += LANES) { sum += abs(load_g(first + k)); }
  sums[lane] = sum;
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) { sums[lane] += sums[lane + half]; }
  }
  workgroupBarrier();
  storageBarrier();
  let all = sums[0];
  let mean = (all.x + all.y + all.z + all.w) / ${values}.0;
  for (var k = lane; k < TEXELS; k += LANES) { advance(first + k, mean, schedule.x, schedule, limits); }
  if (lane == 0u) { store_state(2u * group.x, schedule + vec4f(1.0, 0.0, 0.0, 0.0)); }
}`;
}
