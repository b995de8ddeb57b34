/** What visitors can do. */
import type { MethodName } from "../../src/mod.ts";
import { lasting } from "../../src/synth/change.ts";
import type { Dropped, DroppedFile, KeptModel, Saving, Wanted, Wishes } from "../engine/messages.ts";
import { type Place, placeOf } from "./address.ts";
import { leaveUnseen, photographOf, seeAgain, takeMore } from "./album.ts";
import { keepFile } from "./files.ts";
import { EngineError } from "./link.ts";
import { following, going, searchAddress, stay } from "./places.ts";
import {
  adopt,
  asked,
  attempt,
  embeddedPair,
  engine,
  failure,
  firstUnit,
  history,
  lookedAt,
  notice,
  opened,
  openLayer,
  origin,
  phase,
  repeated,
  running,
  selected,
  show,
  steered,
  usualMethod,
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
    phase.value = error instanceof EngineError && error.kind === "no-adapter" ? "missing" : "failed";
    failure.value = (error as Error).message;
    return;
  }
  const there = openAddress();
  phase.value = "ready";
  await there;
}

/** The beginning of the hash of a network that the address names and that is not here. */
let missing: string | undefined;

/** Shows what the address names, and says what of it cannot be. */
export async function openAddress(): Promise<void> {
  if (!opened.value) return;
  await following(async () => {
    const { model = "" } = placeOf(location.hash, opened.value!);
    missing = await isHere(model) ? undefined : model;
    if (missing !== undefined) {
      notice.value = "The address names a network that is not here: drop its files to see the same.";
      stay();
      return;
    }
    const place = placeOf(location.hash, opened.value!);
    await goTo(place);
    if (place.faults.length > 0) notice.value = `Left out of the address: ${place.faults.join("; ")}.`;
  });
}

/** Whether the classifier that has this hash is at hand, or was kept or comes with the page: then it is opened. */
async function isHere(model: string): Promise<boolean> {
  if (opened.value!.classifier.hash.startsWith(model)) return true;
  if (embeddedPair.value!.classifier.hash.startsWith(model)) await openEmbedded();
  else {
    const all = await attempt("", () => engine.kept());
    const found = all?.find(({ hash, role }) => role === "classifier" && hash.startsWith(model));
    if (found) await openKept(found);
  }
  return opened.value!.classifier.hash.startsWith(model);
}

/** Shows a view, or a search unless it is the one that is there. */
async function goTo({ view: named, layer, units, together, target, seeds = [0], method }: Place): Promise<void> {
  view.value = named;
  if (named === "network") openLayer.value = layer;
  if (named !== "search" || searchAddress.value === location.hash) return;
  const pair = opened.value!;
  const own = method as MethodName | undefined ?? usualMethod(pair);
  const drawn = own === wanted.value!.method ? {} : { method: own, wishes: usualWishes(pair, own) };
  const first = { layer, units: [layer === undefined ? firstUnit(pair) : 0], seeds, ...drawn };
  if (await find({ ...first, units: units ?? first.units, together, target })) return;
  // What the engine refuses, such as a target that means nothing.
  const sentence = failure.value;
  await find(first);
  failure.value = sentence;
}

/** Searches for what is asked for, with the numbers at hand. @returns Whether that began. */
export async function find(asked: Partial<Wanted>): Promise<boolean> {
  return await going(async () => {
    const target = asked.units === undefined ? wanted.value!.target : undefined;
    const now: Wanted = { ...wanted.value!, from: undefined, target, ...asked };
    if (now.units.length < 2) now.together = undefined;
    if (!now.together) now.wishes = { ...now.wishes, gamma: usualWishes(opened.value!, now.method).gamma };
    moved = {};
    view.value = "search";
    const answer = await attempt("", () => engine.search(now));
    if (!answer) return false;
    if (now.from !== undefined) origin.value = photographOf(now.from)!.name;
    show(answer, now);
    if (Object.keys(moved).length > 0) await steer(moved);
    return true;
  });
}

/** Numbers that were changed while a search was about to begin. */
let moved: Partial<Wishes> = {};

/** Pauses or goes on; at the end it begins again. */
export async function toggle(): Promise<void> {
  if (running.value === "running") {
    running.value = "paused";
    await attempt("", () => engine.pause());
  } else if (running.value === "paused") {
    lookedAt.value = undefined;
    running.value = "running";
    await attempt("", () => engine.resume());
  } else if (repeated.value) await take([repeated.value]);
  else await find(wanted.value!);
}

/** One iteration, then pause. */
export async function step(): Promise<void> {
  lookedAt.value = undefined;
  running.value = "paused";
  await attempt("", () => engine.step());
}

/** Other numbers: for the search on its way, and for the next. */
export async function steer(wishes: Partial<Wishes>): Promise<void> {
  const now = wanted.value!;
  const all = { ...now.wishes, ...wishes };
  const onItsWay = running.value === "running" || running.value === "paused";
  // One that goes through several sizes begins anew, and so does one that would have to be of other pictures.
  if (all.octaves > 1 || onItsWay && lasting.some((name) => all[name] !== now.wishes[name])) {
    await find({ wishes: all });
    return;
  }
  wanted.value = { ...now, wishes: all };
  if (!onItsWay) {
    repeated.value = undefined;
    moved = { ...moved, ...wishes };
    if (running.value === "done") {
      notice.value = "The search has ended; these numbers are for the next: Again begins it.";
    }
    return;
  }
  steered.value = true;
  await attempt("", () => engine.steer(wishes));
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
  takeMore();
  const dropped = await attempt(`Reading ${files[0]?.path ?? ""}`, () => engine.drop(files));
  if (dropped) await heedDropped(dropped, files);
  else leaveUnseen();
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
  } else if (dropped.kind === "photographs") {
    notice.value = dropped.leftOut.length > 0 ? `Left out: ${dropped.leftOut.join("; ")}.` : "";
  } else await going(() => heedModel(dropped));
}

async function heedModel({ role, opened: pair, notes }: Extract<Dropped, { kind: "model" }>): Promise<void> {
  adopt(pair);
  notice.value = [`${pair[role].name} is the ${role} now.`, ...notes].join(" ");
  view.value = role === "classifier" ? "network" : "search";
  await seeAgain();
  if (missing && pair.classifier.hash.startsWith(missing)) await openAddress();
}

/** The embedded pair, and its first unit. */
export async function restore(): Promise<void> {
  await going(async () => {
    if (!(await openEmbedded())) return;
    notice.value = "";
    await find({ units: [firstUnit(opened.value!)], layer: undefined, seeds: [0] });
  });
}

async function openEmbedded(): Promise<boolean> {
  const pair = await attempt("", () => engine.embedded());
  if (!pair) return false;
  adopt(pair);
  await seeAgain();
  return true;
}
