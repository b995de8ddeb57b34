/** A compiled plan: its steps, what runs them, and what they run on. */
import { executedFlops } from "../gpu/call.ts";
import { encode, type Step } from "../gpu/compile.ts";
import type { Device } from "../gpu/device.ts";
import { type Format, free, type Memory, type Tensor } from "../gpu/tensor.ts";
import type { WeightGradient } from "../ops/conv/weight_gradient.ts";
import type { Value } from "./graph.ts";
import type { PlannedKernel } from "./kernels.ts";
import { type Phases, windowSteps } from "./windows.ts";

/** The tensors that a request's owner may touch. */
export interface PlanTensors {
  /** The tensor of a wanted value or input. */
  of(value: Value): Tensor;
  /** Gradients at the sources, to be written unless spots are enough. */
  dy?: readonly Tensor[];
  /** The gradient at the target, to be read. */
  dx?: Tensor;
  /** Gradients to weights, by their names in the weights file. */
  weights?: Map<string, WeightGradient>;
}

/** GPU memory of a plan in bytes. */
export interface PlanMemory {
  /** Of weights in every form that is kept. */
  weights: number;
  /** Of all other tensors, those that take turns once. */
  activations: number;
  /** Both together. */
  total: number;
}

/** One piece of a plan's memory: a weight, or tensors that take turns. */
export interface PlannedMemory {
  /** What lies there. */
  label: string;
  /** How large it is. */
  bytes: number;
  /** How values are stored. */
  format: Format;
  /** More than one where it is larger than what one binding may show. */
  parts: number;
  /** Whether it is a weight; all else is made anew in every run. */
  weight: boolean;
}

/** A compiled plan. Owns its weights and tensors. */
export class Plan {
  /** `buildPlan` makes one. */
  constructor(
    private readonly device: Device,
    readonly steps: readonly Step[],
    /** What each of the steps is. */
    readonly kernels: readonly PlannedKernel[],
    /** How many of the steps are forward. */
    readonly forwardSteps: number,
    readonly tensors: PlanTensors,
    readonly memory: PlanMemory,
    /** What the memory consists of. */
    readonly pieces: readonly PlannedMemory[],
    /** The tensors that hold weights. */
    readonly weights: ReadonlySet<Tensor>,
    private readonly owned: readonly Memory[],
    private readonly phases?: Phases,
  ) {}

  /** The steps of one run, those of each window too. */
  get dispatched(): readonly Step[] {
    return this.#lists().flat();
  }

  /** Multiplications and additions of one run. */
  get flops(): number {
    return this.dispatched.reduce((sum, step) => sum + step.call.flops, 0);
  }

  /** Multiplications and additions that it executes. */
  get executedFlops(): number {
    return this.dispatched.reduce((sum, step) => sum + executedFlops(step.call), 0);
  }

  /** Submits the steps `times` over as one compute pass, or one a window; `forward` stops each time before the gradient. */
  submit(times = 1, forward = false, timestampWrites?: GPUComputePassTimestampWrites): void {
    const lists = this.#lists(forward);
    if (lists.length === 1) return this.#run(lists[0], times, timestampWrites);
    for (let time = 0; time < times; time++) for (const list of lists) this.#run(list);
  }

  /** What the part of a plan in windows that runs on all items reads of the other. */
  get gathered(): readonly Tensor[] {
    return this.phases!.gathered;
  }

  /** Submits, of a plan in windows, the part that runs on all items: from what was gathered to the gradient at that. */
  submitJoint(): void {
    const { joint, back } = this.phases!;
    this.#run(this.steps.slice(joint, back));
  }

  #lists(forward = false): readonly (readonly Step[])[] {
    const end = forward ? this.forwardSteps : undefined;
    const { phases } = this;
    return phases && phases.times > 1 ? windowSteps(this.steps, phases, end) : [this.steps.slice(0, end)];
  }

  #run(steps: readonly Step[], times = 1, timestampWrites?: GPUComputePassTimestampWrites): void {
    const encoder = this.device.gpu.createCommandEncoder({ label: "plan" });
    const pass = encoder.beginComputePass({ label: "plan", timestampWrites });
    for (let time = 0; time < times; time++) encode(pass, steps);
    pass.end();
    this.device.gpu.queue.submit([encoder.finish()]);
  }

  /** Frees its memory; twice changes nothing. */
  [Symbol.dispose](): void {
    for (const memory of this.owned) free(this.device, memory);
  }
}
