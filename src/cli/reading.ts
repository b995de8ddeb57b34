/**
 * Pictures in files, read and fitted: here, or many at a time in workers, so that this thread can do something else, or wait
 * for an adapter that computes in it.
 */
import { fitPicture, type Fitting } from "../formats/fit.ts";
import type { Image } from "../formats/image.ts";
import { decodeImage } from "../formats/png.ts";
import { UserError } from "../formats/user_error.ts";
import { readBytes } from "./files.ts";

/** Reads a picture. @throws UserError */
export const readPicture = async (file: string): Promise<Image> => decodeImage(await readBytes(file), file);

/** What a worker is asked for. */
export interface Order {
  place: number;
  file: string;
  fitting: Fitting;
}

/** What comes back: the picture, or the sentence that says why there is none. */
export interface Answer {
  place: number;
  image?: Image;
  refused?: string;
}

/** Fills an order when those before are filled: one picture is large at a time. */
export const fill: (order: Order) => Promise<Answer> = inTurn(async ({ place, file, fitting }) => {
  try {
    return { place, image: fitPicture(await readPicture(file), fitting) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { place, refused: error.message };
  }
});

/** The function, each of whose calls waits for the one before. */
export function inTurn<Given, Result>(act: (given: Given) => Promise<Result>): (given: Given) => Promise<Result> {
  let last: Promise<unknown> = Promise.resolve();
  return (given) => {
    const result = last.then(() => act(given));
    last = result.catch(() => {});
    return result;
  };
}

/** Workers that read pictures. */
export interface Readers extends Disposable {
  /** Reads one. @throws UserError where it cannot be used. */
  read(file: string, fitting: Fitting): Promise<Image>;
}

/** Starts so many workers. */
export function startReaders(count: number): Readers {
  const waiting = new Map<number, PromiseWithResolvers<Image>>();
  const workers = Array.from({ length: count }, () => {
    const worker = new Worker(import.meta.resolve("./picture_worker.ts"), { type: "module" });
    worker.onmessage = ({ data: { place, image, refused } }: MessageEvent<Answer>) => {
      const { resolve, reject } = waiting.get(place)!;
      waiting.delete(place);
      if (image) resolve(image);
      else reject(new UserError(refused!));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      for (const { reject } of waiting.values()) reject(new Error(event.message));
    };
    return worker;
  });
  let place = 0;
  return {
    read(file, fitting) {
      const promise = Promise.withResolvers<Image>(), order: Order = { place, file, fitting };
      waiting.set(place, promise);
      workers[place++ % count].postMessage(order);
      return promise.promise;
    },
    [Symbol.dispose]: () => workers.forEach((worker) => worker.terminate()),
  };
}
