/**
 * Thinning: those pixels become zero whose measure is below a percentile of all (Yosinski et al. 2015, θ_n_pct and θ_c_pct).
 *
 * The percentile lies between the values of two ranks, k = ⌊q (n − 1)⌋ and the next, so it is enough to find the one of rank k: a
 * radix selection. Measures are ≥ 0, where floats order as their bits do. Each of eight rounds counts, of the pixels that agree with
 * what is known of the bits, how many have each value of the next four; then the digit is picked in which rank k lies. What is known
 * is a texel an item: the upper and lower half of the bits, the rank among those that agree, and at the end whether pixels of just
 * that measure lie below the percentile too.
 */
import type { CodeGeometry } from "./step.ts";
import { stateCode } from "./state.ts";

/** Rounds, each of which finds four bits. */
export const ROUNDS = 8;

/** Texels in which an invocation leaves its sixteen counts. */
export const COUNTS = 4;

/** What is thinned: codes with a pixel a texel, and by how much. */
export interface ThinGeometry extends CodeGeometry {
  /** Pixels below it become zero. */
  percent: number;
  /** WGSL of the measure of texel i, ≥ 0. */
  measure: string;
  /** Pieces in which pixels are counted. */
  parts: number;
}

/** WGSL of the measures that there are. */
export const measures = {
  /** The pixel's norm. Binding: code. */
  norm: "length(load_code(i))",
  /** What the target would lose without it, to first order. Bindings: code, g. */
  contribution: "abs(dot(load_code(i), load_g(i)))",
} as const;

const common = ({ measure }: ThinGeometry) => `
fn bits_of(i: u32) -> u32 { return bitcast<u32>(${measure}); }
fn known_bits(k: vec4f) -> u32 { return u32(k.x) << 16u | u32(k.y); }`;

/** Counts of a round. Bindings: those of the measure, after the first round known, counts. One invocation a piece of an item. */
export function thinCount(geometry: ThinGeometry, round: number): string {
  const { texels, parts } = geometry;
  const shift = 28 - 4 * round;
  const agrees = round === 0 ? "true" : `bits >> ${shift + 4}u == known >> ${shift + 4}u`;
  return `${common(geometry)}
const DIGITS = vec4u(0u, 1u, 2u, 3u);

fn kernel(i: u32) {
  let item = i / ${parts}u;
  ${round === 0 ? "" : "let known = known_bits(load_known(item));"}
  var counts = array<vec4f, ${COUNTS}>();
  for (var own = i % ${parts}u; own < ${texels}u; own += ${parts}u) {
    let bits = bits_of(item * ${texels}u + own);
    if (${agrees}) {
      let digit = bits >> ${shift}u & 15u;
      ${
    Array.from(
      { length: COUNTS },
      (_, n) => `counts[${n}] += select(vec4f(), vec4f(1.0), DIGITS + ${4 * n}u == vec4u(digit));`,
    ).join("\n      ")
  }
    }
  }
  ${Array.from({ length: COUNTS }, (_, n) => `store_counts(i * ${COUNTS}u + ${n}u, counts[${n}]);`).join("\n  ")}
}`;
}

/** The digit of a round. Bindings: counts, known (updated, and in the first round made). One invocation an item. */
export function thinPick({ texels, percent, parts }: ThinGeometry, round: number): string {
  const place = percent / 100 * (texels - 1);
  const rank = Math.floor(place);
  const shift = 28 - 4 * round;
  return `
fn kernel(i: u32) {
  let k = ${round === 0 ? `vec4f(0.0, 0.0, ${rank}.0, 0.0)` : "load_known(i)"};
  var counts = array<vec4f, ${COUNTS}>();
  for (var part = 0u; part < ${parts}u; part++) {
    ${
    Array.from(
      { length: COUNTS },
      (_, n) => `counts[${n}] += load_counts((i * ${parts}u + part) * ${COUNTS}u + ${n}u);`,
    ).join("\n    ")
  }
  }
  var digit = 0u;
  var rank = k.z;
  var equal = 0.0;
  var found = false;
  ${
    Array.from({ length: 4 * COUNTS }, (_, n) =>
      `{ let count = counts[${n >> 2}].${"xyzw"[n & 3]};
    if (!found) {
      if (rank < count) { digit = ${n}u; equal = count; found = true; } else { rank -= count; }
    } }`).join("\n  ")
  }
  let bits = (u32(k.x) << 16u | u32(k.y)) | digit << ${shift}u;
  let below = ${place > rank} && rank + 1.0 == equal;
  store_known(i, vec4f(f32(bits >> 16u), f32(bits & 0xffffu), rank, select(0.0, 1.0, below)));
}`;
}

/** Bindings: those of the measure, known, state, slopes, bound, code (updated), input. One invocation a texel. */
export function thin(geometry: ThinGeometry, state: readonly string[], finish: readonly string[]): string {
  const { items, texels } = geometry;
  return `${stateCode(state)}
${common(geometry)}

fn kernel(i: u32) {
  let item = i / ${texels}u;
  let own = i % ${texels}u;
  let s = state_of(item);
  let k = load_known(item);
  let bits = bits_of(i);
  let small = bits < known_bits(k) || (k.w > 0.0 && bits == known_bits(k));
  let moved = load_slopes((u32(s.iteration) - 1u) * ${items}u + item).x > 0.0;
  var code = load_code(i);
  if (small && moved) { code = vec4f(); }
  ${finish.join("\n  ")}
  store_code(i, code);
  store_input(i, code);
}`;
}
