/**
 * The matrix products of an lstm: W x of all steps at once, and U h' before each step. They go the ways of convolutions, for
 * a row of features is a map of one pixel.
 */
import type { ConvDirection, ConvGeometry } from "../../shaders/conv/shape.ts";
import type { LstmGeometry } from "../../shaders/lstm.ts";
import { channelBlocks } from "../../shaders/texels.ts";
import { UserError } from "../formats/user_error.ts";
import { type Call, rebound, write } from "../gpu/call.ts";
import type { Tensor } from "../gpu/tensor.ts";
import { type ConvRun, type ConvTask, type ConvWay, fits } from "./conv/way.ts";
import { convWays } from "./conv/ways.ts";
import { type Node, type Shape, show, type Task } from "./op.ts";
import { cheapest, type Way } from "./way.ts";

/** Parameters of lstm in network.json. */
export interface LstmParams {
  hidden: number;
  /** Whether a batch is one sequence, of [features] or [streams, features], or an item, [time, streams, features]. */
  time: "batch" | "item";
  /** How many sequences take turns in a batch: item t · streams + s is step t of sequence s. */
  streams: number;
  reverse: boolean;
  peepholes: boolean;
  initial: boolean;
  /** Which of every step's values come out. */
  state: "hidden" | "cell";
}

/**
 * Streams and features of an item, and the streams of a step, which may be several items.
 * @throws UserError where the item is no step, or no sequence of steps.
 */
export function itemSizes(item: Shape, { time, streams }: LstmParams) {
  if (time === "item" ? item.length !== 3 : item.length < 1 || item.length > 2) {
    const expected = time === "item" ? "[time, streams, features]" : "[features] or [streams, features]";
    throw new UserError(`an item of ${show(item)}, expected ${expected} because "time" is "${time}"`);
  }
  const perItem = item.at(-2) ?? 1;
  return { perItem, streams: streams * perItem, features: item.at(-1)! };
}

/** Sizes of a node. Gates are as wide as whole texels, so that each begins with one. */
export function sizes({ output, inputs: [x], shapes: [item, marker], params }: Task<LstmParams>) {
  const { perItem, streams, features } = itemSizes(item, params);
  const [batch] = x.shape;
  const [items, steps] = params.time === "batch" ? [1, batch / params.streams] : [batch, item[0]];
  if (!Number.isInteger(steps)) {
    throw new UserError(`${output.label}: a batch of ${batch} does not split into steps of ${params.streams} streams`);
  }
  const { hidden, reverse, peepholes, state } = params;
  const geometry: LstmGeometry = {
    ...{ items, steps, streams, perItem, hidden, reverse, peepholes, state },
    marker: marker ? params.time : "none",
  };
  return {
    geometry,
    features,
    hidden,
    gates: 16 * channelBlocks(hidden),
    perStep: items * streams,
    rows: items * steps * streams,
  };
}

/** A matrix from `features` to all gates, over `batch` rows. */
export const matrix = (batch: number, features: number, gates: number): ConvGeometry => ({
  batch,
  channelsIn: features,
  channelsOut: gates,
  groups: 1,
  inSize: [1, 1],
  outSize: [1, 1],
  kernel: [1, 1],
  stride: [1, 1],
  dilation: [1, 1],
  padding: [0, 0],
});

/** The ways that both matrices can go: those that read plain weights. */
const matrixWays = convWays.filter(({ form }) => form === undefined);

/** The products with W, of all steps at once, and with U, of one step, in a direction. */
export function productsOf(task: Task<LstmParams>, direction: ConvDirection): Record<"input" | "recurrent", ConvTask> {
  const { features, hidden, gates, perStep, rows } = sizes(task);
  const { inputWeight, recurrentWeight } = task.formats;
  const common = { adapter: task.adapter, direction, anyForm: false };
  return {
    input: {
      ...common,
      geometry: matrix(rows, features, gates),
      format: inputWeight,
      doubleFloat: task.doubleFloat && direction === "direct",
      arithmetic: direction === "direct" ? task.arithmetic : "f32",
    },
    recurrent: {
      ...common,
      geometry: matrix(perStep, hidden, gates),
      format: recurrentWeight,
      doubleFloat: false,
      arithmetic: "f32", // what rounding does to a step goes into the next one
    },
  };
}

/** What a product costs in a way, or in the cheapest one where this way cannot make it, with the sizes. */
function productWay(task: ConvTask, way: ConvWay) {
  const ways = fits(way, task) ? [way] : matrixWays.filter((other) => fits(other, task));
  return cheapest(ways.flatMap((own) => own.sizes(task).map((sizes) => ({ own, sizes, cost: own.cost(task, sizes) }))));
}

/** The ways of an lstm: those of its products. */
export const byProducts = <Run>(direction: ConvDirection, make: (way: ConvWay) => Run): Way<LstmParams, Run>[] =>
  matrixWays.map((way) => ({
    name: way.name,
    arithmetic: way.arithmetic,
    applies: (task) => Object.values(productsOf(task, direction)).some((product) => fits(way, product)),
    cost(task) {
      const { input, recurrent } = productsOf(task, direction);
      return productWay(input, way).cost + sizes(task).geometry.steps * productWay(recurrent, way).cost;
    },
    calls: make(way),
  }));

/** The calls of a product. */
export function productCalls(
  way: ConvWay,
  task: ConvTask,
  run: Pick<ConvRun, "name" | "weights" | "x" | "y" | "forward">,
): Call[] {
  const { own, sizes } = productWay(task, way);
  return own.calls({ ...task, ...run }, sizes);
}

/** A function that makes the calls for U h' of one step, or in the other direction for the gradient's way back to h'. */
export function recurrence({ name, weights }: Node<LstmParams>, way: ConvWay, task: ConvTask) {
  const own = { weight: weights.recurrent, scale: weights.recurrentScale };
  let first: { x: Tensor; y: Tensor; calls: Call[] } | undefined;
  return (x: Tensor, y: Tensor): Call[] => {
    first ??= {
      x,
      y,
      calls: productCalls(way, task, { name: `${name} recurrence`, weights: own, x, y: write(y), forward: false }),
    };
    const other = new Map([[first.x, x], [first.y, y]]);
    return first.calls.map((call) => rebound(call, other));
  };
}
