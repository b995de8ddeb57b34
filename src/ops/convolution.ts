/**
 * What conv2d, deconv2d and fc share: one geometry, one packed copy of the weights, kernels in both directions.
 *
 * conv2d runs the geometry's direct direction forward and the transposed one backward; deconv2d the other way round;
 * fc is a convolution whose kernel covers the whole input.
 */
import { blockTexels, conv } from "../../shaders/conv.ts";
import {
  type ConvDirection,
  type ConvGeometry,
  convShape,
  type ConvTile,
  spans,
  tapRow,
} from "../../shaders/conv_shape.ts";
import { type Binding, type Call, read } from "../gpu/kernel.ts";
import type { Device } from "../gpu/device.ts";
import type { Format, Tensor } from "../gpu/tensor.ts";
import { UserError } from "../formats/user_error.ts";
import type { Fields } from "./fields.ts";
import { doubleOutput, rests } from "./double_float.ts";
import { blocks, type HostTensor, type Node, type PackedTensor, show, type WeightStorage } from "./op.ts";

/** Parameters of conv2d and deconv2d in network.json. */
export interface ConvParams {
  channels: number;
  kernel: readonly [number, number];
  stride: readonly [number, number];
  /** top, left, bottom, right */
  padding: readonly [number, number, number, number];
  dilation: readonly [number, number];
  groups: number;
  bias: boolean;
}

/** Reads what conv2d and deconv2d have in common. */
export function parseConv(fields: Fields): ConvParams {
  return {
    channels: fields.integer("channels", 1),
    kernel: fields.pair("kernel", 1),
    stride: fields.pair("stride", 1, 1),
    padding: fields.sides("padding"),
    dilation: fields.pair("dilation", 1, 1),
    groups: fields.integer("groups", 1, 1),
    bias: fields.boolean("bias", true),
  };
}

/** @throws UserError unless both channel counts split into the groups. */
export function checkGroups(input: number, p: ConvParams): void {
  for (const [what, channels] of [["input", input], ["output", p.channels]] as const) {
    if (channels % p.groups) throw new UserError(`${channels} ${what} channels do not split into ${p.groups} groups`);
  }
}

/** Extent of a dilated kernel along both axes. */
export const extent = (p: Pick<ConvParams, "kernel" | "dilation">): [number, number] => [
  p.dilation[0] * (p.kernel[0] - 1) + 1,
  p.dilation[1] * (p.kernel[1] - 1) + 1,
];

/** The geometry without its batch, which packing does not need. */
export type Connection = Pick<ConvGeometry, "channelsIn" | "channelsOut" | "groups" | "kernel">;

/** Values of the packed weights of a connection, padding included. */
export function packedValues(c: Connection): number {
  return blocks(c.channelsOut) * c.kernel[0] * c.kernel[1] * spans(c.channelsOut, c.channelsIn, c.groups).count * 16;
}

/** The texels that they take in a format. */
const packedTexels = (c: Connection, format: Format): number => packedValues(c) / (16 / blockTexels[format]);

/**
 * Calls `visit(packed index, index in (O, I / groups, kh, kw))` for every weight. Weight (o, i, tap) lies in the 4 × 4
 * block of its output and input channels, at row i mod 4 and column o mod 4.
 */
function eachWeight(c: Connection, visit: (packed: number, plain: number) => void): void {
  const taps = c.kernel[0] * c.kernel[1], span = spans(c.channelsOut, c.channelsIn, c.groups), step = span.count * 16;
  const perGroupOut = c.channelsOut / c.groups, perGroupIn = c.channelsIn / c.groups;
  let plain = 0;
  for (let o = 0; o < c.channelsOut; o++) {
    const first = Math.floor(o / perGroupOut) * perGroupIn, row = (o >> 2) * taps * span.count - span.first(o >> 2);
    for (let input = first; input < first + perGroupIn; input++) {
      let packed = ((row + (input >> 2)) * 4 + (input & 3)) * 4 + (o & 3);
      for (let tap = 0; tap < taps; tap++, packed += step) visit(packed, plain++);
    }
  }
}

/** Packed f32 blocks back to (O, I / groups, kh, kw). */
export function unpackWeights(c: Connection, packed: Float32Array): Float32Array<ArrayBuffer> {
  const plain = new Float32Array(c.channelsOut * (c.channelsIn / c.groups) * c.kernel[0] * c.kernel[1]);
  eachWeight(c, (from, to) => plain[to] = packed[from]);
  return plain;
}

/** A list of numbers as f32 texels. */
export function packVector(values: Float32Array): PackedTensor {
  const texels = blocks(values.length), padded = new Float32Array(texels * 4);
  padded.set(values);
  return { texels, format: "f32", bytes: new Uint8Array(padded.buffer) };
}

const storedAs = { F32: "f32", F16: "f16", I8: "i8" } as const;

/** How the GPU stores a weight. */
export function formatOf({ stored }: HostTensor, storage: WeightStorage): Format {
  return storage === "stored" ? storedAs[stored] : storage;
}

/**
 * Packs the weights of a connection, whose host tensor has O rows, and its bias.
 * @throws UserError (when bytes are asked for) where a weight is too large for f16.
 */
export function packConv(
  c: Connection,
  { weight, bias }: Record<string, HostTensor>,
  storage: WeightStorage,
): Record<string, PackedTensor> {
  const format = formatOf(weight, storage), size = packedValues(c);
  let integers: ReturnType<typeof quantise> | undefined;
  const quantised = () => integers ??= weight.quantised ?? quantise(weight.values, c.channelsOut);
  const pack = (): Float32Array | Float16Array | Int8Array => {
    const [values, plain] = format === "f32"
      ? [new Float32Array(size), weight.values]
      : format === "f16"
      ? [new Float16Array(size), weight.values]
      : [new Int8Array(size), quantised().integers];
    eachWeight(c, (to, from) => values[to] = plain[from]);
    // Finite weights become infinite where they are past the largest half float.
    if (format === "f16" && new Uint16Array(values.buffer).some((bits) => (bits & 0x7c00) === 0x7c00)) {
      throw new UserError("a weight is larger than f16 can hold (65504); store weights as f32");
    }
    return values;
  };
  return {
    weight: {
      texels: packedTexels(c, format),
      format,
      get bytes() {
        return new Uint8Array(pack().buffer);
      },
    },
    ...(format === "i8"
      ? {
        scale: {
          texels: blocks(c.channelsOut),
          format: "f32",
          get bytes() {
            return packVector(quantised().scales).bytes;
          },
        },
      }
      : {}),
    ...(bias ? { bias: packVector(bias.values) } : {}),
  };
}

/** Integers −127 … 127 with the scale of each row that loses least at its largest value. */
export function quantise(values: Float32Array, rows: number): { integers: Int8Array; scales: Float32Array } {
  const length = values.length / rows, integers = new Int8Array(values.length), scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    let peak = 0;
    for (let n = row * length; n < (row + 1) * length; n++) peak = Math.max(peak, Math.abs(values[n]));
    scales[row] = peak / 127;
    const inverse = peak > 0 ? 127 / peak : 0;
    for (let n = row * length; n < (row + 1) * length; n++) integers[n] = Math.round(values[n] * inverse);
  }
  return { integers, scales };
}

/** Loop trips that one invocation may make: far below the 65,535 after which lavapipe silently ends loops. */
const TRIPS = 30_000;

/** Taps of a window: each makes two trips at least, whatever is unrolled, and an invocation may visit them all. */
export const MOST_TAPS = 10_000;

/**
 * What shapes a tile on a kind of adapter. An invocation pays `pixel` for each texel of the source and `block` for each
 * 4×4 block of weights that it loads, `sum` for multiplying one by the other, `carry` for each sum that it takes from
 * one loop trip to the next, and `store` for each texel that it writes, up to twice that in the largest tile, whose row
 * of stores outgrows a CPU's predictors. On a CPU these are nanoseconds (fitted to the kernels of the default pair on
 * two cores of llvmpipe 22.3), elsewhere rough ratios. `move` is the price of a texel that kernels write which do little
 * else, and a dispatch pays `weight` for each texel of weights that has to come from memory.
 */
const cpu = {
  blocks: [1, 2, 4, 8],
  strips: [1, 2, 3, 4, 6, 8, 12, 16],
  most: 48,
  pixel: 8,
  block: { f32: 30, f16: 18, i8: 18 },
  sum: 2,
  carry: 1,
  store: 190,
  move: 95,
  weight: 16,
};
const gpu = {
  blocks: [1, 2, 4],
  strips: [1, 2, 4, 8],
  most: 8,
  pixel: 1,
  block: { f32: 2, f16: 2, i8: 2 },
  sum: 1,
  carry: 0,
  store: 1,
  move: 1,
  weight: 0,
};
const priceOf = ({ caps }: Device) => caps.software ? cpu : gpu;

/** How much longer a dispatch takes because its invocations do not fill the lanes of two cores, or a whole GPU. */
function idle({ caps }: Device, invocations: number): number {
  if (!caps.software) return Math.max(1, 4096 / invocations);
  return Math.ceil(invocations / (2 * caps.lanes)) * 2 * caps.lanes / invocations;
}

/** Blocks of source channels that an output block sees. */
function sourceBlocks({ channelsIn, channelsOut, groups }: ConvGeometry, direction: ConvDirection): number {
  const [from, to] = direction === "direct" ? [channelsIn, channelsOut] : [channelsOut, channelsIn];
  return spans(to, from, groups).count;
}

/** Loop trips of one invocation, at most: blocks of source channels times the taps that reach a position. */
function tripsOf(g: ConvGeometry, direction: ConvDirection): number {
  const { kernel, stride } = g,
    taps = direction === "direct"
      ? kernel[0] * kernel[1]
      : Math.ceil(kernel[0] / stride[0]) * Math.ceil(kernel[1] / stride[1]);
  return taps * sourceBlocks(g, direction);
}

/**
 * Numbers of neighbouring columns that are worth trying on this device: more than one on CPUs only, where the taps of a
 * row meet the same texels, and where enough source blocks follow to repay finding them.
 */
function columnsFor({ caps }: Device, geometry: ConvGeometry, direction: ConvDirection): number[] {
  const tile = { blocks: 1, strips: 1, columns: 1, unroll: 1 }, { lattice } = convShape({ geometry, direction, tile });
  const dense = direction === "transposed" || geometry.stride[1] === 1;
  const row = tapRow({ geometry, direction, tile: { ...tile, columns: 2 } });
  if (!caps.software || !dense || sourceBlocks(geometry, direction) < 4 || row.taps.length < 2) return [1];
  const width = lattice[1], options = [4, 8, 16, Math.ceil(width / 2), width];
  return [1, ...new Set(options.filter((columns) => columns >= 4 && columns <= Math.min(16, width)))];
}

/** Every tile that fits a geometry on this device. */
export function tiles(device: Device, g: ConvGeometry, direction: ConvDirection): ConvTile[] {
  const { most, ...price } = priceOf(device), unroll = Math.ceil(tripsOf(g, direction) / TRIPS);
  const [from, to] = direction === "direct" ? [g.channelsIn, g.channelsOut] : [g.channelsOut, g.channelsIn];
  const { shared } = spans(to, from, g.groups);
  return columnsFor(device, g, direction).flatMap((columns) => {
    const held = columns === 1 ? most : 2 * device.caps.lanes; // the columns' texels take registers too
    const one = { blocks: 1, strips: 1, columns, unroll },
      { positions } = convShape({ geometry: g, direction, tile: one });
    return price.blocks.filter((count) => blocks(to) % count === 0 && shared % count === 0).flatMap((count) =>
      price.strips.filter((strips) => count * strips * columns <= held && strips <= positions)
        .map((strips) => ({ ...one, blocks: count, strips }))
    );
  });
}

/**
 * The cheapest tile for a kernel on this device, with weights of a format, and the time of the whole dispatch in the units
 * of the prices: edges and idle lanes count too.
 */
function cheapest(device: Device, geometry: ConvGeometry, direction: ConvDirection, format: Format) {
  const price = priceOf(device), trips = tripsOf(geometry, direction);
  const priced = tiles(device, geometry, direction).map((tile) => {
    const shape = { geometry, direction, tile }, { invocations } = convShape(shape);
    const { taps, texels } = tapRow(shape), held = tile.blocks * tile.strips * tile.columns;
    const trip = price.pixel * tile.strips * texels.length / taps.length + price.block[format] * tile.blocks +
      (price.sum + price.carry / taps.length) * held;
    const whole = trips * trip + price.store * held * (1 + held / price.most);
    return { tile, cost: whole * invocations * idle(device, invocations) };
  });
  return priced.reduce((best, one) => one.cost < best.cost ? one : best);
}

/** The cheapest tile for a kernel on this device, with weights of a format. */
export const chooseTile = (...kernel: Parameters<typeof cheapest>): ConvTile => cheapest(...kernel).tile;

/** What a convolution costs with the cheapest tile, its weights coming from memory. */
export function convCost(device: Device, g: ConvGeometry, direction: ConvDirection, format: Format): number {
  return cheapest(device, g, direction, format).cost + priceOf(device).weight * packedTexels(g, format);
}

/** What a kernel costs, in the same units, that mostly moves texels. */
export function movingCost(device: Device, invocations: number, reads: number, writes: number): number {
  const { pixel, move } = priceOf(device);
  return (pixel * reads + move * writes) * invocations * idle(device, invocations);
}

/** Multiplications and additions of a convolution, the useful ones. */
export function convFlops(g: ConvGeometry): number {
  return 2 * g.batch * g.outSize[0] * g.outSize[1] * g.channelsOut * (g.channelsIn / g.groups) * g.kernel[0] *
    g.kernel[1];
}

/** What the kernel of a layer's direction is called. */
export const labelOf = (name: string, direction: ConvDirection): string =>
  direction === "direct" ? name : `${name} (transposed)`;

/** The call that runs a geometry in one direction, from `x` into `y`; forward it adds the bias, in the node's arithmetic. */
export function convCall(
  node: Pick<Node, "device" | "name" | "weights" | "doubleFloat">,
  geometry: ConvGeometry,
  direction: ConvDirection,
  x: Tensor,
  y: Binding,
  forward: boolean,
  tile = chooseTile(node.device, geometry, direction, node.weights.weight.format),
): Call {
  const { weight, scale, bias } = node.weights, useBias = forward && bias !== undefined;
  const output = forward ? doubleOutput(y) : undefined;
  const double = forward && node.doubleFloat
    ? { from: x.rest !== undefined, to: output !== undefined, relu: output?.relu }
    : undefined;
  return {
    label: labelOf(node.name, direction),
    bindings: {
      x: read(x),
      w: read(weight),
      y,
      ...(double ? { ...rests({ x }), ...output?.bindings } : {}),
      ...(scale ? { scale: read(scale) } : {}),
      ...(useBias ? { bias: read(bias) } : {}),
    },
    code: conv({ geometry, direction, tile, format: weight.format, bias: useBias, double }),
    invocations: convShape({ geometry, direction, tile }).invocations,
    flops: convFlops(geometry),
  };
}

/** @throws UserError when a window of `size` does not fit into the padded input. */
export function outputExtent(input: number, before: number, after: number, size: number, stride: number): number {
  const room = input + before + after - size;
  if (room < 0) throw new UserError(`the kernel covers ${size} positions, the padded input has ${show([room + size])}`);
  return Math.floor(room / stride) + 1;
}
