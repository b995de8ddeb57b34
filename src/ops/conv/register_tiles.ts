/**
 * Convolutions by register tiles: each invocation makes some channels at some positions, and nobody shares anything. The
 * kernels' headers show the tiles.
 */
import { conv } from "../../../shaders/conv/conv.ts";
import { gridOf, workgroupBytes } from "../../../shaders/conv/groups.ts";
import { type ConvDirection, type ConvGroup, convShape, type ConvTile } from "../../../shaders/conv/shape.ts";
import { unrolledHalves } from "../../../shaders/conv/half.ts";
import { executedMultiplyAdds } from "../../../shaders/conv/work.ts";
import type { Feature } from "../../gpu/adapter.ts";
import { type Binding, type Call, read, readHalves } from "../../gpu/call.ts";
import { doubleOutput } from "../double_float.ts";
import { tileCost, weightCost } from "./costs.ts";
import { convFlops } from "./flops.ts";
import { tiles } from "./tiles.ts";
import type { ConvRun, ConvTask, ConvWay } from "./way.ts";

/** What the kernel of a layer's direction is called. */
export const labelOf = (name: string, direction: ConvDirection): string =>
  direction === "direct" ? name : `${name} (transposed)`;

/** What a kernel of a run binds, and what it has to know of that: forward it adds the bias. */
export function readsOf({ weights: { weight, scale, bias }, x, y, forward }: ConvRun) {
  const bindings: Record<string, Binding> = { x: read(x), w: read(weight), y };
  if (scale) bindings.scale = read(scale);
  if (forward && bias) bindings.bias = read(bias);
  return { bindings, format: weight.format, bias: bindings.bias !== undefined };
}

/**
 * The call that runs a convolution with a tile; forward it adds the bias, in the run's arithmetic. With a group it is a
 * kernel of workgroups.
 */
export function tiledCall(run: ConvRun, given: ConvTile, group?: ConvGroup): Call {
  const { geometry, direction } = run;
  const output = run.forward ? doubleOutput(run.y) : undefined;
  const double = run.doubleFloat
    ? { from: run.x.rest !== undefined, to: output !== undefined, relu: output?.relu }
    : undefined;
  const half = run.arithmetic === "f16" && !run.doubleFloat;
  const tile = half ? unrolledHalves({ geometry, direction, tile: given, group }) : given;
  const { bindings, ...reads } = readsOf(run);
  if (half && reads.format === "f16") bindings.w = readHalves(run.weights.weight);
  const kernel = { geometry, direction, tile, ...reads, double, half, group };
  const features: Feature[] = [
    ...half ? ["shader-f16" as const] : [],
    ...group?.subgroups ? ["subgroups" as const] : [],
  ];
  const call = {
    label: labelOf(run.name, direction),
    bindings: {
      ...bindings,
      ...(double?.from ? { x_rest: read(run.x.rest!) } : {}),
      ...(double ? output?.bindings : {}),
    },
    code: conv(kernel),
    flops: convFlops(geometry),
    multiplyAdds: executedMultiplyAdds(kernel),
    features,
  };
  if (!group) return { ...call, invocations: convShape(kernel).invocations };
  return {
    ...call,
    workgroup: [group.slices * group.places, 1, 1],
    grid: gridOf(kernel, group),
    workgroupBytes: workgroupBytes(kernel),
  };
}

/** A way whose kernel is made with a tile. */
const byTiles = (name: string, applies: (task: ConvTask) => boolean): ConvWay => ({
  name,
  applies,
  sizes: (task) => tiles(task).map((tile) => ({ ...tile })),
  cost: (task, tile) => tileCost(task, tile as unknown as ConvTile) + weightCost(task),
  calls: (run, tile) => [tiledCall(run, tile as unknown as ConvTile)],
});

/** A gather over all taps. */
export const direct = byTiles("direct", ({ direction, doubleFloat }) => direction === "direct" && !doubleFloat);

/** A gather over the taps of each position's phase. */
export const transposed = byTiles(
  "transposed",
  ({ direction, doubleFloat }) => direction === "transposed" && !doubleFloat,
);

/** Either in double-float arithmetic. */
export const doubleFloat = byTiles("double-float", (task) => task.doubleFloat);
