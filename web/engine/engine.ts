/** The calls of the page, done: the networks at hand, the search on its way, what is dropped and what is saved. */
import { UserError } from "../../src/formats/user_error.ts";
import { valueCount } from "../../src/formats/shape.ts";
import { codeBounds, type Device, fetchModel, type Model, type Settings, suitable } from "../../src/mod.ts";
import { type Job, type Request, settleRequest } from "../../src/record/request.ts";
import type { Pair } from "./pair.ts";
import { titleOf } from "../../src/record/making.ts";
import type { BatchItem } from "../../src/record/record.ts";
import { drawAtlas } from "./atlas.ts";
import { takeDropped } from "./dropped.ts";
import { infoOf } from "./info.ts";
import {
  type Calls,
  type Dropped,
  type DroppedFile,
  type LayerView,
  type Opened,
  type SavedFile,
  type Saving,
  sentenceOf,
  type Started,
  type Told,
  type Wanted,
  type Wishes,
} from "./messages.ts";
import { type Seen, strongest } from "./photograph.ts";
import { type Again, again } from "./repeat.ts";
import { Run } from "./run.ts";
import { saved } from "./save.ts";
import version from "./version.ts";

/** Where the embedded pair lies, as seen from the worker. */
const embedded = { classifier: "models/caffenet64", generator: "models/deepsim64" } as const;

/** Pictures that one search makes. */
const MOST = 16;

/** What `Calls` says, one after the other. */
export class Engine implements Record<keyof Calls, unknown> {
  #device: Device | undefined;
  #own: Pair | undefined;
  #models: Pair | undefined;
  #run: Run | undefined;
  #runs = 0;
  #photograph: Seen | undefined;

  constructor(private readonly openDevice: () => Promise<Device>, private readonly tell: (told: Told) => void) {}

  async open(): Promise<Opened> {
    const [device, own] = await Promise.all([this.openDevice(), this.#fetch()]);
    this.#device = device;
    this.#own = this.#models = own;
    return this.#opened();
  }

  async embedded(): Promise<Opened> {
    await this.stop();
    this.#models = this.#ready.own;
    this.#photograph = undefined;
    return this.#opened();
  }

  async search(wanted: Wanted): Promise<Started> {
    const { models } = this.#ready, { layer, target, units, seeds, wishes: { sigmas, ...said }, from } = wanted;
    const items = seeds.flatMap((seed): BatchItem[] =>
      target === undefined ? units.map((unit) => ({ units: [unit], seed })) : [{ target, seed }]
    );
    if (items.length === 0) throw new UserError("there is no unit to search for");
    if (items.length > MOST) throw new UserError(`${items.length} pictures at a time, expected at most ${MOST}`);
    const request: Request = { rows: [{ layer, items }], said, directions: {}, set: {} };
    const job = settleRequest(request, models), bounds = this.#bounds(models, sigmas);
    return await this.#begin(request, job, {
      start: this.#codes(from, items.length),
      shown: items.map((_, n) => n),
      bounds,
      wanted,
    });
  }

  pause(): void {
    this.#run?.pause();
  }

  resume(): void {
    this.#run?.resume();
  }

  step(): void {
    this.#run?.step();
  }

  steer(wishes: Partial<Wishes>): void {
    this.#run?.steer(wishes);
  }

  async stop(): Promise<void> {
    await this.#run?.stop();
  }

  save(saving: Saving): SavedFile {
    const plan = this.#plan, snapshot = this.#run?.latest;
    if (!plan || !snapshot) throw new UserError("there is no picture yet");
    return saved(saving, { ...plan, version, device: this.#ready.device }, snapshot);
  }

  async drop(files: DroppedFile[]): Promise<Dropped> {
    const { device, models } = this.#ready, found = await takeDropped(files, device, models);
    if (found.kind === "photograph") {
      this.#photograph = found.seen;
      return { kind: "photograph", photograph: found.photograph };
    }
    await this.stop();
    if (found.kind === "record") {
      const repeated = again(found.record, found.file, models, device);
      return { kind: "picture", started: await this.#begin(repeated.request, repeated.job, repeated) };
    }
    this.#models = { ...models, [found.role]: found.model };
    this.#photograph = undefined;
    return { kind: "model", role: found.role, opened: this.#opened(), notes: found.notes };
  }

  async look(layer: string): Promise<LayerView> {
    const { device, models: { classifier } } = this.#ready;
    if (!this.#photograph) throw new UserError("there is no photograph");
    return await strongest(device, classifier, layer, this.#photograph.input);
  }

  async atlas(layer: string, units: number[]): Promise<SavedFile[]> {
    const { device, models } = this.#ready;
    return await drawAtlas(device, models, layer, units);
  }

  /** What a search goes by, for what is saved of it. */
  #plan: { request: Request; job: Job; models: Pair } | undefined;

  get #ready(): { device: Device; own: Pair; models: Pair } {
    if (!this.#device || !this.#own || !this.#models) throw new UserError("the networks are not loaded yet");
    return { device: this.#device, own: this.#own, models: this.#models };
  }

  async #fetch(): Promise<Pair> {
    const had = { classifier: [0, 0], generator: [0, 0] };
    const get = (role: keyof Pair): Promise<Model> =>
      fetchModel(new URL(embedded[role], self.location.href), (bytes, of) => {
        had[role] = [bytes, of ?? bytes];
        const [done, total] = [0, 1].map((n) => had.classifier[n] + had.generator[n]);
        this.tell({ kind: "loading", done, total });
      });
    const [classifier, generator] = await Promise.all([get("classifier"), get("generator")]);
    return { classifier, generator };
  }

  #opened(): Opened {
    const { device, models: { classifier, generator } } = this.#ready, { name: adapter, caps: { software } } = device;
    const sigmas = codeBounds(generator, codeSize(generator)) && generator.network.code?.sigmas;
    const settings: Settings = suitable({}, classifier);
    return {
      version,
      adapter,
      software,
      classifier: infoOf(classifier),
      generator: infoOf(generator),
      settings,
      sigmas,
    };
  }

  #bounds(models: Pair, sigmas: number | undefined) {
    const { generator } = models;
    if (sigmas === undefined || sigmas === generator.network.code?.sigmas) return undefined;
    const values = codeBounds(generator, codeSize(generator), sigmas);
    return values && { file: `mean + ${sigmas} deviations`, values };
  }

  /** Where pictures start that do not start from seeds. */
  #codes(from: Wanted["from"], count: number): { file: string; codes: Float32Array[] } | undefined {
    if (from === undefined) return undefined;
    const { code, name } = this.#photograph ?? {};
    if (!code || name === undefined) throw new UserError("there is no photograph that the generator can start from");
    return { file: name, codes: Array.from({ length: count }, () => code) };
  }

  async #begin(
    request: Request,
    job: Job,
    { start, shown, box, bounds, wanted, note }: Omit<Again, "request" | "job">,
  ): Promise<Started> {
    await this.stop();
    const { device, models } = this.#ready, run = ++this.#runs, [{ layer, items }] = job.rows;
    this.#plan = { request, job, models };
    this.#run = new Run(
      device,
      {
        ...this.#plan,
        shown,
        box,
        start,
        bounds,
        boundsOf: (sigmas) => codeBounds(models.generator, codeSize(models.generator), sigmas),
      },
      run,
      this.tell,
      sentenceOf,
    );
    const titles = shown.map((n) => {
      const { units, target } = items[n];
      return layer && units ? titleOf(units, layer, models.classifier) : target;
    });
    return { run, titles, wanted, note };
  }
}

/** Values of a generator's code. */
const codeSize = ({ network }: Model): number => valueCount(network.inputs[0].shape);
