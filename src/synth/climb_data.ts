/** What a climb goes by, what it leaves, and what it goes on from: numbers that are on no device. */
import type { Objective } from "./objective.ts";
import type { Settings } from "./settings.ts";

/** What a search climbs and how, all of it decided. */
export interface ClimbSettings extends Settings {
  objective: Objective;
  /** Where the items are the frames of a film, how many are drawn at a time. */
  windowSize?: number;
  /** Upper bound of each code value, and after them, unless they all are `lowest`, the lower ones. No clipping when absent. */
  bound?: Float32Array;
  /** Start of each item, [items × code values]. */
  codes: Float32Array;
  /** How each item is seen in each iteration, [iterations × items × 4], where pictures are not seen as they are. */
  views?: Float32Array<ArrayBuffer>;
}

/** What a search leaves: `Climb`'s readings of these names. */
export interface Readings {
  trace: Float32Array;
  slopes: Float32Array;
  values?: Float32Array;
  images: Float32Array;
  shown: Float32Array;
  codes: Float32Array;
}

/** A search after so many iterations: the texels of what iterations change. */
export interface Saved {
  iteration: number;
  pieces: readonly Uint8Array[];
}
