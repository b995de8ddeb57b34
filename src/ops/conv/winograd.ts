/**
 * Convolutions by Winograd's minimal filtering, where that is cheaper: on a CPU, when enough tiles share the transformed
 * weights, which are several times as many. The kernels' header has the equations.
 */
import type { ConvDirection, ConvGeometry } from "../../../shaders/conv/shape.ts";
import {
  MADE,
  READ,
  type WinogradClass,
  winogradFilter,
  winogradFits,
  winogradShape,
} from "../../../shaders/conv/winograd_filter.ts";
import { transformMultiplyAdds } from "../../../shaders/conv/work.ts";
import { winogradInput, winogradOutput } from "../../../shaders/conv/winograd.ts";
import { type Binding, type Call, read, write } from "../../gpu/call.ts";
import { featureMap, type Tensor, TEXEL } from "../../gpu/tensor.ts";
import type { HostTensor, PackedTensor } from "../op.ts";
import { convFlops } from "./flops.ts";
import { labelOf, tiledCall } from "./register_tiles.ts";
import { cheapestTile, movingCost, weightCost } from "./costs.ts";
import type { ConvRun, ConvTask, ConvWay } from "./way.ts";
import { type Connection, packConv, packVector } from "./weights.ts";
import { channelBlocks } from "../../../shaders/texels.ts";

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

/** The products of a class as a task of their own. */
const productTask = (task: ConvTask, one: WinogradClass): ConvTask => ({
  ...task,
  geometry: products(task.geometry, task.direction, one),
  format: "f32",
});

/** Texels that the transformed weights of a geometry take. */
function transformedTexels(g: ConvGeometry): number {
  const { classes } = winogradFilter(g);
  const fine = classes.reduce((sum, one) => sum + width(one).fine, 0);
  return fine * g.channelsOut * g.channelsIn / g.groups / 4;
}

/** The tiles' transforms and the products between them. */
function cost(task: ConvTask): number {
  const { adapter, geometry: g, direction } = task;
  const { from, to, count, stepIn, stepOut, classes } = winogradShape(g, direction);
  const sum = (of: (one: WinogradClass) => number) => classes.reduce((all, one) => all + of(one), 0);
  const fine = sum((one) => width(one).fine);
  const coarse = sum((one) => width(one).coarse);
  const [into, out] = direction === "direct" ? [fine, coarse] : [coarse, fine];
  const product = (one: WinogradClass) => {
    const own = productTask(task, one);
    return cheapestTile(own).cost + weightCost(own);
  };
  return sum(product) + movingCost(adapter, channelBlocks(from) * count, (READ * stepIn) ** 2, into) +
    movingCost(adapter, channelBlocks(to) * count, out, (MADE * stepOut) ** 2);
}

/** Packs the transformed weights, those of class n as `class`n, and the bias. */
function packWinograd(
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
  const taps = places[0][0].length;
  const kernels = weights.length / taps;
  const outputs = kernels / inputs;
  const result = new Float32Array(places.length * phases * kernels);
  for (const [place, factors] of places.entries()) {
    for (const [phase, factor] of factors.entries()) {
      const used = [...factor.keys()].filter((tap) => factor[tap] !== 0);
      for (let n = 0; n < kernels; n++) {
        const o = Math.floor(n / inputs);
        const row = (place * outputs + o) * phases + phase;
        let sum = 0;
        for (const tap of used) sum += factor[tap] * weights[n * taps + tap];
        result[row * inputs + n % inputs] = sum;
      }
    }
  }
  return result;
}

/** The calls that run a convolution with weights of `packWinograd`. */
function winogradCalls(run: ConvRun): Call[] {
  const { adapter, name, weights, geometry: g, direction, x, y, forward } = run;
  const { from, to, count, classes } = winogradShape(g, direction);
  const direct = direction === "direct";
  const transforms = transformMultiplyAdds(g, direction);
  const label = labelOf(name, direction);
  const useBias = forward && weights.bias !== undefined;
  const maps = (what: string, channels: number, side: "fine" | "coarse") =>
    classes.map((one, n) =>
      featureMap(adapter, `${label} ${what} ${n}`, [1, width(one)[side] * 4 * channelBlocks(channels), 1, count])
    );
  const tiles = maps("tiles", from, direct ? "fine" : "coarse");
  const made = maps("products", to, direct ? "coarse" : "fine");
  const bound = (letter: string, tensors: Tensor[], access: (tensor: Tensor) => Binding) =>
    Object.fromEntries(tensors.map((tensor, n) => [`${letter}${n}`, access(tensor)]));
  return [
    {
      label: `${label} tiles in`,
      bindings: { x: read(x), ...bound("y", tiles, write) },
      code: winogradInput(g, direction),
      invocations: channelBlocks(from) * count,
      flops: 0,
      multiplyAdds: transforms.in,
    },
    ...classes.map((one, n) => ({
      ...product(run, one, weights[`class${n}`], tiles[n], made[n]),
      flops: n === 0 ? convFlops(g) : 0, // those of the plain convolution, which others count too
    })),
    {
      label: `${label} tiles out`,
      bindings: { ...bound("x", made, read), y, ...(useBias ? { bias: read(weights.bias) } : {}) },
      code: winogradOutput(g, direction, useBias),
      invocations: channelBlocks(to) * count,
      flops: 0,
      multiplyAdds: transforms.out,
    },
  ];
}

/** The call for the products of a class. */
function product(run: ConvRun, one: WinogradClass, weight: Tensor, x: Tensor, made: Tensor): Call {
  const task = productTask(run, one);
  return tiledCall(
    { ...run, ...task, weights: { weight }, x, y: write(made), forward: false },
    cheapestTile(task).tile,
  );
}

/** By minimal filtering, where enough tiles share the transformed weights. */
export const winograd: ConvWay = {
  name: "winograd",
  form: { name: "winograd", pack: packWinograd },
  applies: ({ adapter, geometry, anyForm, doubleFloat }) =>
    adapter.caps.software && anyForm && !doubleFloat && winogradFits(geometry) &&
    transformedTexels(geometry) * TEXEL <= MOST_BYTES,
  sizes: () => [{}],
  cost,
  calls: winogradCalls,
};
