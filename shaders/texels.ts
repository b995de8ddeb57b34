/** Texels of feature maps, each of which holds four neighbouring channels of a place. */
import { range } from "./wgsl.ts";

/** Texels that so many channels take at each place. */
export const channelBlocks = (channels: number): number => Math.ceil(channels / 4);

/** One lane of a vector by a dynamic number, without a dynamic index. */
export const LANE = `
fn lane(v: vec4f, n: u32) -> f32 {
  return select(select(v.x, v.y, n == 1u), select(v.z, v.w, n == 3u), n >= 2u);
}`;

/** WGSL of a vector, of which `value` gives each lane. */
export const vector = (value: (lane: number) => string): string => `vec4f(${range(4).map(value).join(", ")})`;

/** WGSL `channels_in(block)`: which lanes of a block hold a channel, of CHANNELS. */
export function channelsIn(channels: number): string {
  const spare = "vec4<bool>(block < CHANNELS / 4u) | (vec4u(0u, 1u, 2u, 3u) < vec4u(CHANNELS % 4u))";
  return `
fn channels_in(block: u32) -> vec4<bool> { return ${channels % 4 === 0 ? "vec4<bool>(true)" : spare}; }`;
}

/** The lowest texel, with which maxima begin. */
export const LOWEST = "const LOWEST = vec4f(-3.4028234e38);";
