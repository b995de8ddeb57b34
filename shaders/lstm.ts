/**
 * One step of a long short-term memory, forward and backward, as Caffe and ONNX compute it:
 *
 *   a_g = W_g x + b_g + m · U_g h'             for the gates g = i, f, o and the candidate g; h', c' of the step before
 *   i, f = σ(a + p · m c')    g = tanh(a)      m: the continuation marker, 0 where a sequence begins, else 1
 *   c = f · m c' + i · g      o = σ(a + p · c)      h = o · tanh(c)
 *
 * W x + b is there for all steps before the first one runs, and a convolution makes U h' before each step. All values
 * lie in rows of ⌈hidden/4⌉ texels; the four gates of a row follow each other, each from a whole texel on:
 *
 *   gates   row → i f o g          of every step and stream
 *   state   h | c | clock          of every stream; the clock counts steps, so that one pipeline serves them all
 *   kept    row → i f o g mc'      what the gradient needs of every step and stream
 *   back    row → m · da | dc | clock      of every stream; the first part is what U's transpose makes dh' of
 *
 * One invocation makes four hidden units of one stream.
 */
import { sigmoid, tanh } from "./elementwise.ts";
import { channelBlocks, LANE } from "./texels.ts";

/** A layer over `steps` steps. Its rows are numbered (item, step, stream). */
export interface LstmGeometry {
  /** Items that are sequences of their own; 1 where the batch is the time. */
  items: number;
  steps: number;
  /** Sequences side by side in one step, of which each item of a batch in time holds `perItem`. */
  streams: number;
  perItem: number;
  hidden: number;
  reverse: boolean;
  peepholes: boolean;
  /** Which of a step's values come out: h or c. */
  state: "hidden" | "cell";
  /** Where a step's marker lies: in an item each ("batch"), or with other steps in one item ("item"). */
  marker: "none" | "batch" | "item";
}

/** Texels of one row of hidden units. */
const width = ({ hidden }: LstmGeometry): number => channelBlocks(hidden);

/** Texels of the state and of the backward state after `rows` texels of a stream: what follows them, and the clock. */
export const stateTexels = (g: LstmGeometry, rows: number): number => (rows + 1) * g.items * g.streams * width(g) + 1;

/** Texels of what the gradient keeps. */
export const keptTexels = (g: LstmGeometry): number => 5 * g.items * g.steps * g.streams * width(g);

/** WGSL that finds step, row and marker of invocation i, the clock being texel `clock` of the binding `state`. */
function locate(g: LstmGeometry, state: string, clock: number, backward: boolean): string {
  const counted = `u32(load_${state}(${clock}u).x)`;
  const step = backward !== g.reverse ? `${g.steps - 1}u - ${counted}` : counted;
  const texel = g.marker === "batch"
    ? `row / ${g.perItem}u * ${channelBlocks(g.perItem)}u + row % ${g.perItem}u / 4u`
    : `(stream / ${g.streams}u * ${channelBlocks(g.steps)}u + step / 4u) * ${g.streams}u + stream % ${g.streams}u`;
  const lanes = g.marker === "batch" ? `(row % ${g.perItem}u) & 3u` : "step & 3u";
  return `
  let stream = i / ${width(g)}u;
  let k = i % ${width(g)}u;
  let step = ${step};
  let row = (stream / ${g.streams}u * ${g.steps}u + step) * ${g.streams}u + stream % ${g.streams}u;
  let marker = ${g.marker === "none" ? "1.0" : `lane(load_marker(${texel}), ${lanes})`};`;
}

/** Where gate n of a row lies in rows of `gates` gates each. */
const gate = (g: LstmGeometry, row: string, n: number, gates = 4): string =>
  `${row} * ${gates * width(g)}u + ${n * width(g)}u + k`;

const peephole = (g: LstmGeometry, n: number): string => `load_peephole(${n * width(g)}u + k)`;

/** The first state from the rows of `initial`: every stream's h, then every stream's c. Bindings: initial, state. */
export function lstmStart(g: LstmGeometry): string {
  const own = g.streams * width(g);
  const all = g.items * own;
  return `
fn kernel(i: u32) {
  var v = vec4f();
  if (i < ${2 * all}u) { v = load_initial(i / ${all}u * ${own}u + i % ${own}u); }
  store_state(i, v);
}`;
}

/** Bindings: gates, recurrent (U h'), state, next, y, `marker`, `peephole`, and `kept` where `keep`. */
export function lstmStep(g: LstmGeometry, keep: boolean): string {
  const all = g.items * g.streams * width(g);
  const sum = (n: number, c?: string) =>
    `load_gates(${gate(g, "row", n)}) + marker * load_recurrent(${gate(g, "stream", n)})` +
    (g.peepholes && c ? ` + ${peephole(g, n)} * ${c}` : "");
  const kept = ["vi", "vf", "vo", "vg", "before"];
  return `${LANE}
fn kernel(i: u32) {
  ${locate(g, "state", 2 * all, false)}
  let before = marker * load_state(${all}u + i);
  let ai = ${sum(0, "before")};
  let af = ${sum(1, "before")};
  let ag = ${sum(3)};
  let vi = ${sigmoid("ai")};
  let vf = ${sigmoid("af")};
  let vg = ${tanh("ag")};
  let c = vf * before + vi * vg;
  let ao = ${sum(2, "c")};
  let vo = ${sigmoid("ao")};
  let h = vo * ${tanh("c")};
  store_next(i, h);
  store_next(${all}u + i, c);
  if (i == 0u) { store_next(${2 * all}u, load_state(${2 * all}u) + 1.0); }
  store_y(row * ${width(g)}u + k, ${g.state === "cell" ? "c" : "h"});
  ${keep ? kept.map((value, n) => `store_kept(${gate(g, "row", n, 5)}, ${value});`).join(" ") : ""}
}`;
}

/**
 * Bindings: dy, dh (what the step after gives h), kept, back, next, da (the gradient to W x + b), `marker`, `peephole`.
 * Lanes past the last hidden unit are zero in everything that the layer makes; dy's may hold anything.
 */
export function lstmStepGradient(g: LstmGeometry): string {
  const all = g.items * g.streams * width(g);
  const rest = g.hidden % 4;
  const valid = rest
    ? `vec4<bool>(k < ${width(g) - 1}u) | vec4<bool>(${[0, 1, 2, 3].map((lane) => lane < rest).join(", ")})`
    : "vec4<bool>(true)";
  const dy = `select(vec4f(), load_dy(row * ${width(g)}u + k), ${valid})`;
  const [toHidden, toCell] = g.state === "cell" ? ["", ` + ${dy}`] : [`${dy} + `, ""];
  const through = (value: string, n: number) => g.peepholes ? ` + ${value} * ${peephole(g, n)}` : "";
  return `${LANE}
fn kernel(i: u32) {
  ${locate(g, "back", 5 * all, true)}
  ${["vi", "vf", "vo", "vg", "before"].map((name, n) => `let ${name} = load_kept(${gate(g, "row", n, 5)});`).join(" ")}
  let c = vf * before + vi * vg;
  let squashed = ${tanh("c")};
  let dh = ${toHidden}load_dh(i);
  let dao = dh * squashed * vo * (1.0 - vo);
  let dc = load_back(${4 * all}u + i) + dh * vo * (1.0 - squashed * squashed)${through("dao", 2)}${toCell};
  let dai = dc * vg * vi * (1.0 - vi);
  let daf = dc * before * vf * (1.0 - vf);
  let dag = dc * vi * (1.0 - vg * vg);
  ${
    ["dai", "daf", "dao", "dag"].map((name, n) =>
      `store_da(${gate(g, "row", n)}, ${name}); store_next(${gate(g, "stream", n)}, marker * ${name});`
    ).join("\n  ")
  }
  store_next(${4 * all}u + i, marker * (dc * vf${through("dai", 0)}${through("daf", 1)}));
  if (i == 0u) { store_next(${5 * all}u, load_back(${5 * all}u) + 1.0); }
}`;
}
