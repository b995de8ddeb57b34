/**
 * What conv2d, deconv2d and fc share: one geometry, one packed copy of the weights, kernels in both directions.
 *
 * conv2d runs the geometry's direct direction forward and the transposed one backward; deconv2d the other way round;
 * fc is a convolution whose kernel covers the whole input.
 */
import { conv } from "../../shaders/conv/conv.ts";
import { type ConvDirection, type ConvGeometry, convShape } from "../../shaders/conv/shape.ts";
import { UserError } from "../formats/user_error.ts";
import { type Binding, type Call, read } from "../gpu/kernel.ts";
import type { Tensor } from "../gpu/tensor.ts";
import { chooseTile } from "./conv_tiles.ts";
import { doubleOutput } from "./double_float.ts";
import type { Fields } from "./fields.ts";
import { type Node, show } from "./op.ts";

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

/** Taps of a window: each makes two trips at least, whatever is unrolled, and an invocation may visit them all. */
export const MOST_TAPS = 10_000;

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
      ...(double?.from ? { x_rest: read(x.rest!) } : {}),
      ...(double ? output?.bindings : {}),
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
