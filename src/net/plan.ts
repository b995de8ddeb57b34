/**
 * The plan: a graph compiled to one flat list of GPU steps, with every tensor placed.
 *
 *   prune        keep the layers that the wanted values need
 *   fuse         fold scale, batch norm and on GPUs some reshapes into the weights before them; let the kernel before a ReLU apply it, and the
 *                kernel that makes the ReLU's gradient mask it; views run nothing
 *   choose       one way for each layer's output and gradient
 *   call         forward calls in order, then backward calls in reverse; partial gradients of a shared value are summed
 *   place        tensors that live through one another's gaps take turns in the same memory; what does not fit is refused
 *                here, before any memory is taken
 *   load         weights are packed and uploaded one after another
 *   compile      each call becomes a step
 *
 * A compiled plan runs and reads its steps (`compiled.ts`).
 */
import type { Device } from "../gpu/device.ts";
import { type Binding, type Call, write } from "../gpu/call.ts";
import { compile, type Step } from "../gpu/compile.ts";
import { checkCall } from "../gpu/source.ts";
import { allocate, bytesFor, checkMemory, featureMap, free, type Memory, partsFor } from "../gpu/tensor.ts";
import type { Arithmetic, WeightStorage } from "../ops/op.ts";
import { UserError } from "../formats/user_error.ts";
import type { Spots } from "../ops/spots.ts";
import { formOf } from "../ops/way.ts";
import { backwardCalls, type OwnedCall, type PlannedLayer } from "./backward.ts";
import { type Choose, chooseCheapest, chooseWays } from "./choose.ts";
import type { FusedLayer } from "./fuse.ts";
import type { Graph, Value } from "./graph.ts";
import { nameKernels, type PlannedKernel, type Replace } from "./kernels.ts";
import { assignSlots, type Slot, slotFor } from "./liveness.ts";
import { type Load, load, packWeights } from "./load.ts";
import { Plan, type PlannedMemory, type PlanTensors } from "./compiled.ts";
import { type Computed, outline } from "./outline.ts";
import { inWindows, phasesOf, type Windows } from "./windows.ts";

export { Plan, type PlanMemory, type PlannedMemory, type PlanTensors } from "./compiled.ts";

/** What to compile. */
export interface PlanRequest {
  graph: Graph;
  batch: number;
  /** Run what treats items one by one on so many at a time, and what makes a sequence of them on all (`windows.ts`). */
  windowSize?: number;
  /** Values to keep readable after a run; the gradient's sources are among them. */
  wanted: readonly Value[];
  /** Compute the gradient of Σ dy · `of` with respect to `to`, a dy for each source being written by `seed` calls or an upload. */
  gradient?: {
    of: readonly Value[];
    to: Value;
    /** Of a single source, where all of dy is that is not zero: a plan that finds a way with it needs no `seed`, and has no `dy`. */
    spots?: (tensors: PlanTensors) => Spots | undefined;
    /** Let the gradient through ReLUs that are off where it would turn them on. */
    redirect?: boolean;
  };
  /** With `gradient`: also compute the gradients to all weights on the way. Nothing is folded into weights then. */
  weightGradients?: boolean;
  storage?: WeightStorage;
  /** Forward, in double-float arithmetic. */
  doubleFloat?: boolean;
  /** What sums of products are computed in, forward; f32 unless given. */
  arithmetic?: Arithmetic;
  /** Chooses each layer's ways; the predicted cost does unless given. */
  choose?: Choose;
  /** Puts somebody's own programs in the place of kernels. */
  replace?: Replace;
  /** Told what memory will be taken before any is. */
  onPlan?: (pieces: readonly PlannedMemory[]) => void;
  /** Ends the building, with its reason. */
  signal?: AbortSignal;
  /** Calls between forward and backward, and after backward, that belong to the same list. */
  seed?: (tensors: PlanTensors) => Call[];
  after?: (tensors: PlanTensors) => Call[];
  /** False to run every layer and keep every tensor apart: the plain truth that tests compare with. */
  optimise?: boolean;
}

/**
 * Compiles a request.
 * @throws UserError when a weight does not fit or the device lacks the arithmetic, GpuError when the device cannot hold or run it.
 */
export async function buildPlan(device: Device, request: PlanRequest): Promise<Plan> {
  const owned: Memory[] = [];
  try {
    const { windowSize } = request;
    const windows = windowSize === undefined ? undefined : inWindows({ ...request, windowSize });
    return await assemble(device, windows?.request ?? request, owned, windows);
  } catch (error) {
    for (const memory of owned) free(device, memory);
    throw error;
  }
}

/** What goes in and out is in memory so many times more: as values, as texels, and in the driver's own buffer. */
const COPIES = 3;

/** @throws UserError where a device cannot compute so, or two arithmetics are asked for. */
export function checkArithmetic({ name, caps }: Device, { arithmetic = "f32", doubleFloat }: Computed): void {
  if (arithmetic === "f32") return;
  if (doubleFloat) throw new UserError("arithmetic in f16 and in two floats a value exclude each other");
  if (caps.features.includes("shader-f16")) return;
  throw new UserError(`${name} cannot compute in f16: it does not have WebGPU's shader-f16`);
}

/** Makes the plan; every memory that it takes is in `memories` at once, so that a failure loses none. */
async function assemble(
  device: Device,
  request: PlanRequest,
  memories: Memory[],
  windows?: Windows,
): Promise<Plan> {
  const { gradient } = request;
  const training = request.weightGradients === true;
  const { layers, wanted, resolve, tensorOf, taskOf } = outline(device, request, windows?.batchOf);
  checkArithmetic(device, request);

  const tensors: PlanTensors = { of: (value) => tensorOf(windows?.whole(value) ?? value) };
  const ends = gradient && { of: gradient.of.map(resolve), to: resolve(gradient.to) };
  const spots = training || ends?.of.length !== 1 ? undefined : gradient?.spots?.(tensors);
  const hasSpots = ({ output, relu }: FusedLayer) => output === ends?.of[0] && output !== ends.to && !relu;

  const loads: Load[] = [];
  const nodes = layers.map((layer): PlannedLayer => {
    const host = layer.weights();
    const task = taskOf(layer, host, hasSpots(layer) ? spots : undefined);
    const ways = chooseWays({ layer, task, gradient: gradient !== undefined, host }, request.choose ?? chooseCheapest);
    const weights = packWeights(device, layer, host, task, formOf(ways.forward.way), loads);
    return { layer, ways, node: { ...task, name: layer.name, weights, saved: gradient ? {} : undefined } };
  });
  const owned: OwnedCall[] = nodes.flatMap((owner) => {
    const { layer, node, ways: { forward: { way, sizes } } } = owner;
    return way.calls(node, write(node.output, { relu: layer.relu }), sizes).map((call) => ({ call, owner }));
  });
  const forwardCalls = owned.length;
  const unowned = (calls: readonly Call[] = []) => calls.map((call) => ({ call }));

  let after = forwardCalls;
  const kept = new Set([...wanted, ...request.graph.inputs].map(tensorOf));
  if (gradient && ends) {
    const dy = gradient.of.map((of) => featureMap(device, `gradient at ${of.name}`, tensorOf(of).shape));
    const backward = backwardCalls(device, nodes, { ...ends, dy }, tensorOf, { training, redirect: gradient.redirect });
    const read = spots && bindingsRead(spots, backward.calls.map(({ call }) => call));
    if (read) {
      for (const { tensor } of read) if (!tensor.memory) kept.add(tensor);
    } else {
      tensors.dy = dy;
      for (const tensor of dy) kept.add(tensor);
      owned.push(...unowned(request.seed?.(tensors)));
    }
    tensors.dx = backward.dx;
    tensors.weights = backward.weights;
    for (const tensor of [tensors.dx, ...[...backward.weights.values()].map(({ tensor }) => tensor)]) kept.add(tensor);
    owned.push(...backward.calls);
    after = owned.length;
    owned.push(...unowned(request.after?.(tensors)));
  }
  const phases = windows && phasesOf(windows, owned, forwardCalls, after);
  if (windows && phases) {
    for (const tensor of [windows.at, ...phases.handed]) if (!tensor.memory) kept.add(tensor);
    if (windows.next) owned.push({ call: windows.next });
  }
  const named = nameKernels(owned, forwardCalls);
  const programs = request.replace?.(named);
  const kernels = named.map((kernel): PlannedKernel => {
    const own = programs?.get(kernel);
    return own ? { ...kernel, call: { ...kernel.call, label: kernel.name, own } } : kernel;
  });
  const calls = kernels.map(({ call }) => call);

  const weights = loads.map(({ tensor }) => slotFor(tensor));
  const alone = [...kept].map(slotFor);
  const taken = new Set([...weights, ...alone].flatMap(({ tensors }) => tensors));
  const shared = assignSlots(calls, (tensor) => tensor.memory !== undefined || taken.has(tensor), request.optimise);
  const slots = [...weights, ...alone, ...shared];
  const pieces = slots.map((slot, index): PlannedMemory => {
    const { label, texels, storage, format } = slot;
    const count = partsFor(device, label, texels, storage);
    const bytes = bytesFor(device, texels, storage);
    return { label, bytes, format, parts: count, weight: index < weights.length };
  });
  for (const call of calls) checkCall(call, device);
  request.onPlan?.(pieces);
  const sum = (list: readonly PlannedMemory[]) => list.reduce((bytes, piece) => bytes + piece.bytes, 0);
  checkMemory(
    device,
    "the plan",
    sum(pieces) + COPIES * sum(pieces.slice(weights.length, weights.length + alone.length)),
  );

  for (const slot of slots) memories.push(take(device, slot));
  await device.settle();
  const weightTensors = new Set(loads.map(({ tensor }) => tensor));
  await load(device, loads, request.signal);
  const steps = await compileAll(device, calls, request.signal);
  const total = sum(pieces);
  const ofWeights = sum(pieces.filter(({ weight }) => weight));
  const memory = { weights: ofWeights, activations: total - ofWeights, total };
  return new Plan(device, steps, kernels, forwardCalls, tensors, memory, pieces, weightTensors, memories, phases);
}

/** What spots bind, where a call makes use of them. */
function bindingsRead({ bindings }: Spots, calls: readonly Call[]): Binding[] | undefined {
  const own = Object.values(bindings);
  return calls.some((call) => own.some((binding) => Object.values(call.bindings).includes(binding))) ? own : undefined;
}

/** Compiling stops so often, in milliseconds, to see whether anyone wants it to end: drivers may compile as they are called. */
const PAUSE_EVERY = 100;

/** Compiles the calls, as many at a time as the driver likes. */
async function compileAll(device: Device, calls: readonly Call[], signal?: AbortSignal): Promise<Step[]> {
  const compiling: Promise<PromiseSettledResult<Step>[]>[] = [];
  let from = performance.now();
  for (let next = 0; next < calls.length;) {
    compiling.push(Promise.allSettled([compile(device, calls[next++])]));
    if (performance.now() - from < PAUSE_EVERY) continue;
    await new Promise((resolve) => setTimeout(resolve));
    signal?.throwIfAborted();
    from = performance.now();
  }
  const outcomes = (await Promise.all(compiling)).flat();
  await device.settle();
  return outcomes.map((outcome) => {
    if (outcome.status === "rejected") throw outcome.reason;
    return outcome.value;
  });
}

/** Takes a slot's memory for all its tensors. */
export function take(device: Device, { label, texels, storage, format, tensors }: Slot): Memory {
  const memory = allocate(device, label, texels, storage, format);
  for (const tensor of tensors) tensor.memory = memory;
  return memory;
}
