/**
 * A search for any number of pictures: as many at a time as memory holds and as make it faster, one batch after the other.
 */
import {
  type Device,
  GpuError,
  type Loss,
  type Progress,
  search,
  type SearchOptions,
  type SearchResult,
} from "../mod.ts";
import { UserError } from "../formats/user_error.ts";
import { mebibytes } from "./files.ts";
import { freeMemory } from "./free_memory.ts";

/** Pictures that are made together: no adapter makes a picture faster in a larger batch. */
const mostTogether = 256;

/** How far a search of several batches is: iterations of all batches, and the state of the one at hand. */
export interface BatchProgress extends Progress {
  /** The first of its targets. */
  first: number;
}

/** What came of the targets, in their order; fewer items where it was stopped. Iterations are those of all batches. */
export interface BatchResult extends SearchResult {
  /** Iterations that would have been done. */
  planned: number;
  /** How many pictures each batch made, and the devices that it lost. */
  batches: { size: number; losses: Loss[] }[];
  /** What ended it, where there are some pictures. */
  failure?: unknown;
}

/** The same options, with progress over all batches. */
export type BatchOptions = Omit<SearchOptions, "onProgress"> & {
  iterations: number;
  onProgress(progress: BatchProgress): void | Promise<void>;
};

/** @throws UserError where so many pictures, of so many bytes each with all that is told of them, do not go into memory. */
export function checkRoom(pictures: number, bytes: number, free: number = freeMemory()): void {
  if (pictures * bytes <= free / 2) return;
  throw new UserError(
    `${pictures.toLocaleString("en")} pictures take ${mebibytes(pictures * bytes)} of memory until all are saved, ` +
      `${mebibytes(free)} are free, of which half may be used; make at most ${Math.floor(free / 2 / bytes)} at a time`,
  );
}

/** Searches. @throws UserError, GpuError as `search` does, and the signal's reason, where nothing has been made. */
export async function searchInBatches(
  device: Device,
  options: BatchOptions,
  together: number = mostTogether,
): Promise<BatchResult> {
  const { targets, octaves = 1, signal } = options;
  const iterations = octaves * options.iterations;
  const done: SearchResult[] = [];
  let size = Math.min(targets.length, options.frames === undefined ? together : 1);
  let first = 0;
  let planned = 0;
  let failure: unknown;
  while (first < targets.length && !done.at(-1)?.aborted && failure === undefined) {
    const before = done.reduce((sum, result) => sum + result.iterations, 0);
    planned = before + iterations * Math.ceil((targets.length - first) / size);
    try {
      const result = await search(device, {
        ...options,
        targets: targets.slice(first, first + size),
        onProgress: (state) =>
          options.onProgress({ ...state, first, iteration: before + state.iteration, iterations: planned }),
      });
      done.push(result);
      first += size;
    } catch (error) {
      if (signal?.aborted && error === signal.reason && done.length > 0) break;
      if (error instanceof GpuError && error.kind === "out-of-memory" && size > 1) size = Math.ceil(size / 2);
      else if (done.length > 0) failure = error;
      else throw error;
    }
  }
  const sum = (of: (result: SearchResult) => number) => done.reduce((sum, result) => sum + of(result), 0);
  const [{ dispatches, flops, memory, octaves: sizes }] = done;
  const items = done.flatMap((result) => result.items);
  const [all, seconds] = [sum((result) => result.iterations), sum((result) => result.seconds)];
  const batches = done.map(({ items, losses }) => ({ size: items.length, losses }));
  const cost = { seconds, dispatches, flops, memory, octaves: sizes };
  const losses = done.flatMap((result) => result.losses);
  return { iterations: all, planned, batches, aborted: all < planned, ...cost, losses, items, failure };
}
