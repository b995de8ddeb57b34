/**
 * The objective's kernels for one layer: they measure the terms that are about it, and make its gradient.
 *
 *   F = Σ_k w_k t_k − Σ_groups γ Σ_{k<l} (t_k − t_l)²          ∂F/∂t_k = w_k − 2 γ (n t_k − Σ_l t_l), n terms in the group
 *   dy = Σ_k ∂F/∂t_k · ∂t_k/∂y, over the terms t_k of this layer
 *
 * Each term of each item has a slot: a texel that says where it is and its weight w_k, and with pairs another one, its group and γ.
 * An item has as many slots as the one with the most; what the others lack begins with −1. A term that is one value is read
 * where it lies; where there are others, all are measured first.
 */
import { channelBlocks, channelsIn, LANE } from "../texels.ts";
import { constants } from "../wgsl.ts";

/** One kind of term, and which slots are of it. */
export interface TermKernel {
  name: string;
  first: number;
  end: number;
  /** WGSL of its functions (src/synth/objectives/objective.ts). */
  part?: string;
  value: string;
  touches: string;
  slope: string;
}

/** The terms of one layer, among those of all. */
export interface ObjectiveGeometry {
  items: number;
  /** Channels, height and width of the layer. */
  map: readonly [number, number, number];
  /** Slots of an item, of all layers. */
  slots: number;
  /** Whether any terms are paired. */
  pairs: boolean;
  /** Whether there are terms that the trace leaves out: the third number of their slots is below zero. */
  silent: boolean;
  /** Whether all terms are values of this layer, to be read where they lie. */
  direct: boolean;
  /** The terms of this layer, in the order of their slots. */
  terms: readonly TermKernel[];
  /** Pieces in which a term is summed up. */
  parts: number;
  /** Where its directions begin, in texels. */
  firstDirection: number;
  /** WGSL that the terms share. */
  helpers: string;
}

/** WGSL of what all of them know: a term's slot, its place, the value there. */
const slotsCode = ({ slots, map: [c, h, w] }: ObjectiveGeometry) =>
  `${LANE}
fn slot_of(item: u32, k: u32) -> vec4f { return load_slots(item * ${slots}u + k); }
fn place(t: vec4f) -> u32 { return (u32(t.x) / 4u * ${h}u + u32(t.y)) * ${w}u + u32(t.z); }
fn activation(item: u32, t: vec4f) -> f32 {
  let v = load_y(item * ${channelBlocks(c) * h * w}u + place(t));
  return lane(v, u32(t.x) & 3u);
}`;

/** WGSL of the value of a term, and of how much the objective changes with it. */
const coefficientCode = ({ items, slots, pairs, silent, direct }: ObjectiveGeometry) => `
fn value_of(item: u32, k: u32) -> f32 {
  return ${direct ? "activation(item, slot_of(item, k))" : `load_measures(item * ${slots}u + k).x`};
}
fn coefficient(item: u32, k: u32) -> f32 {
  let weight = slot_of(item, k).w;
  ${pairs ? pairCode(items, slots) : "return weight;"}
}
fn objective(item: u32) -> f32 {
  var sum = 0.0;
  for (var k = 0u; k < ${slots}u; k++) {
    let t = slot_of(item, k);
    if (t.x >= 0.0 && t.w != 0.0${silent ? " && t.z >= 0.0" : ""}) { sum += t.w * value_of(item, k); }
  }
  return sum;
}`;

const pairCode = (items: number, slots: number) =>
  `let pair = load_slots(${items * slots}u + item * ${slots}u + k);
  if (pair.x < 0.0) { return weight; }
  var sum = 0.0;
  var count = 0.0;
  for (var l = 0u; l < ${slots}u; l++) {
    if (load_slots(${items * slots}u + item * ${slots}u + l).x == pair.x) {
      sum += value_of(item, l);
      count += 1.0;
    }
  }
  return weight - 2.0 * pair.y * (count * value_of(item, k) - sum);`;

/** WGSL that terms are written with: parts, texels whose spare lanes are zero, a unit's lane. */
function termsCode(geometry: ObjectiveGeometry, own: "part" | "value" | "slope"): string {
  const { items, map: [c, h, w], terms, parts, firstDirection, helpers } = geometry;
  const blocks = channelBlocks(c);
  const area = h * w;
  const first = terms[0].first;
  const slots = terms[terms.length - 1].end - first;
  const spare = c % 4 === 0
    ? ""
    : `if (own / AREA == BLOCKS - 1u) { v = select(vec4f(), v, channels_in(BLOCKS - 1u)); }`;
  const sizes = {
    ITEMS: items,
    CHANNELS: c,
    BLOCKS: blocks,
    HEIGHT: h,
    WIDTH: w,
    AREA: area,
    SIZE: blocks * area,
    PARTS: parts,
    FIRST_DIRECTION: firstDirection,
  };
  return `
${constants(sizes)}
${slotsCode(geometry)}${channelsIn(c)}
fn texel(item: u32, own: u32) -> vec4f {
  var v = load_y(item * SIZE + own);
  ${spare}
  return v;
}
fn lane_of(t: vec4f) -> vec4f { return select(vec4f(), vec4f(1.0), vec4u(0u, 1u, 2u, 3u) == vec4u(u32(t.x) & 3u)); }
fn activation_at(item: u32, t: vec4f, p: u32) -> f32 {
  let v = load_y(item * SIZE + u32(t.x) / 4u * AREA + p);
  return lane(v, u32(t.x) & 3u);
}
${helpers}
fn part_at(item: u32, k: u32) -> u32 { return (item * ${slots}u + k - ${first}u) * PARTS; }
${
    own === "value" && terms.some(({ part }) => part)
      ? `fn sum_of_parts(item: u32, k: u32) -> vec4f {
  var sum = vec4f();
  for (var part = 0u; part < PARTS; part++) { sum += load_parts(part_at(item, k) + part); }
  return sum;
}`
      : ""
  }
${terms.map((term) => term[own] ?? "").join("\n")}`;
}

/** Slots of the terms of one layer. */
export const ownSlots = ({ terms }: ObjectiveGeometry): number => terms[terms.length - 1].end - terms[0].first;

/** The shares of terms that are sums over many values. Bindings: y, slots, directions, parts. One invocation a share. */
export function objectiveParts(geometry: ObjectiveGeometry): string {
  const { terms } = geometry;
  return `${termsCode(geometry, "part")}

fn kernel(i: u32) {
  let part = i % PARTS;
  let item = i / PARTS / ${ownSlots(geometry)}u;
  let k = ${terms[0].first}u + i / PARTS % ${ownSlots(geometry)}u;
  let t = slot_of(item, k);
  var share = vec4f();
  ${
    terms.filter(({ part }) => part).map(({ name, first, end }) =>
      `if (t.x >= 0.0 && k >= ${first}u && k < ${end}u) { share = ${name}_part(item, t, part); }`
    ).join("\n  ")
  }
  store_parts(i, share);
}`;
}

/** The values of the terms of one layer. Bindings: y, slots, parts, dots, measures. One invocation a term. */
export function objectiveValues(geometry: ObjectiveGeometry): string {
  const { terms, slots } = geometry;
  return `${termsCode(geometry, "value")}

fn kernel(i: u32) {
  let item = i / ${ownSlots(geometry)}u;
  let k = ${terms[0].first}u + i % ${ownSlots(geometry)}u;
  let t = slot_of(item, k);
  var measure = vec4f();
  ${
    terms.map(({ name, first, end }) =>
      `if (t.x >= 0.0 && k >= ${first}u && k < ${end}u) { measure = ${name}_value(item, k, t); }`
    ).join("\n  ")
  }
  store_measures(item * ${slots}u + k, measure);
}`;
}

/**
 * dy of one layer, and with `traces` Σ w_k t_k into the trace. Bindings: y, slots, measures, directions, dots, dy, and with
 * `traces` state and trace (one texel an item and iteration). One invocation a texel of dy.
 */
export function objectiveGradient(geometry: ObjectiveGeometry, traces?: string): string {
  const { items, terms, slots, direct } = geometry;
  return `${termsCode(geometry, "slope")}
${coefficientCode(geometry)}
${traces ?? ""}

fn kernel(i: u32) {
  let item = i / SIZE;
  let own = i % SIZE;
  var dy = vec4f();
  ${
    terms.map(({ name, first, end, touches }) => `
  for (var k = ${first}u; k < ${end}u; k++) {
    let t = slot_of(item, k);
    if (t.x >= 0.0 && (${touches})) {
      let m = ${direct ? "vec4f()" : `load_measures(item * ${slots}u + k)`};
      dy += coefficient(item, k) * ${name}_slope(item, t, m, own);
    }
  }`).join("")
  }
  store_dy(i, dy);
  ${
    traces
      ? `if (own == 0u) { store_trace(u32(state_of(item).iteration) * ${items}u + item, vec4f(objective(item), 0.0, 0.0, 0.0)); }`
      : ""
  }
}`;
}

/**
 * The same as spots (src/ops/spots.ts) where all terms are read directly, each invocation finding them for itself: the gradient's
 * first kernel needs no dy in memory. Bindings: y, slots, state, trace.
 */
export function objectiveSpots(geometry: ObjectiveGeometry, state: string): string {
  const { items } = geometry;
  return `${state}
${slotsCode(geometry)}
${coefficientCode(geometry)}

fn beginSpots(item: u32, first: bool) {
  if (first) { store_trace(u32(state_of(item).iteration) * ${items}u + item, vec4f(objective(item), 0.0, 0.0, 0.0)); }
}

fn spot(item: u32, k: u32) -> Spot {
  let t = slot_of(item, k);
  if (t.x < 0.0) { return Spot(0u, 0.0); }
  return Spot(4u * place(t) + (u32(t.x) & 3u), coefficient(item, k));
}`;
}

/** a_n · a_m of a layer for each two items, in pieces. Bindings: y, parts. One invocation a piece. */
export function dotParts({ items, map: [c, h, w], parts }: ObjectiveGeometry): string {
  const size = channelBlocks(c) * h * w;
  return `
fn masked(own: u32, v: vec4f) -> vec4f {
  return select(vec4f(), v, 4u * (own / ${h * w}u) + vec4u(0u, 1u, 2u, 3u) < vec4u(${c}u));
}

fn kernel(i: u32) {
  let n = i / ${parts}u / ${items}u;
  let m = i / ${parts}u % ${items}u;
  var sum = 0.0;
  for (var own = i % ${parts}u; own < ${size}u; own += ${parts}u) {
    sum += dot(masked(own, load_y(n * ${size}u + own)), masked(own, load_y(m * ${size}u + own)));
  }
  store_parts(i, vec4f(sum, 0.0, 0.0, 0.0));
}`;
}

/** The sums of such pieces. Bindings: parts, dots. One invocation a pair. */
export function dotSums(parts: number): string {
  return `
fn kernel(i: u32) {
  var sum = vec4f();
  for (var part = 0u; part < ${parts}u; part++) { sum += load_parts(i * ${parts}u + part); }
  store_dots(i, sum);
}`;
}
