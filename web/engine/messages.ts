/**
 * What page and engine say to each other. The engine works in a worker, so that the page never waits for it: the page calls by
 * name and gets an answer, and the engine tells of itself by events.
 */
import {
  GpuError,
  type GpuErrorKind,
  type LayerInfo,
  type MethodName,
  type Picture,
  type Ranked,
  type Settings,
} from "../../src/mod.ts";

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
  /** What the pair is searched with where nobody says; its sigmas are 0 where the generator has no bounds by deviations. */
  settings: Settings;
  /** The same by each method. */
  methods: Record<MethodName, { help: string; settings: Settings }>;
  /** Whether the generator can start from pictures: its code is the classifier's features. */
  inverts: boolean;
}

/** The numbers of a search that the page offers. */
export type Wishes = Settings;

/** What to search for: a picture for each unit and seed, or for each seed of all units together or of a target. */
export interface Wanted {
  /** The published method whose settings these are, but for what was said otherwise. */
  method?: MethodName;
  layer?: string;
  units: number[];
  /** Whether all units shall be in one picture. */
  together?: true;
  /** What is climbed in place of units. */
  target?: string;
  seeds: number[];
  wishes: Wishes;
  /** The photograph that it begins from, in place of the seeds. */
  from?: number;
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
  | { kind: "photographs"; leftOut: string[] }
  | { kind: "model"; role: "classifier" | "generator"; opened: Opened; notes: string[] };

/** What the classifier makes of a photograph. */
export interface Photograph {
  id: number;
  name: string;
  /** What the classifier is shown of it. */
  picture: Picture;
  /** What it sees; undefined while it looks. */
  top?: Ranked[];
}

/** How strong a unit is on a photograph, and where in its map. */
export interface Excited {
  photograph: number;
  activation: number;
  at: [x: number, y: number];
}

/** How far a photograph is from another. */
export interface Near {
  photograph: number;
  distance: number;
}

/** The strongest units of a layer. */
export interface LayerView {
  layer: string;
  units: (Omit<Excited, "photograph"> & { unit: number })[];
}

/** A network that is kept in this browser. */
export interface KeptModel {
  hash: string;
  name: string;
  role: "classifier" | "generator";
  /** Bytes of its files. */
  bytes: number;
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
  /** Photographs are told as they come. */
  drop(files: DroppedFile[]): Dropped;
  /** The embedded pair again. */
  embedded(): Opened;
  /** The networks that are kept in this browser. */
  kept(): KeptModel[];
  /** Keeps one of those at hand that were dropped. */
  keep(role: KeptModel["role"]): void;
  openKept(model: KeptModel): Dropped;
  forgetKept(hash: string): void;
  /** The photographs of the visit, as the classifier at hand sees them. */
  photographs(): Photograph[];
  /** Takes a photograph away. */
  forget(photograph: number): void;
  /** The strongest units of a layer on a photograph. */
  look(photograph: number, layer: string): LayerView;
  /** The photograph, as light as it excites a unit; nothing where that was ended. */
  region(photograph: number, layer: string | undefined, unit: number): Picture | undefined;
  /** The photographs nearest to one, in pixels or as a layer has them; nothing where that was ended. */
  nearest(photograph: number, layer: string | undefined): Near[] | undefined;
  /** The photographs that excite a unit most; nothing where that was ended. */
  best(layer: string | undefined, unit: number): Excited[] | undefined;
  /** Ends the last three, and an atlas. */
  halt(): void;
  /** Small pictures of units, for a layer's atlas; nothing where that was ended. */
  atlas(layer: string, units: number[], method: MethodName | undefined): SavedFile[] | undefined;
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
  /** A photograph that was dropped: once it has been read, and once it has been looked at. */
  | { kind: "photograph"; photograph: Photograph }
  /** How far it is with what takes a while. */
  | { kind: "at"; done: number; total: number }
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
  | { id: number; sentence: string; kind?: GpuErrorKind };

/** How a failure is told to the visitor, with a way on where memory has run out. */
export function sentenceOf(error: unknown): string {
  if (error instanceof RangeError && /allocation failed|typed array length/i.test(error.message)) {
    return "there is not enough memory for this; close other tabs, or take a smaller network";
  }
  if (error instanceof GpuError && error.kind === "out-of-memory") {
    return `${error.message}; take fewer pictures at a time, or a smaller network`;
  }
  return error instanceof Error ? error.message : String(error);
}
