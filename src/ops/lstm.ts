/**
 * lstm: a long short-term memory over time, which is the batch or the first dimension of the item. The kernels' header
 * gives the equations. A continuation marker, the optional second input, multiplies what a step takes from the one
 * before (Caffe's `cont`); it is a switch, so no gradient goes to it.
 *
 * One convolution makes what x gives to all gates of all steps; each step is a small convolution and one kernel.
 */
import {
  keptTexels,
  type LstmGeometry,
  lstmStart,
  lstmStep,
  lstmStepGradient,
  stateTexels,
} from "../../shaders/lstm.ts";
import { channelBlocks } from "../../shaders/texels.ts";
import { UserError } from "../formats/user_error.ts";
import { type Binding, type Call, read, write } from "../gpu/call.ts";
import { featureMap, run, type Tensor } from "../gpu/tensor.ts";
import { elementwiseCall, texelCall } from "./calls.ts";
import { packConv, packVector } from "./conv/weights.ts";
import {
  byProducts,
  itemSizes,
  type LstmParams,
  matrix,
  productCalls,
  productsOf,
  recurrence,
  sizes,
} from "./lstm_products.ts";
import { type HostTensor, type Op, show } from "./op.ts";
import { readsAll } from "./reach.ts";
import { asRows, intoRows } from "./rows.ts";
import type { Backward, Forward } from "./way.ts";

/** Rows `hidden` long, or matrices of `hidden` rows, one after the other: each lengthened to whole texels by zeros. */
function padded<T extends Float32Array | Int8Array>(values: T, hidden: number, columns: number): T {
  const from = hidden * columns;
  const to = 4 * channelBlocks(hidden) * columns;
  const parts = values.length / from;
  const result = new (values.constructor as new (length: number) => T)(parts * to);
  for (let n = 0; n < parts; n++) result.set(values.subarray(n * from, (n + 1) * from), n * to);
  return result;
}

/** The matrix of all gates, padded; its numbers are made when they are asked for. */
function paddedMatrix(weight: HostTensor, hidden: number): HostTensor {
  const [rows, columns] = weight.shape;
  const { quantised } = weight;
  if (hidden % 4 === 0) return weight;
  return {
    shape: [rows / hidden * 4 * channelBlocks(hidden), columns],
    stored: weight.stored,
    get values() {
      return padded(weight.values, hidden, columns);
    },
    ...(quantised && {
      quantised: {
        integers: padded(quantised.integers, hidden, columns),
        scales: padded(quantised.scales, hidden, 1),
      },
    }),
  };
}

/** Steps of a sequence: each is a few calls of its own. */
const MOST_STEPS = 10_000;

/** The layer type `lstm`. */
export const lstm: Op<LstmParams> = {
  parse: (fields) => ({
    hidden: fields.integer("hidden", 1),
    time: fields.choice("time", ["batch", "item"], "batch"),
    streams: fields.integer("streams", 1, 1),
    reverse: fields.boolean("reverse", false),
    peepholes: fields.boolean("peepholes", false),
    initial: fields.boolean("initial", false),
    state: fields.choice("state", ["hidden", "cell"], "hidden"),
  }),
  narrows: ["inputWeight", "recurrentWeight"],
  isSequence: ({ time }) => time === "batch",
  marker: ([, marker]) => marker,
  asOne(p) {
    if (p.streams > 1 && p.initial) {
      throw new UserError(`its ${p.streams} streams have initial states of their own, so it reads no single sequence`);
    }
    return { ...p, streams: 1 };
  },
  reads: readsAll,
  outputShape(inputs, p) {
    const [x, marker] = inputs;
    const { perItem } = itemSizes(x, p);
    if (inputs.length > 2) throw new UserError(`${inputs.length} inputs, expected one, or two with the marker`);
    if (p.time === "item" && p.streams > 1) {
      throw new UserError('"streams" is for a batch in time; items have their own');
    }
    const expected = p.time === "item" ? x.slice(0, 2) : [perItem];
    if (marker && show(marker) !== show(expected)) {
      throw new UserError(`the continuation marker has items of ${show(marker)}, expected ${show(expected)}`);
    }
    return x.with(-1, p.hidden);
  },
  checkLimits([x], _, { time }) {
    if (time === "item" && x[0] > MOST_STEPS) {
      throw new UserError(`${x[0]} steps in an item, expected at most ${MOST_STEPS}`);
    }
  },
  weightShapes([x], p) {
    const { streams, features } = itemSizes(x, p);
    const { hidden } = p;
    return {
      inputWeight: [4 * hidden, features],
      recurrentWeight: [4 * hidden, hidden],
      bias: [4 * hidden],
      ...(p.peepholes ? { peephole: [3 * hidden] } : {}),
      ...(p.initial ? { initialHidden: [streams, hidden], initialCell: [streams, hidden] } : {}),
    };
  },
  pack(weights, { shapes: [x], params: p, storage }) {
    const { inputWeight, recurrentWeight, bias, peephole, initialHidden, initialCell } = weights;
    const { hidden } = p;
    const { features } = itemSizes(x, p);
    const gates = 16 * channelBlocks(hidden);
    const packed = (weight: HostTensor, columns: number) =>
      packConv(matrix(1, columns, gates), { weight: paddedMatrix(weight, hidden) }, storage);
    const vector = (...parts: HostTensor[]) =>
      packVector(Float32Array.from(parts.flatMap(({ values }) => [...padded(values, hidden, 1)])));
    const input = packed(inputWeight, features);
    const recurrent = packed(recurrentWeight, hidden);
    return {
      ...input,
      bias: vector(bias),
      recurrent: recurrent.weight,
      ...(recurrent.scale ? { recurrentScale: recurrent.scale } : {}),
      ...(peephole ? { peephole: vector(peephole) } : {}),
      ...(initialHidden ? { initial: vector(initialHidden, initialCell) } : {}),
    };
  },
  forward: byProducts("direct", (way): Forward<LstmParams> => (node, y) => {
    const { adapter, name, inputs: [input, marker], weights, saved } = node;
    const { geometry: g, features, hidden, gates, perStep, rows } = sizes(node);
    const products = productsOf(node, "direct");
    const x = asRows(adapter, `${name} input rows`, input, rows, features);
    const out = intoRows(adapter, `${name} rows`, y, rows, hidden);
    const all = featureMap(adapter, `${name} gates`, [rows, gates, 1, 1]);
    const recur = recurrence(node, way, products.recurrent);
    const newState = (): Tensor => ({
      ...featureMap(adapter, `${name} state`, [perStep, hidden, 1, 1]),
      texels: stateTexels(g, 1),
    });
    const reads = { ...optional({ marker }), ...optional({ peephole: weights.peephole }) };
    const kept = saved && (saved.kept = run(`${name} kept`, keptTexels(g), y.tensor.storage));
    let state = newState();
    const calls: Call[] = [
      ...x.calls,
      ...productCalls(way, products.input, { name, weights, x: x.tensor, y: write(all), forward: true }),
      weights.initial
        ? texelCall(`${name} start`, { initial: weights.initial }, { state: write(state) }, lstmStart(g))
        : elementwiseCall(`${name} start`, {}, write(state), "vec4f()"),
    ];
    const code = lstmStep(g, kept !== undefined);
    for (let step = 0; step < g.steps; step++) {
      const recurrent = featureMap(adapter, `${name} recurrence`, [perStep, gates, 1, 1]);
      const next = newState();
      calls.push(...recur(state, recurrent));
      calls.push(
        stepCall(name, g, code, { ...reads, gates: all, recurrent, state }, {
          next: write(next),
          y: out.binding,
          ...(kept ? { kept: write(kept) } : {}),
        }),
      );
      state = next;
    }
    return [...calls, ...out.calls];
  }),
  backward: byProducts("transposed", (way): Backward<LstmParams> => (node, output, [dx, dMarker]) => {
    const zero = dMarker ? [elementwiseCall(`${node.name} marker gradient`, {}, dMarker, "vec4f()")] : [];
    if (!dx) return zero;
    const { adapter, name, inputs: [, marker], weights, saved } = node;
    const { geometry: g, features, hidden, gates, perStep, rows } = sizes(node);
    const products = productsOf(node, "transposed");
    const dy = asRows(adapter, `${name} gradient rows`, output, rows, hidden);
    const into = intoRows(adapter, `${name} input gradient rows`, dx, rows, features);
    const da = featureMap(adapter, `${name} gates gradient`, [rows, gates, 1, 1]);
    const recur = recurrence(node, way, products.recurrent);
    const newState = (): Tensor => ({
      ...featureMap(adapter, `${name} state gradient`, [perStep, gates, 1, 1]),
      texels: stateTexels(g, 4),
    });
    const reads = { ...optional({ marker }), ...optional({ peephole: weights.peephole }), kept: saved!.kept };
    let back = newState();
    const calls: Call[] = [...dy.calls, elementwiseCall(`${name} gradient start`, {}, write(back), "vec4f()")];
    const code = lstmStepGradient(g);
    for (let step = 0; step < g.steps; step++) {
      const dh = featureMap(adapter, `${name} hidden gradient`, [perStep, hidden, 1, 1]);
      const next = newState();
      calls.push(...recur(back, dh));
      calls.push(
        stepCall(`${name} gradient`, g, code, { ...reads, dy: dy.tensor, dh, back }, {
          next: write(next),
          da: write(da),
        }),
      );
      back = next;
    }
    const through = { name, weights, x: da, y: into.binding, forward: false };
    return [...calls, ...productCalls(way, products.input, through), ...into.calls, ...zero];
  }),
};

/** The tensors that are there. */
function optional(tensors: Record<string, Tensor | undefined>): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(tensors).flatMap(([name, tensor]) => tensor ? [[name, tensor]] : []));
}

/** One step: an invocation for each texel of each stream's hidden units. */
function stepCall(
  name: string,
  g: LstmGeometry,
  code: string,
  inputs: Record<string, Tensor>,
  outputs: Record<string, Binding>,
): Call {
  const reads = Object.fromEntries(Object.entries(inputs).map(([key, tensor]) => [key, read(tensor)]));
  const invocations = g.items * g.streams * channelBlocks(g.hidden);
  return { label: `${name} step`, bindings: { ...reads, ...outputs }, code, invocations, flops: 100 * invocations };
}
