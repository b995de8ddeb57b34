/**
 * LSTM: one lstm layer a direction, and a second where the last cell is wanted, over items of [time, streams, features]; ONNX's gates i, o, f, c become i, f, o, g.
 *
 *     layout 0   X [time, streams, features]   Y [time, directions, streams, hidden]   Y_h, Y_c [directions, streams, hidden]
 *     layout 1   X [streams, time, features]   Y [streams, time, directions, hidden]   Y_h, Y_c [streams, directions, hidden]
 */
import { UserError } from "../../../src/formats/user_error.ts";
import { taken, transposed } from "./fold.ts";
import type { Operator, Rule } from "./operator.ts";
import { joined } from "./shape_rules.ts";
import type { OnnxTensor } from "./tensor.ts";
import type { Traced } from "./trace.ts";

/** The rows of `count` gates of `hidden` rows each, in another order. */
function gates(values: Float32Array | Float64Array, hidden: number, order: readonly number[]): Float32Array {
  const size = values.length / order.length;
  const rows = new Float32Array(values.length);
  if (size % hidden !== 0) {
    throw new UserError(`${values.length} numbers are none for ${order.length} gates of ${hidden}`);
  }
  order.forEach((from, to) => rows.set(values.subarray(from * size, (from + 1) * size), to * size));
  return rows;
}

/** What one direction of a tensor of all directions holds. */
const ofDirection = (tensor: OnnxTensor, n: number) => taken(tensor, 0, [n]).values;

const four = [0, 2, 1, 3];
const three = [0, 2, 1];

/** The layer of one direction, which gives the hidden values or the cells, and its weights. */
function direction(
  o: Operator,
  x: Traced,
  n: number,
  reverse: boolean,
  hidden: number,
  state: "hidden" | "cell",
): Traced {
  const w = o.needed(1, "the weight");
  const r = o.needed(2, "the recurrence weight");
  const b = o.known(3, "the bias");
  const [h0, c0, p] = [o.known(5, "the initial state"), o.known(6, "the initial cell"), o.known(7, "the peepholes")];
  const halves = b && ofDirection(b, n);
  const half = 4 * hidden;
  const bias = new Float32Array(half).map((_, at) => halves ? halves[at] + halves[at + half] : 0);
  const initial = (tensor: OnnxTensor | undefined) => {
    if (!tensor) return new Float32Array(x.item[1] * hidden);
    return ofDirection(o.number("layout", 0) ? transposed(tensor, [1, 0, 2]) : tensor, n);
  };
  const given = { reverse, peepholes: p !== undefined, initial: (h0 ?? c0) !== undefined };
  const params = { hidden, time: "item", ...given, ...(state === "cell" ? { state } : {}) };
  return o.trace.add("lstm", params, [x], {
    inputWeight: gates(ofDirection(w, n), hidden, four),
    recurrentWeight: gates(ofDirection(r, n), hidden, four),
    bias: gates(bias, hidden, four),
    ...(p ? { peephole: gates(ofDirection(p, n), hidden, three) } : {}),
    ...(params.initial ? { initialHidden: initial(h0), initialCell: initial(c0) } : {}),
  });
}

const lstm: Rule = (o) => {
  const { trace } = o;
  const layout = o.number("layout", 0);
  const side = o.text("direction", "forward");
  const hidden = o.number("hidden_size") ?? o.needed(2, "the recurrence weight").shape[2];
  const directions = { forward: [false], reverse: [true], bidirectional: [false, true] }[side];
  if (!directions) throw new UserError(`its direction is ${JSON.stringify(side.slice(0, 40))}`);
  if (o.shape(0).length !== 3) throw new UserError(`its input is [${o.shape(0)}], expected [time, batch, features]`);
  const activations = directions.flatMap(() => ["Sigmoid", "Tanh", "Tanh"]);
  o.only({ input_forget: 0, activations });
  if (o.number("clip") !== undefined) throw new UserError("clipping of its cell is not supported");
  const w = o.needed(1, "the weight");
  const r = o.needed(2, "the recurrence weight");
  if ([w, r].some(({ shape }) => shape.length !== 3 || shape[0] !== directions.length || shape[1] !== 4 * hidden)) {
    throw new UserError(`weights of [${w.shape}] and [${r.shape}] for ${directions.length} directions of ${hidden}`);
  }
  // Time is not to be kept apart; nor are streams that begin in different states.
  if (!layout || o.inputs[5] || o.inputs[6]) o.whole();
  const apart = trace.batch !== undefined;
  const given = o.computed(0);
  const x = apart
    ? trace.reshape(given, [given.item[0], 1, given.item[1]])
    : layout
    ? trace.transpose(given, [1, 0, 2])
    : given;
  const [time, streams] = x.item;
  const lengths = o.known(4, "the sequence lengths");
  if (lengths?.values.some((length) => length !== time)) {
    throw new UserError("sequences of different lengths are not supported");
  }

  const steps = (state: "hidden" | "cell") =>
    directions.map((reverse, n) => direction(o, x, n, reverse, hidden, state));
  const hs = steps("hidden");
  const all = joined(o, hs.map((h) => trace.reshape(h, [time, 1, streams, hidden])), 1);
  const last = (values: Traced[]) => {
    const ends = directions.map((reverse, n) =>
      trace.add("slice", { axis: 0, from: reverse ? 0 : time - 1, count: 1 }, [values[n]])
    );
    const final = joined(o, ends, 0);
    if (!layout) return final;
    return apart ? trace.reshape(final, [directions.length, hidden]) : trace.transpose(final, [1, 0, 2]);
  };
  const y = !layout
    ? all
    : apart
    ? trace.reshape(all, [time, directions.length, hidden])
    : trace.transpose(all, [2, 0, 1, 3]);
  return [y, last(hs), o.node.outputs[2] ? last(steps("cell")) : undefined];
};

/** Operators by their type. */
export const lstmRules: Record<string, Rule> = { LSTM: lstm };
