/**
 * A 3×3 convolution of stride 1 by Winograd's minimal filtering, where that is cheaper: on a CPU, when enough tiles share
 * the transformed weights, which are four times as many. The kernels' header has the equations.
 */
import type { ConvDirection, ConvGeometry } from "../../shaders/conv_shape.ts";
import { MADE, PLACES, weightTransform, winogradInput, winogradOutput, winogradShape } from "../../shaders/winograd.ts";
import { type Binding, type Call, read, write } from "../gpu/kernel.ts";
import { featureMap, type Format, type Tensor } from "../gpu/tensor.ts";
import { type Connection, convCall, convCost, convFlops, movingCost, packConv } from "./convolution.ts";
import { blocks, type HostTensor, type Node, type PackedTensor, type Use } from "./op.ts";

/** Bytes of transformed weights that a layer may have: more would cost more in memory than they bring in time. */
const MOST_BYTES = 1 << 24;

/** The 1×1 convolution in 36 groups, over all tiles of a batch. */
function products(g: ConvGeometry, direction: ConvDirection): ConvGeometry {
  const extent = [1, winogradShape(g, direction).count] as const;
  return {
    ...matrices(g),
    batch: 1,
    inSize: extent,
    outSize: extent,
    stride: [1, 1],
    dilation: [1, 1],
    padding: [0, 0],
  };
}

const matrices = (c: Connection) => ({
  channelsIn: PLACES * c.channelsIn,
  channelsOut: PLACES * c.channelsOut,
  groups: PLACES * c.groups,
  kernel: [1, 1] as const,
});

/** Whether a convolution can be made this way. */
export function winogradFits(g: ConvGeometry): boolean {
  return g.kernel.every((n) => n === 3) && [...g.stride, ...g.dilation].every((n) => n === 1) &&
    [g.channelsIn, g.channelsOut].every((channels) => channels / g.groups % 4 === 0);
}

/** Whether it is faster so on the device than with plain weights of a format. */
export function winogradPays({ device, gradient }: Use, g: ConvGeometry, format: Format): boolean {
  const bytes = 4 * PLACES * g.channelsOut * g.channelsIn / g.groups;
  if (!device.caps.software || !winogradFits(g) || bytes > MOST_BYTES) return false;
  const gains = (gradient ? ["direct", "transposed"] as const : ["direct"] as const).map((direction) => {
    const { from, to, count } = winogradShape(g, direction);
    return convCost(device, g, direction, format) - convCost(device, products(g, direction), direction, "f32") -
      movingCost(device, blocks(from) * count, PLACES, PLACES) - movingCost(device, blocks(to) * count, PLACES, MADE);
  });
  return gains.reduce((a, b) => a + b) > 0;
}

/** Packs the transformed weights, and the bias. */
export function packWinograd(
  c: Connection,
  { weight, bias }: Record<string, HostTensor>,
): Record<string, PackedTensor> {
  const shape = [PLACES * c.channelsOut, c.channelsIn / c.groups, 1, 1];
  const { weight: transformed, ...rest } = packConv(
    matrices(c),
    {
      ...(bias ? { bias } : {}),
      weight: {
        shape,
        stored: "F32",
        get values() {
          return transform(weight.values);
        },
      },
    },
    "f32",
  );
  return { transformed, ...rest };
}

/** G g Gᵀ of each 3×3 kernel: the first place of all kernels, then the second … */
function transform(weights: Float32Array): Float32Array {
  const kernels = weights.length / 9, result = new Float32Array(PLACES * kernels);
  const factors = weightTransform.flatMap((row) =>
    weightTransform.map((column) => Float64Array.from(row.flatMap((a) => column.map((b) => a * b))))
  );
  for (const [place, factor] of factors.entries()) {
    for (let n = 0; n < kernels; n++) {
      let sum = 0;
      for (let tap = 0; tap < 9; tap++) sum += factor[tap] * weights[n * 9 + tap];
      result[place * kernels + n] = sum;
    }
  }
  return result;
}

/** The calls that run a geometry in one direction, from `x` into `y`, with weights of `packWinograd`. */
export function winogradCalls(
  { device, name, weights: { transformed, bias } }: Node,
  g: ConvGeometry,
  direction: ConvDirection,
  x: Tensor,
  y: Binding,
  withBias: boolean,
): Call[] {
  const { from, to, count } = winogradShape(g, direction), useBias = withBias && bias !== undefined;
  const label = direction === "direct" ? name : `${name} (transposed)`;
  const map = (what: string, channels: number) =>
    featureMap(device, `${label} ${what}`, [1, PLACES * 4 * blocks(channels), 1, count]);
  const tiles = map("tiles", from), made = map("products", to);
  const product = convCall(
    { device, name, weights: { weight: transformed } },
    products(g, direction),
    direction,
    tiles,
    write(made),
    false,
  );
  return [
    {
      label: `${label} tiles in`,
      bindings: { x: read(x), y: write(tiles) },
      code: winogradInput(g, direction),
      invocations: blocks(from) * count,
      flops: 0,
    },
    { ...product, label, flops: convFlops(g) }, // those of the plain convolution, which others count too
    {
      label: `${label} tiles out`,
      bindings: { x: read(made), y, ...(useBias ? { bias: read(bias) } : {}) },
      code: winogradOutput(g, direction, useBias),
      invocations: blocks(to) * count,
      flops: 0,
    },
  ];
}
