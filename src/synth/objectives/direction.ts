/**
 * A direction v over a layer's channels, at a position or as the mean over all of them: the dot product Σ_c v_c a_c, or the
 * cosine Σ_c v_c a_c / (|v| |a|), which is zero where a is.
 *
 *   ∂ cos / ∂a = (v / |v| − cos · a / |a|) / |a|
 */
import type { Objective, Wgsl } from "./objective.ts";

/** Position `p` of the item, or of the term where it has one; the number of positions that it is a mean over. */
const positions = `
fn positions_of(t: vec4f) -> u32 { return select(1u, AREA, t.y < 0.0); }
fn position(t: vec4f, p: u32) -> u32 { return select(u32(t.y) * WIDTH + u32(t.z), p, t.y < 0.0); }`;

/** Σ v · a, Σ a · a and Σ v · v at a position; |v| |a| by roots, for floats do not hold the squares' product. */
const products = `
fn products(item: u32, t: vec4f, p: u32) -> vec3f {
  var sum = vec3f();
  for (var block = 0u; block < BLOCKS; block++) {
    let a = texel(item, block * AREA + p);
    let v = direction(t, block);
    sum += vec3f(dot(v, a), dot(a, a), dot(v, v));
  }
  return sum;
}
fn lengths(s: vec3f) -> f32 { return sqrt(s.y) * sqrt(s.z); }`;

const direction = (name: string, at: string, slope: string, help: string): Objective => {
  const wgsl: Wgsl = {
    part: `
fn ${name}_part(item: u32, t: vec4f, part: u32) -> vec4f {
  var sum = 0.0;
  for (var p = part; p < positions_of(t); p += PARTS) {
    let s = products(item, t, position(t, p));
    sum += ${at};
  }
  return vec4f(sum, 0.0, 0.0, 0.0);
}`,
    value: `
fn ${name}_value(item: u32, k: u32, t: vec4f) -> vec4f { return sum_of_parts(item, k) / f32(positions_of(t)); }`,
    touches: "t.y < 0.0 || own % AREA == position(t, 0u)",
    slope: `
fn ${name}_slope(item: u32, t: vec4f, m: vec4f, own: u32) -> vec4f {
  let v = direction(t, own / AREA);
${slope}
}`,
  };
  return {
    syntax: `${name}(LAYER[@X,Y|@all], V.npy)`,
    help,
    takes: "direction",
    visitsChannels: true,
    slot: ({ direction, row, column, everywhere }) => [direction!, everywhere ? -1 : row, column],
    wgsl,
  };
};

/** WGSL that both kinds share. */
export const directionHelpers: string = `
fn direction(t: vec4f, block: u32) -> vec4f { return load_directions(FIRST_DIRECTION + u32(t.x) * BLOCKS + block); }
${positions}
${products}`;

/** The term `dot(LAYER, V.npy)`. */
export const dot: Objective = direction(
  "dot",
  "s.x",
  "  return v / f32(positions_of(t));",
  "the dot product of a direction with a layer's channels at a position (the centre), or its mean over all",
);

/** The term `cosine(LAYER, V.npy)`. */
export const cosine: Objective = direction(
  "cosine",
  "select(0.0, s.x / lengths(s), lengths(s) > 0.0)",
  `  let s = products(item, t, own % AREA);
  if (lengths(s) == 0.0) { return vec4f(); }
  let a = texel(item, own);
  return (v / lengths(s) - a * (s.x / lengths(s) / s.y)) / f32(positions_of(t));`,
  "the same of the cosine",
);
