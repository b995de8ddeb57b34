/**
 * What an objective is: a number that is made of the values of one layer, and its slope at each of them.
 *
 * A target is a sum of such terms and of pairs of them (src/synth/target.ts). For each layer that has terms, a plan runs one
 * kernel for its gradient, and before that, where a term is more than one value, kernels that measure it (`Measured`).
 */
import type { Shape } from "../../ops/op.ts";

/** What stands in a term: which layer, which of its units, where, and which file. */
export interface Arguments {
  /** The classifier's logits unless given. */
  layer?: string;
  /** A channel, or a value of a vector. */
  unit?: number;
  /** [x, y] in a map, or all of it; the centre unless given. */
  at?: readonly [number, number] | "all";
  /** A direction's file. */
  file?: string;
  /** An exponent. */
  power?: number;
}

/** What a term's parentheses may hold. */
export type Takes = "place" | "channel" | "channel or layer" | "layer" | "direction" | "power";

/**
 * One kind of term. Its WGSL is written against what all terms share (`shaders/search/objective.ts`): `t` is the term's slot,
 * its first three numbers those of `slot`; `value` gives the number, and in y, z and w whatever `slope` wants to know.
 */
export interface Objective {
  /** How it is written. */
  readonly syntax: string;
  /** What it is, in a line of --help. */
  readonly help: string;
  /** What stands in its parentheses. */
  readonly takes: Takes;
  /** Three numbers that say where it is, the first of them ≥ 0. */
  slot(where: Where, shape: Shape): readonly [number, number, number];
  /** It is about several pictures of a batch. */
  readonly meets?: true;
  /** One invocation visits all channels of a position. */
  readonly visitsChannels?: true;
  /** How it is computed. */
  readonly wgsl: Wgsl;
}

/** Where a term is: its unit, the position, and the number of its direction. */
export interface Where {
  /** A channel, or a value of a vector. */
  unit?: number;
  /** From the top. */
  row: number;
  /** From the left. */
  column: number;
  /** All positions, not that one. */
  everywhere: boolean;
  /** Its number among the target's directions. */
  direction?: number;
  /** The exponent, where it takes one. */
  power?: number;
}

/** The WGSL of a kind of term, whose functions begin with its name. */
export interface Wgsl {
  /** `fn NAME_part(item: u32, t: vec4f, part: u32) -> vec4f`: its share of what `value` sums up; PARTS of them. */
  readonly part?: string;
  /** `fn NAME_value(item: u32, k: u32, t: vec4f) -> vec4f`. */
  readonly value: string;
  /** WGSL of whether it has a slope at texel `own` at all. */
  readonly touches: string;
  /** `fn NAME_slope(item: u32, t: vec4f, m: vec4f, own: u32) -> vec4f`, with what `value` gave in `m`. */
  readonly slope: string;
}
