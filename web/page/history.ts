/** What a search has shown so far: as many states as memory should hold, evenly spread. */
import type { Picture, Ranked } from "../../src/mod.ts";

/** A state of the search. */
export interface Frame {
  iteration: number;
  pictures: Picture[];
  activations: Float32Array;
  top?: Ranked[][];
}

/** Bytes of pictures that are kept. */
const MOST_BYTES = 2 ** 27;

/** The states, oldest first. */
export class History {
  frames: Frame[] = [];
  /** The activation of each picture at every iteration. */
  traces: number[][] = [];
  #every = 1;

  /** One state more. */
  add(frame: Frame): void {
    const { iteration, pictures, activations } = frame;
    const last = this.frames.at(-1);
    activations.forEach((value, n) => (this.traces[n] ??= [])[iteration - 1] = value);
    // The newest is always there; the one before it stays where its turn has come.
    if (last && last.iteration % this.#every !== 0 && this.frames.length > 1) this.frames.pop();
    this.frames.push(frame);
    const bytes = pictures.reduce((sum, { rgb }) => sum + rgb.length, 0);
    if (this.frames.length * bytes <= MOST_BYTES || this.frames.length < 32) return;
    this.#every *= 2;
    this.frames = this.frames.filter(({ iteration }, n) =>
      iteration % this.#every === 0 || n === this.frames.length - 1
    );
  }

  /** The state of an iteration, or the nearest before it. */
  at(iteration: number | undefined): Frame | undefined {
    if (iteration === undefined) return this.frames.at(-1);
    return this.frames.findLast((frame) => frame.iteration <= iteration) ?? this.frames[0];
  }
}
