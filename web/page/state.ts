/** What the page knows, and what visitors can do with it. */
import { batch, computed, signal } from "@preact/signals";
import type { Ranked } from "../../src/mod.ts";
import type {
  DroppedFile,
  LayerView,
  Opened,
  Photograph,
  Saving,
  Started,
  Told,
  Wanted,
  Wishes,
} from "../engine/messages.ts";
import { hashOf, placeOf } from "./address.ts";
import { commandOf } from "./command.ts";
import { keepFile } from "./files.ts";
import { type Frame, History } from "./history.ts";
import { startEngine } from "./link.ts";

/** Where the engine is: `missing` where the browser has no WebGPU. */
export const phase = signal<"loading" | "ready" | "missing" | "failed">("loading");
export const loaded = signal({ done: 0, total: 0 });

/** The networks at hand, and the embedded ones. */
export const opened = signal<Opened | undefined>(undefined);
let embeddedPair: Opened | undefined;

/** The views, and the one that is shown. */
export const views = ["search", "network", "photograph", "gpu"] as const;
export const view = signal<typeof views[number]>("search");

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

/** The photograph, and what each layer makes of it. */
export const photograph = signal<Photograph | undefined>(undefined);
export const looks = signal<readonly LayerView[]>([]);

/** The state that is shown. */
export const shown = computed((): Frame | undefined => {
  void version.value;
  return history.at(lookedAt.value);
});

/** The strongest units of the selected picture. */
export const topFive = computed((): Ranked[] => {
  const frame = shown.value, last = lookedAt.value === undefined ? finalTop.value : undefined;
  return frame?.top?.[selected.value] ?? last?.[selected.value] ?? [];
});

/** The command line of what is shown. */
export const command = computed(() =>
  wanted.value && opened.value && embeddedPair ? commandOf(wanted.value, opened.value, embeddedPair) : ""
);

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
  batch(() => take(told));
}

let early: Told[] = [];

function take(told: Told): void {
  if (told.kind === "loading") loaded.value = told;
  else if (told.kind === "planned") planned.value = told.bytes;
  else if (told.kind === "lost") notice.value = told.sentence;
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

/** Does something that may fail, and says so. */
export async function attempt<T>(work: string, run: () => Promise<T>): Promise<T | undefined> {
  failure.value = "";
  busy.value = work;
  try {
    return await run();
  } catch (error) {
    failure.value = (error as Error).message;
  } finally {
    busy.value = "";
  }
}

/** Begins: the device, the embedded pair, and what the address names. */
export async function begin(): Promise<void> {
  if (!navigator.gpu) {
    phase.value = "missing";
    return;
  }
  try {
    take2(embeddedPair = await engine.open());
  } catch (error) {
    phase.value = /no adapter/i.test((error as Error).message) ? "missing" : "failed";
    failure.value = (error as Error).message;
    return;
  }
  phase.value = "ready";
  await openAddress();
}

function take2(pair: Opened): void {
  opened.value = pair;
  wanted.value = { units: [], seeds: [0], wishes: { ...pair.settings, sigmas: pair.sigmas } };
}

/** The unit that is shown where the address names none: ILSVRC's bell pepper. */
const FIRST = 945;

/** Shows what the address names. */
export async function openAddress(): Promise<void> {
  const { model, layer, units = [FIRST], target, seeds = [0] } = placeOf(location.hash), pair = opened.value;
  if (!pair || !wanted.value) return;
  if (model !== undefined && !pair.classifier.hash.startsWith(model)) {
    notice.value = "The address names a network that is not here: drop its files to see the same.";
    return;
  }
  await find({ layer, units, target, seeds });
}

/** Searches for what is asked for, with the numbers at hand. */
export async function find(asked: Partial<Wanted>): Promise<void> {
  const now: Wanted = { ...wanted.value!, from: undefined, target: undefined, ...asked };
  view.value = "search";
  const answer = await attempt("", () => engine.search(now));
  if (answer) show(answer, now);
}

/** Shows a search that has begun. */
function show(answer: Started, now: Wanted): void {
  batch(() => {
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
  if (opened.value) globalThis.history.replaceState(null, "", hashOf(now, opened.value.classifier.hash));
}

/** Pauses or goes on; at the end it begins again. */
export async function toggle(): Promise<void> {
  if (running.value === "running") {
    running.value = "paused";
    await engine.pause();
  } else if (running.value === "paused") {
    lookedAt.value = undefined;
    running.value = "running";
    await engine.resume();
  } else await find(wanted.value!);
}

/** One iteration, then pause. */
export async function step(): Promise<void> {
  lookedAt.value = undefined;
  running.value = "paused";
  await engine.step();
}

/** Other numbers: for the search on its way, and for the next. */
export async function steer(wishes: Partial<Wishes>): Promise<void> {
  const now = wanted.value!;
  wanted.value = { ...now, wishes: { ...now.wishes, ...wishes } };
  if (running.value === "running" || running.value === "paused") await engine.steer(wishes);
}

/** The numbers of the paper's program, or of this network's own. */
export async function usual(): Promise<void> {
  const { settings, sigmas } = opened.value!;
  await steer({ ...settings, sigmas });
}

/** Frames of a GIF, about. */
const FRAMES = 40;

/** Saves a file. */
export async function save(kind: Saving["kind"]): Promise<void> {
  const { frames } = history, item = selected.value, every = Math.ceil(frames.length / FRAMES);
  const chosen = frames.filter((_, n) => n % every === 0 || n === frames.length - 1);
  const file = await attempt(
    "Saving",
    () =>
      engine.save({ kind, item, frames: kind === "gif" ? chosen.map(({ pictures }) => pictures[item]) : undefined }),
  );
  if (file) keepFile(file.name, file.type, file.bytes);
}

/** Takes what was dropped or chosen. */
export async function drop(files: DroppedFile[]): Promise<void> {
  const dropped = await attempt(`Reading ${files[0]?.path ?? ""}`, () => engine.drop(files));
  if (!dropped) return;
  if (dropped.kind === "picture") {
    view.value = "search";
    show(dropped.started, dropped.started.wanted);
  } else if (dropped.kind === "photograph") {
    photograph.value = dropped.photograph;
    looks.value = [];
    view.value = "photograph";
  } else {
    take2(dropped.opened);
    running.value = "idle";
    notice.value = [`${dropped.opened[dropped.role].name} is the ${dropped.role} now.`, ...dropped.notes].join(" ");
    view.value = dropped.role === "classifier" ? "network" : "search";
  }
}

/** Back to the embedded pair. */
export async function restore(): Promise<void> {
  const pair = await attempt("", () => engine.embedded());
  if (!pair) return;
  take2(pair);
  running.value = "idle";
  notice.value = "";
  await find({ units: [FIRST], layer: undefined, seeds: [0] });
}

/** Tells what each layer makes of the photograph, one after the other. */
export async function look(): Promise<void> {
  const layers = opened.value!.classifier.layers.filter(({ target, type }) => target !== undefined && type !== "input");
  for (const name of new Set(layers.map(({ blob }) => blob))) {
    const found = await attempt(`Looking at ${name}`, () => engine.look(name));
    if (!found) return;
    looks.value = [...looks.value.filter(({ layer }) => layer !== name), found];
  }
}
