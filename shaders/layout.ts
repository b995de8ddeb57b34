/**
 * Kernels that only move values: reshape, crop, and runs of channels. One invocation writes one texel, whose four
 * channels may come from four different texels.
 */
import { wgsl } from "wgsl-preprocessor";
import { channelBlocks, channelsIn, LANE, vector } from "./texels.ts";
import { constants, plus, signedConstants, unroll } from "./wgsl.ts";

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
${constants({ X_CHANNELS: c, X_BLOCKS: channelBlocks(c), X_AREA: h * w })}
${constants({ Y_CHANNELS: tc, Y_BLOCKS: channelBlocks(tc), Y_AREA: th * tw })}
fn value(item: u32, channel: u32, place: u32) -> f32 {
  if (channel >= Y_CHANNELS) { return 0.0; }
  let index = (item * Y_CHANNELS + channel) * Y_AREA + place;
  let source = index / X_AREA % X_CHANNELS;
  let block = index / (X_CHANNELS * X_AREA) * X_BLOCKS + source / 4u;
  return lane(load_x(block * X_AREA + index % X_AREA), source & 3u);
}

fn kernel(i: u32) {
  let place = i % Y_AREA;
  let channel = i / Y_AREA % Y_BLOCKS * 4u;
  let item = i / (Y_AREA * Y_BLOCKS);
  store_y(i, ${vector((n) => `value(item, ${plus("channel", n)}, place)`)});
}`;
}

/** y[n,c,p,q] = x[n,c,p + offset, q + offset], and zero where that lies outside x. Bindings: x, y. */
export function shift(
  inSize: readonly [number, number],
  outSize: readonly [number, number],
  offset: readonly [number, number],
): string {
  return `
${constants({ HEIGHT: inSize[0], WIDTH: inSize[1], OUT_HEIGHT: outSize[0], OUT_WIDTH: outSize[1] })}
${signedConstants({ OFFSET_Y: offset[0], OFFSET_X: offset[1] })}
fn kernel(i: u32) {
  let y = u32(i32(i / OUT_WIDTH % OUT_HEIGHT) + OFFSET_Y);
  let x = u32(i32(i % OUT_WIDTH) + OFFSET_X);
  var v = vec4f();
  if (y < HEIGHT && x < WIDTH) { v = load_x((i / (OUT_HEIGHT * OUT_WIDTH) * HEIGHT + y) * WIDTH + x); }
  store_y(i, v);
}`;
}

/** y[n,c,·] = x[n,c + offset,·], and zero where x has no such channel. Bindings: x, y; `area` positions a map. */
export function shiftChannels(from: number, to: number, area: number, offset: number): string {
  const whole = offset % 4 === 0 && from % 4 === 0;
  return wgsl`${LANE}
${constants({ CHANNELS: from, BLOCKS: channelBlocks(from), OUT_BLOCKS: channelBlocks(to), AREA: area })}
${signedConstants({ OFFSET: offset })}
fn texel(item: u32, channel: u32, place: u32) -> vec4f {
  var v = vec4f();
  if (channel < CHANNELS) { v = load_x((item * BLOCKS + channel / 4u) * AREA + place); }
  return v;
}

fn value(item: u32, channel: u32, place: u32) -> f32 { return lane(texel(item, channel, place), channel & 3u); }

fn kernel(i: u32) {
  let place = i % AREA;
  let channel = u32(i32(i / AREA % OUT_BLOCKS * 4u) + OFFSET);
  let item = i / (AREA * OUT_BLOCKS);
  #if ${whole}
  store_y(i, texel(item, channel, place));
  #else
  store_y(i, ${vector((n) => `value(item, ${plus("channel", n)}, place)`)});
  #endif
}`;
}

/**
 * The same along an axis that texels do not pack, one step of which is `inner` positions. Bindings: x, y.
 */
export function shiftAlong(from: number, to: number, inner: number, offset: number): string {
  return `
${constants({ FROM: from, TO: to, INNER: inner })}
${signedConstants({ OFFSET: offset })}
fn kernel(i: u32) {
  let along = u32(i32(i / INNER % TO) + OFFSET);
  var v = vec4f();
  if (along < FROM) { v = load_x((i / (TO * INNER) * FROM + along) * INNER + i % INNER); }
  store_y(i, v);
}`;
}

/** One run of channels: `count` channels of binding `x<index>` from `from` on; runs follow each other in the output. */
export interface Run {
  channels: number;
  from: number;
  count: number;
}

/**
 * y's channels are the runs one after the other. Bindings: x0, x1, …, y; `area` positions a map. Each run has
 * constants of its own, X0_END, X1_END …, and a branch of `pick`.
 */
export function channels(runs: readonly Run[], area: number): string {
  const ends = runs.map((_, n) => runs.slice(0, n + 1).reduce((sum, run) => sum + run.count, 0));
  const starts = ends.map((end, n) => end - runs[n].count);
  const total = ends.at(-1) ?? 0;
  const aligned = runs.every((run, n) => run.from % 4 === 0 && starts[n] % 4 === 0);
  const sizes = runs.map((run, n) => ({
    [`X${n}_BLOCKS`]: channelBlocks(run.channels),
    [`X${n}_FROM`]: run.from,
    [`X${n}_START`]: starts[n],
    [`X${n}_END`]: ends[n],
  }));
  const branches = unroll({ n: runs.length }, ({ n }) => `
  if (channel < X${n}_END) {
    let source = channel - X${n}_START + X${n}_FROM;
    let v = load_x${n}((item * X${n}_BLOCKS + source / 4u) * AREA + place);
    return ${aligned ? "v" : "lane(v, source & 3u)"};
  }`);
  return wgsl`${LANE}
${constants({ CHANNELS: total, BLOCKS: channelBlocks(total), AREA: area, ...Object.assign({}, ...sizes) })}
${channelsIn(total)}

fn pick(item: u32, channel: u32, place: u32) -> ${aligned ? "vec4f" : "f32"} {${branches}
  return ${aligned ? "vec4f()" : "0.0"};
}

fn kernel(i: u32) {
  let place = i % AREA;
  let block = i / AREA % BLOCKS;
  let channel = block * 4u;
  let item = i / (AREA * BLOCKS);
  #if ${aligned}
  store_y(i, select(vec4f(), pick(item, channel, place), channels_in(block)));
  #else
  store_y(i, ${vector((n) => `pick(item, ${plus("channel", n)}, place)`)});
  #endif
}`;
}
