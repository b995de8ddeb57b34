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

/**
 * The calls for the gradient of Σ dy · `of` with respect to `to`, and with `training` to every weight on the way.
 * @param nodes The layers in forward order.
 * @param ends Sources, target, and the tensors of the gradients at the sources. A value may be a source more than once.
 */
export function backwardCalls(
  device: Device,
  nodes: readonly PlannedLayer[],
  { of, to, dy }: { of: readonly Value[]; to: Value; dy: readonly Tensor[] },
  tensorOf: (value: Value) => Tensor,
  { training = false, redirect = false }: { training?: boolean; redirect?: boolean },
): { calls: OwnedCall[]; dx: Tensor; weights: Map<string, WeightGradient> } {
  const reaches = new Set<Value>([to]), calls: OwnedCall[] = [], weights = new Map<string, WeightGradient>();
  for (const { layer: { op, inputs, output } } of nodes) {
    if (inputs.some((input) => reaches.has(input)) || (training && op.weightGradients)) reaches.add(output);
  }
  const needed = new Set<Value>(of), uses = new Map<Value, number>();
  const use = (value: Value) => uses.set(value, (uses.get(value) ?? 0) + 1);
  of.forEach(use);
  for (const { layer } of [...nodes].reverse()) {
    if (!needed.has(layer.output) || !reaches.has(layer.output)) continue;
    for (const input of layer.inputs) {
      if (!reaches.has(input)) continue;
      needed.add(input);
      use(input);
    }
  }
  const maskOf = (value: Value): Epilogue => {
    const relu = nodes.find(({ layer }) => layer.output === value)?.layer.relu;
    return relu ? { mask: { tensor: tensorOf(value), slope: relu.slope, redirect } } : {};
  };
  const writeGradient = (value: Value, tensor: Tensor) => write(tensor, value === to ? {} : maskOf(value));
  const gradientOf = (value: Value, part = "") =>
    featureMap(device, `gradient at ${value.name}${part}`, tensorOf(value).shape);
  const gradients = new Map<Value, Tensor>(), parts = new Map<Value, Tensor[]>();
  /** The gradient before the ReLU of a source or the target, whose own gradients stay as they are. */
  const beforeRelu = (value: Value, dy: Tensor): Tensor => {
    const epilogue = maskOf(value);
    if (!epilogue.mask) return dy;
    const masked = gradientOf(value, " before its ReLU");
    calls.push({ call: elementwiseCall(`${value.name} ReLU gradient`, { dy }, write(masked, epilogue), "dy") });
    return masked;
  };
  /** Adds up the parts of a value's gradient once all are there. */
  const settle = (value: Value) => {
    const list = parts.get(value);
    if (!list || list.length !== uses.get(value) || gradients.has(value)) return;
    const sum = gradientOf(value), terms = Object.fromEntries(list.map((tensor, n) => [`d${n}`, tensor]));
    gradients.set(value, sum);
    const added = Object.keys(terms).join(" + ");
    calls.push({ call: elementwiseCall(`sum at ${value.name}`, terms, writeGradient(value, sum), added) });
  };
  /** Sources whose gradient is what their owner writes: no ReLU masks that. */
  const untouched = new Set(of.filter((value) => uses.get(value) === 1));
  of.forEach((value, n) => {
    if (untouched.has(value)) gradients.set(value, dy[n]);
    else parts.set(value, [...parts.get(value) ?? [], dy[n]]);
  });
  new Set(of).forEach(settle);

  for (const owner of [...nodes].reverse()) {
    const { layer, node, ways } = owner;
    const { output } = layer, gradient = gradients.get(output);
    if (!gradient || !reaches.has(output) || (output === to && !training)) continue;
    const incoming = untouched.has(output) || output === to ? beforeRelu(output, gradient) : gradient;
    const outputs = layer.inputs.map((input) => {
      if (!reaches.has(input)) return undefined;
      if (uses.get(input) === 1) {
        const tensor = gradientOf(input);
        gradients.set(input, tensor);
        return writeGradient(input, tensor);
      }
      const list = parts.get(input) ?? [];
      parts.set(input, list);
      const tensor = gradientOf(input, ` (${list.length + 1})`);
      list.push(tensor);
      return write(tensor);
    });
    const { way, sizes } = ways.backward!;
    owner.ends = { dy: incoming, dx: outputs };
    const own = training ? layer.op.weightGradients?.(node, incoming) : undefined;
    for (const call of [...way.calls(node, incoming, outputs, sizes), ...own?.calls ?? []]) calls.push({ call, owner });
    for (const [key, gradient] of Object.entries(own?.gradients ?? {})) weights.set(`${layer.name}.${key}`, gradient);
    new Set(layer.inputs).forEach(settle);
  }
  const dx = gradients.get(to) ?? gradientOf(to);
  if (!gradients.has(to)) calls.push({ call: elementwiseCall("no gradient", {}, write(dx), "vec4f()") });
  return { calls, dx, weights };
}
