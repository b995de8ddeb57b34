/** The calls of the page, done: the networks at hand, the search on its way, what is dropped and what is saved. */
import { UserError } from "../../src/formats/user_error.ts";
import { type Device, fetchModel, lastSeed, type MethodName, type Model, type Picture } from "../../src/mod.ts";
import { idleLines } from "../../src/record/idle.ts";
import { type Job, type Request, type Row, settingsOf, settleRequest } from "../../src/record/request.ts";
import type { Pair } from "./pair.ts";
import { titleOf } from "../../src/record/making.ts";
import type { BatchItem } from "../../src/record/record.ts";
import { Album } from "./album.ts";
import { drawAtlas } from "./atlas.ts";
import { takeDropped } from "./dropped.ts";
import { folder, type FoundModel } from "./dropped_model.ts";
import { moved, openedOf, saidOf } from "./info.ts";
import { forgetModel, keepModel, keptFiles, keptModels } from "./kept_models.ts";
import {
  type Calls,
  type Dropped,
  type DroppedFile,
  type Excited,
  type KeptModel,
  type LayerView,
  type Near,
  type Opened,
  type Photograph,
  type SavedFile,
  type Saving,
  sentenceOf,
  type Started,
  type Told,
  type Wanted,
  type Wishes,
} from "./messages.ts";
import { type Again, again } from "./repeat.ts";
import { Run } from "./run.ts";
import { saved } from "./save.ts";
import type { Going } from "./through.ts";
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
  #album: Album | undefined;
  /** Those of the networks at hand that were dropped. */
  #dropped: Partial<Record<keyof Pair, FoundModel>> = {};
  /** What ends the work that is on its way beside the search. */
  #halt = new AbortController();

  constructor(private readonly openDevice: () => Promise<Device>, private readonly tell: (told: Told) => void) {}

  async open(): Promise<Opened> {
    const [device, own] = await Promise.all([this.openDevice(), this.#fetch()]);
    this.#device = device;
    this.#own = own;
    this.#album = new Album(device, own);
    return this.#adopt(own);
  }

  async embedded(): Promise<Opened> {
    await this.stop();
    this.#dropped = {};
    return this.#adopt(this.#ready.own);
  }

  async search(wanted: Wanted): Promise<Started> {
    const { models } = this.#ready;
    const { method, layer, wishes, from } = wanted;
    const items = itemsOf(wanted);
    if (items.length === 0) throw new UserError("there is no unit to search for");
    if (items.length > MOST) throw new UserError(`${items.length} pictures at a time, expected at most ${MOST}`);
    const beyond = wanted.seeds.find((seed) => seed > lastSeed);
    if (beyond !== undefined) throw new UserError(`seed ${beyond}, expected at most ${lastSeed}`);
    const said = saidOf(models, wishes);
    const request: Request = { rows: [{ method, layer, items }], said, directions: {}, set: {} };
    const job = settleRequest(request, models);
    const [row] = job.rows;
    const start = from === undefined ? undefined : await this.#codes(from, row);
    const idle = idleLines({ ...request, said: moved(said, method, models) }, [{ row, start }], models.classifier);
    return await this.#begin(request, job, {
      start,
      shown: items.map((_, n) => n),
      wanted,
      note: idle.map((line) => `${line}.`).join(" ") || undefined,
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
    const plan = this.#plan;
    const snapshot = this.#run?.latest;
    if (!plan || !snapshot) throw new UserError("there is no picture yet");
    return saved(saving, { ...plan, version, device: this.#ready.device }, snapshot);
  }

  async drop(files: DroppedFile[]): Promise<Dropped> {
    const { device, models, album } = this.#ready;
    const found = await takeDropped(files, album, (photograph) => this.tell({ kind: "photograph", photograph }));
    if (found.kind === "photographs") return found;
    await this.stop();
    if (found.kind === "record") {
      const repeated = again(found.record, found.file, models, device);
      return { kind: "picture", started: await this.#begin(repeated.request, repeated.job, repeated) };
    }
    return this.#take(found);
  }

  async kept(): Promise<KeptModel[]> {
    return await keptModels();
  }

  async keep(role: keyof Pair): Promise<void> {
    const { models: { [role]: { hash, name } } } = this.#ready;
    const files = this.#dropped[role]?.files();
    if (!files) throw new UserError(`${name} comes with the page`);
    const bytes = [...files.values()].reduce((sum, { size }) => sum + size, 0);
    await keepModel({ hash, name, role, bytes }, files);
  }

  async openKept(model: KeptModel): Promise<Dropped> {
    const found = await folder(await keptFiles(model), model.name, []);
    await this.stop();
    return this.#take(found);
  }

  async forgetKept(hash: string): Promise<void> {
    await forgetModel(hash);
  }

  /** Takes a network into the place of the one at hand. */
  #take(found: FoundModel): Dropped {
    const { role, model, notes } = found;
    const opened = this.#adopt({ ...this.#ready.models, [role]: model });
    this.#dropped = { ...this.#dropped, [role]: found };
    return { kind: "model", role, opened, notes };
  }

  async photographs(): Promise<Photograph[]> {
    return await this.#ready.album.all();
  }

  forget(photograph: number): void {
    this.#ready.album.remove(photograph);
  }

  async look(photograph: number, layer: string): Promise<LayerView> {
    return await this.#ready.album.look(photograph, layer);
  }

  async region(photograph: number, layer: string | undefined, unit: number): Promise<Picture | undefined> {
    return await this.#work((going) => this.#ready.album.region(photograph, layer, unit, going));
  }

  async nearest(photograph: number, layer: string | undefined): Promise<Near[] | undefined> {
    return await this.#work((going) => this.#ready.album.nearest(photograph, layer, going));
  }

  async best(layer: string | undefined, unit: number): Promise<Excited[] | undefined> {
    return await this.#work((going) => this.#ready.album.best(layer, unit, going));
  }

  halt(): void {
    this.#halt.abort();
  }

  /** Does what may take a while, tells how far it is, and ends what was on its way before. */
  async #work<T>(work: (going: Going) => Promise<T>): Promise<T | undefined> {
    this.#halt.abort();
    const { signal } = this.#halt = new AbortController();
    try {
      return await work({ signal, onDone: (done, total) => this.tell({ kind: "at", done, total }) });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async atlas(layer: string, units: number[], method: MethodName | undefined): Promise<SavedFile[] | undefined> {
    const { device, models } = this.#ready;
    const settings = settingsOf({ said: {} }, method, models.classifier);
    return await this.#work(({ signal }) => drawAtlas(device, models, layer, units, settings, signal));
  }

  /** What a search goes by, for what is saved of it. */
  #plan: { request: Request; job: Job; models: Pair } | undefined;

  get #ready(): { device: Device; own: Pair; models: Pair; album: Album } {
    if (!this.#device || !this.#own || !this.#models || !this.#album) {
      throw new UserError("the networks are not loaded yet");
    }
    return { device: this.#device, own: this.#own, models: this.#models, album: this.#album };
  }

  /** Takes networks as those at hand. */
  #adopt(models: Pair): Opened {
    this.halt();
    this.#models = models;
    this.#album = this.#album!.seenBy(models);
    return openedOf(this.#ready.device, models);
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

  /** Where pictures start that do not start from seeds. */
  async #codes(photograph: number, row: Row): Promise<{ file: string; codes: Float32Array[] }> {
    const { name, code } = await this.#ready.album.code(photograph, row);
    return { file: name, codes: row.items.map(() => code) };
  }

  async #begin(
    request: Request,
    job: Job,
    { start, shown, box, bounds, wanted, note }: Omit<Again, "request" | "job">,
  ): Promise<Started> {
    // Another may have begun while one was being stopped.
    let last: Run | undefined;
    while (last !== this.#run) {
      last = this.#run;
      await last?.stop();
    }
    const { device, models } = this.#ready;
    const run = ++this.#runs;
    const [{ layer, items }] = job.rows;
    this.#plan = { request, job, models };
    this.#run = new Run(
      device,
      {
        ...this.#plan,
        shown,
        box,
        start,
        bounds,
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

/** The pictures that are wanted, seed by seed. */
const itemsOf = ({ target, units, together, seeds }: Wanted): BatchItem[] =>
  seeds.flatMap((seed): BatchItem[] => {
    if (target !== undefined) return [{ target, seed }];
    if (together) return units.length > 0 ? [{ units, seed }] : [];
    return units.map((unit) => ({ units: [unit], seed }));
  });
