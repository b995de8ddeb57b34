/**
 * What a convolution's kernel, its tile and its caller agree on: sizes, positions, and which taps and blocks meet.
 */
import { channelBlocks } from "../texels.ts";
import { range } from "../wgsl.ts";
import type { WeightFormat } from "./blocks.ts";

/** A convolution from I channels of `inSize` to O channels of `outSize`, seen in its direct direction. */
export interface ConvGeometry {
  batch: number;
  channelsIn: number;
  channelsOut: number;
  groups: number;
  inSize: readonly [number, number];
  outSize: readonly [number, number];
  kernel: readonly [number, number];
  stride: readonly [number, number];
  dilation: readonly [number, number];
  /** Rows and columns of zeros before the first of the input. */
  padding: readonly [number, number];
}

/**
 * What one invocation makes: `blocks` × 4 channels at `strips` far positions, each with the `columns` − 1 to its right,
 * whose taps share their loads; `unroll` source blocks per loop trip.
 */
export interface ConvTile {
  blocks: number;
  strips: number;
  columns: number;
  unroll: number;
}

export type ConvDirection = "direct" | "transposed";

/** A convolution in one direction, cut into tiles. */
export interface TiledConv {
  geometry: ConvGeometry;
  direction: ConvDirection;
  tile: ConvTile;
}

/**
 * A convolution kernel. Bindings: x (source), w, y (destination), and `bias`, `scale` where asked for. In double-float
 * arithmetic also x_rest with `from`; with `to`, y_rest and whatever ReLU y has to go through.
 */
export interface ConvKernel extends TiledConv {
  format: WeightFormat;
  bias: boolean;
  double?: { from: boolean; to: boolean; relu?: { slope: number } };
  /** In half-float arithmetic (half.ts), for which the WGSL has to enable f16. */
  half?: boolean;
  /** Makes it a kernel of workgroups: `places` tiles side by side, `slices` invocations for each (groups.ts). */
  group?: ConvGroup;
}

/** A workgroup of a convolution; both are powers of two. */
export interface ConvGroup {
  slices: number;
  places: number;
  /** With one place: slices are added within their subgroups first. */
  subgroups?: boolean;
}

/** Which blocks of the other side each block of four channels is connected to: `count` from `first(block)` on. */
export interface Spans {
  count: number;
  /** WGSL of the first block that `block` is connected to, and the same as a function. */
  wgsl: string;
  first: (block: number) => number;
  /** Blocks that share one span, for tiling; every block when there is one group. */
  shared: number;
  /** False where a span holds blocks without a connection. */
  exact: boolean;
}

/** The spans from blocks of `own` channels to blocks of `other` channels under `groups`. */
export function spans(own: number, other: number, groups: number): Spans {
  const ownBlocks = channelBlocks(own);
  const otherBlocks = channelBlocks(other);
  const ownGroup = own / groups;
  const otherGroup = other / groups;
  if (groups === 1) {
    return { count: otherBlocks, wgsl: "0u", first: () => 0, shared: ownBlocks, exact: true };
  }
  if (ownGroup % 4 === 0 && otherGroup % 4 === 0) {
    return {
      count: otherGroup / 4,
      wgsl: `block / ${ownGroup / 4}u * ${otherGroup / 4}u`,
      first: (block) => Math.floor(block / (ownGroup / 4)) * (otherGroup / 4),
      shared: ownGroup / 4,
      exact: true,
    };
  }
  const start = (block: number) => Math.floor(Math.floor(4 * block / ownGroup) * otherGroup / 4);
  let width = 1;
  for (let block = 0; block < ownBlocks; block++) {
    const lastGroup = Math.floor(Math.min(4 * block + 3, own - 1) / ownGroup);
    width = Math.max(width, channelBlocks((lastGroup + 1) * otherGroup) - start(block));
  }
  const limit = otherBlocks - width;
  return {
    count: width,
    wgsl: `min(4u * block / ${ownGroup}u * ${otherGroup}u / 4u, ${limit}u)`,
    first: (block) => Math.min(start(block), limit),
    shared: 1,
    exact: false,
  };
}

/** The channels that a convolution reads, and those that it makes. */
export const channelsOf = ({ geometry: g, direction }: Pick<TiledConv, "geometry" | "direction">) =>
  direction === "direct" ? [g.channelsIn, g.channelsOut] as const : [g.channelsOut, g.channelsIn] as const;

/** The spans of the target's blocks in the source. */
export function sourceSpans(conv: Pick<TiledConv, "geometry" | "direction">): Spans {
  const [from, to] = channelsOf(conv);
  return spans(to, from, conv.geometry.groups);
}

/** Sizes that the kernel and its caller agree on. */
export function convShape({ geometry: g, direction, tile }: TiledConv) {
  const direct = direction === "direct";
  const [from, to] = channelsOf({ geometry: g, direction });
  const [source, target] = direct ? [g.inSize, g.outSize] : [g.outSize, g.inSize];
  const phases = direct ? [1, 1] as const : g.stride;
  const lattice = [Math.ceil(target[0] / phases[0]), Math.ceil(target[1] / phases[1] / tile.columns)] as const;
  const positions = g.batch * lattice[0] * lattice[1];
  const tiles = Math.ceil(positions / tile.strips);
  const channelTiles = Math.ceil(channelBlocks(to) / tile.blocks);
  return {
    from,
    to,
    source,
    target,
    phases,
    lattice,
    positions,
    tiles,
    channelTiles,
    invocations: tiles * channelTiles * phases[0] * phases[1],
  };
}

/** Greatest common divisor, and the inverse of a modulo m. */
const gcd = (a: number, b: number): number => b === 0 ? a : gcd(b, a % b);
function inverse(a: number, m: number): number {
  for (let x = 1; x < m; x++) if (a * x % m === 1) return x;
  return 1;
}

/**
 * The taps that reach the positions of a phase along one axis: `first`, WGSL of `phase`, and every `step`-th after it.
 */
export function phaseTaps({ padding, stride, dilation, kernel }: ConvGeometry, axis: 0 | 1) {
  const common = gcd(dilation[axis], stride[axis]);
  const step = stride[axis] / common;
  const reached = `(phase + ${padding[axis]}u)`;
  const jump = inverse(dilation[axis] / common, step);
  return {
    step,
    first: common === 1
      ? `${reached} * ${jump}u % ${step}u`
      : `select(${kernel[axis]}u, ${reached} / ${common}u * ${jump}u % ${step}u, ${reached} % ${common}u == 0u)`,
    /** Every phase has every `step`-th tap. */
    always: common === 1 && kernel[axis] % step === 0,
  };
}

/** How many taps the phases of an axis have. */
export function tapCounts(g: ConvGeometry, axis: 0 | 1): number[] {
  const { kernel, stride, padding, dilation } = g;
  const reaches = (phase: number, tap: number) => (phase + padding[axis] - tap * dilation[axis]) % stride[axis] === 0;
  return range(stride[axis]).map((phase) => range(kernel[axis]).filter((tap) => reaches(phase, tap)).length);
}

/**
 * The taps of a kernel's row that one loop trip takes: all of them where columns share their texels, else one. Tap `m`
 * of the trip meets column c at `offset(m, c)` columns from where the first tap meets the first column.
 */
export function tapRow({ geometry: g, direction, tile }: TiledConv) {
  const kernel = g.kernel[1];
  const stride = g.stride[1];
  const dilation = g.dilation[1];
  const direct = direction === "direct";
  const { step, always } = direct ? { step: 1, always: true } : phaseTaps(g, 1);
  const taps = tile.columns === 1 ? [0] : range(Math.ceil(kernel / step));
  const offset = (tap: number, column: number): number =>
    direct ? column * stride + tap * dilation : column - tap * step * dilation / stride;
  const texels = [...new Set(taps.flatMap((tap) => range(tile.columns).map((column) => offset(tap, column))))];
  return { step, always: always || tile.columns === 1, taps, offset, texels };
}
