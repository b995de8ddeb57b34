/**
 * A long short-term memory, step by step. With m the continuation marker (1 without one), h' and c' of the step before:
 *
 *   a = W x + b + m · U h', for the gates i, f, o and the candidate g
 *   i, f = σ(a + p · m c')    g = tanh(a)    c = f · m c' + i · g    o = σ(a + p · c)    h = o · tanh(c)
 *
 * The marker is a switch: it has no gradient.
 */
import type { Op, Weights } from "./op.ts";
import { type Tensor, tensor } from "./tensor.ts";

/** The parameters of `lstm` in network.json. */
export interface LstmParameters {
  hidden: number;
  time?: "batch" | "item";
  streams?: number;
  reverse?: boolean;
  peepholes?: boolean;
  initial?: boolean;
  state?: "hidden" | "cell";
}

/** The memory. */
export const lstm: Op<LstmParameters> = {
  weightShapes([x], p) {
    const { hidden, peepholes = false, initial = false } = p;
    const [, , streams] = sizes(x, p);
    return {
      inputWeight: [4 * hidden, x.at(-1)!],
      recurrentWeight: [4 * hidden, hidden],
      bias: [4 * hidden],
      ...(peepholes && { peephole: [3 * hidden] }),
      ...(initial && { initialHidden: [streams, hidden], initialCell: [streams, hidden] }),
    };
  },

  forward([x, marker], p, weights) {
    const y = tensor([...x.shape.slice(0, -1), p.hidden]);
    for (const sequence of sequences(x, p)) {
      run(x, marker, p, weights, sequence).forEach(({ h, c }, n) => {
        y.data.set(p.state === "cell" ? c : h, sequence.rows[n] * p.hidden);
      });
    }
    return y;
  },

  backward([x, marker], _y, dy, p, weights) {
    const { hidden } = p;
    const { inputWeight: w, recurrentWeight: u, peephole } = weights;
    const dx = tensor(x.shape);
    const features = x.shape.at(-1)!;
    for (const sequence of sequences(x, p)) {
      const steps = run(x, marker, p, weights, sequence);
      let dhNext = new Float64Array(hidden);
      let dcNext = new Float64Array(hidden);
      for (let n = steps.length - 1; n >= 0; n--) {
        const { i, f, o, g, c, before, m } = steps[n];
        const row = sequence.rows[n];
        const da = new Float64Array(4 * hidden);
        const dhBefore = new Float64Array(hidden);
        const dcBefore = new Float64Array(hidden);
        for (let j = 0; j < hidden; j++) {
          const slope = dy.data[row * hidden + j];
          const cell = p.state === "cell";
          const dh = (cell ? 0 : slope) + dhNext[j];
          const squashed = Math.tanh(c[j]);
          const dao = dh * squashed * o[j] * (1 - o[j]);
          const dc = dcNext[j] + (cell ? slope : 0) + dh * o[j] * (1 - squashed ** 2) +
            dao * at(peephole, 2 * hidden + j);
          const dai = dc * g[j] * i[j] * (1 - i[j]);
          const daf = dc * before[j] * f[j] * (1 - f[j]);
          [dai, daf, dao, dc * i[j] * (1 - g[j] ** 2)].forEach((value, gate) => da[gate * hidden + j] = value);
          dcBefore[j] = m * (dc * f[j] + dai * at(peephole, j) + daf * at(peephole, hidden + j));
        }
        for (let a = 0; a < 4 * hidden; a++) {
          for (let k = 0; k < features; k++) dx.data[row * features + k] += w.data[a * features + k] * da[a];
          for (let k = 0; k < hidden; k++) dhBefore[k] += m * u.data[a * hidden + k] * da[a];
        }
        [dhNext, dcNext] = [dhBefore, dcBefore];
      }
    }
    return { inputs: [dx], weights: {} };
  },
};

/** One stream: its number within a step, and the rows of its steps in the order in which they run. */
interface Sequence {
  stream: number;
  rows: number[];
}

/** Items that are apart, steps, and streams of a step. */
function sizes(x: number[], { time = "batch", streams = 1 }: LstmParameters): number[] {
  return time === "item" ? x : [1, x[0] / streams, streams * (x.length === 3 ? x[1] : 1)];
}

/** Every stream of every item. Rows count through all dimensions but the last. */
function sequences(x: Tensor, p: LstmParameters): Sequence[] {
  const [items, steps, streams] = sizes(x.shape, p);
  const { reverse = false } = p;
  return Array.from({ length: items * streams }, (_, n) => {
    const item = Math.floor(n / streams);
    const stream = n % streams;
    const rows = Array.from({ length: steps }, (_, t) => (item * steps + t) * streams + stream);
    return { stream, rows: reverse ? rows.toReversed() : rows };
  });
}

const at = (vector: Tensor | undefined, index: number): number => vector?.data[index] ?? 0;
const sigmoid = (a: number): number => 1 / (1 + Math.exp(-a));

/** The steps of a sequence: gates, cell, m · c' and m. */
function run(x: Tensor, marker: Tensor | undefined, { hidden }: LstmParameters, weights: Weights, s: Sequence) {
  const { inputWeight: w, recurrentWeight: u, bias, peephole, initialHidden, initialCell } = weights;
  const features = x.shape.at(-1)!;
  const start = (initial: Tensor | undefined) =>
    Float64Array.from({ length: hidden }, (_, j) => at(initial, s.stream * hidden + j));
  let h = start(initialHidden);
  let c = start(initialCell);
  return s.rows.map((row) => {
    // A marker has one value for each row: its dimensions are those of x without the last.
    const m = marker ? marker.data[row] : 1;
    const before = c.map((value) => m * value);
    const sum = (gate: number, j: number) => {
      const a = gate * hidden + j;
      let result = bias.data[a];
      for (let k = 0; k < features; k++) result += w.data[a * features + k] * x.data[row * features + k];
      for (let k = 0; k < hidden; k++) result += m * u.data[a * hidden + k] * h[k];
      return result;
    };
    const i = before.map((value, j) => sigmoid(sum(0, j) + at(peephole, j) * value));
    const f = before.map((value, j) => sigmoid(sum(1, j) + at(peephole, hidden + j) * value));
    const g = before.map((_, j) => Math.tanh(sum(3, j)));
    c = before.map((value, j) => f[j] * value + i[j] * g[j]);
    const o = c.map((value, j) => sigmoid(sum(2, j) + at(peephole, 2 * hidden + j) * value));
    h = c.map((value, j) => o[j] * Math.tanh(value));
    return { i, f, o, g, c, h, before, m };
  });
}
