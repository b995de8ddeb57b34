/**
 * Reverse mode over the fused layers: one gradient tensor a value, masked by its ReLU where it is stored; the partial
 * gradients of a value that several layers read are summed.
 */
import type { Device } from "../gpu/device.ts";
import { type Binding, type Call, type Epilogue, write } from "../gpu/call.ts";
import { featureMap, type Tensor } from "../gpu/tensor.ts";
import { elementwiseCall } from "../ops/calls.ts";
import type { Node } from "../ops/op.ts";
import type { WeightGradient } from "../ops/conv/weight_gradient.ts";
import type { LayerWays } from "./choose.ts";
import type { FusedLayer } from "./fuse.ts";
import type { Value } from "./graph.ts";

/** A layer that will run: its node, and the ways that were chosen for it. */
export interface PlannedLayer {
  /** What it is. */
  layer: FusedLayer;
  /** What its calls are made of. */
  node: Node;
  /** How it is computed. */
  ways: LayerWays;
  /** Where its gradient comes from and goes to, once `backwardCalls` has been there. */
  ends?: { dy: Tensor; dx: readonly (Binding | undefined)[] };
}

/** A call, and the layer that it works for where it is one's. */
export interface OwnedCall {
  call: Call;
  owner?: PlannedLayer;
}

/** Between which values a gradient goes, and the tensors of the gradients at its sources. A value may be a source more than once. */
export interface GradientEnds {
  of: readonly Value[];
  to: Value;
  dy: readonly Tensor[];
}

/**
 * The calls for the gradient of Σ dy · `of` with respect to `to`, and with `training` to every weight on the way.
 * @param nodes The layers in forward order.
 * @param redirect Whether ReLUs that are off let the gradient through where it would turn them on.
 */
export function backwardCalls(
  device: Device,
  nodes: readonly PlannedLayer[],
  ends: GradientEnds,
  tensorOf: (value: Value) => Tensor,
  { training = false, redirect = false }: { training?: boolean; redirect?: boolean },
): { calls: OwnedCall[]; dx: Tensor; weights: Map<string, WeightGradient> } {
  const { to } = ends;
  const reaches = reachedFrom(to, nodes, training);
  const gradients = new Gradients(device, nodes, ends, tensorOf, redirect, usesOf(nodes, ends, reaches));
  const { calls } = gradients;
  const weights = new Map<string, WeightGradient>();
  for (const owner of nodes.toReversed()) {
    const { layer, node, ways } = owner;
    const { output } = layer;
    if (!reaches.has(output) || (output === to && !training)) continue;
    const dy = gradients.before(output);
    if (!dy) continue;
    const dx = layer.inputs.map((input) => reaches.has(input) ? gradients.part(input) : undefined);
    owner.ends = { dy, dx };
    const { way, sizes } = ways.backward!;
    const own = training ? layer.op.weightGradients?.(node, dy) : undefined;
    for (const call of [...way.calls(node, dy, dx, sizes), ...own?.calls ?? []]) calls.push({ call, owner });
    for (const [key, gradient] of Object.entries(own?.gradients ?? {})) weights.set(`${layer.name}.${key}`, gradient);
    new Set(layer.inputs).forEach((input) => gradients.settle(input));
  }
  return { dx: gradients.atTarget(), calls, weights };
}

/** The values that change with `to`, or with weights where these are trained. */
function reachedFrom(to: Value, nodes: readonly PlannedLayer[], training: boolean): Set<Value> {
  const reaches = new Set<Value>([to]);
  for (const { layer: { op, inputs, output } } of nodes) {
    if (inputs.some((input) => reaches.has(input)) || (training && op.weightGradients)) reaches.add(output);
  }
  return reaches;
}

/** How many parts the gradient at each value on the way has: one of each layer that reads it, one of each time that it is a source. */
function usesOf(
  nodes: readonly PlannedLayer[],
  { of }: GradientEnds,
  reaches: ReadonlySet<Value>,
): Map<Value, number> {
  const uses = new Map<Value, number>();
  const use = (value: Value) => uses.set(value, (uses.get(value) ?? 0) + 1);
  of.forEach(use);
  for (const { layer: { inputs, output } } of nodes.toReversed()) {
    if (uses.has(output) && reaches.has(output)) inputs.filter((input) => reaches.has(input)).forEach(use);
  }
  return uses;
}

/** The gradients at values, while their parts come together. */
class Gradients {
  readonly calls: OwnedCall[] = [];
  /** Those that are whole: masked by the value's ReLU, but at sources and the target. */
  readonly #whole = new Map<Value, Tensor>();
  readonly #parts = new Map<Value, Tensor[]>();
  /** Sources whose gradient is what their owner writes: no ReLU masks that. */
  readonly #untouched: ReadonlySet<Value>;

  constructor(
    private readonly device: Device,
    private readonly nodes: readonly PlannedLayer[],
    private readonly ends: GradientEnds,
    private readonly tensorOf: (value: Value) => Tensor,
    private readonly redirect: boolean,
    private readonly uses: ReadonlyMap<Value, number>,
  ) {
    const { of, dy } = ends;
    this.#untouched = new Set(of.filter((value) => uses.get(value) === 1));
    of.forEach((value, n) => {
      if (this.#untouched.has(value)) this.#whole.set(value, dy[n]);
      else this.#partsOf(value).push(dy[n]);
    });
    new Set(of).forEach((value) => this.settle(value));
  }

  /** The gradient at what a layer computes before its ReLU; undefined where none comes. */
  before(value: Value): Tensor | undefined {
    const whole = this.#whole.get(value);
    if (!whole || !this.#untouched.has(value) && value !== this.ends.to) return whole;
    const epilogue = this.#maskOf(value);
    if (!epilogue.mask) return whole;
    const masked = this.#tensor(value, " before its ReLU");
    const call = elementwiseCall(`${value.name} ReLU gradient`, { dy: whole }, write(masked, epilogue), "dy");
    this.calls.push({ call });
    return masked;
  }

  /** Where a layer that reads the value writes its part. */
  part(value: Value): Binding {
    if (this.uses.get(value) === 1) {
      const tensor = this.#tensor(value);
      this.#whole.set(value, tensor);
      return this.#writeWhole(value, tensor);
    }
    const parts = this.#partsOf(value);
    const tensor = this.#tensor(value, ` (${parts.length + 1})`);
    parts.push(tensor);
    return write(tensor);
  }

  /** Adds up the parts of a value's gradient once all are there. */
  settle(value: Value): void {
    const parts = this.#parts.get(value);
    if (parts?.length !== this.uses.get(value) || !parts || this.#whole.has(value)) return;
    const sum = this.#tensor(value);
    this.#whole.set(value, sum);
    const terms = Object.fromEntries(parts.map((tensor, n) => [`d${n}`, tensor]));
    const added = Object.keys(terms).join(" + ");
    this.calls.push({ call: elementwiseCall(`sum at ${value.name}`, terms, this.#writeWhole(value, sum), added) });
  }

  /** The gradient at the target: zero where nothing leads to it. */
  atTarget(): Tensor {
    const { to } = this.ends;
    const whole = this.#whole.get(to);
    if (whole) return whole;
    const zero = this.#tensor(to);
    this.calls.push({ call: elementwiseCall("no gradient", {}, write(zero), "vec4f()") });
    return zero;
  }

  #partsOf(value: Value): Tensor[] {
    const parts = this.#parts.get(value) ?? [];
    this.#parts.set(value, parts);
    return parts;
  }

  #tensor(value: Value, part = ""): Tensor {
    return featureMap(this.device, `gradient at ${value.name}${part}`, this.tensorOf(value).shape);
  }

  #writeWhole(value: Value, tensor: Tensor): Binding {
    return write(tensor, value === this.ends.to ? {} : this.#maskOf(value));
  }

  /** The gradient of the ReLU that makes the value. */
  #maskOf(value: Value): Epilogue {
    const relu = this.nodes.find(({ layer }) => layer.output === value)?.layer.relu;
    return relu ? { mask: { tensor: this.tensorOf(value), slope: relu.slope, redirect: this.redirect } } : {};
  }
}
