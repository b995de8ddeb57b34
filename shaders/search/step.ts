/**
 * The end of an iteration: the mean magnitude of the code's gradient, and the step of the code.
 *
 *   code ← prior(code + change), unless the gradient is zero everywhere
 *
 * How far a step goes is the rule's to say (src/synth/rules), what a code may be the priors' (src/synth/priors).
 */
import { countIteration, stateCode } from "./state.ts";

/** The codes of a batch: texels and values of one. */
export interface CodeGeometry {
  items: number;
  texels: number;
  values: number;
  /** The codes are one, the frames of a film: the gradient's mean magnitude is over all of them. */
  joint?: boolean;
}

/** What a step's kernels are made of. */
export interface StepKernel {
  geometry: CodeGeometry;
  /** The names of the state's numbers. */
  state: readonly string[];
  /** WGSL `fn change(i: u32, g: vec4f, mean: f32, rate: f32, done: f32) -> vec4f`. */
  rule: string;
  /** WGSL statements on `code`, one after another; `own` is the texel's number in its item, `s` the item's state. */
  priors: readonly string[];
}

/**
 * Σ |g| of an item in `parts` pieces; the first one of each counts the iteration. Bindings: g, partial, state.
 */
export function magnitude({ geometry: { texels }, state }: StepKernel, parts: number): string {
  return `${countIteration(state)}
fn kernel(i: u32) {
  let item = i / ${parts}u;
  var sum = vec4f();
  for (var k = i % ${parts}u; k < ${texels}u; k += ${parts}u) { sum += abs(load_g(item * ${texels}u + k)); }
  store_partial(i, sum);
  if (i % ${parts}u == 0u) { count_iteration(item); }
}`;
}

/** The sum of all items' pieces, in the first one. Bindings: pieces, partial. One invocation. */
export const jointMagnitude = ({ geometry: { items } }: StepKernel, parts: number): string => `
fn kernel(i: u32) {
  var sum = vec4f();
  for (var p = 0u; p < ${items * parts}u; p++) { sum += load_pieces(p); }
  store_partial(i, sum);
}`;

/** WGSL `advance`: the step of a texel. What the generator was shown is kept behind the codes. */
const advance = ({ geometry: { items, texels }, state, rule, priors }: StepKernel) => `
${stateCode(state)}
${rule}
fn advance(i: u32, mean: f32, done: f32, s: State) {
  let rate = s.lrStart + (s.lrEnd - s.lrStart) * done / s.iterations;
  let own = i % ${texels}u;
  var code = load_code(i);
  store_code(${items * texels}u + i, code);
  if (mean > 0.0 && mean < 3e38) {
    code += change(i, load_g(i), mean, rate, done);
    ${priors.join("\n    ")}
  }
  store_code(i, code);
  store_input(i, code);
}

// Notes the mean magnitude of an item's gradient in this iteration.
fn note(item: u32, done: f32, items: u32, mean: f32) {
  store_slopes(u32(done) * items + item, vec4f(mean, 0.0, 0.0, 0.0));
}`;

/**
 * The step after `magnitude`. Bindings: g, partial, state, bound, code (kept here, and what it was before), input (the generator's
 * copy), slopes, and those of the rule. One invocation a texel of the code. `partial` is one sum where items are joint.
 */
export function step(kernel: StepKernel, parts: number): string {
  const { geometry: { items, texels, values, joint } } = kernel;
  const sum = joint
    ? "sums = load_partial(0u);"
    : `for (var p = 0u; p < ${parts}u; p++) { sums += load_partial(item * ${parts}u + p); }`;
  return `
${advance(kernel)}
fn kernel(i: u32) {
  let item = i / ${texels}u;
  var sums = vec4f();
  ${sum}
  let mean = (sums.x + sums.y + sums.z + sums.w) / ${joint ? items * values : values}.0;
  let s = state_of(item);
  let done = s.iteration - 1.0;
  if (i % ${texels}u == 0u) { note(item, done, ${items}u, mean); }
  advance(i, mean, done, s);
}`;
}

/**
 * Magnitude and step in one, which counts the iteration too: a workgroup an item, whose lanes sum up every `lanes`-th texel
 * each, then add their sums as a tree. Bindings as those of `step`, without `partial`; `state` is updated.
 */
export function groupStep(kernel: StepKernel, lanes: number): string {
  const { geometry: { items, texels, values }, state } = kernel;
  return `
const LANES = ${lanes}u;
const TEXELS = ${texels}u;

var<workgroup> sums: array<vec4f, LANES>;

${countIteration(state)}
${advance(kernel)}

fn kernel(group: vec3u, lane: u32) {
  let first = group.x * TEXELS;
  let s = state_of(group.x);
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
  for (var k = lane; k < TEXELS; k += LANES) { advance(first + k, mean, s.iteration, s); }
  if (lane == 0u) {
    note(group.x, s.iteration, ${items}u, mean);
    count_iteration(group.x);
  }
}`;
}
