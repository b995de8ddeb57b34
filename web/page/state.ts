/** What the page knows; what visitors can do with it is in deeds.ts. */
import { batch, computed, signal } from "@preact/signals";
import type { MethodName, Ranked } from "../../src/mod.ts";
import type { DroppedFile, Opened, Photograph, Started, Told, Wanted, Wishes } from "../engine/messages.ts";
import type { View } from "./address.ts";
import { commandOf, fromCommand } from "./command.ts";
import { type Frame, History } from "./history.ts";
import { startEngine } from "./link.ts";

/** Where the engine is: `missing` where the browser has no WebGPU. */
export const phase = signal<"loading" | "ready" | "missing" | "failed">("loading");
export const loaded = signal({ done: 0, total: 0 });

/** The networks at hand, and the embedded ones. */
export const opened = signal<Opened | undefined>(undefined);
export const embeddedPair = signal<Opened | undefined>(undefined);

/** The view that is shown, and in the network's the layer whose atlas is open. */
export const view = signal<View>("search");
export const openLayer = signal<string | undefined>(undefined);

/** What is wanted, and what the search on its way is of. */
export const wanted = signal<Wanted | undefined>(undefined);
export const started = signal<Started | undefined>(undefined);
export const running = signal<"idle" | "running" | "paused" | "done">("idle");
/** Iterations that the search goes on for. */
export const length = signal(0);
export const seconds = signal<number | undefined>(undefined);
const finalTop = signal<Ranked[][] | undefined>(undefined);

/** The states so far; `version` counts them, for they are kept aside. */
export let history = new History();
export const version = signal(0);
/** The iteration that is looked back at, where one is. */
export const lookedAt = signal<number | undefined>(undefined);
/** The picture whose curve and units are told. */
export const selected = signal(0);

/** How pictures are enlarged. */
export const smooth = signal(false);
/** GPU memory of the search. */
export const planned = signal(0);

/** What there is to say: to whom it may concern, and what went wrong. */
export const notice = signal("");
export const failure = signal("");
/** What is being worked at, for a bar without an end. */
export const busy = signal("");
/** A photograph that has been read or looked at. */
export const arrived = signal<Photograph | undefined>(undefined);
/** How far that is, where it is known: then it can be ended. */
export const at = signal<{ done: number; total: number } | undefined>(undefined);

/** The state that is shown. */
export const shown = computed((): Frame | undefined => {
  void version.value;
  return history.at(lookedAt.value);
});

/** The strongest units of the selected picture. */
export const topFive = computed((): Ranked[] => {
  const frame = shown.value;
  const last = lookedAt.value === undefined ? finalTop.value : undefined;
  return frame?.top?.[selected.value] ?? last?.[selected.value] ?? [];
});

/** The dropped picture that is drawn again, where one is. */
export const repeated = signal<DroppedFile | undefined>(undefined);
/** The photograph that the search has begun from, by its name. */
export const origin = signal("");
/** Whether the search was given other numbers on its way: then only its picture says how it was made. */
export const steered = signal(false);

/** The command line of what is shown. */
export const command = computed(() => {
  const now = wanted.value;
  const pair = opened.value;
  if (!now || !pair || !embeddedPair.value || !started.value) return "";
  if (repeated.value) return fromCommand(repeated.value.path);
  if (steered.value) return fromCommand(SAVED);
  return commandOf(now, pair, embeddedPair.value, origin.value);
});

/** What a picture that is saved may be called. */
const SAVED = "SAVED-PICTURE.png";

export const engine = startEngine(hear, (sentence) => {
  phase.value = "failed";
  failure.value = sentence;
});

function hear(told: Told): void {
  if ("run" in told && told.run !== started.value?.run) {
    // The first states of a search may come before the page knows its number.
    if (told.run < (started.value?.run ?? 0)) return;
    early.push(told);
    return;
  }
  batch(() => heed(told));
}

let early: Told[] = [];

function heed(told: Told): void {
  if (told.kind === "loading") loaded.value = told;
  else if (told.kind === "planned") planned.value = told.bytes;
  else if (told.kind === "lost") notice.value = told.sentence;
  else if (told.kind === "at") at.value = told;
  else if (told.kind === "photograph") arrived.value = told.photograph;
  else if (told.kind === "progress") {
    history.add(told);
    length.value = told.iterations;
    version.value++;
  } else if (told.kind === "ended") {
    running.value = told.finished ? "done" : "idle";
    seconds.value = told.finished ? told.seconds : undefined;
    finalTop.value = told.top;
  } else {
    running.value = "idle";
    failure.value = told.sentence;
  }
}

/** Does something that may fail, and says so. What is called nothing leaves there what is told of other work. */
export async function attempt<T>(work: string, run: () => Promise<T>): Promise<T | undefined> {
  failure.value = "";
  if (work !== "") busy.value = work;
  try {
    return await run();
  } catch (error) {
    failure.value = (error as Error).message;
  } finally {
    if (work !== "") {
      busy.value = "";
      at.value = undefined;
    }
  }
}

/** The method where nobody names one: a generator that was made for other networks draws little that this one knows. */
export const usualMethod = ({ inverts }: Opened): MethodName | undefined => inverts ? undefined : "fft";

/** The numbers of a method, or of the generator where there is none. */
export const usualWishes = ({ settings, methods }: Opened, method: MethodName | undefined): Wishes =>
  method === undefined ? settings : methods[method].settings;

/** The unit that is shown where nobody names one: ILSVRC's bell pepper, or the first. */
export function firstUnit({ classifier: { layer, layers } }: Opened): number {
  const { units = 0 } = layers.find(({ target }) => target === layer) ?? {};
  return units > PEPPER ? PEPPER : 0;
}

const PEPPER = 945;

/** Takes networks as those at hand. */
export function adopt(pair: Opened): void {
  batch(() => {
    history = new History();
    version.value++;
    started.value = undefined;
    finalTop.value = undefined;
    repeated.value = undefined;
    running.value = "idle";
    opened.value = pair;
    openLayer.value = undefined;
    const method = usualMethod(pair);
    wanted.value = { method, units: [], seeds: [0], wishes: usualWishes(pair, method) };
  });
}

/** Shows a search that has begun, of a picture that was dropped where one was. */
export function show(answer: Started, now: Wanted, dropped?: DroppedFile): void {
  batch(() => {
    repeated.value = dropped;
    steered.value = false;
    history = new History();
    wanted.value = now;
    started.value = answer;
    running.value = "running";
    lookedAt.value = undefined;
    seconds.value = undefined;
    finalTop.value = undefined;
    selected.value = 0;
    notice.value = answer.note ?? "";
    version.value++;
    const waiting = early;
    early = [];
    waiting.forEach(hear);
  });
}

/** What would take much memory, until somebody says whether it shall. */
export const asked = signal<{ sentence: string; files: DroppedFile[] } | undefined>(undefined);
