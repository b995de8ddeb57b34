/**
 * Pictures read and fitted, here or many at a time in workers: then this thread can do something else, or wait for an adapter
 * that computes in it.
 */
import { giveBack } from "../formats/bytes.ts";
import { fitPicture, type Fitting } from "../formats/fit.ts";
import type { Image } from "../formats/image.ts";
import { decodeImage } from "../formats/png.ts";
import { UserError } from "../formats/user_error.ts";
import { readBytes } from "./files.ts";

/** Pictures that are read when their turn comes, so that few are in memory. */
export interface Pictures {
  count: number;
  /** Reads one. @throws UserError where it cannot be used. */
  read(index: number): Image | Promise<Image>;
  /** Where they are files: which. */
  files?: readonly string[];
}

/** Pictures in files. */
export const picturesIn = (files: readonly string[]): Pictures => ({
  count: files.length,
  read: async (index) => decodeImage(await readBytes(files[index]), files[index]),
  files,
});

/** Reads one of the pictures and fits it. Any number may be asked for at once. @throws UserError where it cannot be used. */
export interface Reader extends Disposable {
  read(index: number): Promise<Image>;
}

/** Reads pictures, those that are files in so many workers; here where there are none. Each has one in hand at a time. */
export const openReader = ({ read, files }: Pictures, fitting: Fitting, workers: number): Reader =>
  files && workers > 0 ? workersReader(files, fitting, workers) : {
    read: inTurn(async (index: number) => fitPicture(await read(index), fitting)),
    [Symbol.dispose]() {},
  };

/** The function, each of whose calls waits for the one before. */
function inTurn<Given, Result>(act: (given: Given) => Promise<Result>): (given: Given) => Promise<Result> {
  let last: Promise<unknown> = Promise.resolve();
  return (given) => {
    const result = last.then(() => act(given));
    last = result.catch(() => {});
    return result;
  };
}

/** What a worker is asked for. */
export interface Order {
  index: number;
  file: string;
  fitting: Fitting;
}

/** What comes back: the picture, or the sentence that says why there is none. */
export interface Answer {
  index: number;
  image?: Image;
  refused?: string;
}

/** What a worker does. */
export const fill: (order: Order) => Promise<Answer> = inTurn(async ({ index, file, fitting }) => {
  try {
    const picture = await picturesIn([file]).read(0);
    const image = fitPicture(picture, fitting);
    if (image !== picture) giveBack(picture.rgb); // photographs come faster than they are collected
    return { index, image };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { index, refused: error.message };
  }
});

function workersReader(files: readonly string[], fitting: Fitting, count: number): Reader {
  const waiting = new Map<number, PromiseWithResolvers<Image>>();
  let failure: Error | undefined;
  const workers = Array.from({ length: count }, () => {
    const worker = new Worker(import.meta.resolve("./picture_worker.ts"), { type: "module" });
    worker.onmessage = ({ data: { index, image, refused } }: MessageEvent<Answer>) => {
      const { resolve, reject } = waiting.get(index)!;
      waiting.delete(index);
      if (image) resolve(image);
      else reject(new UserError(refused!));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      failure = new Error(event.message);
      for (const { reject } of waiting.values()) reject(failure);
    };
    return worker;
  });
  return {
    read(index) {
      if (failure) return Promise.reject(failure);
      const promise = Promise.withResolvers<Image>();
      const order: Order = { index, file: files[index], fitting };
      waiting.set(index, promise);
      workers[index % count].postMessage(order);
      return promise.promise;
    },
    [Symbol.dispose]: () => workers.forEach((worker) => worker.terminate()),
  };
}
