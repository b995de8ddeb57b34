/**
 * What page and engine say to each other. The engine works in a worker, so that the page never waits for it: the page calls by
 * name and gets an answer, and the engine tells of itself by events.
 */
import type { LayerInfo, Picture, Ranked, Settings } from "../../src/mod.ts";

/** A model, as the page knows it. */
export interface ModelInfo {
  name: string;
  hash: string;
  /** Bytes of its weights. */
  bytes: number;
  /** Names of the output's units. */
  labels: readonly string[];
  /** [first, last] ranges of the units that were trained; all when absent. */
  trained?: [number, number][];
  /** The layer that is searched where nobody names one. */
  layer: string;
  layers: LayerInfo[];
}

/** What the engine has at hand. */
export interface Opened {
  version: string;
  adapter: string;
  /** Whether a CPU runs the kernels. */
  software: boolean;
  classifier: ModelInfo;
  generator: ModelInfo;
  /** What the pair is searched with where nobody says. */
  settings: Settings;
  /** Deviations that the code's bounds lie above its mean; undefined where the generator has no bounds. */
  sigmas?: number;
}

/** The numbers of a search that the page offers. */
export interface Wishes extends Settings {
  sigmas?: number;
}

/** What to search for: a picture for each unit and seed, or for each seed of a target. */
export interface Wanted {
  layer?: string;
  units: number[];
  /** What is climbed in place of units. */
  target?: string;
  seeds: number[];
  wishes: Wishes;
  /** Begins from the photograph, not from the seeds. */
  from?: "photograph";
}

/** What a search is called, and what its pictures are of. */
export interface Started {
  run: number;
  titles: string[];
  /** What the settings are, where a dropped picture said them. */
  wanted: Wanted;
  note?: string;
}

/** A picture that a search saves, or all. */
export interface Saving {
  kind: "png" | "gif" | "sheet" | "code";
  /** Which of the pictures. */
  item: number;
  /** Of a GIF: the picture as it grew. */
  frames?: Picture[];
}

/** A file for the visitor. */
export interface SavedFile {
  name: string;
  type: string;
  bytes: Uint8Array<ArrayBuffer>;
}

/** A dropped file, by its path in what was dropped. */
export interface DroppedFile {
  path: string;
  file: Blob;
}

/** What was dropped, once it is known. */
export type Dropped =
  | { kind: "picture"; started: Started }
  | { kind: "photograph"; photograph: Photograph }
  | { kind: "model"; role: "classifier" | "generator"; opened: Opened; notes: string[] };

/** What the classifier makes of a photograph. */
export interface Photograph {
  name: string;
  /** What the classifier is shown of it. */
  picture: Picture;
  top: Ranked[];
  /** Whether the generator can start from it. */
  starts: boolean;
}

/** The strongest units of a layer. */
export interface LayerView {
  layer: string;
  units: { unit: number; activation: number; at: [x: number, y: number] }[];
}

/** What the page can ask for. */
export interface Calls {
  /** Opens the device and loads the embedded pair. */
  open(): Opened;
  search(wanted: Wanted): Started;
  pause(): void;
  resume(): void;
  /** One iteration, then it pauses. */
  step(): void;
  /** Other numbers for the search on its way. */
  steer(wishes: Partial<Wishes>): void;
  stop(): void;
  save(saving: Saving): SavedFile;
  drop(files: DroppedFile[]): Dropped;
  /** The embedded pair again. */
  embedded(): Opened;
  /** The strongest units of the layers on the photograph, one layer after the other. */
  look(layer: string): LayerView;
  /** Small pictures of units, for a layer's atlas. */
  atlas(layer: string, units: number[]): SavedFile[];
}

/** What the engine tells. */
export type Told =
  | { kind: "loading"; done: number; total: number }
  /** GPU memory that will be taken, before it is. */
  | { kind: "planned"; bytes: number }
  | {
    kind: "progress";
    run: number;
    iteration: number;
    iterations: number;
    activations: Float32Array;
    pictures: Picture[];
    top?: Ranked[][];
  }
  | { kind: "lost"; sentence: string }
  | { kind: "ended"; run: number; finished: boolean; seconds: number; top: Ranked[][] }
  | { kind: "failed"; run: number; sentence: string };

/** A call on its way to the engine. */
export interface Call {
  id: number;
  name: keyof Calls;
  args: unknown[];
}

/** What comes back: an event, or the answer to a call. */
export type Reply =
  | { event: Told }
  | { id: number; value: unknown }
  | { id: number; sentence: string };

/** How a failure is told to the visitor. */
export function sentenceOf(error: unknown): string {
  if (error instanceof RangeError && /allocation failed|typed array length/i.test(error.message)) {
    return "there is not enough memory for this";
  }
  return error instanceof Error ? error.message : String(error);
}
