/**
 * Kernels that only move values: reshape, crop, and runs of channels. One invocation writes one texel, whose four
 * channels may come from four different texels.
 */
import { channelBlocks, LANE } from "./texels.ts";

/** [channels, height, width] */
type Map3 = readonly [number, number, number];

/**
 * y holds x's values in (n, c, h, w) order under another shape; where the items' sizes differ, so do their numbers.
 * Bindings: x, y.
 */
export function reshape(from: Map3, to: Map3): string {
  const [c, h, w] = from;
  const [tc, th, tw] = to;
  return `${LANE}
fn value(item: u32, channel: u32, place: u32) -> f32 {
  if (channel >= ${tc}u) { return 0.0; }
  let index = item * ${tc * th * tw}u + channel * ${th * tw}u + place;
  let source = index / ${h * w}u % ${c}u;
  return lane(load_x((index / ${c * h * w}u * ${channelBlocks(c)}u + source / 4u) * ${h * w}u + index % ${
    h * w
  }u), source & 3u);
}
fn kernel(i: u32) {
  let place = i % ${th * tw}u;
  let channel = i / ${th * tw}u % ${channelBlocks(tc)}u * 4u;
  let item = i / ${th * tw * channelBlocks(tc)}u;
  store_y(i, vec4f(value(item, channel, place), value(item, channel + 1u, place), value(item, channel + 2u, place), value(item, channel + 3u, place)));
}`;
}

/** y[n,c,p,q] = x[n,c,p + offset, q + offset], and zero where that lies outside x. Bindings: x, y. */
export function shift(
  inSize: readonly [number, number],
  outSize: readonly [number, number],
  offset: readonly [number, number],
): string {
  const [h, w] = inSize;
  const [oh, ow] = outSize;
  return `
fn kernel(i: u32) {
  let y = i32(i / ${ow}u % ${oh}u) + ${offset[0]};
  let x = i32(i % ${ow}u) + ${offset[1]};
  var v = vec4f();
  if (u32(y) < ${h}u && u32(x) < ${w}u) { v = load_x((i / ${oh * ow}u * ${h}u + u32(y)) * ${w}u + u32(x)); }
  store_y(i, v);
}`;
}

/** y[n,c,·] = x[n,c + offset,·], and zero where x has no such channel. Bindings: x, y; `area` positions a map. */
export function shiftChannels(from: number, to: number, area: number, offset: number): string {
  const whole = offset % 4 === 0 && from % 4 === 0;
  const source = (c: string) => `load_x((item * ${channelBlocks(from)}u + u32(${c}) / 4u) * ${area}u + place)`;
  return `${whole ? "" : LANE}
fn pick(item: u32, place: u32, c: i32) -> ${whole ? "vec4f" : "f32"} {
  if (c < 0 || c >= ${from}) { return ${whole ? "vec4f()" : "0.0"}; }
  return ${whole ? source("c") : `lane(${source("c")}, u32(c) & 3u)`};
}
fn kernel(i: u32) {
  let place = i % ${area}u;
  let c = i32(i / ${area}u % ${channelBlocks(to)}u * 4u) + ${offset};
  let item = i / ${area * channelBlocks(to)}u;
  store_y(i, ${whole ? "pick(item, place, c)" : `vec4f(${[0, 1, 2, 3].map((l) => `pick(item, place, c + ${l})`)})`});
}`;
}

/**
 * The same along an axis that texels do not pack, one step of which is `inner` positions. Bindings: x, y.
 */
export function shiftAlong(from: number, to: number, inner: number, offset: number): string {
  return `
fn kernel(i: u32) {
  let along = i32(i / ${inner}u % ${to}u) + ${offset};
  var v = vec4f();
  if (u32(along) < ${from}u) { v = load_x((i / ${to * inner}u * ${from}u + u32(along)) * ${inner}u + i % ${inner}u); }
  store_y(i, v);
}`;
}

/** One run of channels: `count` channels of binding `x<index>` from `from` on; runs follow each other in the output. */
export interface Run {
  channels: number;
  from: number;
  count: number;
}

/** y's channels are the runs one after the other. Bindings: x0, x1, …, y; `area` positions a map. */
export function channels(runs: readonly Run[], area: number): string {
  const total = runs.reduce((sum, run) => sum + run.count, 0);
  const starts = runs.map((_, n) => runs.slice(0, n).reduce((sum, run) => sum + run.count, 0));
  const aligned = runs.every((run, n) => run.from % 4 === 0 && starts[n] % 4 === 0);
  const source = (n: number) =>
    `(item * ${channelBlocks(runs[n].channels)}u + (c - ${starts[n]}u + ${runs[n].from}u) / 4u) * ${area}u + place`;
  const branches = (take: (n: number) => string) =>
    runs.map((run, n) => `if (c < ${starts[n] + run.count}u) { return ${take(n)}; }`).join("\n  ");
  const last = total % 4
    ? `if (channel == ${total - total % 4}u) { v *= vec4f(${
      [0, 1, 2, 3].map((l) => l < total % 4 ? "1.0" : "0.0").join(", ")
    }); }`
    : "";
  return `${aligned ? "" : LANE}
fn pick(item: u32, c: u32, place: u32) -> ${aligned ? "vec4f" : "f32"} {
  ${
    branches((n) =>
      aligned
        ? `load_x${n}(${source(n)})`
        : `lane(load_x${n}(${source(n)}), (c - ${starts[n]}u + ${runs[n].from}u) & 3u)`
    )
  }
  return ${aligned ? "vec4f()" : "0.0"};
}
fn kernel(i: u32) {
  let place = i % ${area}u;
  let channel = i / ${area}u % ${channelBlocks(total)}u * 4u;
  let item = i / ${area * channelBlocks(total)}u;
  var v = ${
    aligned
      ? "pick(item, channel, place)"
      : `vec4f(${[0, 1, 2, 3].map((l) => `pick(item, channel + ${l}u, place)`).join(", ")})`
  };
  ${last}
  store_y(i, v);
}`;
}
