/**
 * The GPU side of the search: one plan whose step list is a whole iteration, and the state that stays on the GPU.
 *
 *   generator → fit → classifier → objective → gradients back to the code → step
 */
import type { Device } from "../gpu/device.ts";
import type { Call } from "../gpu/call.ts";
import { fromTexels, readMap, readTexels } from "../gpu/map.ts";
import { download, free, type Memory, type Tensor, upload } from "../gpu/tensor.ts";
import type { Value } from "../net/graph.ts";
import { buildPlan, type Plan, type PlanMemory, type PlanRequest, type PlanTensors } from "../net/plan.ts";
import { chw, count, type WeightStorage } from "../ops/op.ts";
import { stateTexels } from "../../shaders/search/state.ts";
import { isOutput, iterationOf, type Joined } from "./joined.ts";
import type { ClimbSettings, Readings, Saved } from "./climb_data.ts";
import { isDirect } from "./objective.ts";
import { objectiveCalls, objectiveSpotsOf, type ObjectiveTensors } from "./objective_calls.ts";
import { rules } from "./rules/table.ts";
import { sameKernels, stateNames } from "./settings.ts";
import { boundTexels, givenStarts, maker, ownPiece, settledStarts, viewCall } from "./start.ts";
import { stepCalls } from "./step.ts";
import { channelBlocks } from "../../shaders/texels.ts";

/** How a climb's plan is built; `redirected` lets the gradient pass through ReLUs that are off. */
export type ClimbOptions =
  & { weights?: WeightStorage; redirected?: boolean; onReady?: (plan: Plan) => Promise<void> }
  & Pick<PlanRequest, "arithmetic" | "choose" | "replace" | "onPlan" | "signal">;

/** The state's tensors that live as long as the climb. */
type Own = ObjectiveTensors & { code: Tensor; bound: Tensor; slopes: Tensor };

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
    private readonly own: Own,
    private readonly owned: readonly Memory[],
    private readonly items: number,
    private readonly starts: Map<Tensor, Float32Array<ArrayBuffer>>,
    private readonly settings: ClimbSettings,
    /** The source whose values are those of the output's units, where there is one. */
    readonly ranked: Value | undefined,
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
    { weights, redirected, arithmetic, choose, replace, onPlan, onReady, signal }: ClimbOptions,
    owned: Memory[],
  ): Promise<Climb> {
    const { objective, rule, views } = settings;
    const { items } = objective;
    const film = settings.windowSize !== undefined;
    const codeShape = [items, ...chw(joined.code.shape)] as const;
    const [, c, h, w] = codeShape;
    const texels = channelBlocks(c) * h * w;
    const make = maker(device, owned);
    const own: Own = {
      code: make("code", 2 * items * texels),
      trace: make("trace", settings.iterations * items),
      slopes: make("slopes", settings.iterations * items),
      state: make("state", stateTexels(stateNames) * items),
      slots: make("slots", objective.texels),
      bound: make("bounds", boundTexels(settings.bound, codeShape)),
      measures: isDirect(objective) ? undefined : make("measures", items * objective.slots),
      directions: objective.directions.length === 0 ? undefined : make("directions", objective.directions),
    };
    const seen = views && make("views", views);
    const moments = Object.fromEntries(rules[rule].moments.map((name) => [name, make(name, items * texels)]));

    const seed = (tensors: PlanTensors): Call[] => objectiveCalls(objective, tensors, own);
    const spots = (tensors: PlanTensors) => objectiveSpotsOf(objective, tensors, own);
    const after = ({ of, dx }: PlanTensors): Call[] => [
      ...stepCalls(device, settings, { items, texels, values: count(joined.code.shape), joint: film }, {
        ...own,
        g: dx!,
        input: of(joined.code),
        moments,
      }),
      ...seen ? [viewCall(items, { views: seen, state: own.state, view: of(joined.view!) })] : [],
    ];
    const iteration = iterationOf(joined, objective.sources);
    const answer = film ? joined.logits : undefined;
    const ranked = objective.sources.find((source) => isOutput(joined, source)) ?? answer;
    const plan = await buildPlan(device, {
      ...iteration,
      wanted: [...iteration.wanted, ...answer ? [answer] : []],
      batch: items,
      windowSize: settings.windowSize,
      gradient: {
        ...iteration.gradient,
        spots: device.caps.software ? undefined : spots,
        redirect: redirected,
      },
      storage: weights,
      arithmetic,
      choose,
      replace,
      onPlan: onPlan && ((pieces) => onPlan([...pieces, ownPiece(owned)])),
      signal,
      seed,
      after,
    });
    const { of } = plan.tensors;
    const starts = new Map([
      ...settledStarts(settings, codeShape, { ...own, input: of(joined.code) }),
      ...givenStarts(joined, items, of),
    ]);
    if (views) starts.set(of(joined.view!), views.slice(0, 4 * items));
    for (const moment of Object.values(moments)) starts.set(moment, new Float32Array(4 * moment.texels));
    const climb = new Climb(device, joined, plan, own, owned, items, starts, settings, ranked);
    try {
      await onReady?.(plan);
    } catch (error) {
      plan[Symbol.dispose]();
      throw error;
    }
    climb.restart();
    return climb;
  }

  /** Whether it can search with these settings too: by the same kernels, on memory that is there. */
  takes(other: ClimbSettings): boolean {
    const { settings } = this;
    const size = settings.codes.length;
    const bounds = [settings, other].map(({ bound }) => bound?.length ?? size / this.items);
    return sameKernels(settings, other) && other.iterations <= settings.iterations &&
      other.objective === settings.objective &&
      bounds[0] === bounds[1] && !settings.views && !other.views;
  }

  /** Goes to the start of a search with other settings that it takes. */
  begin(settings: ClimbSettings): void {
    const { own, plan, joined } = this;
    const shape = [this.items, ...chw(joined.code.shape)] as const;
    const starts = settledStarts(settings, shape, { ...own, input: plan.tensors.of(joined.code) });
    for (const [tensor, values] of starts) this.starts.set(tensor, values);
    upload(this.device, own.bound, boundTexels(settings.bound, shape));
    this.restart();
  }

  /** Back to the start, after what was submitted. */
  restart(): void {
    for (const [tensor, values] of this.starts) upload(this.device, tensor, values);
  }

  /** What a search that has come so far goes on from, on this device or another. */
  async save(iteration: number): Promise<Saved> {
    const pieces = this.#kept(iteration).map(([tensor, texels]) => download(this.device, tensor, texels));
    return { iteration, pieces: await Promise.all(pieces) };
  }

  /** Goes on from there. */
  restore({ iteration, pieces }: Saved): void {
    this.#kept(iteration).forEach(([tensor], n) => upload(this.device, tensor, pieces[n]));
    const [codes] = pieces;
    const { views } = this.settings;
    upload(this.device, this.plan.tensors.of(this.joined.code), codes.subarray(0, codes.length / 2));
    if (!views) return;
    const size = 4 * this.items;
    const view = views.slice(size * iteration, size * (iteration + 1));
    upload(this.device, this.plan.tensors.of(this.joined.view!), view);
  }

  /** The search's own tensors that iterations change, and how much of them after so many: the codes, then what steps keep. */
  #kept(iteration: number): [Tensor, texels: number][] {
    const { code, trace, slopes } = this.own;
    const done = iteration * this.items;
    const others = [...this.starts.keys()].filter((tensor) => tensor !== code && this.owned.includes(tensor.memory!));
    return [...[code, ...others].map((tensor): [Tensor, number] => [tensor, tensor.texels]), [trace, done], [
      slopes,
      done,
    ]];
  }

  /** Submits so many iterations, with those before at most as many as the settings say. */
  submit(times: number, timestampWrites?: GPUComputePassTimestampWrites): void {
    this.plan.submit(times, false, timestampWrites);
  }

  /** Dispatches of one iteration. */
  get dispatches(): number {
    return this.plan.dispatched.length;
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
    const { weights, activations, total } = this.plan.memory;
    const state = this.owned.reduce((sum, { bytes }) => sum + bytes, 0);
    return { weights, activations: activations + state, total: total + state };
  }

  /** What every item's terms came to at each of the first `iterations` iterations: [iterations × items]. */
  async trace(iterations: number): Promise<Float32Array> {
    return await this.#numbers(this.own.trace, iterations);
  }

  /** The mean magnitude of every item's gradient at the code, likewise. */
  async slopes(iterations: number): Promise<Float32Array> {
    return await this.#numbers(this.own.slopes, iterations);
  }

  /**
   * Runs once more what treats the frames of a film together, as in the first iteration. Nothing can go on from there but a search
   * that begins anew.
   */
  rejoin(): void {
    upload(this.device, this.own.state, this.starts.get(this.own.state)!); // whose iteration says where the trace goes
    this.plan.submitJoint();
  }

  /** The codes after the last step, and those of the pictures, which are a step before: [items × code values] each. */
  async codes(): Promise<{ codes: Float32Array; shown: Float32Array }> {
    const shape = [this.items, ...chw(this.joined.code.shape)] as const;
    const both = await readTexels(this.device, this.own.code);
    const half = both.length / 2;
    return { codes: fromTexels(both.subarray(0, half), shape), shown: fromTexels(both.subarray(half), shape) };
  }

  /** The gradient at the codes before the last step: [items × code values]. */
  async gradient(): Promise<Float32Array> {
    const tensor = this.plan.tensors.dx!;
    return await readMap(this.device, tensor);
  }

  /** The pictures of the last iteration, NCHW. */
  async images(): Promise<Float32Array> {
    return await this.#values(this.joined.shown);
  }

  /** What there is to tell after so many iterations: the trace, and where the units are the output's all their values. */
  async progress(iterations: number): Promise<Pick<Readings, "trace" | "values">> {
    const values = this.ranked && this.#values(this.ranked);
    const [trace, last] = await Promise.all([this.trace(iterations), values]);
    return { trace, values: last };
  }

  /** All that is there after so many iterations. */
  async readings(iterations: number): Promise<Readings> {
    const [progress, slopes, images, codes] = await Promise.all([
      this.progress(iterations),
      this.slopes(iterations),
      this.images(),
      this.codes(),
    ]);
    return { ...progress, slopes, images, ...codes };
  }

  /** The first numbers of so many iterations' texels. */
  async #numbers(tensor: Tensor, iterations: number): Promise<Float32Array> {
    const texels = await readTexels(this.device, tensor, iterations * this.items);
    return Float32Array.from({ length: iterations * this.items }, (_, n) => texels[n * 4]);
  }

  async #values(value: Value): Promise<Float32Array> {
    const tensor = this.plan.tensors.of(value);
    return await readMap(this.device, tensor);
  }

  [Symbol.dispose](): void {
    this.plan[Symbol.dispose]();
    for (const memory of this.owned) free(this.device, memory);
  }
}
