/**
 * Softmax over the channels of each position, in two kernels: one invocation a position reduces over the channels,
 * then one invocation a texel finishes. Subtracting the maximum first keeps exp in range.
 */
import { channelBlocks } from "./texels.ts";

/** Maps of `channels` channels and `area` positions. */
export interface SoftmaxGeometry {
  channels: number;
  area: number;
}

/** WGSL `valid(block)`: 1 in the lanes that hold a channel. */
export function valid({ channels }: SoftmaxGeometry): string {
  const rest = channels % 4;
  const last = channelBlocks(channels) - 1;
  return `
fn valid(block: u32) -> vec4<bool> {
  return ${
    rest
      ? `vec4<bool>(block < ${last}u) | vec4<bool>(${[0, 1, 2, 3].map((lane) => lane < rest).join(", ")})`
      : "vec4<bool>(true)"
  };
}`;
}

const position = ({ channels, area }: SoftmaxGeometry) => ({
  loop: `for (var block = 0u; block < ${channelBlocks(channels)}u; block++)`,
  at: `(i / ${area}u * ${channelBlocks(channels)}u + block) * ${area}u + i % ${area}u`,
  own: `i / ${area * channelBlocks(channels)}u * ${area}u + i % ${area}u`,
  block: `i / ${area}u % ${channelBlocks(channels)}u`,
});

/** Bindings: x, stats (maximum, 1 / sum, log sum). One invocation a position. */
export function softmaxStats(g: SoftmaxGeometry): string {
  const p = position(g);
  return `${valid(g)}
fn kernel(i: u32) {
  var top = vec4f(-3.4028234e38);
  ${p.loop} { top = max(top, select(top, load_x(${p.at}), valid(block))); }
  let peak = max(max(top.x, top.y), max(top.z, top.w));
  var sum = vec4f();
  ${p.loop} { sum += select(vec4f(), exp(load_x(${p.at}) - peak), valid(block)); }
  let total = sum.x + sum.y + sum.z + sum.w;
  store_stats(i, vec4f(peak, 1.0 / total, log(total), 0.0));
}`;
}

/** Bindings: x, stats, y. One invocation a texel. */
export function softmax(g: SoftmaxGeometry): string {
  const p = position(g);
  return `${valid(g)}
fn kernel(i: u32) {
  let stats = load_stats(${p.own});
  store_y(i, select(vec4f(), exp(load_x(i) - stats.x) * stats.y, valid(${p.block})));
}`;
}

/** Bindings: y, dy, stats (Σ y · dy). One invocation a position. */
export function softmaxGradientStats(g: SoftmaxGeometry): string {
  const p = position(g);
  return `
fn kernel(i: u32) {
  var sum = 0.0;
  ${p.loop} { let at = ${p.at}; sum += dot(load_y(at), load_dy(at)); }
  store_stats(i, vec4f(sum, 0.0, 0.0, 0.0));
}`;
}

/** Bindings: y, dy, stats, dx. dx = y · (dy − Σ y · dy). One invocation a texel. */
export function softmaxGradient(g: SoftmaxGeometry): string {
  const p = position(g);
  return `
fn kernel(i: u32) { store_dx(i, load_y(i) * (load_dy(i) - load_stats(${p.own}).x)); }`;
}

/** Bindings: x, stats, y. y = x − maximum − log Σ. One invocation a texel. */
export function logSoftmax(g: SoftmaxGeometry): string {
  const p = position(g);
  return `${valid(g)}
fn kernel(i: u32) {
  let stats = load_stats(${p.own});
  store_y(i, select(vec4f(), load_x(i) - stats.x - stats.z, valid(${p.block})));
}`;
}

/** Bindings: dy, stats (Σ dy). One invocation a position. */
export function logSoftmaxGradientStats(g: SoftmaxGeometry): string {
  const p = position(g);
  return `${valid(g)}
fn kernel(i: u32) {
  var sum = vec4f();
  ${p.loop} { sum += select(vec4f(), load_dy(${p.at}), valid(block)); }
  store_stats(i, vec4f(sum.x + sum.y + sum.z + sum.w, 0.0, 0.0, 0.0));
}`;
}

/** Bindings: y, dy, stats, dx. dx = dy − e^y · Σ dy. One invocation a texel. */
export function logSoftmaxGradient(g: SoftmaxGeometry): string {
  const p = position(g);
  return `
fn kernel(i: u32) { store_dx(i, load_dy(i) - exp(load_y(i)) * load_stats(${p.own}).x); }`;
}
