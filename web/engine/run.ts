/** A search that can be watched: paused, stepped, given other settings on its way, and saved at any moment. */
import { part } from "../../src/formats/image.ts";
import {
  type Box,
  type Change,
  type Device,
  type Loss,
  type Picture,
  type Progress,
  type Ranked,
  search,
  type SearchItem,
  type SearchResult,
  type Settings,
} from "../../src/mod.ts";
import { type Job, type Request, searchOf } from "../../src/record/request.ts";
import type { Pair } from "./pair.ts";
import { saidOf } from "./info.ts";
import type { Told, Wishes } from "./messages.ts";

/** What a run is of. */
export interface Plan {
  request: Request;
  job: Job;
  models: Pair;
  /** Which of the batch are shown; the others only make kernels round as they did. */
  shown: readonly number[];
  /** What is cut out of each picture. */
  box?: Box;
  /** Where the pictures start, and what that is called. */
  start?: { file: string; codes: readonly Float32Array[] };
  bounds?: { file: string; values: Float32Array };
}

/** A state that can be saved: the settings, start and bounds are those of the search since they were last changed. */
export interface Snapshot extends Pick<Plan, "start" | "bounds"> {
  settings: Settings;
  items: Pick<SearchItem, "picture" | "code" | "next" | "activation" | "top" | "redirected" | "trace">[];
  losses: readonly Loss[];
}

/** Units that are told of each picture. */
const TOP = 5;

/** A running search. */
export class Run {
  #stop = new AbortController();
  #paused = false;
  #wake: (() => void) | undefined;
  #steering: Partial<Wishes> | undefined;
  /** The settings as the visitor sees them: of the whole way, whatever parts it has. */
  #whole: Settings;
  /** Iterations before the settings were last changed, and the parameters since. */
  #before = 0;
  #part: Settings;
  #start: Plan["start"];
  #bounds: Plan["bounds"];
  #trace: Float32Array[] = [];
  #losses: Loss[] = [];
  #latest: Snapshot | undefined;
  /** Resolves when it has ended, however it did. */
  readonly ended: Promise<void>;

  constructor(
    private readonly device: Device,
    private readonly plan: Plan,
    private readonly number: number,
    private readonly tell: (told: Told) => void,
    private readonly sentence: (error: unknown) => string,
  ) {
    [{ settings: this.#whole }] = plan.job.rows;
    this.#part = this.#whole;
    this.#start = plan.start;
    this.#bounds = plan.bounds;
    this.ended = this.#go();
  }

  /** What there is to save. */
  get latest(): Snapshot | undefined {
    return this.#latest;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#wake?.();
  }

  /** One iteration more. */
  step(): void {
    this.#paused = true;
    this.#wake?.();
  }

  steer(wishes: Partial<Wishes>): void {
    this.#steering = { ...this.#steering, ...saidOf(this.plan.models, wishes) };
  }

  /** Ends it, and waits for its end. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wake?.();
    await this.ended;
  }

  async #go(): Promise<void> {
    const { plan: { request, job, models: { classifier } }, number } = this;
    const [row] = job.rows;
    try {
      const asked = searchOf(request, row, classifier, this.#start?.codes);
      const { layer, items } = row;
      const { xy } = request;
      // Units by themselves, not the target that they come to: so their γ may change on the way.
      const units = layer && items.every(({ units }) => units)
        ? {
          layer: layer.name,
          targets: asked.targets.map(({ seed, code }, n) => ({ units: items[n].units, xy, seed, code })),
        }
        : {};
      const result = await search(this.device, {
        ...asked,
        ...units,
        bounds: this.#bounds?.values,
        every: 1,
        signal: this.#stop.signal,
        onPlan: (pieces) => this.tell({ kind: "planned", bytes: pieces.reduce((sum, { bytes }) => sum + bytes, 0) }),
        onLost: (loss) => this.#lost(loss),
        onProgress: (progress) => this.#progress(progress),
      });
      this.#end(result);
    } catch (error) {
      if (this.#stop.signal.aborted) this.tell({ kind: "ended", run: number, finished: false, seconds: 0, top: [] });
      else this.tell({ kind: "failed", run: number, sentence: this.sentence(error) });
    }
  }

  /** What was told before the loss is not told again. */
  #lost(loss: Loss): void {
    const { iteration: from } = loss;
    this.#losses.push({ ...loss, iteration: from - this.#before });
    const { name } = this.device;
    const on = name === loss.adapter ? "a new one" : name;
    this.tell({
      kind: "lost",
      sentence: `The GPU was taken away; the search went on from iteration ${from} on ${on}.`,
    });
  }

  async #progress(progress: Progress): Promise<Change | void> {
    const { iteration } = progress;
    const { shown } = this.plan;
    const [whole, codes] = await Promise.all([progress.pictures(), progress.codes()]);
    const top = progress.strongest(TOP);
    const pictures = whole.map((picture) => this.#cut(picture));
    this.#trace[iteration - this.#before - 1] = progress.activations;
    this.#latest = {
      ...this.#parameters(),
      items: shown.map((n) => ({
        picture: pictures[n],
        ...codes[n],
        activation: progress.activations[n],
        top: top?.[n] ?? [],
        redirected: 0,
        trace: Float32Array.from(this.#trace, (row) => row[n]),
      })),
    };
    const of = <T>(list: readonly T[]) => shown.map((n) => list[n]);
    this.#report(iteration, of(pictures), Float32Array.from(of([...progress.activations])), top && of(top));
    if (this.#paused && !this.#stop.signal.aborted) await this.#woken();
    return this.#turned(iteration, codes.map(({ next }) => next));
  }

  #cut(picture: Picture): Picture {
    const { box } = this.plan;
    return box ? part(picture, box) : picture;
  }

  #parameters() {
    return { settings: this.#part, start: this.#start, bounds: this.#bounds, losses: [...this.#losses] };
  }

  #report(iteration: number, pictures: Picture[], activations: Float32Array, top?: Ranked[][]): void {
    this.tell({
      kind: "progress",
      run: this.number,
      iteration,
      iterations: this.#whole.iterations,
      activations,
      pictures,
      top,
    });
  }

  async #woken(): Promise<void> {
    await new Promise<void>((resolve) => this.#wake = resolve);
    this.#wake = undefined;
  }

  /** The change that the visitor has asked for: what is left of the way, with the rate that the schedule has here. */
  #turned(done: number, codes: readonly Float32Array[]): Change | void {
    const wishes = this.#steering;
    this.#steering = undefined;
    if (!wishes || this.#stop.signal.aborted) return;
    this.#whole = { ...this.#whole, ...wishes };
    this.#whole.iterations = Math.max(this.#whole.iterations, done + 1);
    const { iterations, lrStart, lrEnd } = this.#whole;
    if (wishes.sigmas !== undefined) this.#bounds = undefined; // for other bounds than a picture says
    this.#part = {
      ...this.#whole,
      iterations: iterations - done,
      lrStart: lrStart + (lrEnd - lrStart) * done / iterations,
    };
    this.#start = { file: `iteration ${done}`, codes };
    this.#before = done;
    this.#trace = [];
    return { ...this.#part, iterations, bounds: this.#bounds?.values, codes };
  }

  #end({ aborted, seconds, items }: SearchResult): void {
    const shown = this.plan.shown.map((n) => ({
      ...items[n],
      picture: this.#cut(items[n].picture),
      trace: items[n].trace.subarray(this.#before),
    }));
    this.#latest = { ...this.#parameters(), items: shown };
    this.tell({
      kind: "ended",
      run: this.number,
      finished: !aborted,
      seconds,
      top: shown.map(({ top }) => top),
    });
  }
}
