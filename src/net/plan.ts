/**
 * The plan: a graph compiled to one flat list of GPU steps, with every tensor placed.
 *
 *   prune        keep the layers that the wanted values need
 *   fuse         fold scale and batch norm into the weights before them; let the kernel before a ReLU apply it, and the
 *                kernel that makes the ReLU's gradient mask it; views run nothing
 *   call         forward calls in order, then backward calls in reverse; partial gradients of a shared value are summed
 *   place        tensors that live through one another's gaps take turns in the same memory
 *   compile      each call becomes a step
 *
 * Plans alone encode and submit.
 */
import type { Device } from "../gpu/device.ts";
import { type Call, compile, encode, type Epilogue, type Step, write } from "../gpu/kernel.ts";
import { featureMap, free, type Memory, place, type Tensor, upload } from "../gpu/tensor.ts";
import { elementwiseCall } from "../ops/calls.ts";
import { batched, type Node, type WeightStorage } from "../ops/op.ts";
import { fuse, type FusedLayer } from "./fuse.ts";
import type { Graph, Value } from "./graph.ts";
import { assignSlots } from "./liveness.ts";

/** What to compile. */
export interface PlanRequest {
  graph: Graph;
  batch: number;
  /** Values to keep readable after a run; the gradient's source is one of them. */
  wanted: readonly Value[];
  /** Compute the gradient of dy · `of` with respect to `to`, dy being written by `seed` calls or an upload. */
  gradient?: { of: Value; to: Value };
  storage?: WeightStorage;
  /** Calls between forward and backward, and after backward, that belong to the same list. */
  seed?: (tensors: PlanTensors) => Call[];
  after?: (tensors: PlanTensors) => Call[];
  /** False to run every layer and keep every tensor apart: the plain truth that tests compare with. */
  optimise?: boolean;
}

/** The tensors that a request's owner may touch. */
export interface PlanTensors {
  /** The tensor of a wanted value or input. */
  of(value: Value): Tensor;
  /** Gradient at the source, to be written, and at the target, to be read. */
  dy?: Tensor;
  dx?: Tensor;
}

/** GPU memory of a plan in bytes. */
export interface PlanMemory {
  weights: number;
  activations: number;
  total: number;
}

/** A compiled plan. Owns its weights and tensors. */
export class Plan {
  constructor(
    private readonly device: Device,
    readonly steps: readonly Step[],
    /** How many of the steps are forward. */
    readonly forwardSteps: number,
    readonly tensors: PlanTensors,
    readonly memory: PlanMemory,
    private readonly owned: readonly Memory[],
  ) {}

  /** Multiplications and additions of all steps. */
  get flops(): number {
    return this.steps.reduce((sum, step) => sum + step.flops, 0);
  }

  /** Submits the steps `times` over as one compute pass; `forward` stops each time before the gradient. */
  submit(times = 1, forward = false): void {
    const steps = forward ? this.steps.slice(0, this.forwardSteps) : this.steps;
    const encoder = this.device.gpu.createCommandEncoder({ label: "plan" });
    const pass = encoder.beginComputePass({ label: "plan" });
    for (let time = 0; time < times; time++) encode(pass, steps);
    pass.end();
    this.device.gpu.queue.submit([encoder.finish()]);
  }

  [Symbol.dispose](): void {
    for (const memory of this.owned) free(this.device, memory);
  }
}

/**
 * Compiles a request.
 * @throws UserError when a weight does not fit, GpuError when the device cannot hold or run it.
 */
export async function buildPlan(device: Device, request: PlanRequest): Promise<Plan> {
  const { batch, gradient, storage = "stored", optimise = true } = request;
  const wanted = gradient ? [...request.wanted, gradient.of, gradient.to] : request.wanted;
  const { layers, resolve } = fuse(request.graph, wanted, optimise);
  const maps = new Map<Value, Tensor>(), weights: Tensor[] = [];
  const tensorOf = (value: Value): Tensor => {
    const own = resolve(value);
    let tensor = maps.get(own);
    if (!tensor) maps.set(own, tensor = featureMap(device, own.name, batched(batch, own.shape)));
    return tensor;
  };

  const nodes = layers.map((layer): { layer: FusedLayer; node: Node } => ({
    layer,
    node: {
      device,
      name: layer.name,
      params: layer.params,
      inputs: layer.inputs.map(tensorOf),
      output: tensorOf(layer.output),
      weights: uploadWeights(device, layer, storage, weights),
      saved: gradient ? {} : undefined,
    },
  }));
  const calls = nodes.flatMap(({ layer, node }) => layer.op.forward(node, write(node.output, { relu: layer.relu })));
  const forwardCalls = calls.length;

  const kept = new Set([...wanted, ...request.graph.inputs].map(tensorOf));
  const tensors: PlanTensors = { of: tensorOf };
  if (gradient) {
    tensors.dy = featureMap(device, `gradient at ${gradient.of.name}`, tensorOf(gradient.of).shape);
    kept.add(tensors.dy);
    calls.push(...request.seed?.(tensors) ?? []);
    const backward = backwardCalls(device, nodes, resolve(gradient.of), resolve(gradient.to), tensors.dy, tensorOf);
    tensors.dx = backward.dx;
    kept.add(tensors.dx);
    calls.push(...backward.calls, ...request.after?.(tensors) ?? []);
  }

  const placedWeights = weights.map((tensor) => tensor.memory!);
  for (const tensor of kept) if (!tensor.memory) place(device, tensor);
  const slots = assignSlots(device, calls, optimise);
  const owned = [...placedWeights, ...[...kept].map((tensor) => tensor.memory!), ...slots];
  try {
    const steps = await Promise.all(calls.map((call) => compile(device, call)));
    await device.settle();
    const bytes = (list: readonly Memory[]) => list.reduce((sum, { bytes }) => sum + bytes, 0);
    const memory = {
      weights: bytes(placedWeights),
      activations: bytes(owned) - bytes(placedWeights),
      total: bytes(owned),
    };
    return new Plan(device, steps, forwardCalls, tensors, memory, owned);
  } catch (error) {
    for (const memory of owned) free(device, memory);
    throw error;
  }
}

/** Packs and uploads a layer's weights. */
function uploadWeights(
  device: Device,
  layer: FusedLayer,
  storage: WeightStorage,
  all: Tensor[],
): Record<string, Tensor> {
  const host = layer.weights(), result: Record<string, Tensor> = {};
  if (!layer.op.pack) return result;
  const packed = layer.op.pack(host, layer.inputs.map((input) => input.shape), layer.params, storage);
  for (const [name, { texels, format, bytes }] of Object.entries(packed)) {
    const map = featureMap(device, `${layer.name}.${name}`, [1, texels * 4, 1, 1]);
    const tensor = place(device, { ...map, format });
    upload(device, tensor, bytes);
    all.push(tensor);
    result[name] = tensor;
  }
  return result;
}

/** The gradient of `of`, given as `dy`, with respect to `to`. */
function backwardCalls(
  device: Device,
  nodes: readonly { layer: FusedLayer; node: Node }[],
  of: Value,
  to: Value,
  dy: Tensor,
  tensorOf: (value: Value) => Tensor,
): { calls: Call[]; dx: Tensor } {
  const reaches = new Set<Value>([to]), calls: Call[] = [];
  for (const { layer } of nodes) if (layer.inputs.some((input) => reaches.has(input))) reaches.add(layer.output);
  const needed = new Set<Value>([of]), uses = new Map<Value, number>();
  for (const { layer } of [...nodes].reverse()) {
    if (!needed.has(layer.output) || !reaches.has(layer.output)) continue;
    for (const input of layer.inputs) {
      if (!reaches.has(input)) continue;
      needed.add(input);
      uses.set(input, (uses.get(input) ?? 0) + 1);
    }
  }
  const maskOf = (value: Value): Epilogue => {
    const relu = nodes.find(({ layer }) => layer.output === value)?.layer.relu;
    return relu && value !== to ? { mask: { tensor: tensorOf(value), slope: relu.slope } } : {};
  };
  const gradientOf = (value: Value, part = "") =>
    featureMap(device, `gradient at ${value.name}${part}`, tensorOf(value).shape);
  const gradients = new Map<Value, Tensor>(), parts = new Map<Value, Tensor[]>();
  const source = maskOf(of).mask;
  if (source) {
    const masked = gradientOf(of, " before its ReLU");
    calls.push(elementwiseCall(`${of.name} ReLU gradient`, { dy }, write(masked, maskOf(of)), "dy"));
    gradients.set(of, masked);
  } else gradients.set(of, dy);

  for (const { layer, node } of [...nodes].reverse()) {
    const incoming = gradients.get(layer.output);
    if (!incoming || !reaches.has(layer.output)) continue;
    const outputs = layer.inputs.map((input) => {
      if (!reaches.has(input)) return undefined;
      if (uses.get(input) === 1) {
        const tensor = gradientOf(input);
        gradients.set(input, tensor);
        return write(tensor, maskOf(input));
      }
      const list = parts.get(input) ?? [];
      parts.set(input, list);
      const tensor = gradientOf(input, ` (${list.length + 1})`);
      list.push(tensor);
      return write(tensor);
    });
    calls.push(...layer.op.backward(node, incoming, outputs));
    for (const input of new Set(layer.inputs)) {
      const list = parts.get(input);
      if (!list || list.length !== uses.get(input) || gradients.has(input)) continue;
      const sum = gradientOf(input), terms = Object.fromEntries(list.map((tensor, n) => [`d${n}`, tensor]));
      gradients.set(input, sum);
      calls.push(
        elementwiseCall(`sum at ${input.name}`, terms, write(sum, maskOf(input)), Object.keys(terms).join(" + ")),
      );
    }
  }
  const dx = gradients.get(to) ?? gradientOf(to);
  if (!gradients.has(to)) calls.push(elementwiseCall("no gradient", {}, write(dx), "vec4f()"));
  return { calls, dx };
}
