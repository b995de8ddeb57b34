/**
 * Softmax over the channels of each position, in two kernels: one invocation a position reduces over the channels,
 * then one invocation a texel finishes. Subtracting the maximum first keeps exp in range.
 */
import { channelBlocks, channelsIn, LOWEST } from "./texels.ts";
import { constants } from "./wgsl.ts";

/** Maps of `channels` channels and `area` positions. */
export interface SoftmaxGeometry {
  channels: number;
  area: number;
}

/** WGSL of what all kernels share: sizes, where a block of a position lies, and of which position and block a texel is. */
export const layout = ({ channels, area }: SoftmaxGeometry): string => `
${constants({ CHANNELS: channels, BLOCKS: channelBlocks(channels), AREA: area })}
${LOWEST}

${channelsIn(channels)}

fn texel(position: u32, block: u32) -> u32 { return (position / AREA * BLOCKS + block) * AREA + position % AREA; }
fn position_of(i: u32) -> u32 { return i / (BLOCKS * AREA) * AREA + i % AREA; }
fn block_of(i: u32) -> u32 { return i / AREA % BLOCKS; }
`;

/** Bindings: x, stats (maximum, 1 / sum, log sum). One invocation a position. */
export function softmaxStats(g: SoftmaxGeometry): string {
  return `${layout(g)}
fn kernel(i: u32) {
  var top = LOWEST;
  for (var block = 0u; block < BLOCKS; block++) {
    top = max(top, select(top, load_x(texel(i, block)), channels_in(block)));
  }
  let peak = max(max(top.x, top.y), max(top.z, top.w));
  var sum = vec4f();
  for (var block = 0u; block < BLOCKS; block++) {
    sum += select(vec4f(), exp(load_x(texel(i, block)) - peak), channels_in(block));
  }
  let total = sum.x + sum.y + sum.z + sum.w;
  store_stats(i, vec4f(peak, 1.0 / total, log(total), 0.0));
}`;
}

/** Bindings: x, stats, y. One invocation a texel. */
export function softmax(g: SoftmaxGeometry): string {
  return `${layout(g)}
fn kernel(i: u32) {
  let stats = load_stats(position_of(i));
  store_y(i, select(vec4f(), exp(load_x(i) - stats.x) * stats.y, channels_in(block_of(i))));
}`;
}

/** Bindings: y, dy, stats (Σ y · dy). One invocation a position. */
export function softmaxGradientStats(g: SoftmaxGeometry): string {
  return `${layout(g)}
fn kernel(i: u32) {
  var sum = 0.0;
  for (var block = 0u; block < BLOCKS; block++) {
    let at = texel(i, block);
    sum += dot(load_y(at), load_dy(at));
  }
  store_stats(i, vec4f(sum, 0.0, 0.0, 0.0));
}`;
}

/** Bindings: y, dy, stats, dx. dx = y · (dy − Σ y · dy). One invocation a texel. */
export function softmaxGradient(g: SoftmaxGeometry): string {
  return `${layout(g)}
fn kernel(i: u32) { store_dx(i, load_y(i) * (load_dy(i) - load_stats(position_of(i)).x)); }`;
}

/** Bindings: x, stats, y. y = x − maximum − log Σ. One invocation a texel. */
export function logSoftmax(g: SoftmaxGeometry): string {
  return `${layout(g)}
fn kernel(i: u32) {
  let stats = load_stats(position_of(i));
  store_y(i, select(vec4f(), load_x(i) - stats.x - stats.z, channels_in(block_of(i))));
}`;
}

/** Bindings: dy, stats (Σ dy). One invocation a position. */
export function logSoftmaxGradientStats(g: SoftmaxGeometry): string {
  return `${layout(g)}
fn kernel(i: u32) {
  var sum = vec4f();
  for (var block = 0u; block < BLOCKS; block++) {
    sum += select(vec4f(), load_dy(texel(i, block)), channels_in(block));
  }
  store_stats(i, vec4f(sum.x + sum.y + sum.z + sum.w, 0.0, 0.0, 0.0));
}`;
}

/** Bindings: y, dy, stats, dx. dx = dy − e^y · Σ dy. One invocation a texel. */
export function logSoftmaxGradient(g: SoftmaxGeometry): string {
  return `${layout(g)}
fn kernel(i: u32) { store_dx(i, load_dy(i) - exp(load_y(i)) * load_stats(position_of(i)).x); }`;
}
