/** What visitors can do. */
import type { MethodName } from "../../src/mod.ts";
import type { Dropped, DroppedFile, KeptModel, Saving, Wanted, Wishes } from "../engine/messages.ts";
import { modelHash, placeOf } from "./address.ts";
import { add, photographOf, seeAgain } from "./album.ts";
import { keepFile } from "./files.ts";
import {
  adopt,
  asked,
  attempt,
  embeddedPair,
  engine,
  failure,
  history,
  lookedAt,
  notice,
  opened,
  origin,
  phase,
  repeated,
  running,
  selected,
  show,
  steered,
  usualWishes,
  view,
  wanted,
} from "./state.ts";

/** Begins: the device, the embedded pair, and what the address names. */
export async function begin(): Promise<void> {
  if (!navigator.gpu) {
    phase.value = "missing";
    return;
  }
  try {
    adopt(embeddedPair.value = await engine.open());
  } catch (error) {
    phase.value = /no adapter/i.test((error as Error).message) ? "missing" : "failed";
    failure.value = (error as Error).message;
    return;
  }
  phase.value = "ready";
  await openAddress();
}

/** The unit that is shown where the address names none: ILSVRC's bell pepper. */
const FIRST = 945;

/** Shows what the address names. */
export async function openAddress(): Promise<void> {
  const { model, method, layer, units = [FIRST], together, target, seeds = [0] } = placeOf(location.hash);
  const pair = opened.value;
  if (!pair || !wanted.value) return;
  if (model !== undefined && !pair.classifier.hash.startsWith(model)) {
    const kept = await engine.kept();
    const found = kept.find(({ hash, role }) => role === "classifier" && hash.startsWith(model));
    if (found) {
      await openKept(found);
      if (opened.value?.classifier.hash === found.hash) await openAddress();
      return;
    }
    notice.value = "The address names a network that is not here: drop its files to see the same.";
    return;
  }
  const place = { layer, units, together, target, seeds };
  if (method === undefined || method === wanted.value.method || !Object.hasOwn(pair.methods, method)) {
    return await find(place);
  }
  await find({ ...place, method: method as MethodName, wishes: usualWishes(pair, method as MethodName) });
}

/** Searches for what is asked for, with the numbers at hand. */
export async function find(asked: Partial<Wanted>): Promise<void> {
  const target = asked.units === undefined ? wanted.value!.target : undefined;
  const now: Wanted = { ...wanted.value!, from: undefined, target, ...asked };
  if (now.units.length < 2) now.together = undefined;
  if (!now.together) now.wishes = { ...now.wishes, gamma: usualWishes(opened.value!, now.method).gamma };
  moved = {};
  view.value = "search";
  const answer = await attempt("", () => engine.search(now));
  if (!answer) return;
  if (now.from !== undefined) origin.value = photographOf(now.from)!.name;
  show(answer, now);
  if (Object.keys(moved).length > 0) await steer(moved);
}

/** Numbers that were changed while a search was about to begin. */
let moved: Partial<Wishes> = {};

/** Pauses or goes on; at the end it begins again. */
export async function toggle(): Promise<void> {
  if (running.value === "running") {
    running.value = "paused";
    await engine.pause();
  } else if (running.value === "paused") {
    lookedAt.value = undefined;
    running.value = "running";
    await engine.resume();
  } else await (repeated.value ? take([repeated.value]) : find(wanted.value!));
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
  const all = { ...now.wishes, ...wishes };
  // One that goes through several sizes begins anew.
  if (all.octaves > 1) return await find({ wishes: all });
  wanted.value = { ...now, wishes: all };
  if (running.value !== "running" && running.value !== "paused") {
    repeated.value = undefined;
    moved = { ...moved, ...wishes };
    if (running.value === "done") {
      notice.value = "The search has ended; these numbers are for the next: Again begins it.";
    }
    return;
  }
  steered.value = true;
  await engine.steer(wishes);
}

/** The numbers of the paper's program, of this network's own, or of the method. */
export async function usual(): Promise<void> {
  await steer(usualWishes(opened.value!, wanted.value!.method));
}

/** Draws by a method, or by the generator at hand. */
export async function drawBy(method: MethodName | undefined): Promise<void> {
  await find({ method, wishes: usualWishes(opened.value!, method) });
}

/** Frames of a GIF, about. */
const FRAMES = 40;

/** Saves a file. */
export async function save(kind: Saving["kind"]): Promise<void> {
  const item = selected.value;
  const { width } = history.frames.at(-1)?.pictures[item] ?? {};
  // Of a search through several sizes, those of the last.
  const frames = history.frames.filter(({ pictures }) => pictures[item].width === width);
  const every = Math.ceil(frames.length / FRAMES);
  const chosen = frames.filter((_, n) => n % every === 0 || n === frames.length - 1);
  const file = await attempt(
    "Saving",
    () =>
      engine.save({ kind, item, frames: kind === "gif" ? chosen.map(({ pictures }) => pictures[item]) : undefined }),
  );
  if (file) keepFile(file.name, file.type, file.bytes);
}

/** Bytes of a network past which its visitor is asked first, and how many times as much memory reading it takes at most. */
const ASKED = 5e7;
const TIMES = 4;

/** Takes what was dropped or chosen, and says before how much memory that takes, where it is much. */
export async function drop(files: DroppedFile[]): Promise<void> {
  const bytes = files.reduce((sum, { file }) => sum + file.size, 0);
  const megabytes = (count: number) => Math.ceil(count / 1e6);
  if (bytes < ASKED) return await take(files);
  const sentence = `These files have ${megabytes(bytes)} MB. Reading them takes up to ${
    megabytes(TIMES * bytes)
  } MB of memory, and a search with them about ${megabytes(bytes)} MB of the GPU’s.`;
  asked.value = { sentence, files };
}

/** Takes them. */
export async function take(files: DroppedFile[]): Promise<void> {
  asked.value = undefined;
  const dropped = await attempt(`Reading ${files[0]?.path ?? ""}`, () => engine.drop(files));
  if (dropped) await heedDropped(dropped, files);
}

/** Opens a network that is kept in this browser. */
export async function openKept(model: KeptModel): Promise<void> {
  const dropped = await attempt(`Reading ${model.name}`, () => engine.openKept(model));
  if (dropped) await heedDropped(dropped, []);
}

async function heedDropped(dropped: Dropped, files: DroppedFile[]): Promise<void> {
  if (dropped.kind === "picture") {
    view.value = "search";
    show(dropped.started, dropped.started.wanted, files[0]);
  } else if (dropped.kind === "photographs") add(dropped.photographs, dropped.leftOut);
  else {
    adopt(dropped.opened);
    notice.value = [`${dropped.opened[dropped.role].name} is the ${dropped.role} now.`, ...dropped.notes].join(" ");
    view.value = dropped.role === "classifier" ? "network" : "search";
    if (dropped.role === "classifier") {
      globalThis.history.replaceState(null, "", modelHash(dropped.opened.classifier.hash));
    }
    await seeAgain();
  }
}

/** Back to the embedded pair. */
export async function restore(): Promise<void> {
  const pair = await attempt("", () => engine.embedded());
  if (!pair) return;
  adopt(pair);
  notice.value = "";
  await seeAgain();
  await find({ units: [FIRST], layer: undefined, seeds: [0] });
}
