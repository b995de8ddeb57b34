/** What conv2d and deconv2d read from network.json, and what they refuse there. */
import { UserError } from "../../formats/user_error.ts";
import type { Fields } from "../fields.ts";
import { chw, type Shape, show } from "../op.ts";

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

/** A stride that may be larger than its map: gradients visit all positions of one stride by one. */
const FREE_STRIDE = 64;

/** @throws UserError when a kernel over the map that it strides over would have to visit too much for one value. */
export function checkVisits(strided: Shape, { kernel, stride, padding }: ConvParams): void {
  const [, ...map] = chw(strided);
  if (kernel[0] * kernel[1] > MOST_TAPS) {
    throw new UserError(
      `windows of ${kernel.join("×")} have more than ${MOST_TAPS} positions, which kernels can visit`,
    );
  }
  const padded = map.map((n, a) => n + padding[a] + padding[a + 2]);
  if (stride.some((n, a) => n > Math.max(padded[a], FREE_STRIDE))) {
    throw new UserError(`the stride [${stride}] is larger than the padded map of ${padded.join("×")}`);
  }
}

/** Taps of a window: each makes two trips at least, whatever is unrolled, and an invocation may visit them all. */
export const MOST_TAPS = 10_000;

/** @throws UserError when a window of `size` does not fit into the padded input. */
export function outputExtent(input: number, before: number, after: number, size: number, stride: number): number {
  const room = input + before + after - size;
  if (room < 0) throw new UserError(`the kernel covers ${size} positions, the padded input has ${show([room + size])}`);
  return Math.floor(room / stride) + 1;
}
