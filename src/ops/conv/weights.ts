/** The one packed copy of a convolution's weights, in each format, that its kernels read in both directions. */
import { blockTexels } from "../../../shaders/conv/blocks.ts";
import { type ConvGeometry, spans } from "../../../shaders/conv/shape.ts";
import { halfOf } from "../../formats/float16.ts";
import { UserError } from "../../formats/user_error.ts";
import type { Format } from "../../gpu/tensor.ts";
import { formatOf, type HostTensor, type PackedTensor, type WeightStorage } from "../op.ts";
import { channelBlocks } from "../../../shaders/texels.ts";

/** The geometry without its batch, which packing does not need. */
export type Connection = Pick<ConvGeometry, "channelsIn" | "channelsOut" | "groups" | "kernel">;

/** Values of the packed weights of a connection, padding included. */
export function packedValues(c: Connection): number {
  return channelBlocks(c.channelsOut) * c.kernel[0] * c.kernel[1] * spans(c.channelsOut, c.channelsIn, c.groups).count *
    16;
}

/** The texels that they take in a format. */
export const packedTexels = (c: Connection, format: Format): number => packedValues(c) / (16 / blockTexels[format]);

/**
 * Calls `visit(packed index, index in (O, I / groups, kh, kw))` for every weight. Weight (o, i, tap) lies in the 4 × 4
 * block of its output and input channels, at row i mod 4 and column o mod 4.
 */
function eachWeight(c: Connection, visit: (packed: number, plain: number) => void): void {
  const taps = c.kernel[0] * c.kernel[1];
  const span = spans(c.channelsOut, c.channelsIn, c.groups);
  const step = span.count * 16;
  const perGroupOut = c.channelsOut / c.groups;
  const perGroupIn = c.channelsIn / c.groups;
  let plain = 0;
  for (let o = 0; o < c.channelsOut; o++) {
    const first = Math.floor(o / perGroupOut) * perGroupIn;
    const row = (o >> 2) * taps * span.count - span.first(o >> 2);
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
  const texels = channelBlocks(values.length);
  const padded = new Float32Array(texels * 4);
  padded.set(values);
  return { texels, format: "f32", bytes: new Uint8Array(padded.buffer) };
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
  const format = formatOf(weight, storage);
  const size = packedValues(c);
  let integers: ReturnType<typeof quantise> | undefined;
  const quantised = () => integers ??= weight.quantised ?? quantise(weight.values, c.channelsOut);
  const pack = (): Float32Array | Uint16Array | Int8Array => {
    const [values, plain] = format === "f32"
      ? [new Float32Array(size), weight.values]
      : format === "f16"
      ? [new Uint16Array(size), Uint16Array.from(weight.values, halfOf)]
      : [new Int8Array(size), quantised().integers];
    eachWeight(c, (to, from) => values[to] = plain[from]);
    // Finite weights become infinite where they are past the largest half float.
    if (format === "f16" && values.some((bits) => (bits & 0x7c00) === 0x7c00)) {
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
          texels: channelBlocks(c.channelsOut),
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
  const length = values.length / rows;
  const integers = new Int8Array(values.length);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    let peak = 0;
    for (let n = row * length; n < (row + 1) * length; n++) peak = Math.max(peak, Math.abs(values[n]));
    scales[row] = peak / 127;
    const inverse = peak > 0 ? 127 / peak : 0;
    for (let n = row * length; n < (row + 1) * length; n++) integers[n] = Math.round(values[n] * inverse);
  }
  return { integers, scales };
}
