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
import { wgsl } from "wgsl-preprocessor";
import { sigmoid, tanh } from "./elementwise.ts";
import { channelBlocks, channelsIn, LANE } from "./texels.ts";
import { constants } from "./wgsl.ts";

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

/** WGSL of what both kernels share. The clock follows `rows` rows of every stream. */
function layout(g: LstmGeometry, rows: number): string {
  const all = g.items * g.streams * width(g);
  return `${LANE}
${constants({ CHANNELS: g.hidden, WIDTH: width(g), ALL: all, CLOCK: rows * all })}
${constants({ STEPS: g.steps, STEP_BLOCKS: channelBlocks(g.steps), STREAMS: g.streams })}
${constants({ PER_ITEM: g.perItem, PER_ITEM_BLOCKS: channelBlocks(g.perItem) })}
${constants({ INPUT: 0, FORGET: 1, OUTPUT: 2, CANDIDATE: 3, BEFORE: 4 })}
fn gate(row: u32, n: u32, k: u32) -> u32 { return row * (4u * WIDTH) + n * WIDTH + k; }
fn kept(row: u32, n: u32, k: u32) -> u32 { return row * (5u * WIDTH) + n * WIDTH + k; }
fn logistic(v: vec4f) -> vec4f { return ${sigmoid("v")}; }
fn squash(v: vec4f) -> vec4f { return ${tanh("v")}; }
`;
}

/** WGSL that finds stream, step, row and marker of invocation i, the clock being in the binding `state`. */
function locate(g: LstmGeometry, state: string, backward: boolean): string {
  return wgsl`
  let stream = i / WIDTH;
  let k = i % WIDTH;
  let counted = u32(load_${state}(CLOCK).x);
  let step = ${backward !== g.reverse ? "STEPS - 1u - counted" : "counted"};
  let row = (stream / STREAMS * STEPS + step) * STREAMS + stream % STREAMS;
  #if ${g.marker === "none"}
  let marker = 1.0;
  #elif ${g.marker === "batch"}
  let place = row % PER_ITEM;
  let marker = lane(load_marker(row / PER_ITEM * PER_ITEM_BLOCKS + place / 4u), place & 3u);
  #else
  let texel = (stream / STREAMS * STEP_BLOCKS + step / 4u) * STREAMS + stream % STREAMS;
  let marker = lane(load_marker(texel), step & 3u);
  #endif`;
}

/** The first state from the rows of `initial`: every stream's h, then every stream's c. Bindings: initial, state. */
export function lstmStart(g: LstmGeometry): string {
  const own = g.streams * width(g);
  return `
${constants({ OWN: own, ALL: g.items * own })}
fn kernel(i: u32) {
  var v = vec4f();
  if (i < 2u * ALL) { v = load_initial(i / ALL * OWN + i % OWN); }
  store_state(i, v);
}`;
}

/** Bindings: gates, recurrent (U h'), state, next, y, `marker`, `peephole`, and `kept` where `keep`. */
export function lstmStep(g: LstmGeometry, keep: boolean): string {
  const sum = (n: string) => `load_gates(gate(row, ${n}, k)) + marker * load_recurrent(gate(stream, ${n}, k))`;
  const peephole = (n: string, c: string) => g.peepholes ? ` + load_peephole(${n} * WIDTH + k) * ${c}` : "";
  return wgsl`${layout(g, 2)}
fn kernel(i: u32) {
  ${locate(g, "state", false)}
  let before = marker * load_state(ALL + i);
  let vi = logistic(${sum("INPUT")}${peephole("INPUT", "before")});
  let vf = logistic(${sum("FORGET")}${peephole("FORGET", "before")});
  let vg = squash(${sum("CANDIDATE")});
  let c = vf * before + vi * vg;
  let vo = logistic(${sum("OUTPUT")}${peephole("OUTPUT", "c")});
  let h = vo * squash(c);
  store_next(i, h);
  store_next(ALL + i, c);
  if (i == 0u) { store_next(CLOCK, load_state(CLOCK) + 1.0); }
  store_y(row * WIDTH + k, ${g.state === "cell" ? "c" : "h"});
  #if ${keep}
  store_kept(kept(row, INPUT, k), vi);
  store_kept(kept(row, FORGET, k), vf);
  store_kept(kept(row, OUTPUT, k), vo);
  store_kept(kept(row, CANDIDATE, k), vg);
  store_kept(kept(row, BEFORE, k), before);
  #endif
}`;
}

/**
 * Bindings: dy, dh (what the step after gives h), kept, back, next, da (the gradient to W x + b), `marker`, `peephole`.
 * Lanes past the last hidden unit are zero in everything that the layer makes; dy's may hold anything.
 */
export function lstmStepGradient(g: LstmGeometry): string {
  const [toHidden, toCell] = g.state === "cell" ? ["", " + dy"] : ["dy + ", ""];
  const through = (value: string, n: string) => g.peepholes ? ` + ${value} * load_peephole(${n} * WIDTH + k)` : "";
  return `${layout(g, 5)}
${channelsIn(g.hidden)}

fn kernel(i: u32) {
  ${locate(g, "back", true)}
  let vi = load_kept(kept(row, INPUT, k));
  let vf = load_kept(kept(row, FORGET, k));
  let vo = load_kept(kept(row, OUTPUT, k));
  let vg = load_kept(kept(row, CANDIDATE, k));
  let before = load_kept(kept(row, BEFORE, k));
  let c = vf * before + vi * vg;
  let squashed = squash(c);
  let dy = select(vec4f(), load_dy(row * WIDTH + k), channels_in(k));
  let dh = ${toHidden}load_dh(i);
  let dao = dh * squashed * vo * (1.0 - vo);
  let dc = load_back(4u * ALL + i) + dh * vo * (1.0 - squashed * squashed)${through("dao", "OUTPUT")}${toCell};
  let dai = dc * vg * vi * (1.0 - vi);
  let daf = dc * before * vf * (1.0 - vf);
  let dag = dc * vi * (1.0 - vg * vg);
  store_da(gate(row, INPUT, k), dai);
  store_da(gate(row, FORGET, k), daf);
  store_da(gate(row, OUTPUT, k), dao);
  store_da(gate(row, CANDIDATE, k), dag);
  store_next(gate(stream, INPUT, k), marker * dai);
  store_next(gate(stream, FORGET, k), marker * daf);
  store_next(gate(stream, OUTPUT, k), marker * dao);
  store_next(gate(stream, CANDIDATE, k), marker * dag);
  store_next(4u * ALL + i, marker * (dc * vf${through("dai", "INPUT")}${through("daf", "FORGET")}));
  if (i == 0u) { store_next(CLOCK, load_back(CLOCK) + 1.0); }
}`;
}
