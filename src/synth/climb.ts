/**
 * The GPU side of the search: one plan whose step list is a whole iteration, and the state that stays on the GPU.
 *
 *   generator → crop → classifier → objective → gradients back to the code → step
 */
import type { Device } from "../gpu/device.ts";
import { type Call, read, update, write } from "../gpu/call.ts";
import { download, free, fromTexels, type Memory, place, run, type Tensor, toTexels, upload } from "../gpu/tensor.ts";
import { bytes, floats } from "../net/net.ts";
import { buildPlan, type Plan, type PlanMemory, type PlanRequest, type PlanTensors } from "../net/plan.ts";
import { texelCall } from "../ops/calls.ts";
import { chw, count, type WeightStorage } from "../ops/op.ts";
import { magnitude, objective, type Rule, step } from "../../shaders/search.ts";
import { iterationOf, type Joined } from "./joined.ts";

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

/** Pieces in which the gradient's magnitude is summed. */
const PARTS = 32;

/** A search in progress on the GPU. */
export class Climb {
  private constructor(
    private readonly device: Device,
    private readonly joined: Joined,
    /** What one iteration runs. */
    readonly plan: Plan,
    private readonly own: { code: Tensor; trace: Tensor },
    private readonly owned: readonly Memory[],
    private readonly items: number,
  ) {}

  /** Compiles the iteration and uploads the start. @throws UserError, GpuError */
  static async create(
    device: Device,
    joined: Joined,
    settings: ClimbSettings,
    { weights, choose, onPlan, signal }:
      & { weights?: WeightStorage }
      & Pick<PlanRequest, "choose" | "onPlan" | "signal"> = {},
  ): Promise<Climb> {
    const items = settings.targets.length, units = Math.max(...settings.targets.map((list) => list.length));
    const codeShape = [items, ...chw(joined.code.shape)] as const, [, c, h, w] = codeShape;
    const texels = Math.ceil(c / 4) * h * w, parts = Math.min(PARTS, texels), owned: Memory[] = [];
    const own = (label: string, size: number, values?: Float32Array<ArrayBuffer>): Tensor => {
      const tensor = place(device, run(label, size, "buffer"));
      owned.push(tensor.memory!);
      if (values) upload(device, tensor, bytes(values));
      return tensor;
    };
    const start = toTexels(settings.codes, codeShape);
    const code = own("code", items * texels, start), trace = own("trace", settings.iterations * items);
    const state = own("state", 2, stateOf(settings));
    const targets = own("targets", items * units, targetTexels(settings.targets, units));
    const bound = own("bounds", texels, boundTexels(settings.bound, codeShape));
    const moments = settings.rule === "adam" ? { m: own("m", items * texels), v: own("v", items * texels) } : undefined;

    const seed = ({ of, dy }: PlanTensors): Call[] => [
      texelCall(
        "objective",
        { y: of(joined.layer), targets, state },
        { dy: write(dy!), trace: write(trace) },
        objective({ items, units, map: chw(joined.layer.shape) }),
        units,
      ),
    ];
    const after = ({ of, dx }: PlanTensors): Call[] => {
      const g = dx!, partial = run("gradient magnitude", items * parts, "buffer");
      return [
        texelCall("magnitude", { g }, { partial: write(partial), state: update(state) }, magnitude(texels, parts)),
        {
          label: "step",
          bindings: {
            g: read(g),
            partial: read(partial),
            state: read(state),
            bound: read(bound),
            code: update(code),
            input: write(of(joined.code)),
            ...(moments ? { m: update(moments.m), v: update(moments.v) } : {}),
          },
          code: step(settings.rule, { texels, values: count(joined.code.shape), parts }),
          invocations: items * texels,
          flops: 0,
        },
      ];
    };
    const plan = await buildPlan(device, {
      ...iterationOf(joined),
      batch: items,
      storage: weights,
      choose,
      onPlan,
      signal,
      seed,
      after,
    });
    upload(device, plan.tensors.of(joined.code), bytes(start));
    return new Climb(device, joined, plan, { code, trace }, owned, items);
  }

  /** Submits so many iterations. */
  submit(times: number): void {
    this.plan.submit(times);
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

  [Symbol.dispose](): void {
    this.plan[Symbol.dispose]();
    for (const memory of this.owned) free(this.device, memory);
  }
}

function stateOf({ iterations, lrStart, lrEnd, decay, bound, gamma }: ClimbSettings): Float32Array<ArrayBuffer> {
  return new Float32Array([0, iterations, lrStart, lrEnd, decay, bound ? 0 : -FAR, gamma, 0]);
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
