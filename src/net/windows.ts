/**
 * A plan in windows: what treats the items of a batch one by one runs on a few of them at a time, and what makes a sequence in
 * time of them on all.
 *
 *   inputs [all] → window → single part [a few] → gather → joint part [all] → outputs
 *
 * Forward, the single part goes over the windows and its values are gathered. Back, it goes over them once more: in each it runs
 * forward again, for its gradient to read, then back. So memory is that of a window, for a third more of computing; with one
 * window nothing runs twice. The last window begins where it ends with the batch, and may make some items again.
 *
 * A counter on the GPU says which window it is, so that all windows are the same list of steps.
 */
import { type Binding, type Call, read, traffic, update } from "../gpu/call.ts";
import type { Step } from "../gpu/compile.ts";
import { run, type Tensor } from "../gpu/tensor.ts";
import type { Op } from "../ops/op.ts";
import { elements } from "../ops/way.ts";
import type { OwnedCall } from "./backward.ts";
import { type Layer, neededLayers, type Value } from "./graph.ts";
import type { PlanRequest } from "./plan.ts";

/** A request that is split. */
export interface Windows {
  request: PlanRequest;
  /** How many items of a value are together in memory. */
  batchOf(value: Value): number;
  /** The value of the split graph that has a value of the request's for all items. */
  whole(value: Value): Value;
  /** What the layers of the single part make. */
  single: ReadonlySet<Value>;
  /** How many windows there are; the counter, and what counts, where there are several. */
  times: number;
  at: Tensor;
  next?: Call;
}

/** Splits a request's graph. */
export function inWindows(request: PlanRequest & { windowSize: number }): Windows {
  const { graph, batch, gradient } = request;
  const size = Math.min(request.windowSize, batch);
  const at = run("window", 1, "buffer");
  const wanted = [...request.wanted, ...gradient?.of ?? []];
  const layers = neededLayers(graph, wanted);
  const single = singleLayers(layers, gradient?.to ?? graph.inputs[0]);
  const singles = new Set([...single].map(({ output }) => output));
  const gathered = new Map<Value, Layer>();
  const taken = new Map<Value, Layer>();
  const copied = (copies: Map<Value, Layer>, value: Value, how: "window" | "gather"): Value => {
    if (!copies.has(value)) copies.set(value, copyLayer(value, how, copying(at, batch, size, how)));
    return copies.get(value)!.output;
  };
  const whole = (value: Value) => singles.has(value) ? copied(gathered, value, "gather") : value;
  const few = (value: Value) => singles.has(value) ? value : copied(taken, value, "window");
  const reading = (of: boolean, from: (value: Value) => Value) =>
    layers.filter((layer) => single.has(layer) === of).map((layer) => ({ ...layer, inputs: layer.inputs.map(from) }));
  const own = reading(true, few);
  const joint = reading(false, whole);
  wanted.forEach(whole);
  const parts = [...taken.values(), ...own, ...gathered.values()];
  const times = Math.ceil(batch / size);
  const inWindow = new Set([...taken.values(), ...own].map(({ output }) => output));
  return {
    request: {
      ...request,
      graph: { ...graph, layers: [...parts, ...joint] },
      wanted: request.wanted.map(whole),
      gradient: gradient && { ...gradient, of: gradient.of.map(whole) },
    },
    batchOf: (value) => inWindow.has(value) ? size : batch,
    whole: (value) => gathered.get(value)?.output ?? value,
    single: new Set(parts.map(({ output }) => output)),
    times,
    at,
    next: times === 1 ? undefined : {
      label: "next window",
      bindings: { at: update(at) },
      code: `fn kernel(i: u32) {
  let next = load_at(0u).x + 1.0;
  store_at(0u, vec4f(select(next, 0.0, next >= ${times}.0), 0.0, 0.0, 0.0));
}`,
      invocations: 1,
      flops: 0,
    },
  };
}

/** The layers that hang on the gradient's target but on no sequence, and what these need. */
function singleLayers(layers: readonly Layer[], to: Value): Set<Layer> {
  const meets = new Set<Value>();
  const reached = new Set([to]);
  const single = new Set<Layer>();
  const needed = new Set<Value>();
  for (const { op, params, inputs, output } of layers) {
    if (op.isSequence?.(params) || inputs.some((input) => meets.has(input))) meets.add(output);
    else if (inputs.some((input) => reached.has(input))) reached.add(output);
  }
  for (const layer of [...layers].reverse()) {
    const { inputs, output } = layer;
    if (meets.has(output) || !reached.has(output) && !needed.has(output)) continue;
    single.add(layer);
    for (const input of inputs) needed.add(input);
  }
  return single;
}

/** A layer that copies a value out of all items into a window, or gathers it from there. */
function copyLayer(value: Value, how: "window" | "gather", op: Op): Layer {
  const output = { ...value, name: `${value.name} (${how === "window" ? "window" : "all"})` };
  const weight = (name: string): never => {
    throw new RangeError(`"${output.name}" has no ${name}`);
  };
  return { name: `${how} ${value.name}`, op, params: null, inputs: [value], output, weightShapes: {}, weight };
}

/** The op of such a layer: back it copies the other way. */
function copying(at: Tensor, batch: number, size: number, how: "window" | "gather"): Op {
  const call = (label: string, from: Tensor, to: Binding, out: boolean): Call => {
    const { texels } = out ? to.tensor : from;
    return {
      label,
      bindings: { at: read(at), x: read(from), y: to },
      code: `fn first() -> u32 { return min(u32(load_at(0u).x) * ${size}u, ${batch - size}u) * ${texels / size}u; }
fn kernel(i: u32) { ${out ? "store_y(i, load_x(first() + i));" : "store_y(first() + i, load_x(i));"} }`,
      invocations: texels,
      flops: 0,
    };
  };
  const out = how === "window";
  return {
    parse: () => null,
    outputShape: ([shape]) => shape,
    forward: [elements(({ name, inputs: [x] }, y) => [call(name, x, y, out)])],
    backward: [elements(({ name }, dy, [dx]) => dx ? [call(`${name} gradient`, dy, dx, !out)] : [])],
  };
}

/** Where the parts of a plan's steps begin (the joint one, the single one's gradient, what comes after that), and what they share. */
export interface Phases {
  times: number;
  joint: number;
  back: number;
  after: number;
  /** Tensors that the parts hand on to one another, whose memory no window may take for others; and those that the joint part reads. */
  handed: ReadonlySet<Tensor>;
  gathered: readonly Tensor[];
}

/** The phases of a plan's calls, of which so many are forward and the last ones from `after` on belong to no layer. */
export function phasesOf(
  { single, times }: Windows,
  calls: readonly OwnedCall[],
  forward: number,
  after: number,
): Phases {
  const isSingle = ({ owner }: OwnedCall) => owner !== undefined && single.has(owner.layer.output);
  const find = (from: number, test: (call: OwnedCall) => boolean, most: number) => {
    const at = calls.findIndex((call, n) => n >= from && n < most && test(call));
    return at < 0 ? most : at;
  };
  const joint = find(0, (call) => !isSingle(call), forward);
  const back = find(forward, isSingle, after);
  const touched = (list: readonly OwnedCall[], what: ("reads" | "writes")[] = ["reads", "writes"]) =>
    new Set(list.flatMap(({ call }) => what.flatMap((kind) => [...traffic(call)[kind]])));
  const first = calls.slice(0, joint);
  const middle = calls.slice(joint, back);
  const others = touched([...middle, ...calls.slice(after)]);
  const made = touched(first, ["writes"]);
  return {
    ...{ times, joint, back, after },
    handed: new Set([...touched([...first, ...calls.slice(back, after)])].filter((tensor) => others.has(tensor))),
    gathered: [...touched(middle, ["reads"])].filter((tensor) => made.has(tensor)),
  };
}

/** The lists of steps that a run of a plan in several windows submits one after another. */
export function windowSteps(
  steps: readonly Step[],
  { times, joint, back, after }: Phases,
  forward?: number,
): (readonly Step[])[] {
  const next = steps.slice(-1);
  const single = steps.slice(0, joint);
  const all = (list: readonly Step[]) => Array(times).fill(list);
  const first = all([...single, ...next]);
  if (forward !== undefined) return [...first, steps.slice(joint, forward)];
  return [
    ...first,
    steps.slice(joint, back),
    ...all([...single, ...steps.slice(back, after), ...next]),
    steps.slice(after, -1),
  ];
}
