/**
 * Convolutions by Winograd's minimal filtering, where that is cheaper: on a CPU, when enough tiles share the transformed
 * weights, which are several times as many. The kernels' header has the equations.
 */
import type { ConvDirection, ConvGeometry } from "../../shaders/conv/shape.ts";
import { winogradInput, winogradOutput } from "../../shaders/conv/winograd.ts";
import {
  MADE,
  READ,
  type WinogradClass,
  winogradFilter,
  winogradFits,
  winogradShape,
} from "../../shaders/conv/winograd_filter.ts";
import { type Binding, type Call, read, write } from "../gpu/kernel.ts";
import { featureMap, type Format, type Tensor } from "../gpu/tensor.ts";
import { convCost, movingCost } from "./conv_tiles.ts";
import { type Connection, formatOf, packConv, packVector } from "./conv_weights.ts";
import { convCall, convFlops, labelOf } from "./convolution.ts";
import { blocks, type HostTensor, type Node, type PackedTensor, type Use, type WeightStorage } from "./op.ts";

/** Bytes of transformed weights that a layer may have: more would cost more in memory than they bring in time. */
const MOST_BYTES = 1 << 24;

/** Texels on each side of a class for each block of channels: (place, phase) on the fine side, place on the coarse one. */
const width = ({ places, phases }: WinogradClass) => ({ fine: places.length * phases, coarse: places.length });

/** What a class connects. */
const matrices = (c: Connection, one: WinogradClass): Connection => ({
  channelsIn: width(one).fine * c.channelsIn,
  channelsOut: width(one).coarse * c.channelsOut,
  groups: width(one).coarse * c.groups,
  kernel: [1, 1],
});

/** The 1×1 convolution of a class over all tiles of a batch. */
function products(g: ConvGeometry, direction: ConvDirection, one: WinogradClass): ConvGeometry {
  const extent = [1, winogradShape(g, direction).count] as const;
  const plain = {
    batch: 1,
    inSize: extent,
    outSize: extent,
    stride: [1, 1],
    dilation: [1, 1],
    padding: [0, 0],
  } as const;
  return { ...matrices(g, one), ...plain };
}

/** Whether a convolution is faster so on the device than with plain weights of a format. */
function winogradPays(
  { device, gradient, doubleFloat }: Use,
  g: ConvGeometry,
  forward: ConvDirection,
  format: Format,
): boolean {
  if (!device.caps.software || doubleFloat || !winogradFits(g)) return false;
  const { classes } = winogradFilter(g),
    sum = (of: (one: WinogradClass) => number) => classes.reduce((all, one) => all + of(one), 0);
  const fine = sum((one) => width(one).fine), coarse = sum((one) => width(one).coarse);
  if (4 * fine * g.channelsOut * g.channelsIn / g.groups > MOST_BYTES) return false;
  const backward = forward === "direct" ? "transposed" : "direct";
  const gain = (direction: ConvDirection) => {
    const { from, to, count, stepIn, stepOut } = winogradShape(g, direction);
    const [into, out] = direction === "direct" ? [fine, coarse] : [coarse, fine];
    return convCost(device, g, direction, format) -
      sum((one) => convCost(device, products(g, direction, one), direction, "f32")) -
      movingCost(device, blocks(from) * count, (READ * stepIn) ** 2, into) -
      movingCost(device, blocks(to) * count, out, (MADE * stepOut) ** 2);
  };
  return gain(forward) + (gradient ? gain(backward) : 0) > 0;
}

/** Packs the transformed weights, those of class n as `class`n, and the bias. */
export function packWinograd(
  g: Pick<ConvGeometry, "channelsIn" | "channelsOut" | "groups" | "kernel" | "stride">,
  { weight, bias }: Record<string, HostTensor>,
): Record<string, PackedTensor> {
  const packed: Record<string, PackedTensor> = bias ? { bias: packVector(bias.values) } : {};
  for (const [n, one] of winogradFilter(g).classes.entries()) {
    const own = matrices(g, one);
    const transformed: HostTensor = {
      shape: [own.channelsOut, own.channelsIn / own.groups, 1, 1],
      stored: "F32",
      get values() {
        return transform(weight.values, one, g.channelsIn / g.groups);
      },
    };
    packed[`class${n}`] = packConv(own, { weight: transformed }, "f32").weight;
  }
  return packed;
}

/** The values of (O, I, kh, kw) at the places of a class: (place, O, phase, I). */
function transform(weights: Float32Array, { places, phases }: WinogradClass, inputs: number): Float32Array {
  const taps = places[0][0].length, kernels = weights.length / taps, outputs = kernels / inputs;
  const result = new Float32Array(places.length * phases * kernels);
  for (const [place, factors] of places.entries()) {
    for (const [phase, factor] of factors.entries()) {
      const used = [...factor.keys()].filter((tap) => factor[tap] !== 0);
      for (let n = 0; n < kernels; n++) {
        const o = Math.floor(n / inputs), row = (place * outputs + o) * phases + phase;
        let sum = 0;
        for (const tap of used) sum += factor[tap] * weights[n * taps + tap];
        result[row * inputs + n % inputs] = sum;
      }
    }
  }
  return result;
}

/** The calls that run a geometry in one direction, from `x` into `y`, with weights of `packWinograd`. */
export function winogradCalls(
  { device, name, weights }: Node,
  g: ConvGeometry,
  direction: ConvDirection,
  x: Tensor,
  y: Binding,
  forward: boolean,
): Call[] {
  const { from, to, count, classes } = winogradShape(g, direction), direct = direction === "direct";
  const label = labelOf(name, direction), useBias = forward && weights.bias !== undefined;
  const maps = (what: string, channels: number, side: "fine" | "coarse") =>
    classes.map((one, n) =>
      featureMap(device, `${label} ${what} ${n}`, [1, width(one)[side] * 4 * blocks(channels), 1, count])
    );
  const tiles = maps("tiles", from, direct ? "fine" : "coarse"),
    made = maps("products", to, direct ? "coarse" : "fine");
  const bound = (letter: string, tensors: Tensor[], access: (tensor: Tensor) => Binding) =>
    Object.fromEntries(tensors.map((tensor, n) => [`${letter}${n}`, access(tensor)]));
  return [
    {
      label: `${label} tiles in`,
      bindings: { x: read(x), ...bound("y", tiles, write) },
      code: winogradInput(g, direction),
      invocations: blocks(from) * count,
      flops: 0,
    },
    ...classes.map((one, n) => ({
      ...convCall(
        { device, name, weights: { weight: weights[`class${n}`] } },
        products(g, direction, one),
        direction,
        tiles[n],
        write(made[n]),
        false,
      ),
      flops: n === 0 ? convFlops(g) : 0, // those of the plain convolution, which others count too
    })),
    {
      label: `${label} tiles out`,
      bindings: { ...bound("x", made, read), y, ...(useBias ? { bias: read(weights.bias) } : {}) },
      code: winogradOutput(g, direction, useBias),
      invocations: blocks(to) * count,
      flops: 0,
    },
  ];
}

/** Packs weights as they serve best; the layer runs the geometry forward in the direction `forward`. */
export function packBest(
  g: ConvGeometry,
  forward: ConvDirection,
  weights: Record<string, HostTensor>,
  storage: WeightStorage,
  use?: Use,
): Record<string, PackedTensor> {
  const free = storage === "stored" || storage === "f32"; // the others are asked for to save memory
  return use && free && winogradPays(use, g, forward, formatOf(weights.weight, storage))
    ? packWinograd(g, weights)
    : packConv(g, weights, storage);
}

/** The calls that run a geometry in one direction, in the way that the weights were packed for. */
export function convCalls(...call: Parameters<typeof winogradCalls>): Call[] {
  const [{ weights }] = call;
  return weights.class0 ? winogradCalls(...call) : [convCall(...call)];
}
