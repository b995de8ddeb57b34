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
import { type Call, compile, encode, type Step, write } from "../gpu/kernel.ts";
import { featureMap, free, type Memory, place, placed, type Tensor, upload } from "../gpu/tensor.ts";
import { batched, type Node, type WeightStorage } from "../ops/op.ts";
import type { WeightGradient } from "../ops/weight_gradient.ts";
import { backwardCalls } from "./backward.ts";
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
  /** With `gradient`: also compute the gradients to all weights on the way. Nothing is folded into weights then. */
  weightGradients?: boolean;
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
  /** Gradients to weights, by their names in the weights file. */
  weights?: Map<string, WeightGradient>;
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
  const owned: Memory[] = [];
  try {
    return await assemble(device, request, owned);
  } catch (error) {
    for (const memory of owned) free(device, memory);
    throw error;
  }
}

/** Makes the plan; every memory that it takes is in `owned` at once, so that a failure loses none. */
async function assemble(device: Device, request: PlanRequest, owned: Memory[]): Promise<Plan> {
  const { batch, gradient, storage = "stored", optimise = true } = request;
  const wanted = gradient ? [...request.wanted, gradient.of, gradient.to] : request.wanted;
  const training = request.weightGradients === true;
  const { layers, resolve } = fuse(request.graph, wanted, { relu: optimise, affine: optimise && !training });
  const maps = new Map<Value, Tensor>();
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
      shapes: layer.shapes,
      output: tensorOf(layer.output),
      weights: uploadWeights(device, layer, storage, owned),
      saved: gradient ? {} : undefined,
    },
  }));
  const bytes = () => owned.reduce((sum, { bytes }) => sum + bytes, 0), weights = bytes();
  const calls = nodes.flatMap(({ layer, node }) => layer.op.forward(node, write(node.output, { relu: layer.relu })));
  const forwardCalls = calls.length;

  const kept = new Set([...wanted, ...request.graph.inputs].map(tensorOf));
  const tensors: PlanTensors = { of: tensorOf };
  if (gradient) {
    tensors.dy = featureMap(device, `gradient at ${gradient.of.name}`, tensorOf(gradient.of).shape);
    kept.add(tensors.dy);
    calls.push(...request.seed?.(tensors) ?? []);
    const ends = { of: resolve(gradient.of), to: resolve(gradient.to), dy: tensors.dy };
    const backward = backwardCalls(device, nodes, ends, tensorOf, training);
    tensors.dx = backward.dx;
    tensors.weights = backward.weights;
    for (const tensor of [tensors.dx, ...[...backward.weights.values()].map(({ tensor }) => tensor)]) kept.add(tensor);
    calls.push(...backward.calls, ...request.after?.(tensors) ?? []);
  }

  for (const tensor of kept) if (!tensor.memory) owned.push(placed(place(device, tensor)));
  assignSlots(device, calls, owned, optimise);
  const compiling = await Promise.allSettled(calls.map((call) => compile(device, call)));
  await device.settle();
  const steps = compiling.map((outcome) => {
    if (outcome.status === "rejected") throw outcome.reason;
    return outcome.value;
  });
  const total = bytes(), memory = { weights, activations: total - weights, total };
  return new Plan(device, steps, forwardCalls, tensors, memory, owned);
}

/** Packs and uploads a layer's weights. */
function uploadWeights(
  device: Device,
  layer: FusedLayer,
  storage: WeightStorage,
  owned: Memory[],
): Record<string, Tensor> {
  const host = layer.weights(), result: Record<string, Tensor> = {};
  if (!layer.op.pack) return result;
  const packed = layer.op.pack(host, layer.shapes, layer.params, storage);
  for (const [name, { texels, format, bytes }] of Object.entries(packed)) {
    const map = featureMap(device, `${layer.name}.${name}`, [1, texels * 4, 1, 1]);
    const tensor = place(device, { ...map, format });
    owned.push(placed(tensor));
    upload(device, tensor, bytes);
    result[name] = tensor;
  }
  return result;
}
