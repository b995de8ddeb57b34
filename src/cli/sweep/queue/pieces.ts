/** The pieces of a sweep in Redis, kept by BullMQ: what is waiting, who has what, and what is done. */
import { type Connection, importPackages, type Job, type Queue, type Worker } from "./packages.ts";
import type { Failure } from "../source.ts";
import type { Answer, Beginning, Settling } from "./messages.ts";

/**
 * Milliseconds after which a piece whose taker was not heard of is another's, how often he is heard of, and how often it is looked
 * for such pieces. What a taker who was merely late makes is made twice, and the same.
 */
const lockMs = 6000;
const hearMs = 2000;
const lookMs = 3000;

/** How many takers may fail at a piece that another may make, and how many may vanish. */
const attempts = 2;
const mostVanished = 5;

/** Milliseconds until a Redis that does not answer is given up, and one that has gone, and between two tries. */
const connectMs = 5000;
const goneMs = 10_000;
const againMs = 500;

/** Pieces that are sent to Redis at a time. */
const sentTogether = 1000;

/** Seconds that Redis remembers a sweep that is done, so that who joins late does not begin it anew: a week. */
const rememberedSeconds = 7 * 24 * 3600;

/** What keys in Redis begin with. */
const prefix = "phosphene";

/** BullMQ's own keys of a queue that has no piece waiting. */
const ownKeys = ["meta", "id", "events", "completed", "failed", "marker", "stalled-check"];

const idOf = (piece: number) => `piece-${piece}`;

/** A failure as BullMQ knows it. */
const errorOf = ({ reason, elsewhere }: Failure) =>
  Object.assign(new Error(reason), { name: elsewhere ? "Error" : "UnrecoverableError" });

/** A sweep's pieces, of which one at a time may be taken. */
export class Pieces {
  readonly #token = crypto.randomUUID();
  #taken: { job: Job; hearing: ReturnType<typeof setInterval> } | undefined;

  private constructor(
    private readonly count: number,
    private readonly queue: Queue,
    private readonly worker: Worker,
    private readonly connection: Connection,
  ) {}

  /** Joins a sweep, whether others have begun it or not. @param onError Told why Redis cannot be reached. */
  static async join({ address, sweep, pieces }: Beginning, onError: (error: Error) => void): Promise<Pieces> {
    const { Redis, Queue, Worker } = await importPackages();
    let reached = false;
    const connection = new Redis(address, {
      connectTimeout: connectMs,
      maxRetriesPerRequest: null,
      retryStrategy: (times: number) => reached && times * againMs <= goneMs ? againMs : null,
    });
    const options = { connection, prefix };
    const queue = new Queue(sweep, options);
    for (const one of [connection, queue]) one.on("error", onError);
    await queue.getJobCounts("completed"); // where Redis is not there, this fails
    reached = true;
    const locks = { lockDuration: lockMs, stalledInterval: lookMs, maxStalledCount: mostVanished };
    const worker = new Worker(sweep, null, { ...options, ...locks });
    worker.on("error", onError);
    await worker.startStalledCheckTimer();
    return new Pieces(pieces, queue, worker, connection);
  }

  /** How many pieces are made. */
  async made(): Promise<number> {
    return (await this.queue.getJobCounts("completed")).completed;
  }

  /** Takes a piece, where one waits. */
  async next(): Promise<Answer> {
    const { completed, failed, waiting, active } = await this.queue.getJobCounts(
      ...["completed", "failed", "waiting", "active"] as const,
    );
    const known = completed + failed + waiting + active;
    const made = completed;
    if (completed + failed >= this.count) return { made, failures: await this.#end() };
    if (known < this.count) await this.#add();
    const job = await this.worker.getNextJob(this.#token, { block: false });
    if (!job) return { made };
    const hearing = setInterval(() => job.extendLock(this.#token, lockMs).catch(() => {}), hearMs);
    this.#taken = { job, hearing };
    if (job.deferredFailure === undefined) return { piece: job.data, made };
    await this.settle({ failed: { reason: `${mostVanished + 1} workers that began it vanished`, elsewhere: false } });
    return { made };
  }

  /** Says what came of the piece that was taken. */
  async settle(settling: Settling): Promise<void> {
    await this.#release((job) =>
      "failed" in settling
        ? job.moveToFailed(errorOf(settling.failed), this.#token, false)
        : job.moveToCompleted(null, this.#token, false)
    );
  }

  /** Has another take it. */
  async giveBack(): Promise<void> {
    await this.#release((job) => job.moveToWait(this.#token));
    this.connection.disconnect();
  }

  /** What is not this one's any more is another's, or Redis has forgotten it: both come right without him. */
  async #release(move: (job: Job) => Promise<unknown>): Promise<void> {
    if (!this.#taken) return;
    const { job, hearing } = this.#taken;
    this.#taken = undefined;
    clearInterval(hearing);
    await move(job).catch((error) => {
      if (typeof error.code !== "number") throw error;
    });
  }

  /** Adds all pieces; those that are there stay as they are. */
  async #add(): Promise<void> {
    const all = Array.from({ length: this.count }, (_, piece) => {
      return { name: "piece", data: piece, opts: { jobId: idOf(piece), attempts } };
    });
    for (let first = 0; first < all.length; first += sentTogether) {
      await this.queue.addBulk(all.slice(first, first + sentTogether));
    }
  }

  /** Has Redis forget the sweep in time. Returns the pieces that nobody could make, and why. */
  async #end(): Promise<{ piece: number; reason: string }[]> {
    const keys = [...ownKeys, ...Array.from({ length: this.count }, (_, piece) => idOf(piece))];
    await Promise.all(keys.map((key) => this.connection.expire(this.queue.toKey(key), rememberedSeconds)));
    return (await this.queue.getFailed()).map(({ data, failedReason = "" }) => ({ piece: data, reason: failedReason }));
  }
}
