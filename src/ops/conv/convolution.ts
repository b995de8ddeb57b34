/**
 * What conv2d, deconv2d and fc share: one geometry, one packed copy of the weights, and the registry's ways in both directions.
 *
 * conv2d runs the geometry's direct direction forward and the transposed one backward; deconv2d the other way round;
 * fc is a convolution whose kernel covers the whole input.
 */
import type { ConvDirection, ConvGeometry } from "../../../shaders/conv/shape.ts";
import type { Binding, Call } from "../../gpu/call.ts";
import type { Tensor } from "../../gpu/tensor.ts";
import type { Node, Op, Task } from "../op.ts";
import type { Backward, Forward, Sizes, Way } from "../way.ts";
import { type ConvTask, type ConvWay, fits } from "./way.ts";
import { convWays } from "./ways.ts";
import { packConv } from "./weights.ts";

/** What a geometry follows from. */
export type Placed<P> = Pick<Task<P>, "inputs" | "shapes" | "params">;

/** How an op is a convolution. */
export interface Convolution<P> {
  /** The direction that makes its output; the other one makes its gradient. */
  readonly forward: ConvDirection;
  geometry(task: Placed<P>): ConvGeometry;
  /** Where the geometry wants its source laid out otherwise: the calls that do it. */
  source?(node: Node<P>, side: "input" | "gradient", x: Tensor): { tensor: Tensor; calls: Call[] };
  /** The same for what it writes. */
  target?(node: Node<P>, side: "output" | "input gradient", y: Binding): { binding: Binding; calls: Call[] };
}

/** Whether a layer's tensors are those of its geometry, not laid out for it first. */
const isLaidOut = ({ batch, channelsIn, inSize }: ConvGeometry, { inputs: [{ shape }] }: Placed<unknown>): boolean =>
  [batch, channelsIn, ...inSize].every((length, n) => shape[n] === length);

/** The ways of an op that is a convolution, and how its weights are packed for them. */
export function convolution<P>(c: Convolution<P>): Pick<Op<P>, "forward" | "backward" | "pack"> {
  const back = c.forward === "direct" ? "transposed" : "direct";
  const taskOf = (task: Task<P>, direction: ConvDirection): ConvTask => ({
    adapter: task.adapter,
    geometry: c.geometry(task),
    direction,
    format: task.formats.weight,
    anyForm: task.anyForm && (task.storage === "stored" || task.storage === "f32"), // others are asked for to save memory
    doubleFloat: task.doubleFloat && direction === c.forward,
    arithmetic: direction === c.forward ? task.arithmetic : "f32",
    spots: direction !== c.forward && isLaidOut(c.geometry(task), task) ? task.spots : undefined,
  });
  /** What a way of the registry is for this op, in a direction. */
  const described = (way: ConvWay, direction: ConvDirection) => ({
    name: way.name,
    form: way.form?.name,
    arithmetic: way.arithmetic,
    applies: (task: Task<P>) => fits(way, taskOf(task, direction)),
    sizes: (task: Task<P>) => way.sizes(taskOf(task, direction)),
    cost: (task: Task<P>, own: Sizes) => way.cost(taskOf(task, direction), own),
  });
  const run = (way: ConvWay, node: Node<P>, direction: ConvDirection, x: Tensor, y: Binding, sizes: Sizes): Call[] => {
    const forward = direction === c.forward;
    const from = c.source?.(node, forward ? "input" : "gradient", x) ?? { tensor: x, calls: [] };
    const into = c.target?.(node, forward ? "output" : "input gradient", y) ?? { binding: y, calls: [] };
    const { name, weights } = node;
    const own = { ...taskOf(node, direction), name, weights, x: from.tensor, y: into.binding, forward };
    return [...from.calls, ...way.calls(own, sizes), ...into.calls];
  };
  return {
    pack(weights, task, form) {
      const geometry = c.geometry(task);
      const own = convWays.find((way) => way.form?.name === form)?.form;
      return own ? own.pack(geometry, weights) : packConv(geometry, weights, task.storage);
    },
    forward: convWays.map((way): Way<P, Forward<P>> => ({
      ...described(way, c.forward),
      calls: (node, y, sizes) => run(way, node, c.forward, node.inputs[0], y, sizes),
    })),
    backward: convWays.map((way): Way<P, Backward<P>> => ({
      ...described(way, back),
      calls: (node, dy, [dx], sizes) => dx ? run(way, node, back, dy, dx, sizes) : [],
    })),
  };
}
