/**
 * The packages of the queue, which only its own program (`child.ts`) fetches and runs: Deno fetches all that a lock names, so
 * they are named in strings that are put together at run time, and `deno.lock` in this folder has their digests:
 *
 *     deno cache --no-config --lock=src/cli/sweep/queue/deno.lock --frozen=false src/cli/sweep/queue/child.ts \
 *       npm:ioredis@5.11.1 npm:bullmq@6.7.0
 *
 * writes it anew, without the project's own imports. Of their modules, no more is described here than what is used.
 */
import process from "node:process";

/** ioredis: a connection. */
export interface Connection {
  on(event: "error", listener: (error: Error) => void): void;
  expire(key: string, seconds: number): Promise<number>;
  disconnect(): void;
}

/** BullMQ: a piece of work, that who takes it has a lock of. */
export interface Job {
  data: number;
  failedReason?: string;
  /** Why it is to fail: too many of its takers have vanished. */
  deferredFailure?: string;
  extendLock(token: string, ms: number): Promise<number>;
  moveToCompleted(value: null, token: string, fetchNext: false): Promise<unknown>;
  moveToFailed(error: Error, token: string, fetchNext: false): Promise<unknown>;
  moveToWait(token: string): Promise<unknown>;
}

/** BullMQ: the states of a piece that are looked at. */
export type State = "completed" | "failed" | "waiting" | "active";

/** BullMQ: pieces by their states. */
export interface Queue {
  addBulk(jobs: { name: string; data: number; opts: { jobId: string; attempts: number } }[]): Promise<unknown>;
  getJobCounts(...states: State[]): Promise<Record<State, number>>;
  getFailed(): Promise<Job[]>;
  toKey(kind: string): string;
  on(event: "error", listener: (error: Error) => void): void;
}

/** BullMQ: who takes pieces, and puts back those whose taker has vanished. */
export interface Worker {
  getNextJob(token: string, options: { block: false }): Promise<Job | undefined>;
  startStalledCheckTimer(): Promise<void>;
  on(event: "error", listener: (error: Error) => void): void;
}

interface QueueOptions {
  connection: Connection;
  prefix: string;
}

interface WorkerOptions extends QueueOptions {
  lockDuration: number;
  stalledInterval: number;
  maxStalledCount: number;
}

interface Packages {
  Redis: new (address: string, options: Record<string, unknown>) => Connection;
  Queue: new (name: string, options: QueueOptions) => Queue;
  Worker: new (name: string, processor: null, options: WorkerOptions) => Worker;
}

/** Their modules. @throws Error with one sentence where they are not here and may not or cannot be fetched. */
export async function importPackages(): Promise<Packages> {
  // They look through the environment for variables that change how they work; it is none of their business.
  Object.defineProperty(process, "env", { value: {} });
  const [ioredis, bullmq] = ["npm:ioredis@5.11.1", "npm:bullmq@6.7.0"];
  try {
    return { ...await import(ioredis), ...await import(bullmq) };
  } catch (error) {
    const [reason] = (error as Error).message.split("\n");
    throw new Error(`its packages are not here, and not fetched (${reason}); PHOSPHENE_SETUP=install fetches them`);
  }
}
