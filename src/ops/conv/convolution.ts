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
import type { Backward, Forward, Way } from "../way.ts";
import type { ConvTask } from "./way.ts";
import { convWays } from "./ways.ts";
import { formatOf, packConv } from "./weights.ts";

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

/** The ways of an op that is a convolution, and how its weights are packed for them. */
export function convolution<P>(c: Convolution<P>): Pick<Op<P>, "forward" | "backward" | "pack"> {
  const back = c.forward === "direct" ? "transposed" : "direct";
  const taskOf = (task: Task<P>, direction: ConvDirection): ConvTask => ({
    adapter: task.adapter,
    geometry: c.geometry(task),
    direction,
    format: formatOf(task.host.weight, task.storage),
    anyForm: task.anyForm && (task.storage === "stored" || task.storage === "f32"), // others are asked for to save memory
    doubleFloat: task.doubleFloat && direction === c.forward,
  });
  const waysOf = (direction: ConvDirection): Omit<Way<P, never>, "calls">[] =>
    convWays.map(({ name, form, applies, sizes, cost }) => ({
      name,
      form: form?.name,
      applies: (task) => applies(taskOf(task, direction)),
      sizes: (task) => sizes(taskOf(task, direction)),
      cost: (task, own) => cost(taskOf(task, direction), own),
    }));
  const forward: Forward<P>[] = convWays.map((way) => (node, y, sizes) => {
    const { tensor: x, calls } = c.source?.(node, "input", node.inputs[0]) ?? { tensor: node.inputs[0], calls: [] };
    const into = c.target?.(node, "output", y) ?? { binding: y, calls: [] };
    const { name, weights } = node;
    const run = { ...taskOf(node, c.forward), name, weights, x, y: into.binding, forward: true };
    return [...calls, ...way.calls(run, sizes), ...into.calls];
  });
  const backward: Backward<P>[] = convWays.map((way) => (node, dy, [dx], sizes) => {
    if (!dx) return [];
    const { tensor: x, calls } = c.source?.(node, "gradient", dy) ?? { tensor: dy, calls: [] };
    const into = c.target?.(node, "input gradient", dx) ?? { binding: dx, calls: [] };
    const { name, weights } = node;
    const run = { ...taskOf(node, back), name, weights, x, y: into.binding, forward: false };
    return [...calls, ...way.calls(run, sizes), ...into.calls];
  });
  return {
    pack(task, form) {
      const geometry = c.geometry(task);
      const own = convWays.find((way) => way.form?.name === form)?.form;
      return own ? own.pack(geometry, task.host) : packConv(geometry, task.host, task.storage);
    },
    forward: waysOf(c.forward).map((way, n) => ({ ...way, calls: forward[n] })),
    backward: waysOf(back).map((way, n) => ({ ...way, calls: backward[n] })),
  };
}
