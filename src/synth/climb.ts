/**
 * The GPU side of the search: one plan whose step list is a whole iteration, and the state that stays on the GPU.
 *
 *   generator → crop → classifier → objective → gradients back to the code → step
 */
import type { Device } from "../gpu/device.ts";
import { type Call, read, write } from "../gpu/call.ts";
import { download, free, fromTexels, type Memory, place, run, type Tensor, toTexels, upload } from "../gpu/tensor.ts";
import { bytes, floats } from "../net/net.ts";
import { buildPlan, type Plan, type PlanMemory, type PlanRequest, type PlanTensors } from "../net/plan.ts";
import { texelCall } from "../ops/calls.ts";
import { chw, count, type WeightStorage } from "../ops/op.ts";
import { SPOT, type Spots } from "../ops/spots.ts";
import { objective, objectiveSpots, type Rule } from "../../shaders/search.ts";
import { iterationOf, type Joined } from "./joined.ts";
import { stepCalls } from "./step.ts";

/** Numbers of one search, all of them decided. */
export interface ClimbSettings {
  iterations: number;
  rule: Rule;
  lrStart: number;
  lrEnd: number;
  decay: number;
  gamma: number;
  /** Upper bound of each code value; the lower one is 0. No clipping when absent. */
  bound?: Float32Array;
  /** Start of each item, [items × code values]. */
  codes: Float32Array;
  /** Per item, the positions of its units: [channel, row, column]. */
  targets: readonly (readonly [number, number, number])[][];
}

/** Where clipping never bites. */
const FAR = 3e38;

/** What a search leaves: `Climb`'s readings of these names. */
export interface Readings {
  trace: Float32Array;
  values?: Float32Array;
  images: Float32Array;
  codes: Float32Array;
}

/** How a search's plan is made. */
type ClimbOptions =
  & { weights?: WeightStorage; onReady?: (plan: Plan) => Promise<void> }
  & Pick<PlanRequest, "arithmetic" | "choose" | "replace" | "onPlan" | "signal">;

/**
 * A search in progress on the GPU. Each reading waits for what was submitted, in Deno at least 10 ms, on a GPU longer than an
 * iteration takes; readings together wait once.
 */
export class Climb {
  private constructor(
    private readonly device: Device,
    private readonly joined: Joined,
    /** What one iteration runs. */
    readonly plan: Plan,
    private readonly own: { code: Tensor; trace: Tensor },
    private readonly owned: readonly Memory[],
    private readonly items: number,
    private readonly starts: ReadonlyMap<Tensor, Float32Array<ArrayBuffer>>,
  ) {}

  /** Compiles the iteration and uploads the start. @throws UserError, GpuError */
  static async create(
    device: Device,
    joined: Joined,
    settings: ClimbSettings,
    options: ClimbOptions = {},
  ): Promise<Climb> {
    const owned: Memory[] = [];
    try {
      return await Climb.#assemble(device, joined, settings, options, owned);
    } catch (error) {
      for (const memory of owned) free(device, memory);
      throw error;
    }
  }

  /** Makes the search; every memory that it takes beside the plan's is in `owned` at once, so that a failure loses none. */
  static async #assemble(
    device: Device,
    joined: Joined,
    settings: ClimbSettings,
    { weights, arithmetic, choose, replace, onPlan, onReady, signal }: ClimbOptions,
    owned: Memory[],
  ): Promise<Climb> {
    const items = settings.targets.length, units = Math.max(...settings.targets.map((list) => list.length));
    const codeShape = [items, ...chw(joined.code.shape)] as const, [, c, h, w] = codeShape;
    const texels = Math.ceil(c / 4) * h * w;
    const own = (label: string, size: number, values?: Float32Array<ArrayBuffer>): Tensor => {
      const tensor = place(device, run(label, size, "buffer"));
      owned.push(tensor.memory!);
      if (values) upload(device, tensor, bytes(values));
      return tensor;
    };
    const start = toTexels(settings.codes, codeShape), first = stateOf(settings);
    const code = own("code", items * texels), trace = own("trace", settings.iterations * items);
    const state = own("state", 2 * items);
    const targets = own("targets", items * units, targetTexels(settings.targets, units));
    const bound = own("bounds", texels, boundTexels(settings.bound, codeShape));
    const moments = settings.rule === "adam" ? { m: own("m", items * texels), v: own("v", items * texels) } : undefined;

    const geometry = { items, units, map: chw(joined.layer.shape) };
    const seed = ({ of, dy }: PlanTensors): Call[] => [
      texelCall(
        "objective",
        { y: of(joined.layer), targets, state },
        { dy: write(dy!), trace: write(trace) },
        objective(geometry),
        units,
      ),
    ];
    const spots = ({ of }: PlanTensors): Spots => ({
      count: units,
      bindings: { y: read(of(joined.layer)), targets: read(targets), state: read(state), trace: write(trace) },
      code: SPOT + objectiveSpots(geometry),
    });
    const after = ({ of, dx }: PlanTensors): Call[] =>
      stepCalls(device, settings.rule, items, { texels, values: count(joined.code.shape) }, {
        ...{ g: dx!, state, bound, code, input: of(joined.code) },
        moments,
      });
    const iteration = iterationOf(joined);
    const plan = await buildPlan(device, {
      ...iteration,
      batch: items,
      gradient: { ...iteration.gradient, spots: device.caps.software ? undefined : spots },
      storage: weights,
      arithmetic,
      choose,
      replace,
      onPlan,
      signal,
      seed,
      after,
    });
    const starts = new Map([[code, start], [plan.tensors.of(joined.code), start], [state, first]]);
    if (moments) {
      for (const moment of Object.values(moments)) {
        starts.set(moment, new Float32Array(4 * moment.texels));
      }
    }
    const climb = new Climb(device, joined, plan, { code, trace }, owned, items, starts);
    try {
      await onReady?.(plan);
    } catch (error) {
      plan[Symbol.dispose]();
      throw error;
    }
    climb.restart();
    return climb;
  }

  /** Back to the start, after what was submitted. */
  restart(): void {
    for (const [tensor, values] of this.starts) upload(this.device, tensor, bytes(values));
  }

  /** Submits so many iterations, with those before at most as many as the settings say. */
  submit(times: number, timestampWrites?: GPUComputePassTimestampWrites): void {
    this.plan.submit(times, false, timestampWrites);
  }

  /** Dispatches of one iteration. */
  get dispatches(): number {
    return this.plan.steps.length;
  }

  /** Multiplications and additions of one iteration. */
  get flops(): number {
    return this.plan.flops;
  }

  /** Multiplications and additions that an iteration executes. */
  get executedFlops(): number {
    return this.plan.executedFlops;
  }

  /** GPU memory in bytes, the search's own state included. */
  get memory(): PlanMemory {
    const { weights, activations, total } = this.plan.memory,
      state = this.owned.reduce((sum, { bytes }) => sum + bytes, 0);
    return { weights, activations: activations + state, total: total + state };
  }

  /** The activations of every item at each of the first `iterations` iterations: [iterations × items]. */
  async trace(iterations: number): Promise<Float32Array> {
    const texels = floats(await download(this.device, this.own.trace, iterations * this.items));
    return Float32Array.from({ length: iterations * this.items }, (_, n) => texels[n * 4]);
  }

  /** The codes after the last step: [items × code values]. */
  async codes(): Promise<Float32Array> {
    const shape = [this.items, ...chw(this.joined.code.shape)] as const;
    return fromTexels(floats(await download(this.device, this.own.code)), shape);
  }

  /** The gradient at the codes before the last step: [items × code values]. */
  async gradient(): Promise<Float32Array> {
    const tensor = this.plan.tensors.dx!;
    return fromTexels(floats(await download(this.device, tensor)), tensor.shape);
  }

  /** The images of the last iteration, NCHW. */
  async images(): Promise<Float32Array> {
    const tensor = this.plan.tensors.of(this.joined.image);
    return fromTexels(floats(await download(this.device, tensor)), tensor.shape);
  }

  /** The unit layer's values of the last iteration, NCHW. */
  async values(): Promise<Float32Array> {
    const tensor = this.plan.tensors.of(this.joined.layer);
    return fromTexels(floats(await download(this.device, tensor)), tensor.shape);
  }

  /** What there is to tell after so many iterations: the trace, and where the units are the output's all their values. */
  async progress(iterations: number): Promise<Pick<Readings, "trace" | "values">> {
    const values = this.joined.atOutput ? this.values() : undefined;
    const [trace, last] = await Promise.all([this.trace(iterations), values]);
    return { trace, values: last };
  }

  /** All that is there after so many iterations. */
  async readings(iterations: number): Promise<Readings> {
    const [progress, images, codes] = await Promise.all([this.progress(iterations), this.images(), this.codes()]);
    return { ...progress, images, codes };
  }

  [Symbol.dispose](): void {
    this.plan[Symbol.dispose]();
    for (const memory of this.owned) free(this.device, memory);
  }
}

function stateOf(
  { iterations, lrStart, lrEnd, decay, bound, gamma, targets }: ClimbSettings,
): Float32Array<ArrayBuffer> {
  const one = [0, iterations, lrStart, lrEnd, decay, bound ? 0 : -FAR, gamma, 0];
  const all = new Float32Array(targets.length * one.length);
  targets.forEach((_, item) => all.set(one, item * one.length));
  return all;
}

function targetTexels(targets: ClimbSettings["targets"], units: number): Float32Array<ArrayBuffer> {
  const texels = new Float32Array(targets.length * units * 4).fill(-1);
  targets.forEach((list, item) => list.forEach((target, k) => texels.set(target, (item * units + k) * 4)));
  return texels;
}

function boundTexels(
  bound: Float32Array | undefined,
  [, c, h, w]: readonly [number, number, number, number],
): Float32Array<ArrayBuffer> {
  return toTexels(bound ?? new Float32Array(c * h * w).fill(FAR), [1, c, h, w]);
}
